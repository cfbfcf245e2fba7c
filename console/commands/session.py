"""`fieldgate session`: sessions of a field test, without a screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click
import msgspec

from console.commands.campaign_words import as_json, as_person, named, print_json, words
from console.commands.field_words import (
    FORMAT,
    field_test,
    looked_at,
    no_robot,
    pairs,
    print_session,
    tell,
    with_conditions,
)
from remote.errors import Trouble
from remote.lazy_commands import LazyGroup

if TYPE_CHECKING:
    from console.fieldwork.field_test import FieldTest
    from console.looking import RobotSight
    from console.phases.schema import Phase
    from console.phases.states import SessionState

_HERE = "console.commands.session"
_COMMANDS = {
    "begin": (_HERE, "begin", "Begin to test in the current phase."),
    "watch": ("console.commands.session_watch", "watch", "Stay attached: pause where something stops to hold."),
    "set": (_HERE, "set_conditions", "Say the conditions of the trials that follow."),
    "pause": (_HERE, "pause", "Pause the session: it takes no trials."),
    "resume": (_HERE, "resume", "Let a paused session go on."),
    "end": (_HERE, "end", "End the session."),
    "show": (_HERE, "show", "The open session, or all of them."),
    "measure": (_HERE, "measure", "Count uptime and crashes of every session from the robot's journal."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def session() -> None:
    """Sessions of a campaign's field test: from when people begin to test until they stop.

    NAME is a campaign's name, or its robot's; it may be left out where there is only one campaign.
    """


@click.command()
@words("")
@with_conditions
@no_robot
@as_person
@as_json
def begin(
    words: tuple[str, ...], conditions: tuple[str, ...], no_robot: bool, person: str | None, as_json: bool
) -> None:
    """Begin to test in the phase that was begun last, with these conditions for each trial.

    The robot is looked at: it must run the campaign's bundle, and all that must hold must hold.
    """
    given = pairs(conditions)

    def may(field: FieldTest) -> None:
        _tell_doubts(field, field.check_may_begin(given))

    def act(field: FieldTest, sight: RobotSight | None, who: str) -> SessionState:
        state = field.begin_session(sight, who, given)
        _tell_missing(field, state)
        return state

    _do(words, no_robot, person, as_json, act, may)


@click.command("set")
@click.argument("words", nargs=-1, required=True, metavar="[NAME] CONDITION=VALUE...")
@no_robot
@as_person
@as_json
def set_conditions(words: tuple[str, ...], no_robot: bool, person: str | None, as_json: bool) -> None:
    """Say the conditions of the trials that follow; an empty value takes one away. The robot is told too."""
    name = words[:1] if "=" not in words[0] else ()
    given = pairs(words[len(name) :])
    _do(name, no_robot, person, as_json, lambda field, sight, who: field.set_conditions(given, who, sight))


@click.command()
@words("")
@click.option("--why", default="", help="Why.")
@as_person
@as_json
def pause(words: tuple[str, ...], why: str, person: str | None, as_json: bool) -> None:
    """Pause the session: it takes no trials until somebody resumes it."""
    _do(words, True, person, as_json, lambda field, sight, who: field.pause(why, who, sight))


@click.command()
@words("")
@click.option("--note", default="", help="What was done.")
@no_robot
@as_person
@as_json
def resume(words: tuple[str, ...], note: str, no_robot: bool, person: str | None, as_json: bool) -> None:
    """Let a paused session go on; everything that must hold is looked at again."""
    _do(
        words,
        no_robot,
        person,
        as_json,
        lambda field, sight, who: field.resume(sight, who, note),
        lambda field: field.check_may_resume(),
    )


@click.command()
@words("")
@click.option("--why", default="", help="Why, where that is not plain.")
@no_robot
@as_person
@as_json
def end(words: tuple[str, ...], why: str, no_robot: bool, person: str | None, as_json: bool) -> None:
    """End the session. A robot that can't be reached keeps nothing from ending."""
    from console.people import who

    name, _ = named(words, 0)
    speaker = who(person)
    with field_test(name) as field:
        state = _ended(field, no_robot or not _had_robot(field), speaker, why)
        if state.journal:
            _measured(field, speaker)
        print_session(next(one for one in field.state().sessions if one.seq == state.seq), as_json)


@click.command()
@words("")
@click.option("--all", "every", is_flag=True, help="All sessions.")
@as_json
def show(words: tuple[str, ...], every: bool, as_json: bool) -> None:
    """The open session, else the last one; with --all every one."""
    name, _ = named(words, 0)
    with field_test(name) as field:
        sessions = field.state().sessions
    if not sessions:
        raise Trouble("there was no session yet", cure="begin one: `fieldgate session begin`", code="no_data")
    if every and as_json:
        return print_json({"format": FORMAT, "sessions": msgspec.to_builtins(sessions)})
    for state in sessions if every else sessions[-1:]:
        print_session(state, as_json)
    return None


@click.command()
@words("")
@as_person
@as_json
def measure(words: tuple[str, ...], person: str | None, as_json: bool) -> None:
    """Count what the robot's journal says of every session, as far as it has come to this laptop; prints the last one."""
    from console.people import who
    from console.store.store import Store

    name, _ = named(words, 0)
    speaker = who(person)
    store = Store()
    try:
        with field_test(name) as field:
            found = field.measure(store, speaker)
            if as_json:
                return print_json({"format": FORMAT, **msgspec.to_builtins(found)})
            return print_session(next(one for one in field.state().sessions if one.seq == found.session), False)
    finally:
        store.close()


# ------------------------------------------------------------ parts


def _do(
    words: tuple[str, ...],
    without_robot: bool,
    person: str | None,
    as_json: bool,
    act: Callable[[FieldTest, RobotSight | None, str], SessionState],
    may: Callable[[FieldTest], None] = lambda field: None,
) -> None:
    """Do it with the robot; what can be refused without (`may`) is refused before anybody waits for a robot."""
    from console.people import who

    name, _ = named(words, 0)
    speaker = who(person)
    with field_test(name) as field:
        may(field)
        with looked_at(field, without_robot) as sight:
            state = act(field, sight, speaker)
        print_session(state, as_json)


def _had_robot(field: FieldTest) -> bool:
    session = field.state().session
    return session is None or bool(session.journal)


def _ended(field: FieldTest, without: bool, person: str, why: str) -> SessionState:
    """End it, and count what the journal says of it; a robot that is away is said, and nothing more."""
    if without:
        return field.end_session(person, None, why)
    try:
        with looked_at(field, False) as sight:
            return field.end_session(person, sight, why)
    except Trouble as trouble:
        if field.state().session is None:  # that is what was wrong, or it was ended before the link broke
            raise
        tell(f"the robot was not looked at: {trouble.what}")
        return field.end_session(person, None, why)


def _measured(field: FieldTest, person: str) -> None:
    """Count what the journal says of it, as far as it is here; the session has ended whatever comes of that."""
    from console.store.store import Store

    try:
        store = Store()
    except Trouble as trouble:
        return tell(f"what the journal says of the session was not counted: {trouble.what}")
    try:
        field.measure(store, person)
    except Trouble as trouble:
        tell(f"what the journal says of the session was not counted: {trouble.what}")
    finally:
        store.close()


def _tell_doubts(field: FieldTest, phase: Phase) -> None:
    """What makes the trials of another session worth less than they look."""
    found = field.state().phase(phase.id)
    if found.status in ("pass", "marginal", "fail"):
        tell(f"'{phase.id}' is decided already, more trials change nothing: {found.status}, {found.reason}")
    elsewhere = [one for one in found.questions if one.judgement.verdict == "fail"] if found.status != "fail" else []
    for one in elsewhere:
        tell(f"a question has failed, more trials do not mend it: {one.question.title}: {one.words}")
    for caution in found.cautions:
        tell(f"note: {caution}")


def _tell_missing(field: FieldTest, state: SessionState) -> None:
    from console.fieldwork.trial_conditions import missing

    lacking = missing(field.phase_named(state.phase), state.conditions)
    if lacking:
        tell(f"to be said with each trial, or by `fieldgate session set`: {', '.join(one.id for one in lacking)}")
