"""What happened lately; where few panes fit, failures are listed in between."""

from __future__ import annotations

from collections.abc import Hashable

from console.link.snapshot import Seen
from console.marks import MARKS
from console.view import View
from console.widgets.cells import Span, clean, fit
from console.widgets.drawing import clock_time
from console.widgets.failures import failure_item
from console.widgets.list_panel import Item, ListPanel
from remote.protocol import Event


class EventsPanel(ListPanel):
    """Events, newest first: time, severity, sentence."""

    TITLE = "Events"
    HELP = (
        "What the robot reported, newest first, by the robot's clock. `/` filters (`!word` hides), Enter shows all of it, "
        "`y` copies."
    )
    NOTHING = "no event yet"

    def depends(self, view: View) -> Hashable:
        """The newest event (and failure) and what the list itself shows."""
        newest = view.snapshot.events[-1].seq if view.snapshot.events else 0
        failure = view.snapshot.failures[-1].seq if view.snapshot.failures else 0
        return newest, 0 if "failures" in view.panes else failure, len(view.snapshot.events)

    def items(self, view: View, width: int) -> list[Item]:
        """Events, and failures where they have no pane of their own."""
        items = [event_item(view, seen, width) for seen in view.snapshot.events]
        if "failures" not in view.panes:
            items += [failure_item(view, seen, width) for seen in view.snapshot.failures]
        return sorted(items, key=lambda item: -item.thing.seq)


def event_item(view: View, seen: Seen[Event], width: int) -> Item:
    """One event as a list's item."""
    body, time = seen.body, clock_time(seen.wall_ns)
    text = clean(body.text)

    def draw() -> list[Span]:
        mark = MARKS[body.severity]
        role = "text" if body.severity == "info" else mark.role
        glyph = view.charset.glyph(body.severity)
        return [(f"{time} ", "muted"), (f"{glyph} ", mark.role), (fit(text, width - 11), role)]

    return Item(("event", seen.seq), draw, f"{time} {body.severity} {clean(body.name)}: {text}", seen)
