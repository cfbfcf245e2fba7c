"""What a rule reads out of a snapshot: a value with its age and count, or the reason why there is none.

Merging a window's histograms costs most of it, so `Merged` remembers the result until a newer window arrives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import msgspec

from console.fieldtest.criteria import QUANTILES, Criterion, holds
from console.fieldtest.kpis import Condition, Kpi, Kpis, LiveKpi
from console.link.snapshot import Seen, Snapshot
from remote.histogram import Histogram
from remote.metrics import METRICS
from remote.protocol import Window

Verdict = Literal["good", "between", "bad", "unknown"]
NS_PER_S = 1_000_000_000


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One rule's view of now.

    `verdict`: good (clears), between (inside the hysteresis), bad (violates), unknown (no value: `why` says the reason).
    `value` and `limit` are in `unit`; `n` counts the frames or windows behind the value; `word` is a state where the
    reading is no number.
    """

    verdict: Verdict
    value: float | None = None
    limit: float | None = None
    unit: str = ""
    n: int = 0
    at_ns: int | None = None
    word: str = ""
    why: str = ""


def window_value(name: str, window: Window) -> float | None:
    """A window's single number by its metric name; None where the window has none."""
    if name == "fps":
        return window.fps
    if name == "frames":
        return float(window.frames)
    if name == "dropped_frames":
        return float(window.dropped)
    if name == "failed_frames":
        return float(window.failed)
    if name == "detections":
        return float(sum(count.count for count in window.labels.values()))
    return window.camera.brightness if name == "brightness" else None


def age_s(at_ns: int | None, now_ns: int) -> float | None:
    """Seconds since `at_ns`, never negative; None of None."""
    return None if at_ns is None else max(0, now_ns - at_ns) / NS_PER_S


def recent(windows: tuple[Seen[Window], ...], span_s: float) -> list[Window]:
    """The windows of the newest one's last `span_s` seconds, oldest first; none of another boot."""
    if not windows or windows[-1].at_ns is None:
        return []
    oldest_ns = windows[-1].at_ns - span_s * NS_PER_S
    found = []
    for seen in reversed(windows):
        if seen.at_ns is None or seen.at_ns <= oldest_ns:
            break
        found.append(seen.body)
    return found[::-1]


class Merged:
    """Merged stage histograms, remembered for the newest window."""

    def __init__(self) -> None:
        self._newest: tuple[int, ...] = ()
        self._known: dict[tuple[str, float], Histogram] = {}

    def stage(self, snapshot: Snapshot, stage: str, span_s: float) -> Histogram:
        """The histogram of `stage` (of protocol.STAGES, milliseconds) over the last `span_s` seconds of windows."""
        windows = snapshot.windows
        newest = (windows[-1].seq, windows[-1].wall_ns, windows[-1].body.start_mono_ns) if windows else ()
        if newest != self._newest:
            self._newest, self._known = newest, {}
        key = (stage, span_s)
        if key not in self._known:
            parts = (w.stages_ms[stage] for w in recent(windows, span_s) if stage in w.stages_ms)
            self._known[key] = Histogram.merge(parts)
        return self._known[key]


def statistic_of(histogram: Histogram, statistic: str) -> float | None:
    """p50, p95, p99, max, min or mean of a histogram; None of an empty one."""
    if not histogram.count:
        return None
    plain = {"max": histogram.maximum, "min": histogram.minimum, "mean": histogram.mean}
    return plain[statistic] if statistic in plain else histogram.quantile(QUANTILES[statistic])


def read_kpi(rule: LiveKpi, snapshot: Snapshot, now_ns: int, kpis: Kpis, merged: Merged) -> Reading:
    """The KPI's reading; stale, missing, unavailable and not-a-number are all `unknown` with the reason."""
    criterion, at_ns = rule.kpi.criterion, _at_ns(rule.kpi, snapshot)
    age = age_s(at_ns, now_ns)
    if age is None:
        return _unknown(criterion, "no data yet", None)
    if age > kpis.stale_after_s:
        return _unknown(criterion, f"no data for {age:.0f} s", at_ns)
    value, n, why = live_value(rule.kpi, snapshot, merged)
    if value is None or not math.isfinite(value):
        return _unknown(criterion, why if value is None else "not a number", at_ns)
    verdict = _verdict(value, criterion, rule.alarm.clear)
    return Reading(verdict=verdict, value=value, limit=criterion.threshold, unit=criterion.unit, n=n, at_ns=at_ns)


def _at_ns(kpi: Kpi, snapshot: Snapshot) -> int | None:
    seen = snapshot.windows if METRICS[kpi.criterion.metric].home == "window" else snapshot.hosts
    return seen[-1].at_ns if seen else None


def age_of(kpi: Kpi, snapshot: Snapshot, now_ns: int) -> float | None:
    """Seconds since the newest reading of a live figure; None before the first."""
    return age_s(_at_ns(kpi, snapshot), now_ns)


def _verdict(value: float, criterion: Criterion, clear: float) -> Verdict:
    if not holds(value, criterion.comparison, criterion.threshold):
        return "bad"
    return "good" if holds(value, criterion.comparison, clear) else "between"


def _unknown(criterion: Criterion, why: str, at_ns: int | None) -> Reading:
    return Reading(verdict="unknown", limit=criterion.threshold, unit=criterion.unit, at_ns=at_ns, why=why)


def live_value(kpi: Kpi, snapshot: Snapshot, merged: Merged) -> tuple[float | None, int, str]:
    """A live figure over its window: the value, from how many readings, and why there is none."""
    name, statistic, span_s = kpi.criterion.metric, kpi.criterion.statistic, kpi.window_s
    metric = METRICS[name]
    if metric.shape == "histogram":
        histogram = merged.stage(snapshot, name.removesuffix("_ms"), span_s)
        return statistic_of(histogram, statistic), histogram.count, "no frames"
    if metric.home == "window":
        found = [window_value(name, window) for window in recent(snapshot.windows, span_s)]
        return (*_fold(statistic, found), f"no {name}")
    return _host_value(name, statistic, span_s, snapshot)


def _host_value(name: str, statistic: str, span_s: float, snapshot: Snapshot) -> tuple[float | None, int, str]:
    if not snapshot.hosts:
        return None, 0, "no data yet"
    newest = snapshot.hosts[-1]
    if name in newest.body.unavailable:
        return None, 0, f"unavailable: {newest.body.unavailable[name]}"
    if METRICS[name].shape == "series":
        parts = newest.body.series.get(name, {})
        return max(parts.values(), default=None), len(parts), f"no {name}"
    if name not in newest.body.values:
        return None, 0, f"no {name}"
    oldest_ns = (newest.at_ns or 0) - span_s * NS_PER_S
    found = [seen.body.values.get(name) for seen in snapshot.hosts if (seen.at_ns or 0) > oldest_ns]
    return (*_fold(statistic, found), f"no {name}")


def _fold(statistic: str, found: list[float | None]) -> tuple[float | None, int]:
    values = [value for value in found if value is not None]
    if not values:
        return None, 0
    if statistic == "value":
        return found[-1], 1
    return (max(values) if statistic == "max" else sum(values) / len(values)), len(values)


# ---------------------------------------------------------------- conditions


def read_condition(rule: Condition, snapshot: Snapshot, now_ns: int, kpis: Kpis) -> Reading:
    """The condition's reading. While the link is not up, what the robot does is unknown, not good."""
    return _CONDITIONS[rule.condition](rule, snapshot, now_ns, kpis)


def _link_down(rule: Condition, snapshot: Snapshot, now_ns: int, kpis: Kpis) -> Reading:
    link = snapshot.link
    if link.phase == "connecting":
        return Reading(verdict="unknown", word="connecting", why="still connecting")
    down = link.phase in ("down", "refused", "closed")
    # While it is up the reason is about something else: the store, the journal.
    word = link.reason or link.phase if down else link.phase
    return Reading(verdict="bad" if down else "good", word=word, at_ns=link.since_ns)


def _link_silent(rule: Condition, snapshot: Snapshot, now_ns: int, kpis: Kpis) -> Reading:
    link = snapshot.link
    if link.phase not in ("up", "silent"):
        return Reading(verdict="unknown", word=link.phase, why=f"link {link.phase}")
    return Reading(
        verdict="bad" if link.phase == "silent" else "good",
        value=age_s(link.heard_ns, now_ns),
        unit="s",
        word=link.phase,
        at_ns=link.heard_ns,
    )


def _data_stale(rule: Condition, snapshot: Snapshot, now_ns: int, kpis: Kpis) -> Reading:
    limit = rule.limit_s or kpis.stale_after_s
    clear = limit if rule.clear_s is None else rule.clear_s
    if snapshot.state is None:
        return Reading(verdict="unknown", limit=limit, unit="s", why="the agent's state is not known")
    if snapshot.state.worker.phase != "running":
        return Reading(verdict="good", limit=limit, unit="s", word=f"worker {snapshot.state.worker.phase}")
    at_ns = snapshot.windows[-1].at_ns if snapshot.windows else None
    age = age_s(at_ns, now_ns)
    if age is None:
        return Reading(verdict="bad", limit=limit, unit="s", word="no window yet")
    return Reading(verdict=_below(age, limit, clear), value=age, limit=limit, unit="s", n=1, at_ns=at_ns)


def _below(value: float, limit: float, clear: float) -> Verdict:
    if value > limit:
        return "bad"
    return "good" if value <= clear else "between"


def _worker_down(rule: Condition, snapshot: Snapshot, now_ns: int, kpis: Kpis) -> Reading:
    unknown = _state_unknown(snapshot)
    if unknown or snapshot.state is None:
        return unknown or Reading(verdict="unknown")
    worker = snapshot.state.worker
    if worker.phase == "waiting_to_restart":
        return Reading(verdict="bad", word=worker.last_exit or "waiting to restart", n=worker.restarts)
    return Reading(verdict="between" if worker.phase == "starting" else "good", word=worker.phase, n=worker.restarts)


def _worker_starting(rule: Condition, snapshot: Snapshot, now_ns: int, kpis: Kpis) -> Reading:
    unknown = _state_unknown(snapshot)
    if unknown or snapshot.state is None:
        return unknown or Reading(verdict="unknown")
    phase = snapshot.state.worker.phase
    return Reading(verdict="bad" if phase == "starting" else "good", word=phase)


def _state_unknown(snapshot: Snapshot) -> Reading | None:
    if snapshot.link.phase not in ("up", "silent"):
        return Reading(verdict="unknown", why=f"link {snapshot.link.phase}")
    return Reading(verdict="unknown", why="the agent's state is not known") if snapshot.state is None else None


def _camera(rule: Condition, snapshot: Snapshot, now_ns: int, kpis: Kpis) -> Reading:
    seen = snapshot.windows[-1] if snapshot.windows else None
    age = age_s(seen.at_ns, now_ns) if seen else None
    if seen is None or age is None:
        return Reading(verdict="unknown", why="no data yet")
    if age > kpis.stale_after_s:
        return Reading(verdict="unknown", at_ns=seen.at_ns, why=f"no data for {age:.0f} s")
    camera = seen.body.camera
    word = f"{camera.phase}: {camera.reason}" if camera.reason else camera.phase
    return Reading(verdict="good" if camera.phase == "ok" else "bad", word=word, n=1, at_ns=seen.at_ns)


def _clock_off(rule: Condition, snapshot: Snapshot, now_ns: int, kpis: Kpis) -> Reading:
    limit = 2.0 if rule.limit_s is None else rule.limit_s
    clear = limit if rule.clear_s is None else rule.clear_s
    offset_ms = snapshot.link.robot_wall_offset_ms
    if snapshot.link.phase != "up" or offset_ms is None or not math.isfinite(offset_ms):
        return Reading(verdict="unknown", limit=limit, unit="s", why="the offset is not measured")
    return Reading(
        verdict=_below(abs(offset_ms) / 1000, limit, clear), value=offset_ms / 1000, limit=limit, unit="s", n=1
    )


_CONDITIONS: dict[str, Callable[[Condition, Snapshot, int, Kpis], Reading]] = {
    "link_down": _link_down,
    "link_silent": _link_silent,
    "data_stale": _data_stale,
    "worker_down": _worker_down,
    "worker_starting": _worker_starting,
    "camera": _camera,
    "clock_off": _clock_off,
}
