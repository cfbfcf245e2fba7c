"""An input of one line that takes several pasted ones as one."""

from __future__ import annotations

from textual import events
from textual.widgets import Input


class OneLine(Input):
    """Textual's own keeps the first pasted line only and drops the rest without a word; here line breaks become spaces."""

    def on_paste(self, event: events.Paste) -> None:
        """Take all of it."""
        event.prevent_default()
        event.stop()
        self.replace(" ".join(event.text.split()), *self.selection)
