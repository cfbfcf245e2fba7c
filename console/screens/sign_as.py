"""Signing, first part: who signs, what it means, with which key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from console.checklist.states import StageState
from console.record.entries import Meaning
from console.record.roster import Person
from console.screens.form import Choice, Form, Words
from remote.errors import Trouble


@dataclass(frozen=True)
class SignAs:
    """`key` is the path of a key file; empty: the first key of that person that the SSH agent or ~/.ssh has."""

    meaning: Meaning
    principal: str
    key: str


class SignAsScreen(Form[SignAs]):
    """Returns who signs and how, None by Esc. `person` is who sits at the keyboard."""

    def __init__(self, stage: StageState, people: Sequence[Person], person: str, clock: Callable[[], int]) -> None:
        wanted = stage.stage.gate.signatures
        given = {one.signature.meaning for one in stage.gate.signatures if not one.void}
        meanings = [
            (one.meaning, f"{one.meaning} by {' or '.join(one.roles)}{' (given)' if one.meaning in given else ''}")
            for one in wanted
        ]
        chosen = next((one.meaning for one in wanted if one.meaning not in given), "")
        names = [(one.principal, f"{one.principal}: {one.name}, {', '.join(one.roles)}") for one in people]
        fields = (
            Choice("meaning", "it means", meanings, chosen),
            Choice("principal", "who signs", names, person),
            Words("key", "key file", hint="empty: your key of the SSH agent or ~/.ssh"),
        )
        text = "Next comes the statement that will be signed; nothing is signed before you have read it."
        super().__init__(f"Sign: {stage.stage.title}", text, fields, (("next", "Show the statement"),), clock)

    def answer(self, button: str, values: dict[str, str]) -> SignAs:
        """Who signs and how."""
        if not values["principal"]:
            cure = "make a roster: `fieldgate roster add`, then revise the campaign"
            raise Trouble("nobody is in this campaign's roster", cure=cure, code="not_in_roster")
        return SignAs(cast(Meaning, values["meaning"]), values["principal"], values["key"])
