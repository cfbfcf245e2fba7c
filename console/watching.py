"""One second of one robot as a row: what `fieldgate watch` prints, as a line for people or as JSON for pipes.

The JSON's field names are stable and documented in docs/watch.md; a test compares that page with these structs.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import msgspec

from console.cures import cure_of
from console.link.snapshot import Seen, Snapshot
from remote.histogram import Histogram
from remote.protocol import Event, Failure, LabelCount

if TYPE_CHECKING:
    from console.alarms import Alarm


class Spread(msgspec.Struct, frozen=True):
    """A distribution of `n` values in the metric's unit; None where n is 0."""

    n: int
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None

    @classmethod
    def of(cls, histogram: Histogram) -> Spread:
        """Percentiles by nearest rank, within 0.5 %."""
        p50, p95, p99 = (_rounded(histogram.quantile(q)) for q in (0.5, 0.95, 0.99))
        top = _rounded(histogram.maximum) if histogram.count else None
        return cls(histogram.count, p50, p95, p99, top)


class Detected(msgspec.Struct, frozen=True):
    """Boxes of one label in the window and their mean score."""

    count: int
    mean_score: float | None


class Happening(msgspec.Struct, frozen=True):
    """An event or a failure that arrived since the row before."""

    seq: int
    name: str
    text: str
    severity: str = "error"
    picture: str | None = None
    cure: str = ""


class AlarmRow(msgspec.Struct, frozen=True, kw_only=True):
    """A raised or cleared alarm: its newest known value against its limit; `blind` says why it can't be judged now."""

    id: str
    title: str
    severity: str
    state: str
    recovering: bool
    value: float | None
    limit: float | None
    unit: str
    n: int
    word: str
    blind: str
    for_s: float
    cure: str = ""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One second. A number that is not known now is null and `unavailable` says why; `age_s` is the window's age."""

    robot: str
    time: str
    link: str
    link_reason: str = ""
    link_cure: str = ""
    journal_trouble: str = ""
    round_trip_ms: float | None = None
    robot_clock_off_ms: float | None = None
    age_s: float | None = None
    seq: int | None = None
    worker: str | None = None
    source: str | None = None
    bundle: str | None = None
    camera: str | None = None
    fps: float | None = None
    frames: int | None = None
    dropped_frames: int | None = None
    failed_frames: int | None = None
    stages: dict[str, Spread] = {}
    detections: dict[str, Detected] = {}
    host_age_s: float | None = None
    host: dict[str, float] = {}
    host_series: dict[str, dict[str, float]] = {}
    host_text: dict[str, str] = {}
    unavailable: dict[str, str] = {}
    alarms: tuple[AlarmRow, ...] = ()
    events: tuple[Happening, ...] = ()
    failures: tuple[Happening, ...] = ()


STALE_S = 3.0
"""A window older than this is shown with the word STALE, never as if it were current."""


def row_of(snapshot: Snapshot, alarms: tuple[Alarm, ...], *, now_ns: int, wall_s: float, since_seq: int) -> Row:
    """The row for this moment; events and failures with a sequence number above `since_seq` are in it."""
    row = Row(
        robot=snapshot.robot,
        time=datetime.fromtimestamp(wall_s, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        link=snapshot.link.phase,
        link_reason=snapshot.link.reason,
        link_cure=snapshot.link.cure,
        round_trip_ms=_rounded(snapshot.link.round_trip_ms),
        robot_clock_off_ms=_rounded(snapshot.link.robot_wall_offset_ms),
        alarms=tuple(_alarm_row(alarm, now_ns) for alarm in alarms),
        events=tuple(_event(seen) for seen in snapshot.events if seen.seq > since_seq),
        failures=tuple(_failure(seen) for seen in snapshot.failures if seen.seq > since_seq),
    )
    return _with_host(_with_window(_with_state(row, snapshot), snapshot, now_ns), snapshot, now_ns)


def last_seq(snapshot: Snapshot) -> int:
    """The highest sequence number of the events and failures in the snapshot; 0 where there are none."""
    return max((seen.seq for group in (snapshot.events, snapshot.failures) for seen in group), default=0)


def lines_of(row: Row, before: Row | None = None) -> list[str]:
    """The row as text: one line of numbers with units and age, then a line for each thing that `before` did not tell.

    Those are notes, alarms raised and over, failures and events.
    """
    clock = row.time[11:19] + "Z"
    known = set(_notes(before)) if before else set()
    news = [f"NOTE {note}" for note in _notes(row) if note not in known]
    news += _alarm_news(row, before)
    news += [f"FAILURE {it.name}: {it.text}{_arrow(it.cure)}" for it in row.failures]
    news += [f"{it.severity} {it.name}: {it.text}{_arrow(it.cure)}" for it in row.events]
    return [_first_line(f"{clock}  {row.robot}", row), *(f"{clock}  {line}" for line in news)]


def _alarm_news(row: Row, before: Row | None) -> list[str]:
    was = {alarm.id for alarm in _raised(before)} if before else set()
    now = {alarm.id for alarm in _raised(row)}
    news = [f"ALARM {_alarm_words(alarm)}" for alarm in _raised(row) if alarm.id not in was]
    return news + [f"OVER {alarm.severity} {alarm.id}: {alarm.title}" for alarm in row.alarms if alarm.id in was - now]


def _raised(row: Row) -> list[AlarmRow]:
    return [alarm for alarm in row.alarms if alarm.state == "raised"]


def _notes(row: Row) -> list[str]:
    """What is wrong though the link is up: with the laptop's store, with the robot's journal."""
    notes = []
    if row.link == "up" and row.link_reason:
        notes.append(f"{row.link_reason}{_arrow(row.link_cure)}")
    if row.journal_trouble:
        what = f"{row.robot} can't write its journal: {row.journal_trouble}; entries wait in its memory"
        notes.append(what + _arrow("make space on the robot's disk"))
    return notes


def _arrow(cure: str) -> str:
    return f" -> {cure}" if cure else ""


def _first_line(head: str, row: Row) -> str:
    if row.link != "up":
        reason = f": {row.link_reason}" if row.link_reason else ""
        return f"{head}  link {row.link}{reason}{_arrow(row.link_cure)}  last window: age {_age_words(row)}"
    if row.seq is None:
        return f"{head}  link up, worker {row.worker or 'unknown'}, no window yet"
    parts = [
        head,
        f"fps {_number(row.fps, 1)}",
        f"end to end {_spread(row, 'end_to_end')}",
        f"inference {_spread(row, 'inference')}",
        f"boxes {sum(d.count for d in row.detections.values())}",
        *(_host_word(row, *spec) for spec in _HOST_WORDS),
        f"age {_age_words(row)}",
    ]
    if row.camera not in (None, "ok"):
        parts.append(f"camera {row.camera}")
    if row.worker != "running":
        parts.append(f"worker {row.worker}")
    if raised := _raised(row):
        parts.append(f"ALARMS {', '.join(alarm.id for alarm in raised)}")
    return "  ".join(parts)


def _alarm_words(alarm: AlarmRow) -> str:
    now = alarm.word or ("no value" if alarm.value is None else f"{alarm.value:g} {alarm.unit}".rstrip())
    limit = "" if alarm.limit is None else f", limit {alarm.limit:g} {alarm.unit}".rstrip()
    blind = f", {alarm.blind}" if alarm.blind else ""
    words = f"{alarm.severity} {alarm.id}: {alarm.title} ({now}{limit}, for {alarm.for_s:.0f} s{blind})"
    return words + _arrow(alarm.cure)


_HOST_WORDS = (("cpu_percent", "cpu", "%", 0), ("memory_percent", "mem", "%", 0), ("temp_max_c", "temp", "°C", 0))


def _with_state(row: Row, snapshot: Snapshot) -> Row:
    state = snapshot.state
    if state is None:
        return row
    digest = state.bundle.digest if state.bundle else None
    return msgspec.structs.replace(
        row,
        worker=state.worker.phase,
        source=state.source,
        bundle=digest,
        journal_trouble=state.journal.trouble if row.link == "up" else "",
    )


def _with_window(row: Row, snapshot: Snapshot, now_ns: int) -> Row:
    if not snapshot.windows:
        return row
    seen = snapshot.windows[-1]
    window = seen.body
    return msgspec.structs.replace(
        row,
        age_s=_age_s(seen.at_ns, now_ns),
        seq=seen.seq,
        camera=window.camera.phase,
        fps=_rounded(window.fps),
        frames=window.frames,
        dropped_frames=window.dropped,
        failed_frames=window.failed,
        stages={f"{stage}_ms": Spread.of(histogram) for stage, histogram in window.stages_ms.items()},
        detections={label: _detected(count) for label, count in window.labels.items()},
    )


def _with_host(row: Row, snapshot: Snapshot, now_ns: int) -> Row:
    if not snapshot.hosts:
        return row
    host = snapshot.hosts[-1].body
    return msgspec.structs.replace(
        row,
        host_age_s=_age_s(snapshot.hosts[-1].at_ns, now_ns),
        host=host.values,
        host_series=host.series,
        host_text=host.text,
        unavailable=host.unavailable,
    )


def _age_s(at_ns: int | None, now_ns: int) -> float | None:
    return None if at_ns is None else round((now_ns - at_ns) / 1e9, 3)


def _detected(count: LabelCount) -> Detected:
    return Detected(count.count, _rounded(count.score_sum / count.count) if count.count else None)


def _event(seen: Seen[Event]) -> Happening:
    return Happening(seen.seq, seen.body.name, seen.body.text, seen.body.severity, cure=cure_of(seen.body))


def _failure(seen: Seen[Failure]) -> Happening:
    return Happening(seen.seq, seen.body.name, seen.body.text, picture=seen.body.picture, cure=cure_of(seen.body))


def _alarm_row(alarm: Alarm, now_ns: int) -> AlarmRow:
    return AlarmRow(
        id=alarm.id,
        title=alarm.title,
        severity=alarm.severity,
        state=alarm.state,
        recovering=alarm.recovering,
        value=_rounded(alarm.value),
        limit=alarm.limit,
        unit=alarm.unit,
        n=alarm.n,
        word=alarm.word,
        blind=alarm.blind,
        for_s=round((now_ns - alarm.since_ns) / 1e9, 1),
        cure=alarm.cure,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _spread(row: Row, stage: str) -> str:
    spread = row.stages.get(f"{stage}_ms")
    if spread is None or not spread.n:
        return "- ms"
    return f"p50 {_number(spread.p50, 1)} p95 {_number(spread.p95, 1)} ms"


def _host_word(row: Row, metric: str, word: str, unit: str, digits: int) -> str:
    value = row.host.get(metric)
    return f"{word} -" if value is None else f"{word} {value:.{digits}f} {unit}"


def _age_words(row: Row) -> str:
    if row.age_s is None:
        return "no data" if row.seq is None else "unknown (from before the robot's last start)"
    return f"{row.age_s:.1f} s" + (" STALE" if row.age_s > STALE_S else "")
