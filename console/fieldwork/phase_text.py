"""Phases, sessions and trials as lines for a pipe: 80 columns, glyph and word, no colour."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from console.checklist.wording import utc_words
from console.fieldwork.trial_conditions import condition_words
from console.marks import FIELD_MARKS, UNICODE, Charset, to_ascii
from console.phases.states import FieldState, PhaseState, QuestionState, SessionState, StopState, TrialState
from console.record.entries import ConditionSeen
from console.record.statements import plain

WIDTH = 80
NOTE = 60
"""So many characters of a note stand in a trial's line."""


def field_text(field: FieldState, holding: tuple[ConditionSeen, ...] = (), charset: Charset = UNICODE) -> str:
    """Every phase on a line, then the one that was begun last in full, and the open session."""
    lines: list[str] = []
    for state in field.phases:
        here = "  <- here" if state.phase.id == field.current else ""
        lines += _wrapped(f"{_mark(state.status)}  {state.phase.id}: {state.phase.title}{here}", "", "   ")
        lines += _wrapped(state.reason, "   ", "   ")
    if field.current and any(state.phase.id == field.current for state in field.phases):
        lines += ["", *phase_lines(field.phase(field.current), holding)]
    if field.session is not None:
        lines += ["", *session_lines(field.session)]
    return _encoded(lines, charset)


def phase_text(state: PhaseState, holding: tuple[ConditionSeen, ...] = (), charset: Charset = UNICODE) -> str:
    """One phase in full."""
    return _encoded(list(phase_lines(state, holding)), charset)


def session_text(state: SessionState, charset: Charset = UNICODE) -> str:
    """One session."""
    return _encoded(list(session_lines(state)), charset)


def trial_text(state: TrialState, charset: Charset = UNICODE) -> str:
    """One trial on one line."""
    return _encoded([trial_line(state)], charset)


def phase_lines(state: PhaseState, holding: tuple[ConditionSeen, ...] = ()) -> Iterator[str]:
    """The phase: entry, holding, questions, stop rules, and what does not count."""
    phase = state.phase
    yield from _wrapped(f"{phase.title}: {_mark(state.status)}; {state.reason}", "", "  ")
    yield from _wrapped(f"one trial is {phase.trial}; a success: {phase.success}", "  ", "  ")
    for one in state.entry:
        yield from _wrapped(f"{_mark(_met(one))}  entry: {one.words}", "  ", "     ")
    seen = {one.id: one for one in holding}
    for rule in phase.holding:
        found = seen.get(rule.id)
        said = f": {found.words}" if found else f", for {rule.for_}"
        mark = f"{_mark(_met(found))}  " if found else ""
        yield from _wrapped(f"{mark}must hold: {rule.title}{said}", "  ", "     ")
    for question in state.questions:
        yield from _question(question)
    for stop in state.stops:
        yield from _wrapped(f"{_stop(stop)}{stop.title}: {stop.count} of {stop.at}", "  ", "     ")
    hours = f", {state.running_s / 3600:.1f} h known of the robot" if state.running_s else ""
    yield f"  {state.trials} of {phase.planned_n} planned trials count{hours}"
    for reason, count in state.left_out.items():
        yield from _wrapped(f"{count} left out: {reason}", "  ", "     ")
    for caution in state.cautions:
        yield from _wrapped(f"note: {caution}", "  ", "     ")


def session_lines(state: SessionState) -> Iterator[str]:
    """The session: since when, under which conditions, what was done, and whether it is paused."""
    end = f" to {utc_words(state.ended_wall_ns)} ({state.ended})" if state.ended_wall_ns is not None else ", open"
    yield from _wrapped(f"session {state.seq} of {state.phase}, {utc_words(state.began_wall_ns)}{end}", "", "  ")
    if state.paused:
        yield from _wrapped(f"{FIELD_MARKS['unmet'].glyph} PAUSED: {state.paused}", "  ", "    ")
    told = condition_words(state.conditions)
    if told:
        yield from _wrapped(f"conditions: {told}", "  ", "    ")
    counts = (
        f"{state.successes} of {_count(state.trials, 'trial')} succeeded, {_count(state.frames_scored, 'frame')} scored"
    )
    yield f"  {counts}, {_count(state.interventions, 'intervention')}"
    if state.open_trial is not None:
        yield f"  a trial was begun in entry {state.open_trial} and waits for its outcome"
    if state.measured is not None:
        yield from _running(state)
    if state.why_not:
        yield from _wrapped(f"does not count: {state.why_not}", "  ", "    ")


def _cut(note: str) -> str:
    """A note as far as a line has room; all of it stands in `--json` and `--csv`."""
    said = " ".join(note.split())
    return said if len(said) <= NOTE else f"{said[: NOTE - 1].rstrip()}…"


def trial_line(state: TrialState) -> str:
    """Number, time, outcome, conditions, note."""
    outcome = _mark(state.outcome if state.counts or state.why_not != "undone" else "undone")
    extras = [
        "intervened" if state.intervened else "",
        "the worker crashed" if state.crashed else "",
        condition_words(state.conditions),
        ", ".join(f"{name}={value:g}" for name, value in state.measures.items()),
        f"failures {', '.join(state.failures)}" if state.failures else "",
        _cut(state.note),
        "" if state.counts else f"left out: {state.why_not}",
    ]
    said = "; ".join(plain(one) for one in extras if one)
    return f"{state.number:>4}  {utc_words(state.wall_ns)}  {outcome}  {said}".rstrip()


# ------------------------------------------------------------ parts


def _question(state: QuestionState) -> Iterator[str]:
    mark = _mark(state.judgement.verdict)
    yield from _wrapped(f"{mark}  {state.question.title}: {state.words}", "  ", "     ")
    if state.why and not state.words.startswith(state.why.split(":")[0].split(",")[0]):
        yield from _wrapped(state.why, "     ", "     ")


def _running(state: SessionState) -> Iterator[str]:
    assert state.measured is not None
    running = state.measured.running
    up = f"up {100 * running.up_s / running.known_s:.2f} %" if running.known_s else "nothing known"
    unknown = f", {_time(running.unknown_s)} unknown" if running.unknown_s >= 1 else ""
    yield f"  {_time(running.known_s)} known, {up}{unknown}"
    broke = f"{_count(running.crashes, 'crash')}, {_count(running.hangs, 'hang')}"
    yield f"  {broke}, {_count(running.reboots, 'reboot')} of the robot"


def _time(seconds: float) -> str:
    """`2.50 h`; what is too short for that in seconds."""
    return f"{seconds / 3600:.2f} h" if seconds == 0 or seconds >= 36 else f"{seconds:.0f} s"


def _count(number: int, word: str) -> str:
    plural = "es" if word.endswith(("sh", "s")) else "s"
    return f"{number} {word}{'' if number == 1 else plural}"


def _stop(state: StopState) -> str:
    return f"{_mark('stopped')}  stop: " if state.reached else "stop: "


def _met(seen: ConditionSeen) -> str:
    return "unknown" if seen.met is None else "met" if seen.met else "unmet"


def _mark(name: str) -> str:
    mark = FIELD_MARKS[name]
    return f"{mark.glyph} {mark.word}"


def _wrapped(text: str, first: str, then: str) -> list[str]:
    return textwrap.wrap(plain(text), WIDTH, initial_indent=first, subsequent_indent=then, break_on_hyphens=False)


def _encoded(lines: list[str], charset: Charset) -> str:
    return "".join(f"{to_ascii(line) if charset.ascii else line}\n" for line in lines)
