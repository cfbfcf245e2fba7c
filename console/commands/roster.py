"""`fieldgate roster`: who may sign, in which role, with which SSH key."""

from __future__ import annotations

import json
from pathlib import Path

import click
import msgspec

from console.record.roster import Person, Roster, allowed_signers, default_path, load_roster, save
from console.record.ssh_keys import PublicKey, agent_keys, read_key
from remote.errors import Trouble

_FILE = click.option(
    "--file", "path", type=click.Path(path_type=Path), help="The roster file, instead of this laptop's own."
)


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
@click.option("--until", help="The last day on which a signature counts: 2027-03-31.")
@click.option("--pack", "packs", multiple=True, help="Only for this pack. Repeat it for more; without it: every pack.")
@click.option("--replace", is_flag=True, help="Put this in the place of somebody who is there already.")
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
        cure = "give `--replace` to write the entry anew, or remove the person first"
        raise Trouble(f"'{principal}' is in the roster already", cure=cure, code="in_roster")
    if not name or not roles:
        raise click.UsageError("A person needs --name and at least one --role.")
    public = [*map(read_key, keys), *map(_agent_key, agent)]
    if not public:
        raise click.UsageError("A person needs a key: --key FILE.pub or --agent-key N.")
    lines = tuple(f"{key.line} {key.comment}".strip() for key in public)
    person = _checked(principal, name, roles, lines, packs, until)
    others = tuple(one for one in known.people if one.principal != principal)
    file = save(msgspec.structs.replace(known, people=(*others, person)), path)
    click.echo(f"added {person.name} ({principal}) to {file}: {', '.join(key.fingerprint for key in public)}", err=True)


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
        end = f"  until {one.until}" if one.until else ""
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
        return msgspec.convert(given, Person)
    except msgspec.ValidationError as error:
        cure = "a principal has letters, digits and . _ @ + -, a last day looks like 2027-03-31"
        raise Trouble(f"this can't stand in a roster: {error}", cure=cure, code="bad_roster") from error


def _plain(person: Person) -> dict[str, object]:
    keys = [{"fingerprint": key.fingerprint, "kind": key.kind, "comment": key.comment} for key in person.public_keys()]
    return {**msgspec.structs.asdict(person), "keys": keys}
