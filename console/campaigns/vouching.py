"""What a person may say, and when: challenges, witnesses, roles, reasons. Each refusal is a Trouble that says why."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from console.campaigns.who_may import known_person
from console.checklist.pack import Item
from console.checklist.signatories import why_not_witness
from console.checklist.states import PASSED, ItemState
from console.record.entries import Attachment, Meaning, Signature
from console.record.ledger import WITHDRAWABLE
from console.record.roster import Roster
from remote.errors import Trouble

SERIAL_DIGITS = 4
REASON_MIN = 10
"""Fewer characters than that explain nothing."""
DAYS_MAX = 90
DAY_NS = 86_400 * 1_000_000_000
_LOOK_MS, _LOOK_PER_CHARACTER_MS, _LOOK_MAX_MS = 600, 25, 4000


def too_quick(statement: str, looked_ms: int | None) -> bool:
    """Whether the statement was shown for less time than a person needs to read it; False where that is not known."""
    needed_ms = min(_LOOK_MAX_MS, _LOOK_MS + _LOOK_PER_CHARACTER_MS * len(statement))
    return looked_ms is not None and looked_ms < needed_ms


# ------------------------------------------------------------ the challenge of a critical item


def challenge_words(state: ItemState) -> str:
    """What a person must type to confirm the item, in words; empty where nothing is asked.

    A critical item that is measured asks for its value anyway.
    """
    critical = state.item.critical and state.item.kind in ("confirmed", "witnessed")
    return "type the last four characters of the robot's serial number" if critical else ""


def is_serial(answer: str, serial: str, item_id: str) -> bool:
    """Whether `answer` is the end of the serial number, whatever the case and what is between its characters.

    Raises Trouble (`challenge_unknown`) where the number was never seen.
    """
    known, typed = (re.sub(r"[^0-9a-z]", "", text.casefold()) for text in (serial, answer))
    if not known:
        what = f"'{item_id}' asks for the robot's serial number, which this campaign has never seen"
        raise Trouble(what, cure="connect the robot once (`fieldgate check ROBOT`)", code="challenge_unknown")
    return typed == known[-SERIAL_DIGITS:]


# ------------------------------------------------------------ who may, and what must be there


def check_confirmable(state: ItemState, meaning: Meaning, holds: bool) -> None:
    """Refuse what no person can vouch for, and a witness's word where there is nothing to witness."""
    item = state.item
    if state.state == "n/a":
        raise Trouble(f"'{item.id}' does not apply: {state.reason}", cure="nothing to do", code="not_applicable")
    if item.kind not in ("confirmed", "witnessed"):
        how = f"run `fieldgate check` for '{item.id}'" if item.kind == "sensed" else f"enter a value for '{item.id}'"
        raise Trouble(f"'{item.id}' is {item.kind}: nobody's word settles it", cure=how, code="not_confirmable")
    if meaning not in ("performed", "witnessed") or (meaning == "witnessed" and item.kind != "witnessed"):
        raise Trouble(f"'{item.id}' is not to be {meaning}", cure="confirm it", code="not_confirmable")
    if meaning == "witnessed" and holds and state.need != "witness":
        what = f"'{item.id}' is {state.state}, there is nothing to witness"
        cure = f"the one who does it confirms it first ({state.reason})"
        raise Trouble(what, cure=cure, code="nothing_to_witness")


def check_listed(state: ItemState, person: str, roster: Roster, campaign: str) -> None:
    """Refuse a yes to a critical item by somebody whom the campaign's roster, where it has one, does not know."""
    if state.item.critical and roster.people:
        known_person(roster, person, campaign)


def check_witness(state: ItemState, witness: str, roster: Roster, pack: str, now_ns: int, campaign: str) -> None:
    """Refuse a witness who is the performer, and, where the campaign has a roster, one whom it does not know."""
    for performer in state.performers:
        why_not = why_not_witness(witness, performer, roster)
        if why_not:
            raise Trouble(why_not, cure="let another person witness it (`--as NAME`)", code="same_person")
    if roster.people:
        person = known_person(roster, witness, campaign)
        why_not = person.why_not(person.roles[0], pack, now_ns)
        if why_not:
            raise Trouble(why_not, cure="let somebody witness it whose entry counts", code="not_allowed")


def check_inspected(item: Item, holds: bool, meaning: Meaning, attachments: Sequence[Attachment]) -> None:
    """Refuse a yes to an item that asks for a photo or a file without one."""
    if item.inspect is None or not holds or meaning != "performed":
        return
    fits = [one for one in attachments if item.inspect == "file" or one.media.startswith("image/")]
    if not fits:
        cure = f"attach the {item.inspect} (`--file PATH`)"
        raise Trouble(f"'{item.id}' asks for a {item.inspect}", cure=cure, code="nothing_attached")


def check_role(item: Item, role: str, allowed: Sequence[str], act: str, who_may: str) -> None:
    """Refuse a role that the pack does not let do this; `who_may` says who of the roster has one that may."""
    if role not in allowed:
        may = f"only {' or '.join(allowed)} may" if allowed else "nobody may"
        cure = f"let somebody do it who may: {who_may}; or settle the item" if allowed else "settle the item itself"
        raise Trouble(f"'{role}' may not {act} '{item.id}': {may}", cure=cure, code="not_allowed")


def check_reason(reason: str) -> str:
    """The reason without blanks around it; Trouble where it is too short to be one."""
    how = f"say why in {REASON_MIN} characters or more; it stands on page one of the report"
    return _long_enough(reason, "reason", how)


def check_fix(text: str) -> str:
    """What was done, without blanks around it; Trouble where it is too short to say anything."""
    return _long_enough(text, "description of a fix", f"say what was done in {REASON_MIN} characters or more")


def _long_enough(text: str, what: str, cure: str) -> str:
    said = " ".join(text.split())
    if len(said) < REASON_MIN:
        raise Trouble(f"{said!r} is no {what}", cure=cure, code="no_reason")
    return said


def check_days(days: float) -> int:
    """The days in nanoseconds; Trouble where it is not from 1 to DAYS_MAX."""
    if not 1 <= days <= DAYS_MAX:
        raise Trouble(f"{days:g} days is not between 1 and {DAYS_MAX}", cure="give fewer days", code="bad_days")
    return round(days * DAY_NS)


def check_unsettled(state: ItemState, act: str) -> None:
    """Refuse to override or defer what needs neither."""
    if state.state in (*PASSED, "n/a"):
        raise Trouble(f"'{state.item.id}' is {state.state}: nothing to {act}", cure="leave it", code="nothing_to_do")


def check_withdrawable(seq: int, kind: str) -> None:
    """Refuse to withdraw what was seen or done: only words can be taken back."""
    if kind not in WITHDRAWABLE:
        what = f"entry {seq} is of the kind '{kind}', which can't be withdrawn"
        cure = f"only these can: {', '.join(WITHDRAWABLE)}"
        raise Trouble(what, cure=cure, code="not_withdrawable")


def check_withdrawer(signature: Signature, roles: Collection[str], person: str, roster: Roster, who_may: str) -> None:
    """Refuse to take back another person's signature by one who could not sign at that gate either.

    Args:
        signature: the one to be withdrawn.
        roles: those that sign at its gate.
        person: who would withdraw it.
        roster: the campaign's.
        who_may: in words, who has a role that signs there.
    """
    known = roster.find(person)
    if person != signature.principal and not (known is not None and set(roles) & set(known.roles)):
        what = f"'{person}' may not withdraw the signature of {signature.name} ({signature.principal})"
        cure = f"let {signature.principal} do it, or somebody who signs at that gate: {who_may}"
        raise Trouble(what, cure=cure, code="not_allowed")
