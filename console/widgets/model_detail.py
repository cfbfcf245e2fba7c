"""What is selected in full: a robot's change step by step with its checks, or a bundle and what was found of it."""

from __future__ import annotations

import textwrap
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from console.changing.view import BundleRow, ModelDetailView, RobotRow
from console.marks import MARKS, Charset
from console.models.wording import (
    STEP_MEANS,
    STEP_WORDS,
    STEPS,
    chosen_since,
    goes_back,
    named,
    outcome_words,
    progress_words,
    shadow_words,
    share_of,
    slot_words,
    step_name,
    update_words,
)
from console.widgets.cells import Span, clean, plain, row_of
from console.widgets.drawing import bar, duration
from console.widgets.focus_canvas import FocusCanvas
from console.widgets.model_words import (
    USE_WORDS,
    ago,
    as_it_was,
    candidate_mark,
    glyph_of,
    outcome_mark,
    place_of,
    stale_words,
    use_mark,
    verdict_mark,
)
from remote.model_states import ModelsState, Step
from remote.verdicts import Check

NAME_COLUMNS = 18
FACT_COLUMNS = 14
"""Of what a fact is called: the longest is `going back to`."""
_FAR = 1 << 30
_WITHOUT_DOWNLOAD = ("agent", "push", "chosen")

Line = list[Span]


class ModelDetail(FocusCanvas[ModelDetailView]):
    """Lines that can be scrolled."""

    TITLE = "Model"
    HELP = (
        "A robot: the steps of the change that is under way, its slots, how the last change ended and each of its checks "
        "with value, limit and n; what runs beside in shadow; where releases come from. A bundle: what it is, and what "
        "the validation suite found of it on this robot. Up and down scroll, `y` copies all of it, Esc goes back."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "back", "back", show=False),
        Binding("up,k", "scroll_by(-1)", "up", show=False),
        Binding("down,j", "scroll_by(1)", "down", show=False),
        Binding("pageup", "scroll_by(-10)", "page up", show=False),
        Binding("pagedown", "scroll_by(10)", "page down", show=False),
        Binding("home", f"scroll_by(-{_FAR})", "first line", show=False),
        Binding("end", f"scroll_by({_FAR})", "last line", show=False),
    ]

    class Left(Message):
        """Esc: back to the list."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._top = 0

    def show(self, view: ModelDetailView) -> None:
        """Show it; another one is shown from its first line on."""
        if self._shown is None or self._shown.row.key != view.row.key:
            self._top = 0
        self._shown = view
        width, height = self.size
        if width < 12 or height < 1:
            return
        edge: Span = ("┃ " if self.has_focus else "│ ", "focus" if self.has_focus else "line")
        lines = lines_of(view, width - 3)
        self._top = max(0, min(self._top, len(lines) - height))
        seen = lines[self._top : self._top + height]
        if self._top + height < len(lines) and height > 1:
            seen[-1] = [(f"{len(lines) - self._top - height + 1} more lines below: down", "muted")]
        rows = [row_of([edge, *line], width) for line in seen]
        self.paint(rows + [row_of([edge], width)] * (height - len(rows)))

    def copy_text(self) -> str:
        """All of it as text."""
        if self._shown is None:
            return ""
        return "\n".join(plain(tuple(line)).rstrip() for line in lines_of(self._shown, 200))

    def action_back(self) -> None:
        """Back to the list."""
        self.post_message(self.Left())

    def action_scroll_by(self, lines: int) -> None:
        """Show so many lines further down."""
        self._top = max(0, self._top + lines)
        self.restyle()


def lines_of(view: ModelDetailView, width: int) -> list[Line]:
    """Everything that is known of what is selected."""
    if isinstance(view.row, BundleRow):
        lines = _bundle_lines(view, view.row, width)
    else:
        lines = _robot_lines(view.robot, view.charset, width)
    robot = view.robot
    if robot.state is None or robot.fresh or robot.age_s is None:
        return lines
    title, *rest = lines
    said: Span = (f"  {stale_words(robot, view.charset)}: as it was then", "warning")
    return [[*title, said], *[[(text, "stale") for text, _ in line] for line in rest]]


# ------------------------------------------------------------ a robot


def _robot_lines(row: RobotRow, charset: Charset, width: int) -> list[Line]:
    title: Line = [(clean(row.robot), "strong")]
    state = row.state
    if state is None:
        return [
            title,
            *_wrapped("nothing is known of its models yet: it was never reached, or its agent is too old", width),
        ]
    lines = [title, *_change_lines(state, row, charset, width), []]
    lines += _fact(row.does, slot_words(state.current), width)
    lines += _fact("before", slot_words(state.previous), width)
    if state.candidate is not None:
        lines += _fact(candidate_mark(state).word, slot_words(state.candidate), width)
    last, shadow = _last_lines(state, row, charset, width), _shadow_lines(state, row, width)
    beside_now = state.shadow is not None and not state.shadow.ended
    lines += [*shadow, *last] if beside_now else [*last, *shadow]
    return [*lines, [], *_fact("releases", update_words(state.updates), width)]


def _shadow_lines(state: ModelsState, row: RobotRow, width: int) -> list[Line]:
    shadow = state.shadow
    if shadow is None:
        return []
    told = [line for text in shadow_words(shadow) for line in _wrapped(text, width)]
    title = f"was in shadow{ago(row, shadow.ended_wall_ns)}" if shadow.ended else "in shadow"
    return [[], [(title, "title")], *told]


def _change_lines(state: ModelsState, row: RobotRow, charset: Charset, width: int) -> list[Line]:
    if state.step == "idle":
        return [[(STEP_MEANS["idle"], "muted")]]
    lines: list[Line] = []
    for step in _way(state):
        lines.append(_step_line(state, step, row, charset, width))
        if step == state.step:
            lines += _inside(state, charset, width)
    return lines


def _way(state: ModelsState) -> tuple[Step, ...]:
    wanted_back = state.step == "rolling_back" and state.candidate is not None and state.candidate == state.previous
    if goes_back(state) or wanted_back:
        return ("waiting_for_safe", "rolling_back")
    pushed = state.candidate is None or state.candidate.origin in _WITHOUT_DOWNLOAD
    way = tuple(step for step in STEPS if not (pushed and step == "downloading"))
    return (*way[: way.index("committed")], "rolling_back") if state.step == "rolling_back" else way


def _step_line(state: ModelsState, step: Step, row: RobotRow, charset: Charset, width: int) -> Line:
    way = _way(state)
    at, here = way.index(state.step) if state.step in way else 0, way.index(step)
    waits = step == state.step and bool(state.waits_for)
    mark = MARKS["pass" if here < at else "pending" if here > at else "paused" if waits else "running"]
    if state.step == "rolling_back":
        mark = MARKS["n/a" if here < at else "warning"]
    if here == at:
        mark = as_it_was(mark, row)
    since = f" {duration(row.in_step_s, whole=True)}" if here == at and row.in_step_s is not None else ""
    name = f"{glyph_of(mark, charset)} {step_name(state) if step == state.step else STEP_WORDS[step]}{since}"
    role = mark.role if here <= at else "muted"
    return [(f"{name:<{NAME_COLUMNS + 8}}", role), (STEP_MEANS[step], "muted")] if width >= 60 else [(name, role)]


def _inside(state: ModelsState, charset: Charset, width: int) -> list[Line]:
    """How far the present step is, and what holds it."""
    lines: list[Line] = []
    progress = state.progress
    far = progress_words(progress)
    if progress is not None:
        share = share_of(progress)
        drawn = bar(share, 20, charset, "info") if share is not None and width >= 50 else ()
        indent = " " * (4 + sum(len(text) for text, _ in drawn) + bool(drawn))
        first, *rest = _parts(far, width - len(indent))
        begins: Line = [("    ", "text"), *drawn, (" ", "text")] if drawn else [(indent, "text")]
        lines += [[*begins, (first, "text")], *[[(indent + part, "text")] for part in rest]]
    if state.waits_for:
        first, *rest = _parts(state.waits_for, width - 11)
        lines += [[(f"    waits: {first}", "accent")], *[[(" " * 11 + part, "accent")] for part in rest]]
    if state.attempts > 1 and f"start {state.attempts}" not in far:
        lines.append([("    ", "text"), (f"start {state.attempts} of the worker with it", "warning")])
    return lines


def _last_lines(state: ModelsState, row: RobotRow, charset: Charset, width: int) -> list[Line]:
    last, chosen = state.last, chosen_since(state)
    if last is None:
        return []
    mark = outcome_mark(last)
    checks = tuple(sorted(last.checks, key=lambda check: check.verdict != "fail"))
    head: Line = [("last change ", "title"), (f"{glyph_of(mark, charset)} {mark.word}", mark.role)]
    head.append((ago(row, last.wall_ns), "muted"))
    lines = [[], head, *_wrapped(outcome_words(last), width)]
    if chosen is not None:
        lines += _wrapped(
            f"since then {named(chosen.digest, chosen.name)} was chosen, which is no change by steps", width
        )
    return [*lines, *check_lines(checks, charset, width)]


# ------------------------------------------------------------ a bundle


def _bundle_lines(view: ModelDetailView, row: BundleRow, width: int) -> list[Line]:
    stored = row.stored
    lines: list[Line] = [[(clean(stored.name or "bundle"), "strong")]]
    lines += _fact("digest", stored.digest, width)
    lines += _fact("size", f"{stored.bytes / 1e6:.2f} MB on {clean(row.robot)}", width)
    place = USE_WORDS[place_of(stored, view.robot)] if stored.trouble else use_mark(stored, view.robot).word
    lines += _fact("place", place, width)
    if stored.trouble:
        lines += [[(part, "critical")] for part in _parts(stored.trouble, width)]
    state = view.robot.state
    if state is not None and state.candidate is not None and state.candidate.digest == stored.digest:
        lines += [[], *_change_lines(state, view.robot, view.charset, width)]
    if state is not None and state.shadow is not None and state.shadow.digest == stored.digest:
        lines += _shadow_lines(state, view.robot, width)
    found = view.validation
    if view.validating_s is not None:
        words = f"validating for {duration(view.validating_s, whole=True)}, of a minute or more; the robot tells no steps of it"
        return [*lines, [], [("validation ", "title")], *_wrapped(words, width)]
    if found is None:
        return [*lines, [], [("not validated from this screen; v does", "muted")]]
    mark = verdict_mark(found.verdict)
    lines += [[], [("validation ", "title"), (f"{glyph_of(mark, view.charset)} {mark.word}", mark.role)]]
    lines[-1].append((ago(view.robot, found.wall_ns), "muted"))
    lines += _wrapped(f"profile {found.profile}, on {found.engine}", width)
    return [*lines, *check_lines(found.checks, view.charset, width)]


def check_lines(checks: tuple[Check, ...], charset: Charset, width: int) -> list[Line]:
    """Each check with its verdict and its sentence."""
    lines: list[Line] = []
    for check in checks:
        mark = verdict_mark(check.verdict)
        first, *rest = _parts(check.text, max(20, width - 16))
        lines.append([(f"{glyph_of(mark, charset)} {mark.word:<13}", mark.role), (first, "text")])
        lines += [[(" " * 15, "text"), (part, "text")] for part in rest]
    return lines


def _fact(name: str, value: str, width: int) -> list[Line]:
    first, *rest = _parts(value, max(20, width - FACT_COLUMNS))
    words: Line = [(f"{name:<{FACT_COLUMNS}}", "muted"), (first, "text")]
    return [words, *[[(" " * FACT_COLUMNS, "text"), (part, "text")] for part in rest]]


def _wrapped(text: str, width: int) -> list[Line]:
    return [[(part, "text")] for part in _parts(text, width)]


def _parts(text: str, width: int) -> list[str]:
    return textwrap.wrap(clean(text), max(10, width)) or [""]
