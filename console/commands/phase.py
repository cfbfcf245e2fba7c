"""`fieldgate phase`: the phases of a campaign's field test, without a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec

from console.commands.campaign_words import as_json, as_person, named, print_json, words
from console.commands.field_words import FORMAT, charset, exit_of, field_test, looked_at, print_phase, tell
from remote.lazy_commands import LazyGroup

if TYPE_CHECKING:
    from console.fieldwork.field_test import FieldTest
    from console.record.entries import ConditionSeen

_HERE = "console.commands.phase"
_COMMANDS = {
    "show": (_HERE, "show", "How the phases stand: what is decided, what is missing."),
    "plan": (_HERE, "plan", "Whether the planned trials are enough, before the first one."),
    "begin": (_HERE, "begin", "Begin a phase, or go back to one with a reason."),
    "lift": (_HERE, "lift", "Say why testing may go on after a stop rule."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def phase() -> None:
    """The phases of a campaign's field test.

    NAME is a campaign's name, or its robot's; it may be left out where there is only one campaign.
    """


@click.command()
@words("")
@click.option("--phase", "phase_id", metavar="PHASE", help="Only this phase; its standing decides the exit code.")
@click.option("--look", is_flag=True, help="Look at the robot: which of what must hold holds now.")
@as_json
def show(words: tuple[str, ...], phase_id: str | None, look: bool, as_json: bool) -> None:
    """How the phases stand: entry and holding conditions, questions, stop rules, the open session.

    Ends with 0 where the phase that was begun last is passed, 3 where it failed, was stopped or went stale, 7 where it is not
    decided yet.
    """
    from console.fieldwork.phase_text import field_text

    name, _ = named(words, 0)
    with field_test(name) as field:
        field.campaign.see_files()
        if phase_id is not None:
            found = field.state().phase(field.phase_named(phase_id).id)
            print_phase(found, as_json)
            raise click.exceptions.Exit(exit_of(found.status))
        state = field.state()
        held = _held(field, state.current) if look and state.current in field.phases else ()
    if as_json:
        print_json({"format": FORMAT, **msgspec.to_builtins(state), **({"holding": held} if look else {})})
    elif not state.phases:
        tell("this campaign's pack has no phases: docs/phases.md says how to write one")
    else:
        click.echo(field_text(state, held, charset()), nl=False)
    here = next((one.status for one in state.phases if one.phase.id == state.current), None)
    raise click.exceptions.Exit(exit_of(here))


def _held(field: FieldTest, phase_id: str) -> tuple[ConditionSeen, ...]:
    from console.fieldwork.holding import settled_holding

    with looked_at(field, False) as sight:
        return settled_holding(field.phases[phase_id], field.campaign.bundle, sight)


@click.command()
@words("")
@click.option("--phase", "phase_id", metavar="PHASE", help="Only this phase.")
@as_json
def plan(words: tuple[str, ...], phase_id: str | None, as_json: bool) -> None:
    """Whether the trials that each phase plans are enough: the chance to pass if the robot is as good as hoped, and if not.

    Ends with 3 where one of them is not.
    """
    from console import exits
    from console.fieldwork.phase_plan import plan_lines, planned

    name, _ = named(words, 0)
    with field_test(name) as field:
        chosen = [field.phase_named(phase_id)] if phase_id else list(field.phases.values())
    plans = {one.id: planned(one) for one in chosen}
    if as_json:
        print_json({"format": FORMAT, "phases": plans})
    for one in () if as_json else chosen:
        lines = [line for each in plans[one.id] for line in plan_lines(each)]
        click.echo("\n".join([one.title, *(f"  {line}" for line in lines or ["no question has a plan"])]))
    if any(each.power is not None and not each.is_enough for found in plans.values() for each in found):
        raise click.exceptions.Exit(exits.ALARM)


@click.command()
@words("PHASE")
@click.option("--reason", default="", help="Why; needed to go back, or to begin the same phase anew.")
@as_person
@as_json
def begin(words: tuple[str, ...], reason: str, person: str | None, as_json: bool) -> None:
    """Begin PHASE, whose entry conditions must be met. What was tried before in it does not count any more."""
    from console.people import who

    name, (phase_id,) = named(words, 1)
    with field_test(name) as field:
        state = field.begin_phase(phase_id, who(person), reason)
    print_phase(state, as_json)


@click.command()
@words("STOP")
@click.option("--reason", required=True, help="What was found and done, so that testing may go on.")
@click.option("--phase", "phase_id", metavar="PHASE", help="Of this phase; else of the one that was begun last.")
@as_person
@as_json
def lift(words: tuple[str, ...], reason: str, phase_id: str | None, person: str | None, as_json: bool) -> None:
    """Let testing go on after the stop rule STOP; its count begins anew."""
    from console.people import who

    name, (stop,) = named(words, 1)
    with field_test(name) as field:
        state = field.lift_stop(phase_id or field.state().current, stop, reason, who(person))
    print_phase(state, as_json)
