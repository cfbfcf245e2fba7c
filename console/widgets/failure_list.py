"""The list of failures: however many there are, only the rows in sight are held and drawn."""

from __future__ import annotations

from textual.message import Message

from console.reviewing.view import ReviewView
from console.widgets.cells import Span, clean, fit, row_of
from console.widgets.cursor_canvas import CursorCanvas
from console.widgets.failure_words import failure_spans, heading

LEAST = 20


class FailureList(CursorCanvas[ReviewView]):
    """One cursor over everything that was found, newest first, or over groups of it."""

    TITLE = "Failures"
    HELP = (
        "What robots got wrong, newest first, over all days that this laptop holds. `/` filters: words are regular "
        "expressions over kind and text, fields narrow: kind:no_detection label:cube light:<40 time:>2026-11-20T10:00 "
        "place:dock marked:yes robot:NAME phase:office; `!` before one hides what matches. `g` groups with counts, Enter "
        "on a group shows it. `m` marks, `n` notes, `e` exports what is listed, `P` keeps the pictures on the robot."
    )

    class Selected(Message):
        """The cursor stands on another row (its number in the book; None: on nothing that is a failure).

        `moved`: a person moved it there.
        """

        def __init__(self, number: int | None, moved: bool) -> None:
            super().__init__()
            self.number = number
            self.moved = moved

    class Opened(Message):
        """Enter: on a failure its number, on a group its place."""

        def __init__(self, number: int | None, group: int | None) -> None:
            super().__init__()
            self.number = number
            self.group = group

    class Needed(Message):
        """Rows in sight that are not here yet: numbers in the book."""

        def __init__(self, numbers: list[int]) -> None:
            super().__init__()
            self.numbers = numbers

    class Back(Message):
        """Esc."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._told: tuple[object, ...] = ()

    # ------------------------------------------------------------ what is selected

    @property
    def number(self) -> int | None:
        """The number in the book of the failure under the cursor."""
        view = self._shown
        return view.found.rows[self._at] if view and not view.by and self._at < view.found.count else None

    def go_to(self, place: int) -> None:
        """Put the cursor there."""
        self._at = max(0, place)
        self._top = min(self._top, self._at)

    def shift(self, by: int) -> None:
        """So many rows came above: stay on the same one. Where the newest was in sight it stays in sight, if there is room."""
        self._at = max(0, self._at + by)
        if self._top:
            self._top = max(0, self._top + by)

    # ------------------------------------------------------------ showing

    def show(self, view: ReviewView) -> None:
        """Show the rows around the cursor; what of them is not here is asked for by Needed."""
        self._shown = view
        width, height = self.size
        self._at = min(self._at, max(0, self.length() - 1))
        if width < LEAST or height < 2:
            return
        room = height - 1
        self.keep_in_sight(room)
        lines = self._group_lines(view, width, room) if view.by else self._failure_lines(view, width, room)
        head = (
            [(fit(f"  failures by {view.by}", width), "muted")] if view.by else [("  ", "muted"), *heading(width - 2)]
        )
        rows = [row_of(line, width) for line in [head, *lines]]
        self.paint(rows + [row_of((), width)] * (height - len(rows)))
        self._tell()

    def action_open(self) -> None:
        """Say that the selected thing is to be opened."""
        if self._shown is not None and self.length():
            self.post_message(self.Opened(self.number, self._at if self._shown.by else None))

    def action_back(self) -> None:
        """Say that Esc was pressed."""
        self.post_message(self.Back())

    def length(self) -> int:
        """How many failures were found, or groups of them."""
        view = self._shown
        return 0 if view is None else len(view.groups) if view.by else view.found.count

    def _tell(self) -> None:
        told = (self.number, bool(self._shown and self._shown.by))
        if told != self._told:
            self._told = told
            self.post_message(self.Selected(self.number, self._moved))
        self._moved = False

    # ------------------------------------------------------------ lines

    def _failure_lines(self, view: ReviewView, width: int, room: int) -> list[list[Span]]:
        numbers = view.found.rows[self._top : self._top + room]
        if not numbers:
            return [[(f"  {self._nothing(view)}", "muted")]]
        lacking = [number for number in numbers if number not in view.rows]
        if lacking:
            self.post_message(self.Needed(lacking))
        return [
            self.pointed(view.charset, self._top + n == self._at, self._cells(view, number, width - 2))
            for n, number in enumerate(numbers)
        ]

    def _cells(self, view: ReviewView, number: int, width: int) -> list[Span]:
        row = view.rows.get(number)
        return failure_spans(row, view.charset, width) if row is not None else [("…" if width else "", "muted")]

    def _group_lines(self, view: ReviewView, width: int, room: int) -> list[list[Span]]:
        if not view.groups:
            return [[(f"  {self._nothing(view)}", "muted")]]
        most = max(group.count for group in view.groups)
        name, bar = min(36, width // 2), max(0, width - min(36, width // 2) - 16)
        full = view.charset.bar[0]
        lines = []
        for n, group in enumerate(view.groups[self._top : self._top + room]):
            filled = full * max(1, round(bar * group.count / most)) if bar else ""
            cells = [
                (f"{fit(clean(group.name), name)} ", "text"),
                (f"{group.count:>10,}  ", "strong"),
                (filled, "trace"),
            ]
            lines.append(self.pointed(view.charset, self._top + n == self._at, cells))
        return lines

    def _nothing(self, view: ReviewView) -> str:
        if view.busy or view.total is None:
            return "looking..."
        if view.line and view.total:
            return f"none of {view.total:,} matches; Esc shows all"
        return "nothing recorded yet; 1, then m marks one"
