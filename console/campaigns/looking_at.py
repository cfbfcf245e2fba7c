"""One attempt at a sensed item: its probe looks, for as long as `hold` says, and the criterion judges."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from console.checklist.pack import Item
from console.checklist.probes import PROBES, Finding, Look, Sight, look_of, parameters_type
from console.fieldtest.criteria import Judgement
from console.fieldtest.judging import judge
from console.fieldtest.spans import span_s
from console.link.snapshot import LOST
from console.record.entries import Moment
from console.visiting import confirmed
from remote.errors import Trouble
from remote.protocol import Facts, GetFacts
from remote.ready_types import ready

FACTS_S = 10.0
LOOK_EVERY_S = 1.0
"""The pause between two looks of a held item: the robot reports once a second."""


class Looked(NamedTuple):
    """What a look came to: a judgement of what was found, or None where nothing could be seen (`finding.unavailable`)."""

    finding: Finding
    judgement: Judgement | None
    took_ms: float = 0.0


def look_at(item: Item, sight: Sight) -> Looked:
    """Let the item's probe look, again and again for its `hold`, and judge what it found.

    Trouble in it (a file that is no table, a robot that went away) makes the item unavailable with the trouble's words.
    """
    began_ns = sight.mono_ns()
    try:
        looked = _held(item, sight) if item.hold else _once(item, sight)
    except Trouble as trouble:
        looked = blind(trouble.what, trouble.cure)
    return looked._replace(took_ms=(sight.mono_ns() - began_ns) / 1e6)


def blind(why: str, cure: str = "") -> Looked:
    """A look that saw nothing, and why."""
    return Looked(Finding(unavailable=why, cure=cure), None)


def facts_now(sight: Sight) -> Facts:
    """What the robot is at this moment: a sight keeps the first answer, which a long check outlives. Raises Trouble."""
    session = sight.session
    if session is None:
        return sight.facts()
    link = session.snapshot.link
    if link.phase in LOST:
        raise Trouble(link.reason or f"the link to the robot is {link.phase}", cure=link.cure, code="unreachable")
    facts = confirmed(session.request(GetFacts(), timeout_s=FACTS_S), FACTS_S + 2.0).facts
    if facts is None:
        what = "the agent answered without its facts"
        raise Trouble(what, cure=f"run `fieldgate deploy {session.snapshot.robot}`", code="too_old")
    return facts


def no_way_to_look(item: Item, sight: Sight, robot: str, facts: Facts | Trouble) -> Looked | None:
    """Why the item's probe can't look at all now (no robot, another bundle on it); None when it can.

    `facts` are the robot's at this moment, or why they can't be had.
    """
    known = PROBES[item.probe.name] if item.probe else None
    session = sight.session
    if known is None or not known.needs_robot:
        return None
    link = session.snapshot.link if session is not None else None
    if link is not None and link.phase in LOST:
        return blind(link.reason or f"the link to the robot is {link.phase}", link.cure)
    if isinstance(facts, Trouble):
        return blind(facts.what, facts.cure or f"check that `fieldgate watch {robot}` works, then look again")
    return _other_bundle(facts.bundle, sight.bundle, robot) if "bundle" in (*item.rests_on, *known.rests_on) else None


def moment_of(sight: Sight) -> Moment:
    """Now, by both clocks; what belongs to the robot is None without one."""
    wall_ns = sight.wall_ns()
    if sight.session is None:
        return Moment(wall_ns=wall_ns)
    shot = sight.session.snapshot
    offset_ms = shot.link.robot_wall_offset_ms
    heard_ns = shot.link.heard_ns
    return Moment(
        wall_ns=wall_ns,
        robot_wall_ns=None if offset_ms is None else wall_ns + round(offset_ms * 1e6),
        robot_mono_ns=shot.state.mono_ns if shot.state else None,
        robot_boot_id=shot.hello.boot_id if shot.hello else None,
        clock_offset_ms=offset_ms,
        link_age_ms=None if heard_ns is None else (sight.mono_ns() - heard_ns) / 1e6,
    )


# ------------------------------------------------------------ looking


def _probe_of(item: Item) -> tuple[Look, msgspec.Struct]:
    if item.probe is None:
        raise Trouble(f"'{item.id}' has no probe that could look", cure="correct the pack", code="bad_pack")
    kind = parameters_type(item.probe.name)
    try:
        return look_of(item.probe.name), msgspec.convert(item.probe.parameters, ready(kind))
    except msgspec.ValidationError as error:
        what = f"the parameters of '{item.id}' are not what its probe takes: {error}"
        raise Trouble(what, cure="correct the pack", code="bad_pack") from error


def _once(item: Item, sight: Sight) -> Looked:
    look, parameters = _probe_of(item)
    finding = look(sight, parameters)
    if finding.measurement is None:
        return Looked(finding, None)
    return Looked(finding, judge(item.criterion, finding.measurement))


def _held(item: Item, sight: Sight) -> Looked:
    """Looks until the item has passed for its whole `hold`; the first look that does not pass ends it."""
    hold_s = span_s(item.hold or "")
    worst = now = _once(item, sight)
    since_ns, held_s, looks = sight.mono_ns(), 0.0, 1
    while _passes(now) and held_s < hold_s:
        sight.wait(lambda _: False, min(LOOK_EVERY_S, hold_s - held_s))
        now = _once(item, sight)
        worst = now if _rank(now) >= _rank(worst) else worst
        held_s, looks = (sight.mono_ns() - since_ns) / 1e9, looks + 1
    return _told(worst, f"held {held_s:.1f} of {hold_s:g} s", looks)


def _passes(looked: Looked) -> bool:
    return _rank(looked) < 2


def _rank(looked: Looked) -> int:
    """0 pass, 1 marginal, 2 anything else: what is kept of several looks is the last of the worst."""
    verdict = looked.judgement.verdict if looked.judgement else ""
    return {"pass": 0, "marginal": 1}.get(verdict, 2)


def _told(looked: Looked, held: str, looks: int) -> Looked:
    """The same with how long it had held, where a person reads it."""
    details = {**looked.finding.details, "held": held, "looks": looks}
    finding = msgspec.structs.replace(looked.finding, details=details)
    if looked.judgement is None:
        return looked._replace(finding=msgspec.structs.replace(finding, unavailable=f"{finding.unavailable}; {held}"))
    why = f"{looked.judgement.why}; {held}"
    return looked._replace(finding=finding, judgement=msgspec.structs.replace(looked.judgement, why=why))


def _other_bundle(runs: str, wanted: str, robot: str) -> Looked | None:
    if not wanted or runs == wanted:
        return None
    there = f"runs bundle {runs[:12]}" if runs else "has no bundle chosen"
    what = f"the robot {there}, this campaign is about {wanted[:12]}"
    return blind(what, f"run `fieldgate start {robot} --bundle {wanted[:12]}`, then look again")
