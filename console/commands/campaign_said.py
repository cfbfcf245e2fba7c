"""What people say of items, from the command line: values, confirmations, overrides, fixes, notes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.commands.campaign_words import (
    a_file,
    as_json,
    as_person,
    named,
    opened,
    print_item,
    sight_of,
    tell_entry,
    transcribed_options,
    with_files,
    words,
)

if TYPE_CHECKING:
    from console.campaigns.campaign import Campaign
    from console.checklist.states import ItemState
    from console.record.entries import Meaning, Transcribed


@click.command()
@words("ITEM [VALUE]")
@click.option("--n", type=click.IntRange(1), default=1, help="How many readings or trials the value stands for.")
@click.option("--successes", type=click.IntRange(0), help="For a rate: so many of --n trials; VALUE is left out.")
@click.option("--note", default="", help="Your words.")
@with_files
@transcribed_options
@as_person
@as_json
def measure(
    words: tuple[str, ...],
    n: int,
    successes: int | None,
    note: str,
    files: tuple[Path, ...],
    transcribed_by: str | None,
    transcribed_at: str | None,
    person: str | None,
    as_json: bool,
) -> None:
    """Enter the VALUE of a measured ITEM; its criterion judges. A negative one follows `--`."""
    name, (item, *value) = named(words, 1 if successes is not None else 2)
    number = _number(value[0]) if value else None
    paper = _paper(transcribed_by, transcribed_at)
    _say(
        name,
        person,
        as_json,
        lambda on, who: on.measure(
            item, number, who, n=n, successes=successes, note=note, files=files, transcribed=paper
        ),
        "attempt",
    )


def _vouching_options(command: Callable[..., None]) -> Callable[..., None]:
    """ITEM and the options of everybody who vouches for it, the first person or the second."""
    options = (
        words("ITEM"),
        click.option("--no", "refuse", is_flag=True, help="It does not hold."),
        click.option("--answer", default="", help="For a critical item: what it asks to be typed."),
        click.option("--note", default="", help="Your words."),
        with_files,
        transcribed_options,
        as_person,
        as_json,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@_vouching_options
def confirm(**given: Any) -> None:
    """Vouch for ITEM: that its statement holds, or with --no that it does not."""
    _vouch("performed", **given)


@click.command()
@_vouching_options
def witness(**given: Any) -> None:
    """Vouch as second person that what another one did at ITEM holds."""
    _vouch("witnessed", **given)


def _vouch(
    meaning: Meaning,
    words: tuple[str, ...],
    refuse: bool,
    answer: str,
    note: str,
    files: tuple[Path, ...],
    transcribed_by: str | None,
    transcribed_at: str | None,
    person: str | None,
    as_json: bool,
) -> None:
    name, (item,) = named(words, 1)
    paper = _paper(transcribed_by, transcribed_at)

    def said(on: Campaign, who: str) -> ItemState:
        return on.confirm(
            item, not refuse, who, meaning=meaning, note=note, answer=answer, files=files, transcribed=paper
        )

    _say(name, person, as_json, said, "confirmation", refuse)


@click.command()
@words("ITEM")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_person
@as_json
def act(words: tuple[str, ...], yes: bool, person: str | None, as_json: bool) -> None:
    """Run ITEM's command on the robot, after asking, then let its probe verify the effect."""
    from console.printing import in_line
    from remote.errors import Trouble

    name, (item,) = named(words, 1)

    def run(on: Campaign, who: str) -> ItemState:
        wanted = on.item_state(item).item.act
        if wanted is not None and not yes:
            click.echo(in_line(f"{wanted.says}: `{' '.join(wanted.argv)}` on {on.robot}"), err=True)
            if not click.confirm("Run it?", err=True):
                raise Trouble("nothing was run", code="not_confirmed")
        with sight_of(on) as sight:
            return on.act(item, sight, who)

    _say(name, person, as_json, run, "")


@click.command()
@words("ITEM")
@click.option("--role", required=True, help="In which role; the pack says which may.")
@click.option("--reason", required=True, help="Why; it stands on page one of the report.")
@click.option("--days", type=float, required=True, help="For how many days, 1 to 90.")
@as_person
@as_json
def override(words: tuple[str, ...], role: str, reason: str, days: float, person: str | None, as_json: bool) -> None:
    """Let ITEM stand for some days though it is not passed. It stays counted, and may keep a gate shut."""
    name, (item,) = named(words, 1)
    _say(name, person, as_json, lambda on, who: on.override(item, role, reason, days, who), "override")


@click.command()
@words("ITEM")
@click.option("--role", required=True, help="In which role; the pack says which may.")
@click.option("--until", "stage", required=True, metavar="STAGE", help="The later stage, which it then blocks.")
@click.option("--owner", required=True, help="Who answers for it.")
@click.option("--reason", required=True, help="Why.")
@as_person
@as_json
def defer(
    words: tuple[str, ...], role: str, stage: str, owner: str, reason: str, person: str | None, as_json: bool
) -> None:
    """Put ITEM off to a later stage."""
    name, (item,) = named(words, 1)
    _say(name, person, as_json, lambda on, who: on.defer(item, role, stage, owner, reason, who), "deferral")


@click.command()
@words("ITEM TEXT")
@as_person
@as_json
def fix(words: tuple[str, ...], person: str | None, as_json: bool) -> None:
    """Write down what was done about ITEM's last failure."""
    name, (item, text) = named(words, 2)
    _say(name, person, as_json, lambda on, who: on.fix(item, text, who), "fix")


@click.command()
@words("ENTRY")
@click.option("--reason", required=True, help="Why.")
@as_person
def withdraw(words: tuple[str, ...], reason: str, person: str | None) -> None:
    """Take back the confirmation, override, deferral, signature or poll answer with the number ENTRY."""
    from console.people import who

    name, (seq,) = named(words, 1)
    if not seq.isascii() or not seq.isdigit():
        raise click.UsageError(f"'{seq}' is no entry's number; `fieldgate campaign log` shows them.")
    with opened(name) as on:
        on.withdraw(int(seq), reason, who(person))
    click.echo(f"entry {seq} is withdrawn; it stays in the record", err=True)


@click.command()
@words("TEXT")
@click.option("--item", default="", help="On this item; else on the campaign.")
@with_files
@as_person
def note(words: tuple[str, ...], item: str, files: tuple[Path, ...], person: str | None) -> None:
    """Keep TEXT in the record."""
    from console.people import who

    name, (text,) = named(words, 1)
    with opened(name) as on:
        on.note(text, who(person), item, files)


@click.command()
@words("")
@click.option("--file", "files", type=a_file, multiple=True, required=True, help="The file; repeatable.")
@click.option("--item", default="", help="To this item; else to the campaign.")
@click.option("--note", "text", default="", help="Your words.")
@as_person
def attach(words: tuple[str, ...], files: tuple[Path, ...], item: str, text: str, person: str | None) -> None:
    """Keep files with the record; prints their SHA-256. An item that asks for one takes it with `confirm --file`."""
    from console.people import who

    name, _ = named(words, 0)
    with opened(name) as on:
        for kept in on.note(text, who(person), item, files):
            click.echo(f"{kept.digest}  {kept.name}")


# ------------------------------------------------------------ parts


def _say(
    name: str | None,
    person: str | None,
    as_json: bool,
    said: Callable[[Campaign, str], ItemState],
    kind: str,
    refuse: bool = False,
) -> None:
    """Say it, tell on stderr what was recorded (an entry of that kind; empty: several), and print the item."""
    from console.people import who

    speaker = who(person)
    with opened(name) as on:
        state = said(on, speaker)
        tell_entry(on, kind, state.item.id, _vouched(state, refuse) if kind == "confirmation" else "")
    print_item(state, time.time_ns(), as_json)


def _vouched(state: ItemState, refuse: bool) -> str:
    """The statement: whoever vouched shall see what for."""
    asked = "no to the statement" if refuse else "yes to the statement"
    return f", {asked}: {' '.join((state.item.statement or state.item.title).split())}"


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise click.UsageError(f"'{text}' is no number.") from None


def _paper(by: str | None, at: str | None) -> Transcribed | None:
    """What was written on paper first. Raises click's usage error for half of it, or for what is no time."""
    from datetime import datetime

    from console.record.entries import Transcribed

    if by is None and at is None:
        return None
    if not by or not at:
        raise click.UsageError("--transcribed-by and --transcribed-at belong together.")
    try:
        datetime.fromisoformat(at)
    except ValueError:
        raise click.UsageError(f"'{at}' is no time such as 2026-03-31T14:05.") from None
    return Transcribed(by, at)
