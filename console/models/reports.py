"""What the robots' journals, as far as they are on this laptop, say of a release."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import msgspec

from console.models.waves import MISHAPS, End, Report
from remote.protocol import Event
from remote.ready_types import ready

if TYPE_CHECKING:
    from console.store.store import Store

EVENT = "model_change_ended"
_ENDS = ("committed", "returned", "refused", "cancelled", "went_back")
_SQL = "SELECT wall_ns, body FROM entries WHERE journal_id = ? AND kind = 'event' AND instr(body, ?) > 0 ORDER BY seq"


def reports_of(store: Store, robots: Iterable[str], release: int) -> dict[str, Report]:
    """By robot: how the release ended there. One mishap stays, whatever came after it; else the newest end counts."""
    found: dict[str, Report] = {}
    for robot in robots:
        for report in _ends(store, robot, release):
            known = found.get(robot)
            if known is None or known.ended not in MISHAPS:
                found[robot] = report
    return found


def _ends(store: Store, robot: str, release: int) -> Iterable[Report]:
    for journal in store.journals(robot):
        for wall_ns, body in store.select(_SQL, (journal.id, EVENT.encode())):
            report = _report(body, wall_ns, release)
            if report is not None:
                yield report


def _report(body: bytes, wall_ns: int, release: int) -> Report | None:
    try:
        event = msgspec.json.decode(body, type=ready(Event))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None  # written by a newer agent
    ended, number = event.data.get("ended"), event.data.get("release")
    if event.name != EVENT or ended not in _ENDS or isinstance(number, bool) or number != release:
        return None
    return Report(ended=cast(End, ended), why=str(event.data.get("why") or "")[:400], wall_ns=wall_ns)
