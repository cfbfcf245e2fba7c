"""A widget that keeps its rows as text and repaints only what changed: the mechanism below panels and lines.

Stock widgets rebuild renderables and repaint whole regions; at several panels twice a second that costs five times as much.
"""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from console.widgets.cells import Row, changes, row_of
from console.widgets.inked import Inked


class Canvas(Inked):
    """Rows of styled text in the widget's own size; `paint` shows new ones."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: list[Row] = []
        self._strips: dict[int, Strip] = {}
        self._painted_width = 0
        self._ink: dict[str, Style] = {}

    def set_ink(self, ink: dict[str, Style]) -> None:
        """Use these styles for the colour roles from now on."""
        self._ink = ink
        self._strips.clear()
        self.refresh()

    def paint(self, rows: list[Row]) -> None:
        """Show `rows` (each as wide as the widget), repainting only the columns that differ from before."""
        before, self._painted_width = self._rows, self.size.width
        if len(rows) != len(before):
            self._rows = rows
            self._strips.clear()
            self.refresh()
            return
        regions = []
        for y, (old, new) in enumerate(zip(before, rows, strict=True)):
            if old != new:
                self._strips.pop(y, None)
                regions += [Region(x0, y, x1 - x0, 1) for x0, x1 in changes(old, new)]
        self._rows = rows
        if regions:
            self.refresh(*regions)

    @property
    def rows(self) -> list[Row]:
        """What is shown now."""
        return self._rows

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of `crop`. The rows are already styled, so the style cache is not asked again for each."""
        # Textual empties this set when it renders a widget's content itself; here nobody would, and it would only grow.
        self._dirty_regions.clear()
        strips = [self._strips.get(y) or self._strip(y) for y in crop.line_range]
        if crop.column_span != (0, self.size.width):
            return [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """One line, styled."""
        return self._strips.get(y) or self._strip(y)

    def _strip(self, y: int) -> Strip:
        width = self.size.width
        row = self._rows[y] if y < len(self._rows) else row_of((), width)
        ink = self._ink
        default = ink.get("text", Style.null())
        segments = [Segment(text, ink.get(role, default)) for text, role in row if text]
        if width == self._painted_width and row:
            strip = Strip(segments, width)
        else:
            strip = Strip(segments).adjust_cell_length(width, default)
        background = self.background_colors[1]
        for line_filter in self.app.get_line_filters():
            strip = strip.apply_filter(line_filter, background)
        self._strips[y] = strip
        return strip
