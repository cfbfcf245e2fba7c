"""A canvas that shows a view, and shows it again when its size changes."""

from __future__ import annotations

from typing import Generic, TypeVar

from console.widgets.canvas import Canvas

V = TypeVar("V")


class ViewCanvas(Canvas, Generic[V]):
    """The base of heads, banners and panes; `show` keeps what it is given in `_shown`."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: V | None = None

    def show(self, view: V) -> None:
        """Show `view`."""
        raise NotImplementedError

    def restyle(self) -> None:
        """Show the same again after size, focus, cursor or theme changed."""
        if self._shown is not None:
            self.show(self._shown)

    def on_resize(self) -> None:
        """Fill the new size."""
        self.restyle()
