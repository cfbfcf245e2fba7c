"""Where the parts of the field test screen stand: what it must show above, trials and conditions side by side below."""

from __future__ import annotations

from textual.geometry import Region, Size

from console.screens.front_layout import FrontLayout

WIDE = Size(130, 38)
LOW_ROWS = 22
LEAST_FOR_STOPS = 7
"""With fewer rows the stop rules leave theirs to the conditions; one that is reached is in the banner anyway."""


class FieldLayout(FrontLayout):
    """A banner below the head, then the panes. `questions`, `stops`: rows that these want, frame included."""

    name = "field"

    def __init__(self) -> None:
        super().__init__()
        self.questions = 6
        self.stops = 4

    @property
    def rows(self) -> tuple[int, ...]:
        """What the parts want: where it changes, everything is placed anew."""
        return (*super().rows, self.questions, self.stops)

    def regions(self, size: Size) -> dict[str, Region]:
        """Where each part stands: no gap, no overlap."""
        width, height = size
        found, area = self.lines(size)
        banner = min(3 if height >= LOW_ROWS else 1, area.height)
        found["banner"] = Region(0, area.y, width, banner)
        area = Region(0, area.y + banner, width, area.height - banner)
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
