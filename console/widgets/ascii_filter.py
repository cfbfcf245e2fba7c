"""The last gate before the terminal with `--ascii`: nothing but ASCII passes, whichever widget wrote it."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from console.marks import to_ascii


class AsciiFilter(LineFilter):
    """Replaces each character by a twin of the same width."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments in ASCII."""
        return [Segment(to_ascii(text), style, control) for text, style, control in segments]
