"""What can be done on the field test screen beside logging a trial: each asks what it must, then acts in a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.phases.states import PhaseState, SessionState
from console.testing.wording import counted, entry_words, falling, session_name, span_words, succeeded
from console.widgets.cells import clean
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.testing.desk import FieldDesk


async def undo(desk: FieldDesk) -> None:
    """Take back the newest trial, score or intervention: asks nothing, and says what it was."""

    def call() -> str:
        trial = desk.test().undo(desk.person)
        what = f"trial {trial.number} ({trial.outcome})" if trial is not None else "the newest score or intervention"
        desk.echo("undone", what)
        if trial is None:
            return "the newest score or intervention is undone; it stays in the record"
        return f"trial {trial.number} ({trial.outcome}) is undone; it stays in sight, and counts no more"

    desk.start("undoing", "undone", call)


async def trial_note(desk: FieldDesk) -> None:
    """Write a note on the newest trial."""
    from console.screens.ask_text import AskTextScreen

    trial = next((one for one in reversed(desk.field.trials) if not one.why_not.startswith("undone")), None)
    if trial is None:
        desk.say("there is no trial yet to write a note on", "warning")
        return
    text = f"What happened in trial {trial.number}, {trial.outcome}? It is kept in the record with your name."
    dialog = AskTextScreen(f"Note on trial {trial.number}", text)

    def call(said: str) -> str:
        desk.campaign.note(said, desk.person, about=trial.seq)
        return f"noted on trial {trial.number}: {said.strip()}"

    await desk.fill_in(dialog, "writing the note", "noted", call)


async def begin_attempt(desk: FieldDesk) -> None:
    """An attempt begins: from now on its time runs."""

    def call() -> str:
        desk.test().begin_trial(desk.person)
        return "the attempt has begun: s success, f failure or a aborted ends it"

    desk.start("writing", "begun", call)


async def intervene(desk: FieldDesk) -> None:
    """A person stepped in."""

    def call() -> str:
        desk.test().intervene(desk.person, sight=desk.sight_if_any())
        desk.echo("stepped in", "the intervention is noted")
        return "the intervention is noted; n writes what happened"

    desk.start("writing", "noted", call)


async def pause_session(desk: FieldDesk) -> None:
    """Pause at once, or let it go on once everything holds again."""
    session = _open(desk)
    if not session.paused:
        desk.start(
            "pausing",
            "paused",
            lambda: _word(desk, desk.test().pause("", desk.person, desk.sight_if_any()), "is paused"),
        )
        return
    desk.start(
        "looking whether all holds again",
        "resumed",
        lambda: _word(desk, desk.test().resume(desk.sight_if_any(), desk.person), "goes on"),
    )


async def conditions(desk: FieldDesk) -> None:
    """Set what trials carry from now on."""
    from console.screens.conditions import ConditionsScreen

    session = _open(desk)
    phase = _phase(desk, session.phase)
    if not phase.phase.conditions:
        desk.say("this phase writes down no conditions", "muted")
        return
    text = "Every trial from now on is logged with these."
    dialog = ConditionsScreen("Conditions", text, phase.phase, session.conditions, "Set them", desk.app.clock)

    def call(given: dict[str, str]) -> str:
        now = desk.test().set_conditions(given, desk.person, desk.sight_if_any()).conditions
        return f"conditions: {', '.join(f'{name} {value}' for name, value in now.items()) or 'none'}"

    await desk.fill_in(dialog, "setting the conditions", "set", call)


async def session(desk: FieldDesk) -> None:
    """Begin a session with its conditions, or end the open one."""
    if desk.field.session is not None:
        await _end(desk, desk.field.session)
        return
    from console.screens.conditions import ConditionsScreen

    phase = _phase(desk, desk.field.current)
    before = next((one.conditions for one in reversed(desk.field.sessions) if one.phase == phase.phase.id), {})
    title = f"Begin a session: {clean(phase.phase.title)}"
    text = f"A trial is {phase.phase.trial}. It is a success if {phase.phase.success}."
    dialog = ConditionsScreen(title, text, phase.phase, before, "Begin", desk.app.clock)

    def call(given: dict[str, str]) -> str:
        begun = desk.test().begin_session(desk.sight_if_any(), desk.person, given)
        return f"session {len(desk.field.sessions) + 1} is open: s success, f failure, a aborted (entry {begun.seq})"

    await desk.fill_in(dialog, "beginning the session: looking at the robot", "begun", call)


async def _end(desk: FieldDesk, session: SessionState) -> None:
    from console.screens.confirm import ConfirmScreen

    text = f"{succeeded(desk.field, session.phase, session.seq)}; "
    text += f"{counted(session.interventions, 'intervention')}."
    if session.open_trial is not None:
        text += " The attempt that was begun has no outcome: it will count nowhere."
    if await desk.ask(ConfirmScreen("End the session?", text, "End it", "Go on testing")):
        desk.start("ending the session", "ended", lambda: _ended(desk))


def _ended(desk: FieldDesk) -> str:
    ended = desk.test().end_session(desk.person, desk.sight_if_any())
    field = desk.test().state()
    said = f"{session_name(field, ended.seq)} is over: {succeeded(field, ended.phase, ended.seq)}"
    if not ended.journal:
        return said
    try:
        return f"{said}; {_measured(desk)}"
    except Trouble as trouble:  # the session is over all the same; m measures it later
        return f"{said}; not measured: {trouble.what}"


async def measure_sessions(desk: FieldDesk) -> None:
    """Count what the robot's journal says of every session."""
    desk.start("counting from the robot's journal", "counted", lambda: _measured(desk))


def _measured(desk: FieldDesk) -> str:
    from console.store.store import Store

    store = Store()
    try:
        running = desk.test().measure(store, desk.person).measured.running
    finally:
        store.close()
    crashes = running.crashes + running.hangs
    known = f"{span_words(running.known_s)} of {span_words(running.wanted_s)} known"
    return f"{known}, up {span_words(running.up_s)}, {crashes} crash{'' if crashes == 1 else 'es'}"


async def phase(desk: FieldDesk) -> None:
    """Begin the shown phase, or go back to it."""
    from console.screens.ask_text import AskTextScreen
    from console.screens.confirm import ConfirmScreen

    shown = _phase(desk, desk.shown)
    title = clean(shown.phase.title)
    order = [one.phase.id for one in desk.field.phases]
    current = desk.field.current

    def call(reason: str) -> str:
        desk.test().begin_phase(shown.phase.id, desk.person, reason)
        return f"the phase is begun: {title}; x begins a session"

    if current in order and order.index(shown.phase.id) <= order.index(current):
        falls = falling(desk.field, shown.phase.id)
        text = f"These lose their standing, and their trials count no more: {clean(falls)}.\n" if falls else ""
        text += "What it must show is shown anew. Why? (10 characters or more)"
        dialog = AskTextScreen(f"Go back to {title}" if shown.phase.id != current else f"Begin {title} anew", text)
        await desk.fill_in(dialog, "going back", "begun", call)
        return
    if any(one.met is not True for one in shown.entry):
        await desk.ask(ConfirmScreen(f"{title} can't begin yet", _entered(shown), ""))
        return
    if await desk.ask(ConfirmScreen(f"Begin {title}?", _entered(shown), "Begin it")):
        desk.start("beginning the phase", "begun", lambda: call(""))


def _entered(shown: PhaseState) -> str:
    pairs = sorted(zip(shown.phase.entry, shown.entry), key=lambda pair: pair[1].met is True)  # noqa: B905 - a fold in between
    met = [f"{'met' if seen.met else 'NOT MET'}: {clean(entry_words(rule, seen))}" for rule, seen in pairs]
    begins = "Its questions and plans are thereby stated before the first trial."
    return "\n".join([*met, "", begins] if met and all(seen.met for _, seen in pairs) else met or [begins])


async def lift_stop(desk: FieldDesk) -> None:
    """Write down why testing may go on."""
    from console.screens.ask_text import AskTextScreen

    shown = _phase(desk, desk.shown)
    stop = next(one for one in shown.stops if one.reached)
    text = f"{stop.count} of {stop.at}. What was found, and what was done about it? Its count begins anew."
    dialog = AskTextScreen(f"Lift: {clean(stop.title)}", text)

    def call(reason: str) -> str:
        desk.test().lift_stop(shown.phase.id, stop.id, reason, desk.person)
        return f"lifted: {stop.title}; x begins a session"

    await desk.fill_in(dialog, "lifting the stop", "lifted", call)


async def score(desk: FieldDesk) -> None:
    """Score a frame that is drawn at random."""
    from console.testing.scoring_acts import score_frames

    await score_frames(desk, _open(desk))


async def field_person(desk: FieldDesk) -> None:
    """Another person sits down."""
    from console.checking.item_acts import person

    await person(desk.home)
    desk.say(f"what is entered from now on is {desk.person}'s word, by their own claim", "muted")


async def field_retry(desk: FieldDesk) -> None:
    """Try to reach the robot now."""
    desk.app.action_retry()


def _word(desk: FieldDesk, session: SessionState, what: str) -> str:
    return f"{session_name(desk.field, session.seq)} {what}"


def _open(desk: FieldDesk) -> SessionState:
    session = desk.field.session
    if session is None:
        raise Trouble("no session is open", cure="x begins one", code="no_session")
    return session


def _phase(desk: FieldDesk, id: str) -> PhaseState:
    return desk.field.phase(id)
