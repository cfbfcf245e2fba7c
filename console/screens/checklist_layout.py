"""Where the parts of the checklist screen stand: list and detail side by side, or one in the other's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import NULL_OFFSET, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement

if TYPE_CHECKING:
    from textual.widget import Widget

WIDE_COLUMNS = 110
TALL_ROWS = 28


class ChecklistLayout(Layout):
    """Status lines above, message and key line below. `detail`: on a narrow screen the detail stands in the list's place."""

    name = "checklist"

    def __init__(self) -> None:
        self.status = 1
        self.head = 2
        self.foot = 1
        self.detail = False
        self.too_small = False

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
        if self.too_small:
            return found | {"small": area}
        if width < WIDE_COLUMNS:
            return found | {("detail" if self.detail else "items"): area}
        left = min(width * 60 // 100, 96)
        return found | {
            "items": Region(0, area.y, left, area.height),
            "detail": Region(left, area.y, width - left, area.height),
        }
