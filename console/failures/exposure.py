"""How long robots ran under which circumstances: without it a count of failures is no rate."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import msgspec

from console.failures.circumstances import QUARTER_NS, Group, HourOf, groups_of
from console.failures.query import Query
from console.failures.running_time import Running, Stretch, of_journal, running_of
from console.failures.scope import Moment, covers
from console.store.store import Store


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """Time of running by group, in seconds, and frames. `label` groups hold the share of frames in which it was seen, and
    `seen_seconds` and `seen_frames` that in which anything was.

    A condition that was not told at all in some windows leaves that time out of all of its groups.
    """

    seconds: dict[Group, float]
    frames: dict[Group, float]
    all_seconds: float
    all_frames: float
    seen_seconds: float = 0.0
    seen_frames: float = 0.0


_FINE = frozenset(("time", "light", "temp"))
"""Terms that need every window: what is kept is summed up by quarters of an hour and bands."""


def exposure_of(store: Store, query: Query, hour_of: HourOf, folder: Path | None = None) -> Exposure:
    """What the store's windows amount to, as far as the query's time, robot, bundle, light, temperature and conditions go.

    Windows without a frame are no running. Entries that can't be understood are left out. With a `folder` for caches only
    windows that came since the last time are read, unless the query asks for a time, a light or a temperature.
    """
    tally = _Tally(hour_of)
    fine = any(term.field in _FINE for term in query.terms)
    for journal in store.journals():
        if fine:
            found = running_of(store, journal, lambda moment: covers(query, moment))
            tally.add_all(journal.robot, found)
            continue
        found = of_journal(store, journal, folder)
        tally.add_all(
            journal.robot, {at: one for at, one in found.items() if covers(query, _moment(journal.robot, at))}
        )
    return tally.exposure()


def _moment(robot: str, at: Stretch) -> Moment:
    return Moment(wall_ns=at.quarter * QUARTER_NS, robot=robot, bundle=at.bundle, conditions=dict(at.conditions))


class _Tally:
    def __init__(self, hour_of: HourOf) -> None:
        self._hour_of = hour_of
        self._seconds: defaultdict[Group, float] = defaultdict(float)
        self._frames: defaultdict[Group, float] = defaultdict(float)
        self._all = Running()

    def add_all(self, robot: str, found: dict[Stretch, Running]) -> None:
        for at, running in found.items():
            self._all.add(running)
            for group in groups_of(
                robot=robot,
                bundle=at.bundle,
                hour=self._hour_of(at.quarter * QUARTER_NS),
                light=at.light,
                temp=at.temp,
                conditions=dict(at.conditions),
            ):
                self._seconds[group] += running.seconds
                self._frames[group] += running.frames

    def exposure(self) -> Exposure:
        whole = self._all
        labels = {("label", f"label {label}"): both for label, both in whole.labels.items()}
        return Exposure(
            seconds={**self._seconds, **{group: seconds for group, (seconds, _) in labels.items()}},
            frames={**self._frames, **{group: frames for group, (_, frames) in labels.items()}},
            all_seconds=whole.seconds,
            all_frames=whole.frames,
            seen_seconds=whole.seen_seconds,
            seen_frames=whole.seen_frames,
        )
