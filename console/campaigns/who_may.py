"""Who of a campaign's roster may do something, in words for the cure of a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from console.record.roster import Person, Roster, default_path, load_roster
from remote.errors import Trouble


def known_person(roster: Roster, principal: str, campaign: str) -> Person:
    """The person of the campaign's roster; Trouble `not_in_roster` that says how a running campaign takes them in."""
    found = roster.find(principal)
    if found is None:
        what = f"'{principal}' is not in this campaign's roster"
        raise Trouble(what, cure=_taken_in(roster, principal, campaign), code="not_in_roster")
    return found


def people_words(roster: Roster, roles: Sequence[str], pack: str, now_ns: int) -> str:
    """Who has one of the roles now: `role lead: Cy Carl (cy)`; where nobody has, how somebody gets it."""
    having = [one for one in roster.people if any(one.may(role, pack, now_ns) for role in roles)]
    asked = f"role {' or '.join(dict.fromkeys(roles))}"
    if not having:
        return f"{asked}, which nobody in this campaign's roster has ({_ADD})"
    return f"{asked}: {', '.join(f'{one.name} ({one.principal})' for one in having)}"


def no_roster_words(campaign: str) -> tuple[str, str]:
    """What a campaign without people in its roster can't do, and what to do about it."""
    what = "the campaign has no roster: nobody can answer a poll, override, defer or sign, so its gates may stay shut"
    add = "`fieldgate roster add PERSON --name NAME --role ROLE --key FILE.pub`"
    return what, f"{add}, then `fieldgate campaign revise {campaign} --roster {default_path()} --reason TEXT`"


_ADD = "`fieldgate roster add`, then `fieldgate campaign revise --roster FILE --reason TEXT`"


def _taken_in(roster: Roster, principal: str, campaign: str) -> str:
    mine = _on_laptop()
    revise = f"`fieldgate campaign revise {campaign} --roster {default_path()} --reason TEXT`"
    if mine.find(principal) is not None:
        return f"this laptop's roster has them: {revise} takes it in"
    known = [one.principal for one in roster.people]
    here = f"it has: {', '.join(known)}; else " if known else "it is empty; "
    return f"{here}`fieldgate roster add {principal} --name NAME --role ROLE --key FILE.pub`, then {revise}"


def _on_laptop(path: Path | None = None) -> Roster:
    """This laptop's roster; an empty one where it can't be read: it is only looked at for a better cure."""
    try:
        return load_roster(path)
    except Trouble:
        return Roster()
