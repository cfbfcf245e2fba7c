"""What a source gives, before it is proved: the ONNX file, its contract, and what the framework gives on golden inputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from remote.models.contract import AnyContract, Contract
from remote.models.export.samples import Samples
from remote.models.golden import Arrays
from remote.models.provenance import Calibration, Scalar, Tolerance
from remote.verdicts import Check


@dataclass(frozen=True)
class Made:
    """A model on its way into a bundle.

    `golden` are the outputs for `samples`, by `against` (in words). `extra` are further files of the bundle.
    """

    onnx: Path
    contract: AnyContract
    samples: Samples
    golden: Arrays
    against: str
    source: str
    tolerance: Tolerance
    source_sha256: str = ""
    parent: str = ""
    calibration: Calibration | None = None
    settings: dict[str, Scalar] = field(default_factory=dict)
    tools: dict[str, str] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    extra: dict[str, bytes] = field(default_factory=dict)


class ExportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was written and how it was proved. `samples` golden inputs come from `golden`, in words.

    `was_there`: the very same bundle lay there already, and nothing was changed.
    """

    name: str
    digest: str
    folder: str
    source: str
    task: str
    opset: int
    ir_version: int
    inputs: dict[str, str]
    outputs: dict[str, str]
    golden: str
    samples: int
    tolerance: Tolerance
    files: tuple[str, ...]
    checks: tuple[Check, ...]
    was_there: bool = False


def output_name(contract: AnyContract) -> str:
    """The tensor that the contract is about."""
    return contract.output.name if isinstance(contract, Contract) else contract.actions.name
