"""A framed pane of the field test screen: title, caption, rows that scroll while it has the focus."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from console.testing.view import FieldView
from console.widgets.cells import Row, Span, fit, plain, row_of, width_of
from console.widgets.focus_canvas import FocusCanvas


class FieldPanel(FocusCanvas[FieldView]):
    """A pane says what its rows are (`lines`) and what stands beside its title (`caption`, `age`)."""

    TITLE: ClassVar[str] = ""
    HELP: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_rows(-1)", "up", show=False),
        Binding("down", "scroll_rows(1)", "down", show=False),
        Binding("pageup", "scroll_rows(-10)", "page up", show=False),
        Binding("pagedown", "scroll_rows(10)", "page down", show=False),
        Binding("home", "scroll_rows(-100000)", "first", show=False),
        Binding("end", "scroll_rows(100000)", "last", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[Row] = []
        self._top = 0

    def lines(self, view: FieldView, width: int, height: int) -> list[list[Span]]:
        """All rows, each cut to `width` afterwards; `height` of them are in sight."""
        raise NotImplementedError

    def caption(self, view: FieldView) -> str:
        """What stands beside the title."""
        return ""

    def age(self, view: FieldView) -> Span:
        """How old what is shown is, at the right of the frame; an empty text where it is the record itself."""
        return ("", "muted")

    def copy_text(self) -> str:
        """What `y` copies: all rows."""
        return "\n".join(plain(row).rstrip() for row in self._lines).strip()

    def show(self, view: FieldView) -> None:
        """Show `view`, repainting only what changed."""
        self._shown = view
        width, height = self.size
        if width < 8 or height < 3:
            return
        self._lines = [row_of(spans, width - 4) for spans in self.lines(view, width - 4, height - 2)]
        self._top = max(0, min(self._top, len(self._lines) - (height - 2)))
        self.paint(self._framed(view, width, height))

    def action_scroll_rows(self, step: int) -> None:
        """Show rows further down or up."""
        self._top = max(0, self._top + step)
        self.restyle()

    def _framed(self, view: FieldView, width: int, height: int) -> list[Row]:
        frame, role = (view.charset.focus_frame, "focus") if self.has_focus else (view.charset.frame, "line")
        left, right = (frame[5] + " ", role), (" " + frame[5], role)
        inside = self._lines[self._top : self._top + height - 2]
        inside += [row_of((), width - 4)] * (height - 2 - len(inside))
        return [
            self._top_edge(view, width, frame, role),
            *[(left, *row, right) for row in inside],
            self._low_edge(width, frame, role),
        ]

    def _top_edge(self, view: FieldView, width: int, frame: str, role: str) -> Row:
        age, age_role = self.age(view)
        title = f" {self.TITLE} "
        room = width - 4 - len(title) - (width_of(age) + 2 if age else 0)
        caption = self.caption(view)
        caption = f"{fit(caption, min(width_of(caption), room - 2))} " if caption and room > 5 else ""
        line = max(0, room - width_of(caption))
        spans: list[Span] = [(frame[0] + frame[4], role), (title, "title"), (caption, "muted"), (frame[4] * line, role)]
        if age:
            spans.append((f" {age} ", age_role))
        return row_of([*spans, (frame[4] + frame[1], role)], width)

    def _low_edge(self, width: int, frame: str, role: str) -> Row:
        """The lower edge; it says how many rows are below."""
        below = len(self._lines) - self._top - (self.size.height - 2)
        more = f" {below} more below " if below > 0 and width > 20 else ""
        return row_of(
            [(frame[2] + frame[4] * (width - 3 - len(more)), role), (more, "muted"), (frame[4] + frame[3], role)], width
        )
