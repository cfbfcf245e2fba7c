"""The two lines over the list of models: what runs on the attached robot, and how far a change of it is."""

from __future__ import annotations

import textwrap

from console.changing.view import ModelsView, RobotRow
from console.models.wording import STEP_WORDS, named, slot_words, step_words
from console.widgets.cells import Span, clean, fit, row_of
from console.widgets.drawing import bar, duration
from console.widgets.model_words import glyph_of, outcome_mark, step_mark
from console.widgets.view_canvas import ViewCanvas
from remote.model_states import ModelsState

BAR_COLUMNS = 24
WIDE_COLUMNS = 100
MOST_STEP_ROWS = 2


class ModelsHead(ViewCanvas[ModelsView]):
    """Always in sight, so that nobody misses a change that is under way."""

    def show(self, view: ModelsView) -> None:
        """Show the attached robot's."""
        self._shown = view
        width, height = self.size
        robot = _attached(view)
        rows = [_runs(robot, width), *_step_rows(view, robot, width, height - 1)]
        self.paint([row_of(row, width) for row in rows[: max(1, height)]])


def rows_wanted(view: ModelsView, width: int) -> int:
    """How many rows it needs: one more where what a change waits for would be cut off."""
    return 1 + len(_step_rows(view, _attached(view), width, MOST_STEP_ROWS))


def _attached(view: ModelsView) -> RobotRow | None:
    return next((row for row in view.rows if isinstance(row, RobotRow) and row.attached), None)


def _step_rows(view: ModelsView, robot: RobotRow | None, width: int, room: int) -> list[list[Span]]:
    spans = _step(view, robot, width)
    waits = robot is not None and robot.state is not None and robot.state.waits_for and not view.busy
    if not waits or room < MOST_STEP_ROWS or sum(len(text) for text, _ in spans) <= width:
        return [spans]
    (sign, role), (words, _), *more = spans
    first, *rest = textwrap.wrap(words, max(20, width - len(sign)))
    second = [(" " * len(sign) + " ".join(rest), role), *more] if rest else [(" " * len(sign), role), *more]
    return [[(sign, role), (first, role)], second]


def _runs(robot: RobotRow | None, width: int) -> list[Span]:
    spans: list[Span] = [(" Models ", "title")]
    if robot is None or robot.state is None:
        why = (
            "the agent tells nothing of its models"
            if robot is not None and robot.age_s is not None
            else "not known yet"
        )
        return [*spans, (f" {why}", "muted")]
    does = "is stopped, would run" if robot.stopped else "runs"
    words = f" {clean(robot.robot)} {does} {clean(slot_words(robot.state.current))}"
    if not robot.fresh and robot.age_s is not None:
        return [*spans, (fit(f" STALE {duration(robot.age_s, whole=True)} ago:{words}", width - 9), "warning")]
    return [*spans, (fit(words, width - 9), "strong")]


def _words(state: ModelsState, width: int) -> str:
    """What holds a change comes before the bundle's name where there is no room for both."""
    if state.waits_for and width < WIDE_COLUMNS:
        return f"{STEP_WORDS[state.step]}: {state.waits_for}"
    return step_words(state)


def _step(view: ModelsView, robot: RobotRow | None, width: int) -> list[Span]:
    if view.busy:
        return [(f" {view.charset.glyph('busy')} ", "info"), (clean(view.busy), "info")]
    if robot is None or robot.state is None:
        return []
    mark = step_mark(robot.state)
    glyph = mark.twin if view.charset.ascii else mark.glyph
    spans: list[Span] = [(f" {glyph} ", mark.role), (clean(_words(robot.state, width)), mark.role)]
    if robot.state.step == "idle" and robot.state.last is not None:
        ended = outcome_mark(robot.state.last)
        spans += [("; last change ", "muted"), (f"{glyph_of(ended, view.charset)} {ended.word}", ended.role)]
        spans.append((f": {clean(named(robot.state.last.digest, robot.state.last.name))}", "muted"))
    if robot.in_step_s is not None and robot.state.step != "idle":
        spans.append((f", {duration(robot.in_step_s, whole=True)} in it", "muted"))
    progress = robot.state.progress
    if width >= WIDE_COLUMNS and progress is not None and progress.whole:
        spans += [(" ", "text"), *bar(progress.done / progress.whole, BAR_COLUMNS, view.charset, "info")]
    return spans
