"""What a person must see from two steps away: running, paused and why, stopped, and the entry that was just made."""

from __future__ import annotations

from typing import NamedTuple

from console.phases.states import PhaseState, SessionState
from console.testing.view import FieldView
from console.testing.wording import counted
from console.widgets.canvas import Canvas
from console.widgets.cells import Row, clean, fit, row_of
from console.widgets.drawing import duration


class Large(NamedTuple):
    """What the banner says: spaced letters, a sentence, a line below, the role of the whole."""

    word: str
    text: str
    below: str
    role: str


class FieldBanner(Canvas):
    """Three rows in one colour; one row in low terminals."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: FieldView | None = None

    def show(self, view: FieldView) -> None:
        """Show `view`."""
        self._shown = view
        width, height = self.size
        said = large(view)
        middle = f"  {spaced(said.word)}   {said.text}"
        below = f"  {said.below}"
        texts = [middle] if height < 2 else [middle, below] if height == 2 else [_above(view), middle, below]
        self.paint([_row(text, width, said.role) for text in texts[: max(1, height)]])

    def on_resize(self) -> None:
        """Fill the new size."""
        if self._shown is not None:
            self.show(self._shown)


def spaced(word: str) -> str:
    """`P A U S E D`."""
    return " ".join(word)


def large(view: FieldView) -> Large:
    """What matters most now: a fresh entry, a pause, a running session, or what to do to begin."""
    session, echo = view.session, view.fresh_echo
    if session is not None and session.paused:
        return _paused(view, session)
    if session is None:
        return _closed(view, view.phase)
    if echo is not None and session.open_trial is None:
        return Large(echo.word.upper(), echo.text, _carried(view, session), "good" if echo.good else "story")
    return _running(view, session)


def _paused(view: FieldView, session: SessionState) -> Large:
    since = f"{_age(view, session.paused_wall_ns)}   " if session.paused_wall_ns is not None else ""
    return Large(
        "PAUSED", f"{since}{clean(session.paused)}", "no trial is taken; p resumes once that is mended", "alert"
    )


def _running(view: FieldView, session: SessionState) -> Large:
    number = max((one.number for one in view.field.trials), default=0) + 1
    attempt = ""
    if session.open_trial is not None:
        attempt = "  attempt is running: s, f or a ends it"
    text = f"{_age(view, session.began_wall_ns)}   next: trial {number}   "
    text += f"{session.successes} of {session.trials} in this session"
    role = "cursor" if not attempt else "notice"
    return Large("RUNNING" if not attempt else "ATTEMPT", text + attempt, _carried(view, session), role)


def _closed(view: FieldView, phase: PhaseState | None) -> Large:
    if phase is None:
        return Large("NO PHASE", "this checklist has no field test", "", "story")
    reason = clean(phase.reason)
    if phase.status == "locked":
        return Large("LOCKED", reason, "what is missing stands under Conditions; 2 shows the checklist", "story")
    reached = [stop for stop in phase.stops if stop.reached]
    if reached:
        reason = f"{clean(reached[0].title)}: {reached[0].count} of {reached[0].at}"
        return Large("STOPPED", reason, "l lifts the stop once its reason is written down", "alert")
    if view.field.current != phase.phase.id:
        return Large("NOT BEGUN", reason, "g begins this phase", "story")
    return Large("NO SESSION", reason, "x begins a session: then s success, f failure, a aborted", "story")


def _carried(view: FieldView, session: SessionState | None) -> str:
    """The conditions that the next trial is logged with."""
    if session is None:
        return ""
    known = [f"{name} {value}" for name, value in session.conditions.items()]
    return f"conditions: {clean(', '.join(known))}" if known else "no conditions are carried over; c sets them"


def _above(view: FieldView) -> str:
    """The session's own row: who began it, interventions, frames, and whether the robot is out of reach."""
    session = view.session
    parts = []
    if session is not None:
        parts.append(f"session #{session.seq} of {clean(session.person)} in {clean(session.phase)}")
        parts.append(counted(session.interventions, "intervention"))
        parts.append(f"{counted(session.frames_scored, 'frame')} scored")
    if view.link is not None and view.link.phase != "up":
        parts.append(f"LINK {view.link.phase.upper()}: the robot is not seen")
    if view.writing:
        parts.append(f"{view.charset.glyph('busy')} writing...")
    return f"  {' · '.join(parts)}" if parts else ""


def _age(view: FieldView, wall_ns: int) -> str:
    return duration(max(0.0, view.wall_age_s(wall_ns)), whole=True)


def _row(text: str, width: int, role: str) -> Row:
    return row_of([(fit(text, width), role)], width)
