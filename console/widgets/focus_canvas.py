"""A canvas that can have the focus and shows where the keys go."""

from __future__ import annotations

from typing import Generic

from console.widgets.view_canvas import V, ViewCanvas


class FocusCanvas(ViewCanvas[V], Generic[V], can_focus=True):
    """The base of all panes: its frame or its cursor tells whether it has the focus."""

    def on_focus(self) -> None:
        """Show that the keys go here."""
        self.restyle()

    def on_blur(self) -> None:
        """Show that the keys no longer go here."""
        self.restyle()
