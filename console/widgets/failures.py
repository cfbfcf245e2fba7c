"""What the robot got wrong, with a sign where a picture was kept."""

from __future__ import annotations

from collections.abc import Hashable

from console.link.snapshot import Seen
from console.view import View
from console.widgets.cells import Span, clean, fit
from console.widgets.drawing import clock_time
from console.widgets.list_panel import Item, ListPanel
from remote.protocol import Failure


class FailuresPanel(ListPanel):
    """Failures, newest first: time, kind, picture sign, sentence."""

    TITLE = "Failures"
    HELP = (
        "What the robot got wrong, newest first. The sign before the text: a picture was kept; Enter shows it. "
        "`m` marks one yourself, `/` filters, `y` copies."
    )
    NOTHING = "no failure recorded"

    def depends(self, view: View) -> Hashable:
        """The newest failure."""
        return view.snapshot.failures[-1].seq if view.snapshot.failures else 0

    def items(self, view: View, width: int) -> list[Item]:
        """All failures known here."""
        return [failure_item(view, seen, width) for seen in reversed(view.snapshot.failures)]


def failure_item(view: View, seen: Seen[Failure], width: int) -> Item:
    """One failure as a list's item."""
    body, time = seen.body, clock_time(seen.wall_ns)
    name, text = clean(body.name).replace("_", " "), clean(body.text)

    def draw() -> list[Span]:
        sign = view.charset.glyph("picture") if body.picture else " "
        by_hand = body.name == "operator_mark"
        glyph, role = ("info", "accent") if by_hand else ("error", "critical")
        spans = [(f"{time} ", "muted"), (f"{view.charset.glyph(glyph)} {name} ", role), (f"{sign} ", "accent")]
        return [*spans, (fit(text, max(0, width - 14 - len(name))), "text")]

    return Item(("failure", seen.seq), draw, f"{time} {clean(body.name)}: {text}", seen)
