"""Where the panes stand: a plan for each size of terminal, and the layout that follows it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from textual.geometry import Region, Size

from console.screens.front_layout import SMALLEST, FrontLayout


@dataclass(frozen=True)
class Slot:
    """A pane in a column: its least height in rows, and its share of the rows that are left."""

    pane: str
    least: int
    weight: int = 0


@dataclass(frozen=True)
class Plan:
    """Columns as (share of the width, slots)."""

    name: str
    columns: tuple[tuple[int, tuple[Slot, ...]], ...]

    @cached_property
    def panes(self) -> frozenset[str]:
        """The ids of the panes that are on the screen."""
        return frozenset(slot.pane for _, slots in self.columns for slot in slots)


TINY = Plan("tiny", ())
SMALL = Plan(
    "small",
    ((62, (Slot("latency", 7), Slot("alarms", 3, 1))), (38, (Slot("rate", 5), Slot("load", 5, 1)))),
)
COMPACT = Plan(
    "compact",
    (
        (56, (Slot("latency", 8), Slot("detections", 6, 1), Slot("alarms", 6, 1))),
        (44, (Slot("rate", 7), Slot("load", 8), Slot("events", 5, 1))),
    ),
)
NORMAL = Plan(
    "normal",
    (
        (55, (Slot("latency", 8), Slot("detections", 7, 2), Slot("failures", 5, 1), Slot("events", 5, 1))),
        (45, (Slot("rate", 6), Slot("load", 8, 1), Slot("camera", 6), Slot("alarms", 5, 1))),
    ),
)
WIDE = Plan(
    "wide",
    (
        (54, (Slot("latency", 8), Slot("alarms", 6, 1), Slot("detections", 8, 1), Slot("failures", 7, 1))),
        (46, (Slot("rate", 6), Slot("load", 11), Slot("thermal", 7, 1), Slot("camera", 6), Slot("events", 7, 1))),
    ),
)


def plan_for(size: Size) -> Plan:
    """The richest plan that fits a terminal of `size`."""
    if size.width < SMALLEST.width or size.height < SMALLEST.height:
        return TINY
    if size.width >= 130 and size.height >= 41:
        return WIDE
    if size.width >= 96 and size.height >= 29:
        return NORMAL
    return COMPACT if size.height >= 23 else SMALL


def regions_of(plan: Plan, area: Region) -> dict[str, Region]:
    """Where each pane of `plan` stands within `area`: no gap, no overlap."""
    found: dict[str, Region] = {}
    x, left, shares = area.x, area.width, sum(share for share, _ in plan.columns)
    for share, slots in plan.columns:
        width = round(left * share / shares) if shares else 0
        y = area.y
        for slot, height in zip(slots, _heights(slots, area.height), strict=True):
            found[slot.pane] = Region(x, y, width, height)
            y += height
        x, left, shares = x + width, left - width, shares - share
    return found


def _heights(slots: tuple[Slot, ...], rows: int) -> list[int]:
    heights = [slot.least for slot in slots]
    for n in reversed(range(len(slots))):
        # A line of trouble or narration takes its row from the lowest panes.
        heights[n] = max(2, min(heights[n], heights[n] + rows - sum(heights)))
    spare, weights = rows - sum(heights), sum(slot.weight for slot in slots)
    for n, slot in enumerate(slots):
        if spare > 0 and slot.weight:
            extra = spare * slot.weight // weights
            heights[n], spare, weights = heights[n] + extra, spare - extra, weights - slot.weight
    return heights


class BoardLayout(FrontLayout):
    """The panes of the plan between the lines; a pane that it does not name stays out."""

    name = "board"
    TALL_ROWS: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.plan = TINY
        self.status, self.head = 2, 0

    def regions(self, size: Size) -> dict[str, Region]:
        """Where each part stands: no gap, no overlap."""
        found, area = self.lines(size)
        return found | ({"small": area} if self.too_small else regions_of(self.plan, area))
