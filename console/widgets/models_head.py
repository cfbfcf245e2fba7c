"""The lines over the list of models: what runs on the attached robot, and how far a change of it is."""

from __future__ import annotations

from console.changing.view import ModelsView, RobotRow
from console.models.wording import (
    chosen_since,
    named,
    progress_words,
    shadow_beside,
    share_of,
    slot_words,
    step_name,
    step_words,
)
from console.widgets.cells import Span, clean, fit, row_of, width_of
from console.widgets.drawing import bar, duration
from console.widgets.model_words import ago, as_it_was, glyph_of, outcome_mark, stale_words, step_mark
from console.widgets.view_canvas import ViewCanvas
from remote.model_states import ModelsState

BAR_COLUMNS = 24
WIDE_COLUMNS = 100
MOST_STEP_ROWS = 3
TOGETHER = 14
_INDENT = 3


class ModelsHead(ViewCanvas[ModelsView]):
    """Always in sight, so that nobody misses a change that is under way."""

    def show(self, view: ModelsView) -> None:
        """Show the attached robot's."""
        self._shown = view
        width, height = self.size
        robot = _attached(view)
        rows = [_runs(view, robot, width), *_step_rows(view, robot, width)]
        self.paint([row_of(row, width) for row in rows[: max(1, height)]])


def rows_wanted(view: ModelsView, width: int) -> int:
    """How many rows it needs: more where what a change waits for, or what is undecided, would be cut off."""
    return 1 + max(1, len(_step_rows(view, _attached(view), width)))


def _attached(view: ModelsView) -> RobotRow | None:
    return next((row for row in view.rows if isinstance(row, RobotRow) and row.attached), None)


def _step_rows(view: ModelsView, robot: RobotRow | None, width: int) -> list[list[Span]]:
    spans = _step(view, robot, width)
    rows = _wrapped(spans, width, MOST_STEP_ROWS)
    state = robot.state if robot is not None else None
    share = share_of(state.progress) if state is not None and not view.busy else None
    used = sum(width_of(text) for text, _ in rows[-1]) if rows else width
    if share is None or width < WIDE_COLUMNS or used + 1 + BAR_COLUMNS > width:
        return rows
    role = "info" if robot is not None and robot.fresh else "stale"
    return [*rows[:-1], [*rows[-1], (" ", "text"), *bar(share, BAR_COLUMNS, view.charset, role)]]


def _wrapped(spans: list[Span], width: int, most: int) -> list[list[Span]]:
    """The spans in rows of whole words, each but the first indented as the sign is; the last of `most` may be too long."""
    if not spans:
        return []
    sign, *said = spans
    rows: list[list[Span]] = [[sign]]
    used = width_of(sign[0])
    for text, role in [(word, role) for words, role in said for word in _with_blanks(words)]:
        if used + width_of(text.rstrip()) > width and used > _INDENT and len(rows) < most:
            rows.append([(" " * _INDENT, "text")])
            used, text = _INDENT, text.lstrip()
        text = text if used + width_of(text) <= width else text.rstrip()
        rows[-1].append((text, role))
        used += width_of(text)
    return rows


def _with_blanks(text: str) -> list[str]:
    """Its words, each with the blank after it; a short text stays together."""
    if len(text) <= TOGETHER:
        return [text]
    *first, last = text.split(" ")
    return [f"{word} " for word in first] + ([last] if last else [])


def _runs(view: ModelsView, robot: RobotRow | None, width: int) -> list[Span]:
    spans: list[Span] = [(" Models ", "title")]
    if robot is None or robot.state is None:
        why = (
            "the agent tells nothing of its models"
            if robot is not None and robot.age_s is not None
            else "not known yet"
        )
        return [*spans, (f" {why}", "muted")]
    words = f" {clean(robot.robot)} {_DOES.get(robot.does, robot.does)} {clean(slot_words(robot.state.current))}"
    if not robot.fresh and robot.age_s is not None:
        return [*spans, (fit(f" {stale_words(robot, view.charset)} ago:{words}", width - 9), "warning")]
    return [*spans, (fit(words, width - 9), "strong")]


_DOES = {
    "would run": "is stopped, would run",
    "switching to": "is switching to",
    "going back to": "is going back to",
    "starting": "is starting",
}
"""What RobotRow.does says, within a sentence about the robot."""


def _words(state: ModelsState, width: int) -> str:
    """What holds a change comes before the bundle's name where there is no room for both."""
    if state.waits_for and width < WIDE_COLUMNS:
        far = progress_words(state.progress)
        return f"{step_name(state)}: {state.waits_for}{f', {far}' if far else ''}"
    return step_words(state)


def _step(view: ModelsView, robot: RobotRow | None, width: int) -> list[Span]:
    """The sign, then words."""
    if view.busy:
        return [(f" {view.charset.glyph('busy')} ", "info"), (clean(view.busy), "info")]
    if robot is None or robot.state is None:
        return []
    state = robot.state
    mark = as_it_was(step_mark(state), robot)
    was = "" if robot.fresh else "as it was: "
    spans: list[Span] = [
        (f" {glyph_of(mark, view.charset)} ", mark.role),
        (was + clean(_words(state, width)), mark.role),
    ]
    if state.step == "idle":
        spans += _last(view, robot, state)
    elif robot.in_step_s is not None:
        spans[-1] = (f"{spans[-1][0]},", mark.role)
        spans.append((f" {duration(robot.in_step_s, whole=True)} in it", "muted"))
    shadow = state.shadow
    if shadow is not None and not shadow.ended:
        beside = f"; in shadow {clean(named(shadow.digest, shadow.name))}, {shadow_beside(shadow)}"
        spans.append((beside, "info" if robot.fresh else mark.role))
    return spans


def _last(view: ModelsView, robot: RobotRow, state: ModelsState) -> list[Span]:
    last, chosen = state.last, chosen_since(state)
    if last is None:
        return []
    ended = outcome_mark(last)
    role = ended.role if robot.fresh else "stale"
    spans: list[Span] = [("; ", "muted")]
    if chosen is not None:
        by = f" by {chosen.by}" if chosen.by else ""
        spans.append((f"{clean(named(chosen.digest, chosen.name))} was chosen{clean(by)}; before that ", "muted"))
    return [
        *spans,
        ("last change ", "muted"),
        (f"{glyph_of(ended, view.charset)} {ended.word}", role),
        (f"{ago(robot, last.wall_ns)}: {clean(named(last.digest, last.name))}", "muted"),
    ]
