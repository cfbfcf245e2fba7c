"""Where the parts of the field test screen stand: what it must show above, trials and conditions side by side below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import NULL_OFFSET, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement

if TYPE_CHECKING:
    from textual.widget import Widget

WIDE = Size(130, 38)
TALL_ROWS, LOW_ROWS = 28, 22
LEAST_FOR_STOPS = 7
"""With fewer rows the stop rules leave theirs to the conditions; one that is reached is in the banner anyway."""


class FieldLayout(Layout):
    """Status, head and banner above, message and key line below, the panes between.

    `questions`: rows that the questions want, frame included.
    """

    name = "field"

    def __init__(self) -> None:
        self.status = 1
        self.head = 2
        self.foot = 1
        self.questions = 6
        self.stops = 4
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
        banner = min(3 if height >= LOW_ROWS else 1, max(0, height - status - head - self.foot - 1))
        top = status + head + banner
        area = Region(0, top, width, max(0, height - top - self.foot - 1))
        found = {
            "status": Region(0, 0, width, status),
            "head": Region(0, status, width, head),
            "banner": Region(0, status + head, width, banner),
            "message": Region(0, area.bottom, width, self.foot),
            "keys": Region(0, height - 1, width, 1),
        }
        if self.too_small:
            return found | {"small": area}
        wide = width >= WIDE.width and height >= WIDE.height
        return found | (self._wide(area) if wide else self._stacked(area))

    def _wide(self, area: Region) -> dict[str, Region]:
        left = area.width * 56 // 100
        questions = min(self.questions, area.height // 2)
        trend = min(14, (area.height - self.stops) // 2)
        right = area.width - left
        conditions = area.height - trend - self.stops
        return {
            "questions": Region(0, area.y, left, questions),
            "trials": Region(0, area.y + questions, left, area.height - questions),
            "conditions": Region(left, area.y, right, conditions),
            "stops": Region(left, area.y + conditions, right, self.stops),
            "trend": Region(left, area.y + conditions + self.stops, right, trend),
        }

    def _stacked(self, area: Region) -> dict[str, Region]:
        questions = max(min(self.questions, area.height - 7), min(5, area.height))
        rest = max(0, area.height - questions)
        left = max(36, area.width * 45 // 100)
        stops = min(self.stops, rest // 2) if rest >= LEAST_FOR_STOPS else 0
        found = {
            "questions": Region(0, area.y, area.width, questions),
            "trials": Region(0, area.y + questions, left, rest),
            "conditions": Region(left, area.y + questions, area.width - left, rest - stops),
        }
        if stops:
            found["stops"] = Region(left, area.y + area.height - stops, area.width - left, stops)
        return found
