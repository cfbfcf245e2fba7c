"""`fieldgate campaign poll` and `pass`: what opens a stage's gate. Signing is `fieldgate sign`."""

from __future__ import annotations

import click

from console import exits
from console.commands.campaign_words import as_json, as_person, named, opened, print_gate, tell_entry, words

_stage = click.option("--stage", help="The stage; else the one that the campaign is in.")


@click.command()
@words("")
@click.option("--role", required=True, help="In which role you answer.")
@click.option("--go/--no-go", "go", default=None, help="Go, or no-go.")
@click.option("--note", default="", help="Your words.")
@_stage
@as_person
@as_json
def poll(
    words: tuple[str, ...], role: str, go: bool | None, note: str, stage: str | None, person: str | None, as_json: bool
) -> None:
    """Answer go or no-go before a stage's gate. Any change of what it was given on resets the answer."""
    from console.people import who

    if go is None:
        raise click.UsageError("Say --go or --no-go.")
    name, _ = named(words, 0)
    with opened(name) as on:
        wanted = stage or on.state().stage
        state = on.poll(wanted, role, go, who(person), note)
        tell_entry(on, "poll", wanted)
        print_gate(state, as_json)


@click.command("pass")
@words("")
@_stage
@as_person
@as_json
def pass_gate(words: tuple[str, ...], stage: str | None, person: str | None, as_json: bool) -> None:
    """Open a stage's gate. Refused, with everything that is missing, while something is: exit 3."""
    from console.people import who
    from remote.errors import Trouble

    name, _ = named(words, 0)
    with opened(name) as on:
        wanted = stage or on.state().stage
        try:
            print_gate(on.pass_gate(wanted, who(person)), as_json)
        except Trouble as trouble:
            if trouble.code != "gate_blocked":
                raise
            print_gate(on.stage_state(wanted), as_json)
            raise click.exceptions.Exit(exits.ALARM) from trouble
