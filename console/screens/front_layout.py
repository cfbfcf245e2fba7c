"""Where the lines of every front screen stand; what is between them its own layout says."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.geometry import NULL_OFFSET, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement

if TYPE_CHECKING:
    from textual.widget import Widget

SMALLEST = Size(60, 15)


class FrontLayout(Layout):
    """Status lines and head above, message and key line below: `status`, `head` and `foot` are the rows that they want now.

    `too_small`: the terminal has room for no more than to say so.
    """

    name = "front"
    TALL_ROWS: ClassVar[int] = 28
    """So many rows of a terminal allow a second row of status."""

    def __init__(self) -> None:
        self.status = 1
        self.head = 2
        self.foot = 1
        self.too_small = False

    @property
    def rows(self) -> tuple[int, ...]:
        """What the parts want: where it changes, everything is placed anew."""
        return (self.status, self.head, self.foot)

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        """Place everything that has a place now."""
        regions = self.regions(size)
        return [
            WidgetPlacement(regions[child.id], NULL_OFFSET, Spacing(), child)
            for child in children
            if child.id in regions and child.display
        ]

    def regions(self, size: Size) -> dict[str, Region]:
        """Where each part stands: no gap, no overlap."""
        raise NotImplementedError

    def lines(self, size: Size) -> tuple[dict[str, Region], Region]:
        """Where the lines stand, and the area that they leave."""
        width, height = size
        status = min(self.status, max(1, height - 2))
        head = min(self.head, max(0, height - status - 3))
        area = Region(0, status + head, width, max(0, height - status - head - self.foot - 1))
        found = {
            "status": Region(0, 0, width, status),
            "head": Region(0, status, width, head),
            "message": Region(0, area.bottom, width, self.foot),
            "keys": Region(0, height - 1, width, 1),
        }
        return found, area
