"""What a robot did over a stretch of time, as text and as JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from console.fieldtest.running import Measured, Running
from console.fieldtest.spans import time_words
from console.printing import in_line
from remote.histogram import Histogram
from remote.metrics import METRICS

if TYPE_CHECKING:
    from console.fieldtest.criteria import Estimate
    from console.store.calibrations import Calibration
    from console.store.drift import Drift

FORMAT = 1
"""Of `fieldgate running --json`; docs/running.md lists the fields."""
_WIDTH = 17
_DAY_S = 86_400
_S_NS = 1_000_000_000


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is shown. Estimates are None where no time is known; `interventions_per_day` also where nobody counted
    them. `spreads` holds count, mean, p50, p95, p99, minimum and maximum by metric, `hosts` mean, highest and readings.
    """

    format: int = FORMAT
    name: str
    robot: str
    spans_wall_ns: tuple[tuple[int, int], ...]
    running: Running
    unknown_s: float
    uptime_percent: float | None
    mtbf_h: Estimate | None
    crashes_per_day: Estimate | None
    interventions_per_day: Estimate | None
    spreads: dict[str, dict[str, float]]
    hosts: dict[str, dict[str, float]]
    drift: Drift
    drift_words: str
    spans: tuple[Any, ...]


def report(
    name: str,
    robot: str,
    spans: Sequence[tuple[int, int]],
    found: Measured,
    drift: Drift,
    confidence: float,
    *,
    interventions: bool,
) -> Report:
    """Put together; `confidence` (a share) is that of the one-sided bounds, `interventions` whether they were counted."""
    from console.fieldtest.mtbf import mtbf, rate_per_day

    running = found.running
    days = running.known_s / _DAY_S
    known = days > 0
    return Report(
        name=name,
        robot=robot,
        spans_wall_ns=tuple(spans),
        running=running,
        unknown_s=running.unknown_s,
        uptime_percent=100 * running.up_s / running.known_s if known else None,
        mtbf_h=mtbf(days * 24, running.breakdowns, confidence) if known else None,
        crashes_per_day=rate_per_day(running.crashes + running.hangs, days, confidence) if known else None,
        interventions_per_day=rate_per_day(running.interventions, days, confidence)
        if known and interventions
        else None,
        spreads={name: _figures(found.spreads[name]) for name in METRICS if name in found.spreads},
        hosts={
            name: {"mean": found.means[name], "highest": found.highest[name], "readings": found.readings[name]}
            for name in METRICS
            if name in found.readings
        },
        drift=drift,
        drift_words=drift.words,
        spans=found.spans,
    )


def report_lines(told: Report) -> list[str]:
    """The text."""
    first, last = told.spans_wall_ns[0][0], told.spans_wall_ns[-1][1]
    sessions = f" in {len(told.spans_wall_ns)} sessions" if len(told.spans_wall_ns) > 1 else ""
    head = f"{told.robot}, {_when(first)} to {_when(last)}: {time_words(told.running.wanted_s)}{sessions}"
    return [in_line(head), *(f"  {name:<{_WIDTH}} {in_line(words)}" for name, words in _rows(told))]


def calibration_lines(made: Calibration) -> list[str]:
    """What was calibrated, in words."""
    detector = made.detector
    hours = detector.blocks_between_false_alarms / 60
    lines = [
        f"{made.robot}: calibrated on {made.blocks:,} healthy minutes, {_when(made.from_wall_ns)} to {_when(made.to_wall_ns)}",
        f"  bundle   {made.origin.bundle[:12]}, source {made.origin.source}",
        f"  watched  {', '.join(sorted(detector.watched))}; about one false alarm in {hours:,.0f} h of work",
        *(f"  left out {name}: {why}" for name, why in sorted(detector.left_out.items())),
        f"  digest   {made.digest}",
    ]
    return [in_line(line) for line in lines]


def _rows(told: Report) -> Iterator[tuple[str, str]]:
    running = told.running
    unknown = f"; nothing is known of {time_words(told.unknown_s)}" if told.unknown_s >= 0.5 else ""
    yield "known", f"{time_words(running.known_s)}{unknown}"
    if told.uptime_percent is None:
        yield "", "the journal of that time is not on this laptop"
    else:
        yield "up", f"{time_words(running.up_s)}, {told.uptime_percent:.2f} % of the time known"
        yield from _breakdowns(told)
    yield "throttled", "not known" if running.throttled_s is None else time_words(running.throttled_s)
    yield "frames", f"{running.frames:,}, {running.failed_frames:,} failed, {running.dropped_frames:,} dropped"
    for metric, figures in told.spreads.items():
        words = ", ".join(f"{name} {figures[name]:,.1f}" for name in ("p50", "p95", "p99", "maximum"))
        yield metric, f"{words} ms of {figures['count']:,.0f}"
    for metric, figures in told.hosts.items():
        if METRICS[metric].unit in ("%", "°C", "mW"):
            unit = METRICS[metric].unit
            yield metric, f"mean {figures['mean']:.1f} {unit}, highest {figures['highest']:.1f} {unit}"
    yield "drift", told.drift_words
    for alarm in told.drift.alarms:
        yield "", f"{alarm.metric} {alarm.way} since {_when(alarm.since_ns)}"


def _breakdowns(told: Report) -> Iterator[tuple[str, str]]:
    from console.fieldtest.mtbf import a_day_words, mtbf_words

    running = told.running
    counts = [_counted(running.crashes, "crash"), _counted(running.hangs, "hang"), _counted(running.reboots, "reboot")]
    others = [_counted(running.agent_restarts, "agent restart"), _counted(running.camera_faults, "camera fault")]
    yield "breakdowns", f"{', '.join(counts)}; beside them {', '.join(others)}"
    assert told.mtbf_h is not None
    assert told.crashes_per_day is not None
    yield "MTBF", mtbf_words(told.mtbf_h)
    yield "crashes", a_day_words(told.crashes_per_day)
    if told.interventions_per_day is None:
        yield "interventions", "not counted here (a campaign's sessions count them)"
    else:
        yield "interventions", f"{running.interventions}; {a_day_words(told.interventions_per_day)}"


def _counted(count: int, word: str) -> str:
    plural = "es" if word.endswith("sh") else "s"
    return f"{count} {word}" if count == 1 else f"{count:,} {word}{plural}"


def _figures(spread: Histogram) -> dict[str, float]:
    quantiles = {name: spread.quantile(q) or 0.0 for name, q in (("p50", 0.50), ("p95", 0.95), ("p99", 0.99))}
    ends = {"minimum": spread.minimum, "maximum": spread.maximum}
    return {"count": spread.count, "mean": spread.mean or 0.0, **quantiles, **ends}


def _when(wall_ns: int) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(wall_ns // _S_NS))
    except (OverflowError, ValueError, OSError):
        return "a time that no clock shows"
