"""What an optimising step made, before it is measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from remote.models.provenance import Calibration, Scalar


@dataclass(frozen=True)
class Made:
    """A model in memory. `notes` are sentences for the person; `keeps_outputs` is False where its weights were trained anew."""

    step: str
    model: Any
    settings: dict[str, Scalar] = field(default_factory=dict)
    calibration: Calibration | None = None
    notes: tuple[str, ...] = ()
    keeps_outputs: bool = True
    tools: dict[str, str] = field(default_factory=dict)


def tools(*names: str) -> dict[str, str]:
    """The versions of installed packages by name."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
