"""Deferring an item: in which role, until which stage, who answers for it, why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from console.checklist.pack import Stage
from console.checklist.states import ItemState
from console.screens.form import Choice, Form, Words
from remote.errors import Trouble


@dataclass(frozen=True)
class Deferred:
    """A deferral that a person wants."""

    role: str
    until_stage: str
    owner: str
    reason: str


class DeferScreen(Form[Deferred]):
    """Returns the deferral, None by Esc. `later` are the stages that it can be put off to."""

    def __init__(self, item: ItemState, later: Sequence[Stage], person: str, clock: Callable[[], int]) -> None:
        fields = (
            Choice("role", "in the role", [(role, role) for role in item.item.defer_by]),
            Choice("stage", "until stage", [(stage.id, stage.title) for stage in later]),
            Words("owner", "owner", value=person, hint="who answers for it"),
            Words("reason", "reason", hint="why it can wait"),
        )
        text = f"It is {item.state}: {item.reason or 'not settled'}.\nIt will block the stage that it is put off to."
        super().__init__(f"Defer: {item.item.title}", text, fields, (("defer", "Put it off"),), clock)

    def answer(self, button: str, values: dict[str, str]) -> Deferred:
        """The deferral."""
        for name, what in (("owner", "an owner"), ("reason", "a reason"), ("stage", "a later stage")):
            if not values[name]:
                raise Trouble(f"a deferral needs {what}", cure="without it nothing is put off", code="bad_deferral")
        return Deferred(values["role"], values["stage"], values["owner"], values["reason"])
