"""The two lines over the list of failures: how many of how many, by which filter, and what goes on."""

from __future__ import annotations

from console.reviewing.view import ReviewView
from console.widgets.canvas import Canvas
from console.widgets.cells import Span, clean, fit, row_of


class FailureHead(Canvas):
    """Count and filter; below it what is being done."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: ReviewView | None = None
        self._place = 0

    def show(self, view: ReviewView, place: int) -> None:
        """`place` is the cursor's, from 0."""
        self._shown, self._place = view, place
        width, _ = self.size
        rows = [row_of(self._first(view, width), width), row_of(self._second(view, width), width)]
        self.paint(rows[: max(1, self.size.height)])

    def on_resize(self) -> None:
        """Fill the new width."""
        if self._shown is not None:
            self.show(self._shown, self._place)

    def _first(self, view: ReviewView, width: int) -> list[Span]:
        found = f"{view.found.count:,}"
        more = "" if view.found.complete else "+"
        total = "" if view.total is None or not (view.line or more) else f" of {view.total:,}"
        place = f"{min(self._place + 1, view.found.count):,} / " if view.found.count and not view.by else ""
        spans: list[Span] = [(" Failures ", "title"), (f"{place}{found}{more}{total} ", "strong")]
        if view.by:
            spans.append((f" by {clean(view.by)} ", "accent"))
        return spans

    def _second(self, view: ReviewView, width: int) -> list[Span]:
        spans: list[Span] = [
            (" filter ", "muted"),
            (clean(view.line) if view.line else "none: all robots, all days", "info"),
        ]
        said = view.busy or view.pulling
        if said:
            used = sum(len(text) for text, _ in spans)
            spans.append((fit(f"   {said}", max(0, width - used - 1)), "muted"))
        return spans
