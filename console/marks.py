"""How a state looks: glyph, ASCII twin, word and colour role together, and the characters that panels draw with."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import NamedTuple


class Mark(NamedTuple):
    """One state's look. `role` is a colour role of widgets/ink.py; glyph and twin are one cell wide."""

    glyph: str
    twin: str
    word: str
    role: str


MARKS: dict[str, Mark] = {
    "ok": Mark("●", "*", "ok", "ok"),
    "info": Mark("◆", "i", "info", "info"),
    "warning": Mark("▲", "!", "warning", "warning"),
    "error": Mark("✖", "X", "error", "critical"),
    "critical": Mark("✖", "X", "CRITICAL", "critical"),
    "stale": Mark("◌", "~", "STALE", "warning"),
    "unavailable": Mark("○", "-", "unavailable", "muted"),
    "paused": Mark("‖", "=", "paused", "accent"),
    "busy": Mark("◐", "?", "busy", "info"),
    "off": Mark("○", "-", "off", "muted"),
    "acknowledged": Mark("✓", "v", "acknowledged", "muted"),
    "cleared": Mark("✔", "v", "cleared", "ok"),
    "next": Mark("▸", ">", "", "focus"),
    "picture": Mark("▣", "#", "picture", "accent"),
    "pending": Mark("□", "o", "pending", "text"),
    "running": Mark("◑", "%", "running", "info"),
    "pass": Mark("✔", "v", "pass", "ok"),
    "marginal": Mark("◍", "m", "marginal", "warning"),
    "fail": Mark("✖", "X", "fail", "critical"),
    "overridden": Mark("↑", "^", "overridden", "warning"),
    "deferred": Mark("→", ">", "deferred", "accent"),
    "n/a": Mark("·", "-", "n/a", "muted"),
}
FIELD_MARKS: dict[str, Mark] = {
    "locked": Mark("◇", "#", "locked", "muted"),
    "ready": Mark("▷", ">", "ready", "info"),
    "testing": Mark("◑", "%", "testing", "info"),
    "pass": MARKS["pass"],
    "marginal": MARKS["marginal"],
    "fail": MARKS["fail"],
    "stopped": Mark("■", "S", "STOPPED", "critical"),
    "stale": MARKS["stale"],
    "inconclusive": Mark("◔", "?", "not yet decided", "text"),
    "success": Mark("✔", "v", "success", "ok"),
    "failure": Mark("✖", "X", "failure", "critical"),
    "aborted": Mark("◒", "/", "aborted", "warning"),
    "undone": Mark("◌", "x", "undone", "muted"),
    "met": Mark("●", "*", "met", "ok"),
    "unmet": Mark("▲", "!", "NOT MET", "warning"),
    "unknown": Mark("○", "-", "not known", "warning"),
}
"""How phases, questions, trials and their conditions look."""
ITEM_STATES: tuple[str, ...] = (
    "pending",
    "running",
    "pass",
    "marginal",
    "fail",
    "stale",
    "unavailable",
    "overridden",
    "deferred",
    "n/a",
)
"""The names of the marks of a checklist item's states."""

# One cell for one cell, so that no column moves.
_TWINS = {mark.glyph: mark.twin for mark in (*FIELD_MARKS.values(), *MARKS.values())} | dict(
    zip("─━│┃╭╮╰╯┏┓┗┛╸╺├┤┬┴┼║═", "-=||++++++++--+++++|=", strict=True)
)
_TWINS |= dict(
    zip("▁▂▃▄▅▆▇█░▒▓▌▐▀…·•–—→←↑↓⇄°×µ“”‘’✗▪▕▏▎▊▔▖▗▘▝", "_..:-=+#.:##|^~-*--><^v~ xu\"\"''x#||||^....", strict=True)
)


def to_ascii(text: str) -> str:
    """The text in ASCII, as many cells wide as before; letters lose their accents, the unknown becomes '?'."""
    if text.isascii():
        return text
    return "".join(char if char.isascii() else _twin(char) for char in text)


def _twin(char: str) -> str:
    known = _TWINS.get(char)
    if known is not None:
        return known
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return ""
    if unicodedata.east_asian_width(char) in ("W", "F"):
        return "??"
    plain = unicodedata.normalize("NFKD", char)[:1]
    return plain if plain.isascii() and plain.isprintable() and plain else "?"


@dataclass(frozen=True)
class Charset:
    """The characters for frames, bars and histories; `ascii` says whether their twins are to be used."""

    ascii: bool
    frame: str  # top left, top right, bottom left, bottom right, horizontal, vertical
    focus_frame: str
    levels: str  # a history's heights, lowest first
    bar: str  # full, half, track, limit

    def glyph(self, name: str) -> str:
        """The glyph of a state in this charset."""
        mark = MARKS.get(name) or FIELD_MARKS[name]
        return mark.twin if self.ascii else mark.glyph


UNICODE = Charset(False, "╭╮╰╯─│", "┏┓┗┛━┃", "▁▂▃▄▅▆▇█", "━╸─┃")
ASCII = Charset(True, "++++-|", "####=#", "_.,-~=+#", "=--!")
