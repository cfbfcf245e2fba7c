"""A framed pane: title, age of its data, rows; stale data is said and dimmed, never shown as current."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from console.view import STALE_S, View
from console.widgets.cells import Row, Span, fit, plain, row_of, width_of
from console.widgets.drawing import bar, duration, history
from console.widgets.focus_canvas import FocusCanvas


class Panel(FocusCanvas[View]):
    """The base of all panes. A pane says what its rows are (`body`), how old its data is and what it depends on."""

    TITLE: ClassVar[str] = ""
    HELP: ClassVar[str] = ""
    FREEZES: ClassVar[bool] = True
    """Whether pause freezes it; what warns goes on."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._body_key: Hashable = None
        self._body: list[Row] = []

    # ------------------------------------------------------------ what a pane says of itself

    def body(self, view: View, width: int, height: int) -> list[list[Span]]:
        """The rows inside the frame, at most `height` of them, each cut to `width` afterwards."""
        raise NotImplementedError

    def at_ns(self, view: View) -> int | None:
        """When the newest of what is shown was true, on the laptop's monotonic clock; None before the first."""
        return view.windows_at_ns

    def depends(self, view: View) -> Hashable:
        """What the rows are made from; they are made anew only when it changes."""
        return view.trends.version

    def caption(self, view: View) -> str:
        """What the title says beside the pane's name."""
        return ""

    def copy_text(self) -> str:
        """What `y` copies: the pane's rows as text."""
        return "\n".join(plain(row).strip() for row in self._body).strip()

    # ------------------------------------------------------------ showing

    def show(self, view: View) -> None:
        """Show `view` (or keep what is shown where paused), repainting only what changed."""
        self._shown = view
        width, height = self.size
        if width < 8 or height < 3:
            return
        stale = self._is_stale(view)
        key = (self.depends(view), width, height, stale, view.panes, view.sparks, view.charset.ascii)
        if key != self._body_key and not (self._frozen(view) and self._body and len(self._body) == height - 2):
            self._body_key = key
            self._body = self._inner(view, width - 4, height - 2, stale)
        self.paint(self._framed(view, stale, width))

    def restyle(self) -> None:
        """Show the same again after focus, selection or theme changed."""
        self._body_key = None
        super().restyle()

    def _frozen(self, view: View) -> bool:
        return self.FREEZES and view.paused_ns is not None

    def _is_stale(self, view: View) -> bool:
        age = view.age_s(self.at_ns(view))
        return age is None or age > STALE_S

    def _inner(self, view: View, width: int, height: int, stale: bool) -> list[Row]:
        rows = [row_of(spans, width) for spans in self.body(view, width, height)[:height]]
        if stale:
            rows = [tuple((text, self._dimmed(role)) for text, role in row) for row in rows]
        return rows + [row_of((), width)] * (height - len(rows))

    def _dimmed(self, role: str) -> str:
        return role if role in ("cursor", "track") else "track" if role == "trace" else "stale"

    def _framed(self, view: View, stale: bool, width: int) -> list[Row]:
        frame, role = (view.charset.focus_frame, "focus") if self.has_focus else (view.charset.frame, "line")
        edge = frame[5]
        left: Span = (edge + " ", role)
        right: Span = (" " + edge, role)
        bottom: Row = ((frame[2] + frame[4] * (width - 2) + frame[3], role),)
        return [self._top(view, stale, width, frame, role), *[(left, *row, right) for row in self._body], bottom]

    def _top(self, view: View, stale: bool, width: int, frame: str, role: str) -> Row:
        age, age_role = self._age(view, stale)
        title = f" {self.TITLE} "
        caption = self.caption(view)
        room = width - 4 - len(title) - (len(age) + 2 if age else 0)
        caption = f"{_shortened(caption, room - 2)} " if caption and room > 5 else ""
        line = max(0, width - 4 - len(title) - len(caption) - (len(age) + 2 if age else 0))
        spans: list[Span] = [(frame[0] + frame[4], role), (title, "title"), (caption, "muted"), (frame[4] * line, role)]
        if age:
            spans.append((f" {age} ", age_role))
        return row_of([*spans, (frame[4] + frame[1], role)], width)

    def _age(self, view: View, stale: bool) -> Span:
        age = view.age_s(self.at_ns(view))
        if age is None:
            return "no data yet", "muted"
        text = duration(age, whole=not view.sparks) + " ago"
        if self._frozen(view):
            return f"{view.charset.glyph('paused')} paused", "accent"
        return (f"{view.charset.glyph('stale')} STALE {text}", "warning") if stale else (text, "muted")


def _shortened(caption: str, room: int) -> str:
    """The parts of a caption that have room, each whole; the first cut where it has none."""
    parts = caption.split(" · ")
    while len(parts) > 1 and width_of(" · ".join(parts)) > room:
        parts.pop()
    text = " · ".join(parts)
    return fit(text, min(width_of(text), room))


def spark(
    view: View, name: str, width: int, role: str = "trace", *, top: float | None = None, low: float | None = 0.0
) -> Span:
    """A history of `view.trends` in `width` cells; from `low` (None: 0.6 of its minimum) to `top` (None: its maximum)."""
    if width < 4 or not view.sparks:
        return ("", role)
    known = view.trends.drawn(name, width)
    if known is None:
        values = view.trends.values(name)[-width:]
        present = [value for value in values if value is not None]
        bottom = 0.6 * min(present, default=0.0) if low is None else low
        ceiling = max(present, default=0.0) if top is None else top
        known = view.trends.remember(
            name, width, history(values, width, view.charset, top=max(ceiling, bottom + 1e-9), low=bottom)
        )
    return (known, role)


def meter(view: View, metric: str, share: float | None, width: int, role: str, scale: float = 100.0) -> list[Span]:
    """A bar of `share` (0..1) with the KPI's limit marked, or blanks where there is no value."""
    if width < 4:
        return []
    if share is None:
        return [(" " * width, "text")]
    kpi = view.kpis.limit_of(metric)
    return list(bar(share, width, view.charset, role, None if kpi is None else kpi.criterion.threshold / scale))
