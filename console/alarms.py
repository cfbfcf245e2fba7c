"""Alarms: raised after a dwell, cleared after hysteresis and another dwell, acknowledged but never hidden.

Pure: the snapshot and the clock come in, alarms come out. The live screen and `fieldgate watch` fold the same book.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec

from console.fieldtest.kpis import AlarmSeverity, Kpis, LiveKpi, Rule, dwell_of, id_of
from console.link.snapshot import Snapshot
from console.readings import NS_PER_S, Merged, Reading, read_condition, read_kpi

RANK: dict[str, int] = {"critical": 0, "warning": 1, "info": 2}


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm as it stands now.

    `state`: raised, or cleared (over, kept in sight until acknowledged). `value`, `limit` and `n` are the newest known
    reading in `unit`, `word` a state where the reading is no number. `recovering`: raised, but good now; it clears when it
    has stayed good for the rule's dwell. `since_ns` is when it turned bad (raised) or good
    again (cleared). `blind` says why it can't be judged now ('no data for 8 s'); the state is then the last known one.
    """

    id: str
    title: str
    severity: AlarmSeverity
    state: Literal["raised", "cleared"]
    acknowledged: bool
    recovering: bool = False
    since_ns: int
    value: float | None
    limit: float | None
    unit: str
    n: int
    word: str
    blind: str
    cure: str


_NOTHING = Reading(verdict="unknown")


@dataclass
class _Track:
    """What the book remembers of one rule between folds."""

    state: Literal["ok", "raised", "cleared"] = "ok"
    acknowledged: bool = False
    bad_since_ns: int | None = None
    good_since_ns: int | None = None
    since_ns: int = 0
    known: Reading = _NOTHING
    blind: str = ""


class AlarmBook:
    """The alarms of one robot by one file of rules. `clock` gives monotonic nanoseconds. Not thread-safe."""

    def __init__(self, kpis: Kpis, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self.kpis = kpis
        self._clock = clock
        self._merged = Merged()
        self._tracks = {id_of(rule): _Track() for rule in kpis.rules}

    def fold(self, snapshot: Snapshot) -> tuple[Alarm, ...]:
        """Judge every rule by `snapshot` now; the alarms in sight, raised before cleared, worst first."""
        now_ns = self._clock()
        for rule in self.kpis.rules:
            self._step(rule, self._tracks[id_of(rule)], self._read(rule, snapshot, now_ns), now_ns)
        return self.alarms

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """The alarms in sight after the newest fold or acknowledgement."""
        found = [_alarm(rule, track) for rule in self.kpis.rules if (track := self._tracks[id_of(rule)]).state != "ok"]
        return tuple(sorted(found, key=lambda a: (a.state != "raised", RANK[a.severity], a.since_ns)))

    @property
    def blind(self) -> tuple[tuple[str, str], ...]:
        """(title, reason) of each rule that can't be judged now; it counts neither as good nor as bad."""
        return tuple((_title(rule), t.blind) for rule in self.kpis.rules if (t := self._tracks[id_of(rule)]).blind)

    def acknowledge(self, alarm_id: str) -> bool:
        """A person has seen it: a raised alarm stays in sight as acknowledged, a cleared one leaves.

        False where no alarm of that id is in sight or it was acknowledged before.
        """
        track = self._tracks.get(alarm_id)
        if track is None or track.state == "ok" or track.acknowledged:
            return False
        if track.state == "cleared":
            track.state = "ok"
        else:
            track.acknowledged = True
        return True

    def _read(self, rule: Rule, snapshot: Snapshot, now_ns: int) -> Reading:
        if isinstance(rule, LiveKpi):
            return read_kpi(rule, snapshot, now_ns, self.kpis, self._merged)
        return read_condition(rule, snapshot, now_ns, self.kpis)

    def _step(self, rule: Rule, track: _Track, reading: Reading, now_ns: int) -> None:
        if reading.verdict == "unknown":
            # No data is no good news: it never helps an alarm to clear, and never raises one of its own.
            track.good_since_ns, track.blind = None, reading.why or "no data"
            return
        track.known, track.blind = reading, ""
        if reading.verdict == "bad":
            self._bad(rule, track, now_ns)
        else:
            self._not_bad(rule, track, reading, now_ns)

    def _bad(self, rule: Rule, track: _Track, now_ns: int) -> None:
        track.good_since_ns = None
        if track.bad_since_ns is None:
            track.bad_since_ns = now_ns
        if track.state != "raised" and now_ns - track.bad_since_ns >= dwell_of(rule).raise_after_s * NS_PER_S:
            track.state, track.acknowledged, track.since_ns = "raised", False, track.bad_since_ns

    def _not_bad(self, rule: Rule, track: _Track, reading: Reading, now_ns: int) -> None:
        track.bad_since_ns = None
        if track.state != "raised":
            return
        if reading.verdict == "between":
            track.good_since_ns = None
            return
        if track.good_since_ns is None:
            track.good_since_ns = now_ns
        if now_ns - track.good_since_ns >= dwell_of(rule).clear_after_s * NS_PER_S:
            track.state = "ok" if track.acknowledged else "cleared"
            track.since_ns = track.good_since_ns


def _title(rule: Rule) -> str:
    return rule.alarm.says if isinstance(rule, LiveKpi) else rule.title


def _alarm(rule: Rule, track: _Track) -> Alarm:
    known = track.known
    return Alarm(
        id=id_of(rule),
        title=_title(rule),
        severity=dwell_of(rule).severity,
        state="raised" if track.state == "raised" else "cleared",
        acknowledged=track.acknowledged,
        recovering=track.state == "raised" and track.good_since_ns is not None,
        since_ns=track.since_ns,
        value=known.value,
        limit=known.limit,
        unit=known.unit,
        n=known.n,
        word=known.word,
        blind=track.blind,
        cure=rule.kpi.cure if isinstance(rule, LiveKpi) else rule.cure,
    )
