"""The list of robots with what runs on them; under the attached one the bundles of its store."""

from __future__ import annotations

from textual.message import Message

from console.changing.view import BundleRow, ModelsView, RobotRow, Row
from console.models.wording import SHORT_DIGEST, STEP_WORDS, named, progress_words
from console.widgets.cells import Span, clean, fit, row_of
from console.widgets.cursor_canvas import CursorCanvas
from console.widgets.drawing import duration
from console.widgets.model_words import glyph_of, step_mark, use_mark

LEAST = 30
STEP_COLUMNS, AGE_COLUMNS = 26, 12


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
        self._keys: list[str] = []
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
        lines: list[list[Span]] = [_heading(width)]
        lines += [
            self.pointed(view.charset, self._top + n == self._at, _cells(view, row, widths, width - 2))
            for n, row in enumerate(view.rows[self._top : self._top + room])
        ]
        if not view.rows:
            lines.append([("  no robot is known on this laptop; `fieldgate robot add` names one", "muted")])
        rows = [row_of(line, width) for line in lines]
        self.paint(rows + [row_of((), width)] * (height - len(rows)))


def _split(width: int) -> tuple[int, int]:
    """Columns of the name and of what runs."""
    rest = width - STEP_COLUMNS - AGE_COLUMNS
    name = max(12, min(20, rest // 3))
    return name, max(0, rest - name)


def _label(row: RobotRow) -> str:
    return f"{clean(row.robot)}{' (here)' if row.attached else ''}"


def _cells(view: ModelsView, row: Row, width: int) -> list[Span]:
    return _robot(view, row, width) if isinstance(row, RobotRow) else _bundle(view, row, width)


def _robot(view: ModelsView, row: RobotRow, width: int) -> list[Span]:
    name, runs = _split(width)
    state = row.state
    label = f"{clean(row.robot)}{' (here)' if row.attached else ''}"
    if state is None:
        unknown = "nothing known; open it once" if row.age_s is None else "tells nothing of its models"
        return [(fit(label, name), "strong"), (fit(unknown, runs + STEP_COLUMNS + AGE_COLUMNS), "muted")]
    current = named(state.current.digest, state.current.name) if state.current is not None else "none"
    mark = step_mark(state)
    far = progress_words(state.progress)
    step = f"{glyph_of(mark, view.charset)} {mark.word if state.step == 'idle' else STEP_WORDS[state.step]}"
    step += f" {far}" if far and state.step != "idle" else ""
    role = mark.role if row.fresh else "muted"
    return [
        (fit(label, name), "strong"),
        (fit(clean(current), runs), "text" if row.fresh else "muted"),
        (fit(clean(step), STEP_COLUMNS), role),
        _age(row),
    ]


def _age(row: RobotRow) -> Span:
    if row.age_s is None:
        return fit("", AGE_COLUMNS), "muted"
    if row.fresh:
        return fit("now", AGE_COLUMNS, right=True), "muted"
    return fit(f"STALE {duration(row.age_s, whole=True)}", AGE_COLUMNS, right=True), "warning"


def _bundle(view: ModelsView, row: BundleRow, width: int) -> list[Span]:
    stored = row.stored
    robot = next((one for one in view.rows if isinstance(one, RobotRow) and one.attached), None)
    mark = use_mark(stored, stopped=robot is not None and robot.stopped)
    size = f"{stored.bytes / 1e6:.1f} MB"
    found = view.validations.get(stored.digest)
    said = f"validated: {found.verdict}" if found is not None else ""
    name = max(12, width - 14 - 10 - SHORT_DIGEST - 4 - 26)
    return [
        ("  ", "text"),
        (fit(f"{glyph_of(mark, view.charset)} {mark.word}", 13), mark.role),
        (fit(clean(stored.name or stored.trouble or "?"), name), "text"),
        (f" {stored.digest[:SHORT_DIGEST]} ", "muted"),
        (fit(f"{stored.bytes / 1e6:.1f} MB", 10, right=True), "stale" if old else "text"),
        (fit(f"  {_said(view, row, robot)}", said), "muted" if old else "info"),
    ]
