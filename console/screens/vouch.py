"""Vouching for an item: the statement, what a critical one asks for, yes and no; the button that leaves is in focus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from console.checklist.states import ItemState
from console.record.entries import Meaning
from console.screens.form import Field, Form, Words, paths_of
from remote.errors import Trouble


@dataclass(frozen=True)
class Vouched:
    """A yes or a no. `person` is empty where it is whoever sits at the keyboard; `looked_ms`: how long it was shown."""

    holds: bool
    person: str
    note: str
    answer: str
    files: tuple[Path, ...]
    looked_ms: int


class VouchScreen(Form[Vouched]):
    """Returns the answer, None by Esc.

    Args:
        item: what is vouched for.
        meaning: `witnessed` asks for the second person's name too.
        challenge: what a critical item asks to be typed, in words; empty for none.
        clock: monotonic nanoseconds.
    """

    AUTO_FOCUS = "#no"

    def __init__(self, item: ItemState, meaning: Meaning, challenge: str, clock: Callable[[], int]) -> None:
        self._challenge = challenge
        self._asks_who = meaning == "witnessed"
        inspect = item.item.inspect if meaning == "performed" else None
        fields: list[Field] = []
        if self._asks_who:
            fields.append(Words("person", "second person", hint="short name, as in the roster"))
        if challenge:
            fields.append(Words("answer", "critical", hint="needed for a yes only"))
        fields.append(Words("note", "note"))
        if inspect or not self._asks_who:
            wanted = f"path of the {inspect}" if inspect else "paths, divided by commas"
            fields.append(Words("files", inspect or "files", hint=wanted))
        lines = [item.item.statement or item.item.title, item.item.how]
        if self._asks_who and item.performers:
            lines.append(f"Performed by {', '.join(item.performers)}.")
        if challenge:
            lines.append(f"Critical, to say yes: {challenge}.")
        text = "\n".join(line for line in lines if line)
        title = f"{'Witness' if self._asks_who else 'Confirm'}: {item.item.title}"
        buttons = (("yes", "Yes, it holds"), ("refused", "No, it does not"))
        super().__init__(title, text, fields, buttons, clock)

    def answer(self, button: str, values: dict[str, str]) -> Vouched:
        """The answer; a yes to a critical item needs what it asks for, a witness a name."""
        holds, person = button == "yes", values.get("person", "")
        if self._asks_who and not person:
            raise Trouble("who is the second person?", cure="give the short name", code="no_person")
        typed = values.get("answer", "")
        if holds and self._challenge and not typed:
            raise Trouble("this item is critical", cure=self._challenge, code="challenge_failed")
        files = tuple(Path(one) for one in paths_of(values.get("files", "")))
        return Vouched(holds, person, values["note"], typed, files, self.looked_ms)
