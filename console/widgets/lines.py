"""The two lines at the foot: what was said last, and which keys there are."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from console.widgets.canvas import Canvas
from console.widgets.cells import Span, clean, row_of

HINT = "Tab moves between panes, Enter opens, ? explains the pane, : lists all actions"
WIDE_COLUMNS = 100
AGED_S = 10.0
"""What was said is shown with its age from then on."""
KEPT = ("info", "critical")
"""Roles of words that nothing which comes by itself takes away: what goes on, and what went wrong."""
MOST_BESIDE = 2


class MessageLine(Canvas):
    """A tour's narration and the newest command's fate, in at most `rows` rows; a hint while there is neither.

    What came by itself while that fate was open, or bad, stands beside it. `said` counts what was said.
    """

    def __init__(self, *, id: str | None = None, hint: str = HINT, rows: int = 1) -> None:
        super().__init__(id=id)
        self._hint = hint
        self._most_rows = rows
        self._story = ""
        self._word: Span = ("", "text")
        self._age_s = 0.0
        self._beside: list[tuple[Span, float]] = []
        self.said = 0

    def tell(self, story: str) -> None:
        """Show a line of narration until the next one; an empty one ends it."""
        self._story = clean(story)
        self.update()

    def say(self, text: str, role: str) -> None:
        """Show a command's state: asked, confirmed, refused."""
        self._word, self._age_s, self._beside = (clean(text), role), 0.0, []
        self.said += 1
        self.update()

    def happened(self, text: str, role: str) -> None:
        """Show what came by itself: beside a command's word where that is still open or went wrong, else in its place."""
        if self._word[0] and self._word[1] in KEPT:
            others = [one for one in self._beside if one[0][0] != clean(text)]
            self._beside = [*others, ((clean(text), role), self._age_s)][-MOST_BESIDE:]
            self.update()
        else:
            self.say(text, role)

    def settle(self, open_word: str, text: str, role: str) -> bool:
        """Put a command's fate in the place of `open_word`, which said that it was asked; False where that is not shown."""
        shown = bool(open_word) and self._word[0] == clean(open_word)
        if shown:
            self._word, self._age_s = (clean(text), role), 0.0
            self.said += 1
            self._beside = [(word, 0.0) for word, _ in self._beside]
            self.update()
        return shown

    def age(self, seconds: float) -> None:
        """Say how old the word is, once it is older than AGED_S: it tells of then, not of now."""
        if int(seconds) != int(self._age_s):
            self._age_s = seconds
            self.update()

    @property
    def word(self) -> str:
        """What was said last; empty where nothing is."""
        return self._word[0]

    @property
    def is_busy(self) -> bool:
        """Whether it says that something goes on."""
        return self._word[1] == "info"

    @property
    def lines(self) -> int:
        """How many rows it needs."""
        return max(1, len(self._story_lines()) + len(self._word_lines()))

    def update(self) -> None:
        """Paint what it knows in the rows it has."""
        width, height = self.size
        rows: list[Sequence[Span]] = []
        rows += [[(f" {line}".ljust(width), "story")] for line in self._story_lines()]
        rows += [[(" ", "text"), line] for line in self._word_lines()]
        if not rows:
            rows.append([(f" {self._hint}", "muted")])
        self.paint([row_of(row, width) for row in rows[:height]])

    def on_resize(self) -> None:
        """Fill the new width."""
        self.update()

    def _word_lines(self) -> list[Span]:
        own = [(self._word, self._age_s)] if self._word[0] else []
        shown = [*own, *((word, self._age_s - then) for word, then in self._beside)]
        aged = [(_aged(text, age_s) if role != "info" else text, role) for (text, role), age_s in shown]
        if self._most_rows == 1:
            return [("; ".join(text for text, _ in aged), aged[0][1])] if aged else []
        width = max(20, self.size.width - 2)
        wrapped = [
            [(line, role) for line in textwrap.wrap(text, width, max_lines=self._most_rows, placeholder="…")]
            for text, role in aged
        ]
        return [line for lines in wrapped for line in lines]

    def _story_lines(self) -> list[str]:
        """The narration in at most two lines."""
        if not self._story:
            return []
        return textwrap.wrap(self._story, max(20, self.size.width - 2), max_lines=2, placeholder="…")


def _aged(text: str, age_s: float) -> str:
    if age_s <= AGED_S:
        return text
    return f"{age_s:.0f} s ago: {text}" if age_s < 120 else f"{age_s / 60:.0f} min ago: {text}"


class KeyLine(Canvas):
    """The keys that work here; never leaves the screen."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._keys: list[tuple[str, str]] = []
        self._always: tuple[str, ...] = ()
        self._wide: tuple[str, ...] = ()

    def show_keys(self, keys: list[tuple[str, str]], always: tuple[str, ...] = (), wide: tuple[str, ...] = ()) -> None:
        """Show (key, label) pairs, most important first; what does not fit is left out from the end, but not `always`,
        nor from WIDE_COLUMNS on what is in `wide`."""
        self._keys = keys
        self._always, self._wide = always, wide
        self.update()

    def update(self) -> None:
        """Paint as many whole pairs as fit."""
        width = self.size.width
        spans: list[Span] = []
        used = 0
        always = (*self._always, *(self._wide if width >= WIDE_COLUMNS else ()))
        kept = sum(len(key) + len(label) + 3 for key, label in self._keys if key in always)
        full = False
        for key, label in self._keys:
            size = len(key) + len(label) + 3
            kept -= size if key in always else 0
            full = full or used + size + kept > width
            if used + size > width or (full and key not in always):
                continue
            spans += [(f" {key} ", "key"), (f"{label} ", "muted")]
            used += size
        self.paint([row_of(spans, width)])

    def on_resize(self) -> None:
        """Fill the new width."""
        self.update()
