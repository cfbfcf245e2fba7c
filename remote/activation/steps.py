"""The steps of a change as pure functions over Slots: what may follow what, and what each end leaves. Nothing is written
here.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

import msgspec

from remote.activation.ground import Seen
from remote.activation.slots import Slots
from remote.errors import Trouble
from remote.model_states import AFTER_SWITCH, BEFORE_SWITCH, STEP_WORDS, Outcome, Probation, Slot, Step
from remote.verdicts import Check

MOST_TRANSITIONS = 50
"""So many steps one change may take, its end included."""
KEPT_FOR_THE_END = 2
"""Of them so many are kept for the way back and its end."""
MOST_TRIES = 3
"""So often a change is taken up again before the switch, after the agent ended in it."""

BY_ITSELF = ("release", "usb")
"""Origins of what no person gave to this robot."""

NAME_LIMIT, WHY_LIMIT, CHECK_LIMIT = 128, 2000, 1000
"""Characters that are kept of a bundle's name, of a reason and of a check's text: whoever made the bundle chose them."""

NEXT: dict[Step, tuple[Step, ...]] = {
    "idle": ("verified", "waiting_for_safe"),
    "verified": ("staged",),
    "staged": ("building",),
    "building": ("self_test",),
    "self_test": ("waiting_for_safe",),
    "waiting_for_safe": ("switched", "rolling_back"),
    "switched": ("probation", "rolling_back"),
    "probation": ("committed", "rolling_back"),
    "committed": ("idle",),
    "rolling_back": ("idle",),
}
"""What may follow, besides `idle` (refused, cancelled) and `verified` (taken up again) from each step before the switch."""

Ended = Literal["committed", "returned", "refused", "cancelled", "went_back"]


class Now(NamedTuple):
    """One look at the robot's clocks."""

    boot_id: str
    mono_ns: int
    wall_ns: int


def begin(slots: Slots, slot: Slot, probation: Probation, embedded: Slot | None, now: Now) -> Slots:
    """A change to `slot` begins. Raises Trouble: `update_underway`, `already_current`, `release_old`."""
    must_be_idle(slots)
    runs = slots.current or embedded
    if runs is not None and runs.digest == slot.digest:
        what = f"{slot.name} ({slot.digest[:12]}) is in use already"
        raise Trouble(what, cure="nothing is left to do; push another one to change it", code="already_current")
    if slot.release is not None and slot.release <= slots.highest_release:
        what = (
            f"release {slot.release} is not newer than release {slots.highest_release}, which this robot took already"
        )
        raise Trouble(what, cure="publish it under a higher number; going back is a new number too", code="release_old")
    return _fresh(slots, "verified", slot, probation, now)


def go_back(slots: Slots, why: str, now: Now) -> Slots:
    """A person wants the one before: it waits until the robot may be switched. Raises Trouble: `update_underway`,
    `no_previous`.
    """
    must_be_idle(slots)
    if slots.previous is None:
        raise Trouble(
            "there is no bundle before this one on the robot", cure="push the one you want", code="no_previous"
        )
    fresh = _fresh(slots, "waiting_for_safe", slots.previous, Probation(), now)
    return msgspec.structs.replace(fresh, going_back=True, why=why)


def must_be_idle(slots: Slots) -> None:
    """Raise Trouble (`update_underway`) where a change is under way."""
    if slots.step != "idle":
        name = slots.candidate.name if slots.candidate else "a bundle"
        cure = "wait for its end, or cancel it with `fieldgate model cancel`"
        raise Trouble(f"a change to {name} is under way ({STEP_WORDS[slots.step]})", cure=cure, code="update_underway")


def advance(slots: Slots, step: Step, now: Now) -> Slots:
    """The next step. Raises Trouble (`too_many_steps`) beyond the cap, ValueError for a step that may not follow."""
    if step not in NEXT.get(slots.step, ()) or step in ("switched", "committed", "rolling_back", "idle"):
        raise ValueError(f"{step} may not follow {slots.step}")
    return _at(_capped(slots), step, now)


def switch(slots: Slots, before: Seen, embedded: Slot | None, now: Now) -> Slots:
    """The candidate becomes the current one, the current one the previous; no attempt is counted yet.

    Raises Trouble (`too_many_steps`) beyond the cap.
    """
    if slots.step != "waiting_for_safe" or slots.going_back or slots.candidate is None:
        raise ValueError(f"nothing to switch to in {slots.step}")
    candidate = msgspec.structs.replace(slots.candidate, since_wall_ns=now.wall_ns)
    moved = msgspec.structs.replace(
        _capped(slots),
        current=candidate,
        candidate=candidate,
        previous=slots.current or embedded,
        older=slots.previous,
        before=before if math.isfinite(before.seconds) else None,  # the file holds no infinity
        attempts=0,
        highest_release=max(slots.highest_release, slots.candidate.release or 0),
    )
    return _at(moved, "switched", now)


def may_attempt(slots: Slots) -> bool:
    """Whether the worker may be started with the candidate once more."""
    return slots.step in AFTER_SWITCH and slots.attempts < slots.probation.restarts + slots.stops


def count_attempt(slots: Slots) -> Slots:
    """One more start of the worker with the candidate; to be saved before it. Raises ValueError where none is left."""
    if not may_attempt(slots):
        raise ValueError(f"no start is left in {slots.step} after {slots.attempts}")
    return msgspec.structs.replace(slots, attempts=slots.attempts + 1)


def count_stop(slots: Slots) -> Slots:
    """A person stopped the candidate, which ended as it was asked to: its start is given back."""
    if slots.step not in AFTER_SWITCH or slots.stops >= slots.attempts:
        return slots
    return msgspec.structs.replace(slots, stops=slots.stops + 1)


def commit(slots: Slots, why: str, checks: Sequence[Check], now: Now) -> Slots:
    """Probation is passed; `finish` ends the change."""
    if slots.step != "probation":
        raise ValueError(f"nothing to commit in {slots.step}")
    ended = msgspec.structs.replace(_capped(slots), ending=_outcome(slots, "committed", why, checks, now), older=None)
    return _at(ended, "committed", now)


def give_back(
    slots: Slots, ended: Literal["returned", "cancelled", "went_back"], why: str, checks: Sequence[Check], now: Now
) -> Slots:
    """After the switch: the one before is current again, and what was before that is previous again; `finish` ends it."""
    if slots.step not in AFTER_SWITCH:
        raise ValueError(f"nothing to give back in {slots.step}")
    back = msgspec.structs.replace(
        slots,
        current=_kept(slots.previous),
        previous=slots.older,
        older=None,
        ending=_outcome(slots, ended, why, checks, now),
        why=why[:WHY_LIMIT],
    )
    return _at(back, "rolling_back", now)


def turn_back(slots: Slots, embedded: Slot | None, now: Now) -> Slots:
    """The robot may be switched and a person wants the one before: it is current, and the one that is left previous."""
    left = slots.current or embedded
    if slots.step != "waiting_for_safe" or not slots.going_back or left is None:
        raise ValueError(f"nothing to go back to in {slots.step}")
    ending = _outcome(msgspec.structs.replace(slots, candidate=left), "went_back", slots.why, (), now)
    wanted = msgspec.structs.replace(slots.candidate, since_wall_ns=now.wall_ns) if slots.candidate else None
    turned = msgspec.structs.replace(
        slots, current=_kept(wanted), previous=left, candidate=left, ending=ending, attempts=0
    )
    return _at(turned, "rolling_back", now)


def finish(slots: Slots, now: Now, more: str = "") -> Slots:
    """The change is over: its outcome is the last one. `more` is added to the reason."""
    if slots.ending is None or slots.step not in ("committed", "rolling_back"):
        raise ValueError(f"nothing to finish in {slots.step}")
    why = f"{slots.ending.why}; {more}" if more else slots.ending.why
    return _idle(slots, msgspec.structs.replace(slots.ending, why=why), now)


def refuse(
    slots: Slots,
    ended: Literal["refused", "cancelled"],
    why: str,
    checks: Sequence[Check],
    now: Now,
    *,
    again: bool = False,
) -> Slots:
    """Before the switch: it ends and nothing changed. The number of its release counts as taken, unless `again`."""
    if slots.step not in BEFORE_SWITCH:
        raise ValueError(f"nothing to refuse in {slots.step}")
    taken = slots.candidate.release if slots.candidate and not again else None
    highest = max(slots.highest_release, taken or 0)
    return _idle(msgspec.structs.replace(slots, highest_release=highest), _outcome(slots, ended, why, checks, now), now)


def recovered(slots: Slots, now: Now) -> Slots:
    """What is to be done after the agent's start: before the switch from `verified` again, MOST_TRIES times, else go on."""
    if slots.step not in BEFORE_SWITCH:
        return slots
    if slots.tries >= MOST_TRIES or slots.transitions >= MOST_TRANSITIONS - KEPT_FOR_THE_END:
        why = f"the robot's agent ended {slots.tries + 1} times during this change, the last time in {STEP_WORDS[slots.step]}"
        return refuse(slots, "refused", why, (), now)
    again = msgspec.structs.replace(slots, tries=slots.tries + 1)
    return _at(again, "waiting_for_safe" if slots.going_back else "verified", now)


def set_current(slots: Slots, slot: Slot, embedded: Slot | None) -> Slots:
    """A person's plain choice; the one that was current is previous. Raises Trouble: `update_underway`."""
    must_be_idle(slots)
    runs = slots.current or embedded
    if runs is not None and runs.digest == slot.digest:
        return slots
    return msgspec.structs.replace(
        slots, current=_kept(_named(slot)), previous=runs or slots.previous, over_air=_over_air(slots, slot)
    )


def fallen_back(slots: Slots, to: Slot | None) -> Slots:
    """The current bundle can't be used: `to` is current now, or what came with the agent. The broken one is in no slot."""
    previous = None if slots.previous is not None and slots.previous == to else slots.previous
    return msgspec.structs.replace(slots, current=_kept(to), previous=previous)


def _fresh(slots: Slots, step: Step, slot: Slot, probation: Probation, now: Now) -> Slots:
    clean = msgspec.structs.replace(
        slots,
        candidate=_named(slot),
        probation=probation,
        attempts=0,
        transitions=0,
        tries=0,
        why="",
        before=None,
        looks=(0, 0),
        stops=0,
        over_air=_over_air(slots, slot),
    )
    return _at(clean, step, now)


def _over_air(slots: Slots, slot: Slot) -> tuple[str, ...]:
    """The newest last; what a person gives or chooses is theirs from then on."""
    others = tuple(digest for digest in slots.over_air if digest != slot.digest)
    return (*others, slot.digest) if slot.origin in BY_ITSELF and slot.digest in slots.over_air else others


def brought(slots: Slots, digest: str) -> Slots:
    """A release brings this bundle, which did not lie here before: it may go again when it is in no slot any more."""
    return msgspec.structs.replace(slots, over_air=(*(one for one in slots.over_air if one != digest), digest))


def prunable(slots: Slots, in_use: Collection[str]) -> tuple[str, ...]:
    """Bundles that releases brought and that nobody needs; the last of them stays for a second look."""
    unused = tuple(digest for digest in slots.over_air if digest not in in_use)
    return unused[:-1]


def pruned(slots: Slots, gone: Collection[str]) -> Slots:
    """These do not lie here any more."""
    return msgspec.structs.replace(slots, over_air=tuple(digest for digest in slots.over_air if digest not in gone))


def _idle(slots: Slots, last: Outcome, now: Now) -> Slots:
    ended = msgspec.structs.replace(
        slots,
        candidate=None,
        last=last,
        ending=None,
        older=None,
        before=None,
        going_back=False,
        why="",
        attempts=0,
        looks=(0, 0),
        stops=0,
    )
    return _at(ended, "idle", now)


def _at(slots: Slots, step: Step, now: Now) -> Slots:
    return msgspec.structs.replace(
        slots,
        step=step,
        transitions=slots.transitions + 1,
        since_wall_ns=now.wall_ns,
        since_mono_ns=now.mono_ns,
        boot_id=now.boot_id,
    )


def _capped(slots: Slots) -> Slots:
    if slots.transitions >= MOST_TRANSITIONS - KEPT_FOR_THE_END:
        raise Trouble(f"the change took {slots.transitions} steps without an end", code="too_many_steps")
    return slots


def _outcome(slots: Slots, ended: Ended, why: str, checks: Sequence[Check], now: Now) -> Outcome:
    assert slots.candidate is not None  # there is one in every step but idle
    return Outcome(
        digest=slots.candidate.digest,
        name=slots.candidate.name,
        ended=ended,
        why=why[:WHY_LIMIT],
        step=slots.step,
        wall_ns=now.wall_ns,
        release=slots.candidate.release,
        checks=tuple(msgspec.structs.replace(check, text=check.text[:CHECK_LIMIT]) for check in checks),
    )


def _named(slot: Slot) -> Slot:
    """The same with a name that fits on a line and into the file."""
    shown = "".join(sign if sign.isprintable() else " " for sign in slot.name[:NAME_LIMIT])
    return msgspec.structs.replace(slot, name=shown)


def _kept(slot: Slot | None) -> Slot | None:
    """What came with the agent is None: a newer agent brings another one."""
    return None if slot is None or slot.origin == "agent" else slot
