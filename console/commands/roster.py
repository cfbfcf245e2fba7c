"""`fieldgate roster`: who may sign, in which role, with which SSH key."""

from __future__ import annotations

import difflib
import json
import re
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import click
import msgspec

from console.record.roster import Person, Roster, allowed_signers, default_path, load_roster, save
from console.record.ssh_keys import PublicKey, agent_keys, read_key
from remote.errors import Trouble
from remote.ready_types import ready

_FILE = click.option(
    "--file", "path", type=click.Path(path_type=Path), help="The roster file, instead of this laptop's own."
)
_NEVER = "never"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_OTHER_DAY = re.compile(
    r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})|(?P<y2>\d{4})[-/.]?(?P<m2>\d{1,2})[-/.]?(?P<d2>\d{1,2})"
)
"""31.3.2027, and year first with other or no separators; 3/4/2027 could be two days."""


@click.group()
def roster() -> None:
    """Who may sign: people, their roles and their public SSH keys. A new campaign takes a copy of it."""


@roster.command()
@click.argument("principal")
@click.option("--name", help="The printed name. Needed for somebody new.")
@click.option("--role", "roles", multiple=True, help="A role of the pack, such as safety. Repeat it for more.")
@click.option("--key", "keys", multiple=True, type=click.Path(path_type=Path), help="A .pub file.")
@click.option(
    "--agent-key", "agent", multiple=True, type=click.IntRange(1), help="The Nth key of `ssh-add -L`, from 1."
)
@click.option("--until", help="The last day on which a signature counts: 2027-03-31; `never`: no end.")
@click.option("--pack", "packs", multiple=True, help="Only for this pack. Repeat it for more; without it: every pack.")
@click.option("--replace", is_flag=True, help="Change somebody who is there already; what is not given stays.")
@_FILE
def add(
    principal: str,
    name: str | None,
    roles: tuple[str, ...],
    keys: tuple[Path, ...],
    agent: tuple[int, ...],
    until: str | None,
    packs: tuple[str, ...],
    replace: bool,
    path: Path | None,
) -> None:
    """Add a person. PRINCIPAL is a short name without spaces, such as an e-mail address."""
    known = _read(path)
    if known.find(principal) is not None and not replace:
        cure = "give `--replace` to change what you give and keep the rest, or remove the person first"
        raise Trouble(f"'{principal}' is in the roster already", cure=cure, code="in_roster")
    public = [*map(read_key, keys), *map(_agent_key, agent)]
    lines = tuple(f"{key.line} {key.comment}".strip() for key in public)
    old = known.find(principal)
    person = _laid_over(old, principal, name, roles, lines, packs, _last_day(until))
    others = tuple(one for one in known.people if one.principal != principal)
    file = save(msgspec.structs.replace(known, people=(*others, person)), path)
    done = f"added {person.name} ({principal}) to" if old is None else f"replaced {person.name} ({principal}) in"
    click.echo(f"{done} {file}: {', '.join(key.fingerprint for key in person.public_keys())}", err=True)
    for warning in _warnings(person):
        click.echo(f"warning: {warning}", err=True)


@roster.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON value on stdout.")
@_FILE
def list_people(as_json: bool, path: Path | None) -> None:
    """List the people: principal, name, roles, packs, last day, keys."""
    known = load_roster(path)
    if as_json:
        click.echo(json.dumps([_plain(one) for one in known.people]))
        return
    if not known.people:
        click.echo(f"nobody is in {path or default_path()}; add somebody: `fieldgate roster add`", err=True)
    for one in known.people:
        scope = f"  only {', '.join(one.packs)}" if one.packs else ""
        ended = " (ended)" if one.expired(time.time_ns()) else ""
        end = f"  until {one.until}{ended}" if one.until else ""
        click.echo(f"{one.principal}  {one.name}  {', '.join(one.roles)}{scope}{end}")
        for key in one.public_keys():
            click.echo(f"  {key.fingerprint}  {key.kind}  {key.comment}".rstrip())


@roster.command()
@click.argument("principal")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_FILE
def remove(principal: str, yes: bool, path: Path | None) -> None:
    """Remove a person. Signatures that were given stay good: each campaign keeps its own copy of the roster."""
    known = load_roster(path)
    person = known.person(principal)
    if not yes and not click.confirm(f"Remove {person.name} ({principal})?", err=True):
        raise Trouble("nothing was changed", code="not_confirmed")
    left = tuple(one for one in known.people if one.principal != principal)
    file = save(msgspec.structs.replace(known, people=left), path)
    click.echo(f"removed {person.name} ({principal}) from {file}", err=True)


@roster.command("allowed-signers")
@_FILE
def signers(path: Path | None) -> None:
    """Print the roster as OpenSSH's allowed_signers file; use it with TZ=UTC, in which its dates are written."""
    click.echo(allowed_signers(load_roster(path)), nl=False)


def _read(path: Path | None) -> Roster:
    """The roster; an empty one where the file is not there yet."""
    return Roster() if path is not None and not path.exists() else load_roster(path)


def _laid_over(
    old: Person | None,
    principal: str,
    name: str | None,
    roles: tuple[str, ...],
    keys: tuple[str, ...],
    packs: tuple[str, ...],
    until: str | None,
) -> Person:
    """What was given over what was there; usage is refused where both leave something open."""
    if old is not None:
        name, roles, keys = name or old.name, roles or old.roles, keys or old.keys
        packs, until = packs or old.packs, until or old.until
    if not name or not roles:
        raise click.UsageError("A person needs --name and at least one --role.")
    if not keys:
        raise click.UsageError("A person needs a key: --key FILE.pub or --agent-key N.")
    return _checked(principal, name, roles, keys, packs, None if until == _NEVER else until)


def _last_day(given: str | None) -> str | None:
    """The day as it was given; Trouble `bad_roster` says how to write what is none."""
    if given is None or given == _NEVER or (_DAY.fullmatch(given) and _is_day(given)):
        return given
    found = _OTHER_DAY.fullmatch(given)
    year, month, day = (found[one] or found[f"{one}2"] for one in "ymd") if found else ("", "0", "0")
    day = f"{year}-{int(month):02}-{int(day):02}"
    cure = f"write {day}" if _is_day(day) else "write year-month-day, such as 2027-03-31, or `never`"
    raise Trouble(f"--until {given} is no date", cure=cure, code="bad_roster")


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _warnings(person: Person) -> Iterator[str]:
    """What may be meant, and then makes no signature count."""
    if person.expired(time.time_ns()):
        yield f"the last day {person.until} is over: nothing that {person.name} signs from now on counts"
    known = _known_roles()
    for role in (one for one in person.roles if one not in known):
        near = difflib.get_close_matches(role, known, n=1)
        meant = f"; did you mean '{near[0]}'?" if near else "; fine if a pack of your own does"
        yield f"no shipped pack knows the role '{role}' (they know: {', '.join(known)}){meant}"


def _known_roles() -> list[str]:
    """The roles of the packs that come with fieldgate, sorted."""
    from console.checklist.packs.loading import load_checklist, shipped_packs

    return sorted({role for path in shipped_packs().values() for role in load_checklist(path).pack.roles})


def _agent_key(number: int) -> PublicKey:
    held = agent_keys()
    if number > len(held):
        what = f"the SSH agent holds {len(held)} keys that can sign, there is no number {number}"
        raise Trouble(what, cure="`ssh-add -L` lists them", code="key_not_in_agent")
    return held[number - 1]


def _checked(
    principal: str, name: str, roles: tuple[str, ...], keys: tuple[str, ...], packs: tuple[str, ...], until: str | None
) -> Person:
    """The person, with the types that a roster file is read with."""
    given = {"principal": principal, "name": name, "roles": roles, "keys": keys, "packs": packs, "until": until}
    try:
        return msgspec.convert(given, ready(Person))
    except msgspec.ValidationError as error:
        cure = "a principal has letters, digits and . _ @ + -, a last day looks like 2027-03-31"
        raise Trouble(f"this can't stand in a roster: {error}", cure=cure, code="bad_roster") from error


def _plain(person: Person) -> dict[str, object]:
    keys = [{"fingerprint": key.fingerprint, "kind": key.kind, "comment": key.comment} for key in person.public_keys()]
    return {**msgspec.structs.asdict(person), "keys": keys, "ended": person.expired(time.time_ns())}
