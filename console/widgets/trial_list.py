"""The last trials, newest first; undone ones stay in sight, struck through and marked."""

from __future__ import annotations

from console.marks import FIELD_MARKS
from console.phases.states import TrialState
from console.testing.view import FieldView
from console.testing.wording import succeeded
from console.widgets.cells import Span, clean, fit
from console.widgets.drawing import clock_time
from console.widgets.field_panel import FieldPanel

LONGEST = 200
ROOMY = 36
"""With fewer cells the time goes without its seconds."""


class TrialList(FieldPanel):
    """One row a trial: number, outcome, time, conditions, note."""

    TITLE = "Trials"
    HELP = (
        "The trials of this phase, newest first. s, f and a log a success, a failure and an aborted attempt with the "
        "conditions that are carried over; u takes the newest one back: it stays here, struck through, and counts no more. "
        "A trial that does not count says why."
    )

    def caption(self, view: FieldView) -> str:
        """The counts."""
        counts = succeeded(view.field, view.shown) if view.trials else ""
        away = f"of {clean(view.shown)}, new ones go to {clean(view.elsewhere)}" if view.elsewhere else ""
        return ": ".join(part for part in (away, counts) if part)

    def lines(self, view: FieldView, width: int, height: int) -> list[list[Span]]:
        """The newest first."""
        trials = view.trials[::-1]
        if not trials:
            return [[("none yet", "muted")]]
        rows = [row for one in trials[:LONGEST] for row in _rows(view, one, width)]
        if len(trials) > LONGEST:
            rows.append([(f"{len(trials) - LONGEST} older ones: `fieldgate trial list`", "muted")])
        return rows


def _rows(view: FieldView, trial: TrialState, width: int) -> list[list[Span]]:
    """One row, and a second one for why it does not count where the first one has no room for that."""
    first = _trial(view, trial, width)
    why = clean(trial.why_not)
    if trial.counts or why in "".join(text for text, _ in first):
        return [first]
    return [first, [("      ", "text"), (fit(why, width - 6), "muted")]]


def _trial(view: FieldView, trial: TrialState, width: int) -> list[Span]:
    undone = trial.why_not.startswith("undone")
    name = "undone" if undone else trial.outcome
    mark = FIELD_MARKS[name]
    role = "struck" if undone else mark.role if trial.counts else "muted"
    left: Span = (f"{view.charset.glyph(name)} ", mark.role)
    text = f"{trial.number:>3} {FIELD_MARKS[trial.outcome].word:<8}"
    time = clock_time(trial.wall_ns)
    rest = f" {time if width >= ROOMY else time[:5]} {_about(view, trial)}"
    return [left, (text, role), (fit(rest, max(0, width - 2 - len(text))), "muted" if trial.counts else role)]


def _about(view: FieldView, trial: TrialState) -> str:
    """What must not be cut comes first: the conditions that the phase requires, then why it does not count."""
    phase = view.phase
    needed = {one.id for one in phase.phase.conditions if one.required} if phase is not None else set()
    required = [value for name, value in trial.conditions.items() if name in needed]
    others = [value for name, value in trial.conditions.items() if name not in needed]
    parts = [clean(" ".join(required))] if required else []
    parts += [] if trial.counts else [clean(trial.why_not)]
    parts += ["intervened"] if trial.intervened else []
    parts += ["crashed"] if trial.crashed else []
    parts += [f"{took:.1f} s"] if (took := trial.measures.get("took_s")) is not None else []
    parts += [clean(trial.note)] if trial.note else []
    parts += [clean(" ".join(others))] if others else []
    return ", ".join(part for part in parts if part)
