"""The list of robots with what runs on them; under the attached one the bundles of its store."""

from __future__ import annotations

from itertools import takewhile
from typing import NamedTuple

from textual.message import Message

from console.changing.view import BundleRow, ModelsView, RobotRow, Row
from console.models.wording import SHORT_DIGEST, named, progress_words, shadow_beside, share_of, step_name
from console.widgets.cells import Span, clean, fit, row_of, width_of
from console.widgets.cursor_canvas import CursorCanvas
from console.widgets.drawing import duration
from console.widgets.model_words import ago, as_it_was, glyph_of, stale_words, step_mark, use_mark
from remote.model_states import ModelsState

LEAST = 30
LEAST_RUNS, LEAST_STEP, LEAST_SAID = 8, 17, 12
USE_COLUMNS = 18
"""Of a bundle's place: two blanks, the glyph and the longest word, `going back to`."""


class _Widths(NamedTuple):
    name: int
    runs: int
    step: int
    age: int


class ModelsList(CursorCanvas[ModelsView]):
    """One cursor; it stays on its robot or bundle while states change around it."""

    TITLE = "Models"
    HELP = (
        "The robots of this laptop and the model that runs on each; below the attached robot the bundles that lie on it. "
        "A change goes by steps: verify, stage, build the engine, self-test, wait until the robot says that it is idle, "
        "switch, probation; if it does worse than the one before, that comes back by itself. `a` brings the selected bundle "
        "into use, `p` pushes one from this laptop, `b` brings back the one before, `c` calls a change off. What happens "
        "goes on without this console."
    )

    class Selected(Message):
        """The cursor stands on another row."""

    class Opened(Message):
        """Enter."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._key = ""
        self._keys: list[str] = []

    @property
    def selected(self) -> Row | None:
        """What the cursor stands on."""
        rows = self._shown.rows if self._shown is not None else ()
        return rows[self._at] if self._at < len(rows) else None

    def show(self, view: ModelsView) -> None:
        """Show the rows; the cursor stays on what it stood on."""
        self._shown = view
        self._follow(view)
        width, height = self.size
        if width >= LEAST and height >= 2:
            self._draw(view, width, height)
        key = self.selected.key if self.selected is not None else ""
        if key != self._key:
            self._key = key
            self.post_message(self.Selected())

    def length(self) -> int:
        """How many robots and bundles there are."""
        return len(self._shown.rows) if self._shown is not None else 0

    def action_open(self) -> None:
        """Say that what is selected is to be shown in full."""
        if self.selected is not None:
            self.post_message(self.Opened())

    def _follow(self, view: ModelsView) -> None:
        """Stay on the same robot or bundle; where that is gone, on what stood next above it."""
        keys = [row.key for row in view.rows]
        if not self._moved and self._key in self._keys:
            above = reversed(self._keys[: self._keys.index(self._key) + 1])
            self._at = next((keys.index(key) for key in above if key in keys), 0)
        self._moved, self._keys = False, keys

    def _draw(self, view: ModelsView, width: int, height: int) -> None:
        room = height - 1
        self.keep_in_sight(room)
        widths = _widths(view, width - 2)
        lines: list[list[Span]] = [_heading(widths)]
        lines += [
            self.pointed(view.charset, self._top + n == self._at, _cells(view, row, widths, width - 2))
            for n, row in enumerate(view.rows[self._top : self._top + room])
        ]
        if not view.rows:
            lines.append([("  no robot is known on this laptop; `fieldgate robot add` names one", "muted")])
        rows = [row_of(line, width) for line in lines]
        self.paint(rows + [row_of((), width)] * (height - len(rows)))


def _widths(view: ModelsView, width: int) -> _Widths:
    """Each column as wide as its words where there is room; what a change is in gets all that is left."""
    rows = [row for row in view.rows if isinstance(row, RobotRow)]
    age = max([width_of(_age(row, view)[0]) for row in rows] + [len("age")]) + 1
    name = min(20, max([width_of(_label(row)) for row in rows] + [len("robot")]) + 2)
    runs = max([width_of(_current(row)) for row in rows] + [len("runs")]) + 2
    runs = max(LEAST_RUNS, min(runs, width - name - age - LEAST_STEP))
    return _Widths(name, runs, max(0, width - name - runs - age), age)


def _heading(widths: _Widths) -> list[Span]:
    words = fit("robot", widths.name) + fit("runs", widths.runs) + fit("step", widths.step)
    return [(f"  {words}{fit('age', widths.age, right=True)}", "muted")]


def _cells(view: ModelsView, row: Row, widths: _Widths, width: int) -> list[Span]:
    return _robot(view, row, widths) if isinstance(row, RobotRow) else _bundle(view, row, width)


def _label(row: RobotRow) -> str:
    return f"{clean(row.robot)}{' (here)' if row.attached else ''}"


def _current(row: RobotRow) -> str:
    current = row.state.current if row.state is not None else None
    words = clean(named(current.digest, current.name)) if current is not None else "none" if row.state else ""
    does = row.does
    return words if current is None or does in ("runs", "starting") else f"{does} {words}"


def _step(view: ModelsView, row: RobotRow, state: ModelsState, width: int) -> str:
    """The step and how far it is; in per cent where there is no room for all that has to be reached."""
    far, share = progress_words(state.progress), share_of(state.progress)
    step = f"{glyph_of(as_it_was(step_mark(state), row), view.charset)} {step_name(state)}"
    if not far or state.step == "idle":
        return fit(step, width)
    counts = ", ".join(takewhile(lambda part: part[:1].isdigit(), far.split(", ")))
    told = [clean(f"{step} {text}") for text in (far, counts) if text]
    if share is not None:
        told.append(f"{step} {int(100 * share)} %")
    return fit(next((text for text in told if width_of(text) < width), told[0]), width)


def _robot(view: ModelsView, row: RobotRow, widths: _Widths) -> list[Span]:
    label = fit(_label(row), widths.name), "strong"
    if row.state is None:
        unknown = "nothing known; open it once" if row.age_s is None else "tells nothing of its models"
        if row.attached and row.age_s is None:
            unknown = "nothing known of it yet"
        sign = view.charset.glyph("unavailable")
        return [label, (fit(f"{sign} {unknown}", widths.runs + widths.step + widths.age), "muted")]
    return [
        label,
        (fit(_current(row), widths.runs), "text" if row.fresh else "stale"),
        (_step(view, row, row.state, widths.step), as_it_was(step_mark(row.state), row).role),
        _fitted(_age(row, view), widths.age),
    ]


def _fitted(span: Span, width: int) -> Span:
    return fit(span[0], width, right=True), span[1]


def _age(row: RobotRow, view: ModelsView) -> Span:
    if row.age_s is None:
        return "", "muted"
    return ("now", "muted") if row.fresh else (stale_words(row, view.charset), "warning")


def _bundle(view: ModelsView, row: BundleRow, width: int) -> list[Span]:
    stored = row.stored
    robot = next((one for one in view.rows if isinstance(one, RobotRow) and one.attached), None)
    mark = use_mark(stored, robot)
    names = [width_of(clean(_name(one))) for one in view.rows if isinstance(one, BundleRow)]
    name = max(12, min(max(names, default=0) + 1, width - USE_COLUMNS - 10 - SHORT_DIGEST - 2 - LEAST_SAID))
    said = width - USE_COLUMNS - name - 10 - SHORT_DIGEST - 2
    old = robot is not None and not robot.fresh
    return [
        ("  ", "text"),
        (fit(f"{glyph_of(mark, view.charset)} {mark.word}", USE_COLUMNS - 2), mark.role),
        (fit(clean(_name(row)), name), "stale" if old else "text"),
        (f" {stored.digest[:SHORT_DIGEST]} ", "muted"),
        (fit(f"{stored.bytes / 1e6:.1f} MB", 10, right=True), "stale" if old else "text"),
        (fit(f"  {_said(view, row, robot)}", said), "muted" if old else "info"),
    ]


def _name(row: BundleRow) -> str:
    return row.stored.name or row.stored.trouble or "?"


def _said(view: ModelsView, row: BundleRow, robot: RobotRow | None) -> str:
    """What goes on with it beside the change, and what was found of it."""
    words = ["as it was"] if robot is not None and not robot.fresh else []
    shadow = robot.state.shadow if robot is not None and robot.state is not None else None
    if shadow is not None and not shadow.ended and shadow.digest == row.stored.digest:
        words.append(f"in shadow {shadow_beside(shadow)}")
    found = view.validations.get(row.stored.digest)
    if view.validating is not None and view.validating[0] == row.stored.digest:
        words.insert(0, f"validating {duration(view.validating[1], whole=True)}")
    elif found is not None:
        words.append(f"validated: {found.verdict}{ago(robot, found.wall_ns) if robot is not None else ''}")
    return ", ".join(words)
