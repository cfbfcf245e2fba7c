"""Overriding an item: in which role, why, for how many days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from console.checklist.states import ItemState
from console.screens.form import Choice, Form, Words, number_of
from remote.errors import Trouble


@dataclass(frozen=True)
class Overridden:
    """An override that a person wants."""

    role: str
    reason: str
    days: float


class OverrideScreen(Form[Overridden]):
    """Returns the override, None by Esc."""

    def __init__(self, item: ItemState, clock: Callable[[], int]) -> None:
        roles = [(role, role) for role in item.item.override_by]
        fields = (
            Choice("role", "in the role", roles),
            Words("reason", "reason", hint="why it may stand"),
            Words("days", "for days", value="1", hint="1 to 90"),
        )
        text = f"It is {item.state}: {item.reason or 'not settled'}.\n"
        text += "An override stays counted and in sight, and ends by itself."
        super().__init__(f"Override: {item.item.title}", text, fields, (("override", "Override it"),), clock)

    def answer(self, button: str, values: dict[str, str]) -> Overridden:
        """The override."""
        if not values["reason"]:
            raise Trouble("an override needs a reason", cure="say why it may stand", code="no_reason")
        return Overridden(values["role"], values["reason"], number_of(values["days"], "days"))
