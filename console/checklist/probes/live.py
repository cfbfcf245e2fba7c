"""The probe `live_metric`: a metric over the last windows of the worker, or over the host samples that came with them."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from itertools import pairwise
from typing import Annotated, Literal, Optional

import msgspec

from console.checklist.probes import Finding, Sight
from console.checklist.probes.windows import FRESH_S, Watched, Windows, last, span_of, watch
from console.fieldtest.criteria import Distribution, Number
from console.fieldtest.parts import Span
from console.fieldtest.spans import span_s
from console.link.snapshot import HISTORY, Seen, Snapshot
from remote.histogram import Histogram
from remote.metrics import METRICS, Metric
from remote.protocol import Host, Scalar, Window

Statistic = Literal["auto", "last", "mean", "max", "min"]


class MetricParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`metric` is a name of docs/metrics.md.

    A latency is measured as a distribution, of which the criterion's own `statistic` (p50, p95, p99, max, mean) is judged. Of
    single numbers `statistic` is taken first; `auto` is the mean, and the highest part (core, sensor, rail) of a series.
    At least `windows` windows in a row that cover `min_duration` are wanted; they are waited for up to `patience`.
    """

    metric: str
    statistic: Statistic = "auto"
    windows: Annotated[int, msgspec.Meta(ge=1, le=HISTORY)] = 30
    min_duration: Span = "10 s"
    patience: Span = "60 s"

    def __post_init__(self) -> None:
        known = METRICS.get(self.metric)
        if known is None:
            near = difflib.get_close_matches(self.metric, METRICS, n=1, cutoff=0.4)
            raise ValueError(f"no metric is called {self.metric!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        if known.shape == "text":
            raise ValueError(f"{self.metric} is a word, not a number: use the probe power_mode")
        if known.shape == "histogram" and self.statistic != "auto":
            raise ValueError(f"{self.metric} is a distribution: name the statistic in the item's criterion instead")
        if known.shape == "series" and self.statistic not in ("auto", "max"):
            raise ValueError(f"{self.metric} has many parts: only their max can be judged")
        if span_s(self.min_duration) > HISTORY:
            raise ValueError(f"min_duration can be {HISTORY} s at most: no more is kept at hand")


def look_at_metric(sight: Sight, parameters: MetricParameters) -> Finding:
    """A Distribution for a latency, a Number for everything else, with the windows that it rests on in the details."""
    metric = METRICS[parameters.metric]
    min_s = span_s(parameters.min_duration)
    patience_s = span_s(parameters.patience)
    seen = watch(sight, lambda row: last(row, parameters.windows, min_s), patience_s, bundle=sight.bundle)
    if seen.lacking is not None or seen.shot is None:
        return seen.lacking or Finding(unavailable="nothing was seen")
    details = _details(seen.windows)
    if metric.shape == "histogram":
        return _latency(metric, seen, details)
    return _number(metric, parameters.statistic, seen, seen.shot, details)


def _details(windows: Windows) -> dict[str, Scalar]:
    bodies = [seen.body for seen in windows]
    return {
        "windows": len(bodies),
        "seconds": round(span_of(windows), 1),
        "frames": sum(body.frames for body in bodies),
        "dropped": sum(body.dropped for body in bodies),
        "failed": sum(body.failed for body in bodies),
    }


# ---------------------------------------------------------------- latencies


def _latency(metric: Metric, seen: Watched, details: dict[str, Scalar]) -> Finding:
    stage = metric.name.removesuffix("_ms")
    merged = Histogram.merge(part for it in seen.windows if (part := it.body.stages_ms.get(stage)) is not None)
    if not merged.count:
        camera = seen.windows[-1].body.camera
        said = f"no frame was processed in {details['seconds']} s; camera {camera.phase}: {camera.reason}".rstrip(": ")
        return Finding(unavailable=said, cure="see what the camera and the failures say", details=details)
    quantiles = {name: merged.quantile(q) for name, q in (("p50", 0.50), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))}
    spread: dict[str, Scalar] = {
        f"{name}_ms": round(value, 3) for name, value in quantiles.items() if value is not None
    }
    return Finding(measurement=Distribution(merged, metric.unit), details={**details, **spread})


# ---------------------------------------------------------------- single numbers


def _detections(window: Window) -> float:
    return float(sum(count.count for count in window.labels.values()))


OF_WINDOW: dict[str, Callable[[Window], Optional[float]]] = {
    "fps": lambda window: window.fps,
    "frames": lambda window: float(window.frames),
    "dropped_frames": lambda window: float(window.dropped),
    "failed_frames": lambda window: float(window.failed),
    "detections": _detections,
    "brightness": lambda window: window.camera.brightness,
}
"""How each single number of docs/metrics.md that comes from the worker is read from one window."""


def _number(metric: Metric, statistic: Statistic, seen: Watched, shot: Snapshot, details: dict[str, Scalar]) -> Finding:
    if metric.home == "window":
        values = [OF_WINDOW[metric.name](it.body) for it in seen.windows]
        why = f"a window has no {metric.name}"
    else:
        hosts = hosts_during(shot.hosts, seen.windows)
        values, why = [_of_host(metric, it.body) for it in hosts], _why_not(metric, hosts)
    good = [value for value in values if value is not None and math.isfinite(value)]
    if not good or len(good) < len(values):
        return Finding(unavailable=why, details=details)
    weights = [it.body.span_ms for it in seen.windows] if metric.name == "fps" else [1.0] * len(good)
    value = _taken(good, weights, _statistic(metric, statistic))
    n = 1 if statistic == "last" else len(good)
    found: dict[str, Scalar] = {"n": n, "min": round(min(good), 3), "max": round(max(good), 3)}
    return Finding(measurement=Number(value, metric.unit, n), details={**details, **found})


def _statistic(metric: Metric, wanted: Statistic) -> Statistic:
    if wanted != "auto":
        return wanted
    return "max" if metric.shape == "series" else "mean"


def _taken(values: list[float], weights: list[float], statistic: Statistic) -> float:
    if statistic == "last":
        return values[-1]
    if statistic == "max":
        return max(values)
    if statistic == "min":
        return min(values)
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)


# ---------------------------------------------------------------- host samples


def hosts_during(hosts: tuple[Seen[Host], ...], windows: Windows) -> tuple[Seen[Host], ...]:
    """The samples that were taken while the windows were: what the host did under this very load.

    Empty where they have a gap, or where the newest is not as fresh as the windows.
    """
    first, newest = windows[0], windows[-1]
    assert first.at_ns is not None  # `together` takes no other windows
    assert newest.at_ns is not None
    begin_ns = first.at_ns - first.body.span_ms * 1e6
    times = [(it.at_ns, it) for it in hosts if it.at_ns is not None and it.at_ns >= begin_ns]
    stamps = [begin_ns, *(at_ns for at_ns, _ in times), newest.at_ns]
    if not times or any(after - before > FRESH_S * 1e9 for before, after in pairwise(stamps)):
        return ()
    return tuple(it for _, it in times)


def _of_host(metric: Metric, host: Host) -> float | None:
    if metric.shape == "series":
        return max(host.series.get(metric.name, {}).values(), default=None)
    return host.values.get(metric.name)


def _why_not(metric: Metric, hosts: tuple[Seen[Host], ...]) -> str:
    if not hosts:
        return "the robot's host samples have a gap"
    reasons = [it.body.unavailable[metric.name] for it in hosts if metric.name in it.body.unavailable]
    missing = sum(_of_host(metric, it.body) is None for it in hosts)
    said = f"{metric.name} is missing in {missing} of {len(hosts)} host samples"
    return f"{said}: {reasons[-1]}" if reasons else said
