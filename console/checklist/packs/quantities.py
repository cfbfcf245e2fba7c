"""What a probe's metrics are: their unit, and which statistics can be taken of them."""

from __future__ import annotations

from typing import Literal, NamedTuple

from remote.metrics import METRICS, Shape


class Quantity(NamedTuple):
    """A metric that is a number: its unit as criteria write it, and its shape."""

    unit: str
    shape: Shape | Literal["rate"]


_OF_PROBES: dict[str, Quantity] = {
    "clock_offset_s": Quantity("s", "value"),
    "success_rate": Quantity("%", "rate"),
    "validated_engine_p99_ms": Quantity("ms", "value"),
    "validated_pipeline_p99_ms": Quantity("ms", "value"),
    "validated_loaded_p99_ms": Quantity("ms", "value"),
}
_STATISTICS: dict[str, tuple[str, ...]] = {
    "histogram": ("p50", "p95", "p99", "max", "min", "mean"),
    "value": ("value",),
    "series": ("value", "max"),
    "rate": ("rate",),
}


def quantity_of(metric: str) -> Quantity | None:
    """What that metric is; None for one that is answered with yes or no, or that only people measure."""
    if metric in METRICS:
        return Quantity(METRICS[metric].unit, METRICS[metric].shape)
    return _OF_PROBES.get(metric)


def statistics_of(quantity: Quantity) -> tuple[str, ...]:
    """The statistics that can be taken of it; none of a text."""
    return _STATISTICS.get(quantity.shape, ())
