"""What a source of metrics found in one look, and how several are laid together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from remote.protocol import Host


@dataclass
class Readings:
    """Metrics by their names in remote.metrics, as in protocol.Host; `unavailable` holds reasons."""

    values: dict[str, float] = field(default_factory=dict)
    series: dict[str, dict[str, float]] = field(default_factory=dict)
    text: dict[str, str] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)


def host_of(parts: Iterable[Readings]) -> Host:
    """One Host body of all sources: later values win, series are united, a reason stands only where nothing was read."""
    whole = Readings()
    for part in parts:
        whole.values.update(part.values)
        whole.text.update(part.text)
        whole.unavailable.update(part.unavailable)
        for name, numbers in part.series.items():
            whole.series.setdefault(name, {}).update(numbers)
    if temperatures := whole.series.get("temp_c"):
        whole.values["temp_max_c"] = max(temperatures.values())
    known = whole.values.keys() | whole.series.keys() | whole.text.keys()
    reasons = {name: why for name, why in whole.unavailable.items() if name not in known}
    return Host(values=whole.values, series=whole.series, text=whole.text, unavailable=reasons)
