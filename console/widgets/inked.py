"""A widget that is drawn in the theme's styles."""

from __future__ import annotations

from rich.style import Style
from textual.widget import Widget


class Inked(Widget):
    """It gets its styles from the application, by the names of colour roles."""

    def set_ink(self, ink: dict[str, Style]) -> None:
        """Use these styles for the colour roles from now on."""
        raise NotImplementedError
