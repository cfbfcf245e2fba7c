"""`fieldgate trial`: log what came of each attempt, without a screen."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from console.commands.campaign_words import as_json, as_person, named, print_json, with_files, words
from console.commands.field_words import FORMAT, charset, field_test, looked_at, pairs, tell, with_conditions
from remote.errors import Trouble
from remote.lazy_commands import LazyGroup

if TYPE_CHECKING:
    from console.fieldwork.field_test import FieldTest
    from console.phases.states import TrialState
    from console.record.entries import Outcome

_HERE = "console.commands.trial"
_COMMANDS = {
    "log": (_HERE, "log", "Log an attempt: success, failure or aborted."),
    "begin": (_HERE, "begin", "Note that an attempt begins, where its duration is wanted."),
    "undo": (_HERE, "undo", "Take back the newest trial, score or intervention."),
    "intervene": (_HERE, "intervene", "A person had to step in, outside of a trial."),
    "note": (_HERE, "note_on", "Write a note on a trial afterwards."),
    "list": (_HERE, "list_trials", "Every trial, the undone ones too."),
}
COMPLETE_S = 2.0
"""So long a robot is tried to be reached once the trial is written."""
OUTCOMES: dict[str, Outcome] = {"success": "success", "failure": "failure", "aborted": "aborted"}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def trial() -> None:
    """Trials of a campaign's field test.

    NAME is a campaign's name, or its robot's; it may be left out where there is only one campaign.
    """


@click.command()
@words("OUTCOME")
@with_conditions
@click.option("--note", default="", help="Your words.")
@click.option("--intervened", is_flag=True, help="A person had to help.")
@click.option("-m", "--measure", "measures", metavar="NAME=NUMBER", multiple=True, help="A number; repeatable.")
@click.option(
    "--failure",
    "failures",
    metavar="ID",
    multiple=True,
    help="A failure that belongs to it, by the first word of its line in `fieldgate failures list`; repeatable.",
)
@click.option("--no-look", is_flag=True, help="Do not ask the robot whether its worker crashed meanwhile.")
@with_files
@as_person
@as_json
def log(
    words: tuple[str, ...],
    conditions: tuple[str, ...],
    note: str,
    intervened: bool,
    measures: tuple[str, ...],
    failures: tuple[str, ...],
    no_look: bool,
    files: tuple[Path, ...],
    person: str | None,
    as_json: bool,
) -> None:
    """Log an attempt as OUTCOME: success, failure or aborted. Conditions are carried over from the trial before."""
    from console.people import who

    name, (said,) = named(words, 1)
    outcome = _outcome(said)
    given, numbers, speaker = pairs(conditions), _numbers(pairs(measures)), who(person)
    with field_test(name) as field:
        asks = not no_look and _had_robot(field)
        state = field.log_trial(
            outcome,
            speaker,
            conditions=given,
            note=note,
            intervened=intervened,
            measures=numbers,
            failures=failures,
            files=files,
        )
        if not as_json:  # the word is safe: nobody waits for a robot to read that
            _print(state, False)
        _tell_unknown(failures)
        state = _completed(field, state, speaker) if asks else state
        if as_json:
            _print(state, True)


@click.command()
@words("")
@as_person
@as_json
def begin(words: tuple[str, ...], person: str | None, as_json: bool) -> None:
    """Note that an attempt begins; `trial log` then tells how long it took."""
    from console.people import who

    name, _ = named(words, 0)
    speaker = who(person)
    with field_test(name) as field:
        seq = field.begin_trial(speaker)
    if as_json:
        return print_json({"format": FORMAT, "seq": seq})
    return tell(f"the trial has begun: entry {seq}")


@click.command()
@words("NUMBER TEXT")
@as_person
@as_json
def note_on(words: tuple[str, ...], person: str | None, as_json: bool) -> None:
    """Write TEXT on the trial of that NUMBER; it stands with the trial from now on."""
    from console.people import who

    name, (number, text) = named(words, 2)
    with field_test(name) as field:
        trials = field.state().trials
        found = next((one for one in trials if str(one.number) == number), None)
        if found is None:
            known = f"there are 1 to {len(trials)}" if trials else "there is none yet"
            raise Trouble(f"no trial has the number {number}", cure=known, code="unknown_trial")
        field.campaign.note(text, who(person), about=found.seq)
        _print(field.state().trials[found.number - 1], as_json)


@click.command()
@words("")
@click.option("--reason", default="undone at once", help="Why.")
@as_person
@as_json
def undo(words: tuple[str, ...], reason: str, person: str | None, as_json: bool) -> None:
    """Take back the newest trial, score or intervention of the open session; it stays in the record."""
    from console.people import who

    name, _ = named(words, 0)
    speaker = who(person)
    with field_test(name) as field:
        state = field.undo(speaker, reason)
    if state is not None:
        _print(state, as_json)
    elif as_json:
        print_json(None)


@click.command()
@words("")
@click.option("--note", default="", help="Your words.")
@as_person
@as_json
def intervene(words: tuple[str, ...], note: str, person: str | None, as_json: bool) -> None:
    """Log that a person had to step in while the robot worked, outside of a trial."""
    from console.people import who

    name, _ = named(words, 0)
    speaker = who(person)
    with field_test(name) as field:
        field.intervene(speaker, note)
        session = field.state().sessions[-1]
    if as_json:
        return print_json({"format": FORMAT, "session": session.seq, "interventions": session.interventions})
    return tell("the intervention is logged")


@click.command("list")
@words("")
@click.option("--phase", "phase_id", metavar="PHASE", help="Only of this phase.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV on stdout.")
@as_json
def list_trials(words: tuple[str, ...], phase_id: str | None, as_csv: bool, as_json: bool) -> None:
    """Every trial in order, also those that do not count, with the reason."""
    from console.fieldwork.phase_text import trial_text

    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other.")
    name, _ = named(words, 0)
    with field_test(name) as field:
        wanted = field.phase_named(phase_id).id if phase_id else ""
        trials = [one for one in field.state().trials if wanted in ("", one.phase)]
    if as_json:
        return print_json({"format": FORMAT, "trials": msgspec.to_builtins(trials)})
    if as_csv:
        return click.echo(csv_of(trials), nl=False)
    for one in trials:
        click.echo(trial_text(one, charset()), nl=False)
    return None if trials else tell("no trial was logged yet")


# ------------------------------------------------------------ parts


def csv_of(trials: list[TrialState]) -> str:
    """The trials as CSV: a column for each condition (`condition_...`) and each measure that there is."""
    conditions = sorted({name for one in trials for name in one.conditions})
    measures = sorted({name for one in trials for name in one.measures})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    plain = ("number", "entry", "session", "phase", "time", "person", "outcome", "counts", "why_not", "intervened")
    head = (*plain, "crashed", "failures", "note", *(f"condition_{name}" for name in conditions), *map(_cell, measures))
    writer.writerow(head)
    for one in trials:
        writer.writerow(
            (
                one.number, one.seq, one.session, _cell(one.phase), _iso(one.wall_ns), _cell(one.person), one.outcome,
                _yes(one.counts), _cell(one.why_not), _yes(one.intervened), _yes(one.crashed), _cell(" ".join(one.failures)),
                _cell(one.note),
                *(_cell(one.conditions.get(name, "")) for name in conditions),
                *(one.measures.get(name, "") for name in measures),
            )
        )  # fmt: skip
    return text.getvalue()


def _cell(text: str) -> str:
    """Words that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _yes(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _iso(wall_ns: int) -> str:
    from datetime import datetime, timezone

    moment = datetime.fromtimestamp(wall_ns / 1e9, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _outcome(word: str) -> Outcome:
    import difflib

    if word in OUTCOMES:
        return OUTCOMES[word]
    near = difflib.get_close_matches(word, OUTCOMES, n=1, cutoff=0.4)
    raise click.UsageError(f"'{word}' is no outcome; " + (f"did you mean '{near[0]}'?" if near else "see --help."))


def _numbers(given: dict[str, str]) -> dict[str, float]:
    try:
        return {name: float(value) for name, value in given.items()}
    except ValueError as error:
        raise click.UsageError(f"a measure is no number: {error}.") from None


def _tell_unknown(failures: tuple[str, ...]) -> None:
    """Say which of them this laptop does not know: mistyped, or still on the robot."""
    if not failures:
        return
    from console.commands.failures_words import opened as opened_book

    with opened_book() as book:
        for id in failures:
            try:
                book.failure(id)
            except Trouble as trouble:
                tell(f"{trouble.what} (yet); the trial keeps the name as you gave it: {trouble.cure}")


def _had_robot(field: FieldTest) -> bool:
    session = field.state().session
    return session is not None and bool(session.journal)


def _completed(field: FieldTest, state: TrialState, person: str) -> TrialState:
    """The trial with what the robot says of it; one that is away keeps no trial from being logged."""
    try:
        with looked_at(field, False, COMPLETE_S) as sight:
            assert sight is not None
            known = field.complete_trial(state.seq, sight, person)
    except Trouble as trouble:
        if trouble.code == "wrong_bundle":
            raise
        tell(f"whether the worker crashed is not known: {trouble.what}")
        return state
    if known.crashed is not False:
        tell("the worker crashed in it" if known.crashed else "whether the worker crashed is not known")
    return known


def _print(state: TrialState, as_json: bool) -> None:
    from console.fieldwork.phase_text import trial_text

    if as_json:
        return print_json({"format": FORMAT, **msgspec.to_builtins(state)})
    return click.echo(trial_text(state, charset()), nl=False)
