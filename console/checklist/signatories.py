"""Who may sign what: the roles of a gate, one signature a person, and the second person who did none of the work."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from console.checklist.states import SignatureState, StageState
from console.record.entries import Meaning, Signature
from console.record.roster import Person, Roster
from remote.errors import Trouble

SECOND: tuple[Meaning, ...] = ("witnessed", "reviewed", "approved")
"""The meanings that want a second person: other key, other name, and none of the work."""


def same_name(one: str, other: str) -> bool:
    """Whether two names are the same to a reader: case, spaces and ways of writing an accent do not tell people apart."""
    return _folded(one) == _folded(other)


def same_person(one: Person | str, other: Person | str, roster: Roster | None = None) -> bool:
    """Whether two people, given by roster entry or principal, share a principal or a name; the roster names principals."""
    return bool(_names(one, roster) & _names(other, roster))


def role_for(stage: StageState, meaning: Meaning, person: Person) -> str:
    """The role in which this person signs: the first that the gate asks for, preferring one not signed for yet.

    Raises:
        Trouble: `role_not_allowed` where the gate asks for no such signature, or for roles that the person has not.
    """
    asked = [signing for signing in stage.stage.gate.signatures if signing.meaning == meaning]
    if not asked:
        wanted = ", ".join(dict.fromkeys(one.meaning for one in stage.stage.gate.signatures)) or "none"
        what = f"the gate of '{stage.stage.id}' asks for no signature '{meaning}'"
        raise Trouble(what, cure=f"it asks for: {wanted}", code="role_not_allowed")
    given = {one.signature.role for one in _counting(stage) if one.signature.meaning == meaning}
    fitting = [role for signing in asked for role in signing.roles if role in person.roles]
    if not fitting:
        roles = " or ".join(dict.fromkeys(role for signing in asked for role in signing.roles))
        what = f"{person.name} ({person.principal}) may not sign '{meaning}' at '{stage.stage.id}': it wants {roles}"
        raise Trouble(what, cure="ask somebody who has that role in the roster", code="role_not_allowed")
    return next((role for role in fitting if role not in given), fitting[0])


def why_not_sign(
    stage: StageState,
    meaning: Meaning,
    person: Person,
    key: str,
    pack: str,
    at_wall_ns: int,
    roster: Roster | None = None,
) -> str:
    """Why this person may not give this signature with this key at this time, one sentence; empty if they may.

    Args:
        stage: the stage with its items' performers and the signatures given so far.
        meaning: what the signature would mean.
        person: who would sign, from the roster.
        key: the SHA256 fingerprint of the key.
        pack: the pack's name, for the scope of the roster entry.
        at_wall_ns: now.
        roster: gives the names of performers that are known by their principal.
    """
    try:
        role = role_for(stage, meaning, person)
    except Trouble as trouble:
        return trouble.what
    return (
        person.why_not(role, pack, at_wall_ns)
        or _signed_already(person, key, (one.signature for one in _counting(stage)))
        or (_did_it(stage, person, roster) if meaning in SECOND else "")
    )


def why_not_witness(person: Person | str, performer: Person | str, roster: Roster | None = None) -> str:
    """Why this person can't witness what `performer` did, one sentence; empty if they can. Principals may be unknown."""
    if same_person(person, performer, roster):
        name = person.name if isinstance(person, Person) else person
        return f"{name} did this; a second person has to witness it"
    return ""


def _signed_already(person: Person, key: str, given: Iterable[Signature]) -> str:
    for one in given:
        if same_person(person, one.principal) or same_name(one.name, person.name):
            return f"{person.name} has signed here already ('{one.meaning}'); another person has to give this signature"
        if one.key == key:
            return f"the key {key} has signed here already, for {one.name}; another person has to sign with another key"
    return ""


def _did_it(stage: StageState, person: Person, roster: Roster | None) -> str:
    done = [one.item.id for one in stage.items if any(same_person(person, who, roster) for who in one.performers)]
    if not done:
        return ""
    named = ", ".join(done[:3]) + (f" and {len(done) - 3} more" if len(done) > 3 else "")
    return f"{person.name} performed {named}; a second person has to sign this"


def _counting(stage: StageState) -> list[SignatureState]:
    return [one for one in stage.gate.signatures if not one.void]


def _names(person: Person | str, roster: Roster | None) -> set[str]:
    known = person if isinstance(person, Person) else (roster.find(person) if roster is not None else None)
    words = {known.principal, known.name} if known is not None else {str(person)}
    return set(map(_folded, words))


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())
