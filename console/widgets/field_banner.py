"""What a person must see from two steps away: running, paused and why, stopped, and the entry that was just made."""

from __future__ import annotations

from typing import NamedTuple

from console.phases.states import PASSED, PhaseState, SessionState
from console.testing.view import FieldView
from console.testing.wording import counted, session_name, succeeded
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
    if echo is not None and echo.word == "undone":
        return Large("UNDONE", echo.text, "it stays in sight, and counts no more", "story")
    if session is None:
        return _closed(view, view.phase)
    if view.other_bundle:
        text = f"{_age(view, session.began_wall_ns)}   {clean(view.other_bundle)}"
        return Large(
            "OTHER MODEL", text, "no trial is taken: x ends the session, 5 brings its bundle into use", "alert"
        )
    if echo is not None and session.open_trial is None:
        below = _looked_elsewhere(view) or _carried(view, session)
        return Large(echo.word.upper(), echo.text, below, "good" if echo.good else "story")
    return _running(view, session)


def _paused(view: FieldView, session: SessionState) -> Large:
    since = f"{_age(view, session.paused_wall_ns)}   " if session.paused_wall_ns is not None else ""
    return Large("PAUSED", f"{since}{clean(session.paused)}", _way_out(view, session), "alert")


def _way_out(view: FieldView, session: SessionState) -> str:
    """What to do to go on: by what holds now, not by what was broken when it was paused."""
    if view.other_bundle:
        return _to_the_bundle(view)
    phase = next((one.phase for one in view.field.phases if one.phase.id == session.phase), None)
    known = view.held is not None and view.held.phase == session.phase and not view.held_is_stale
    if phase is None or not known or view.held is None:
        return "no trial is taken; p resumes"
    broken = [one for one in phase.holding if _is_broken(view, one.id)]
    if not broken:
        return "all holds again: p resumes" if phase.holding else "no trial is taken; p resumes"
    cures = [clean(" ".join(one.cure.split())) for one in broken if one.cure.strip()]
    if cures:
        return (
            f"{'; '.join(cures)} Then p resumes" if cures[-1].endswith(".") else f"{'; '.join(cures)}, then p resumes"
        )
    return f"p resumes once it holds: {clean(', '.join(one.title for one in broken))}"


def _to_the_bundle(view: FieldView) -> str:
    """`the robot runs 91bc91bc: 5 brings the campaign's bundle into use`."""
    return f"{clean(view.other_bundle.partition(',')[0])}: 5 brings the campaign's bundle into use"


def _is_broken(view: FieldView, id: str) -> bool:
    return view.held is not None and any(one.id == id and one.met is not True for one in view.held.seen)


def _running(view: FieldView, session: SessionState) -> Large:
    number = max((one.number for one in view.field.trials), default=0) + 1
    if session.open_trial is not None:
        began = session.open_trial_wall_ns
        since = _age(view, began) if began is not None else ""
        text = f"{since}   trial {number}: s, f or a ends it"
        return Large("ATTEMPT", text, _looked_elsewhere(view) or _carried(view, session), "notice")
    text = f"{_age(view, session.began_wall_ns)}   next: trial {number}   {succeeded(view.field, session.phase)}"
    phase = next((one for one in view.field.phases if one.phase.id == session.phase), None)
    if phase is not None and phase.status in PASSED:
        passed = _passed(view, phase, "")
        return Large(passed.word, text, f"x ends the session. {passed.below}", "good")
    return Large("RUNNING", text, _looked_elsewhere(view) or _carried(view, session), "cursor")


def _looked_elsewhere(view: FieldView) -> str:
    if not view.elsewhere:
        return ""
    return f"you look at {clean(view.shown)}; trials go to {clean(view.elsewhere)} (left, right go back)"


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
    if phase.status in PASSED:
        return _passed(view, phase, reason)
    tested = f"{clean(view.field.current)} is being tested; " if view.field.current else ""
    if view.field.current != phase.phase.id and phase.begun_wall_ns is None:
        return Large("NOT BEGUN", reason, f"{tested}g begins this phase", "story")
    if view.field.current != phase.phase.id:
        below = f"{tested}g goes back to this phase, and says what falls by that"
        return Large(phase.status.upper(), reason, below, "story")
    if view.other_bundle:
        return Large("NO SESSION", reason, _to_the_bundle(view), "story")
    return Large("NO SESSION", reason, "x begins a session: then s success, f failure, a aborted", "story")


def _passed(view: FieldView, phase: PhaseState, reason: str) -> Large:
    """`L A B   P A S S E D`, and what comes next."""
    word = f"{clean(phase.phase.id).upper()} {'PASSED' if phase.status == 'pass' else 'MARGINAL'}"
    ids = [one.phase.id for one in view.field.phases]
    at = ids.index(phase.phase.id)
    current = view.field.current
    if current and current != phase.phase.id:
        return Large(word, f"({clean(current)} is being tested)", f"{reason}; g would go back, and asks", "story")
    if at + 1 < len(ids):
        title = clean(view.field.phases[at + 1].phase.title)
        return Large(word, reason, f"Right, then g begins {title}", "good")
    return Large(word, reason, "it is the last phase", "good")


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
    if view.link is not None and view.link.phase != "up":
        parts.append(f"LINK {view.link.phase.upper()}: the robot is not seen")
    if session is not None:
        named = session_name(view.field, session.seq)
        parts.append(f"{named} of {clean(session.person)} in {clean(session.phase)}")
        if session.open_trial is not None:
            parts.append(f"open {_age(view, session.began_wall_ns)}")
        parts.append(counted(session.interventions, "intervention"))
        parts.append(f"{counted(session.frames_scored, 'frame')} scored")
    if view.writing:
        parts.append(f"{view.charset.glyph('busy')} writing...")
    return f"  {' · '.join(parts)}" if parts else ""


def _age(view: FieldView, wall_ns: int) -> str:
    return duration(max(0.0, view.wall_age_s(wall_ns)), whole=True)


def _row(text: str, width: int, role: str) -> Row:
    return row_of([(fit(text, width), role)], width)
