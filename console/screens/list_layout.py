"""Where a list and what is selected in it stand: side by side, or one in the other's place."""

from __future__ import annotations

from textual.geometry import Region, Size

from console.screens.front_layout import FrontLayout

WIDE_COLUMNS = 110


class ListLayout(FrontLayout):
    """`detail`: on a narrow screen the detail stands in the list's place."""

    name = "list"

    def __init__(self) -> None:
        super().__init__()
        self.detail = False

    def regions(self, size: Size) -> dict[str, Region]:
        """Where each part stands: no gap, no overlap."""
        found, area = self.lines(size)
        if self.too_small:
            return found | {"small": area}
        if size.width < WIDE_COLUMNS:
            return found | {("detail" if self.detail else "items"): area}
        left = min(size.width * 60 // 100, 96)
        return found | {
            "items": Region(0, area.y, left, area.height),
            "detail": Region(left, area.y, size.width - left, area.height),
        }
