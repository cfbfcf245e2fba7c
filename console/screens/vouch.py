"""Vouching for an item: the statement, what a critical one asks for, yes and no; the button that leaves is in focus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from console.checklist.states import ItemState
from console.record.entries import Meaning
from console.screens.form import Field, Form, Words, flowing, paths_of
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
        challenge: where the robot's serial number is found, which a critical item asks for; empty for none.
        clock: monotonic nanoseconds.
        seated: who sits at the keyboard.
        names: those of the campaign's roster, one of which a second person has; empty: any.
    """

    AUTO_FOCUS = "#no"

    def __init__(
        self,
        item: ItemState,
        meaning: Meaning,
        challenge: str,
        clock: Callable[[], int],
        *,
        seated: str = "",
        names: Sequence[str] = (),
    ) -> None:
        self._challenge = challenge
        self._seated = seated
        self._names = tuple(names)
        self._asks_who = meaning == "witnessed"
        inspect = item.item.inspect if meaning == "performed" else None
        fields: list[Field] = []
        if self._asks_who:
            others = [name for name in names if name not in item.performers]
            hint = f"one of: {', '.join(others)}" if others else "short name"
            fields.append(Words("person", "second person", "" if seated in item.performers else seated, hint))
        if challenge:
            fields.append(Words("answer", "last 4 of serial", hint="for a yes only; where it is stands above"))
        fields.append(Words("note", "note"))
        if inspect or not self._asks_who:
            wanted = f"path of the {inspect}" if inspect else "paths, divided by commas"
            fields.append(Words("files", inspect or "files", hint=wanted))
        text = "\n\n".join(part for part in self._paragraphs(item) if part)
        title = f"{'Witness' if self._asks_who else 'Confirm'}: {item.item.title}"
        buttons = (("yes", "Yes, it holds"), ("refused", "No, it does not"))
        super().__init__(title, text, fields, buttons, clock)

    def answer(self, button: str, values: dict[str, str]) -> Vouched:
        """The answer; a yes to a critical item needs what it asks for, a witness a name."""
        holds, person = button == "yes", values.get("person", "")
        if self._asks_who and not person:
            raise Trouble("who is the second person?", cure="give the short name", code="no_person")
        if self._asks_who and self._names and person not in self._names:
            cure = f"give one of: {', '.join(self._names)}"
            raise Trouble(f"'{person}' is not in this campaign's roster", cure=cure, code="not_in_roster")
        typed = values.get("answer", "")
        if holds and self._challenge and not typed:
            cure = "type the last 4 characters of the robot's serial number"
            raise Trouble("this item is critical", cure=cure, code="challenge_failed")
        files = tuple(Path(one) for one in paths_of(values.get("files", "")))
        claimed = f"claimed at {self._seated}'s keyboard" if person and self._seated not in ("", person) else ""
        note = "; ".join(part for part in (values["note"], claimed) if part)
        return Vouched(holds, person, note, typed, files, self.looked_ms)

    def _paragraphs(self, item: ItemState) -> Iterator[str]:
        """The statement, how to find out, who did it, what a critical item asks for."""
        yield f"You vouch that:\n{flowing(item.item.statement or item.item.title)}"
        yield f"How: {flowing(item.item.how)}" if item.item.how else ""
        if self._asks_who:
            by = f"Performed by {', '.join(item.performers)}. " if item.performers else ""
            yield f"{by}Another name than {self._seated}'s is kept as claimed at this keyboard."
        if self._challenge:
            yield f"Critical: a yes wants the last 4 characters of the robot's serial number ({self._challenge})."
