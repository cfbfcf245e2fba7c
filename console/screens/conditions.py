"""The conditions that trials carry: asked when a session begins, and whenever they change."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from console.phases.schema import Condition, Phase
from console.screens.form import Choice, Field, Form, Words

NOT_SAID = "-"
"""What stands for a condition that is left out."""


class ConditionsScreen(Form[dict[str, str]]):
    """Returns every condition of the phase with its value; an empty value takes it away. `now` are those that hold so far."""

    def __init__(
        self, title: str, text: str, phase: Phase, now: Mapping[str, str], button: str, clock: Callable[[], int]
    ) -> None:
        fields = [_field(one, now.get(one.id, "")) for one in phase.conditions]
        super().__init__(title, text, fields, [("set", button)], clock)
        self._ids = [one.id for one in phase.conditions]

    def answer(self, button: str, values: dict[str, str]) -> dict[str, str]:
        """What was chosen and written."""
        return {id: values[id] for id in self._ids}


def _field(condition: Condition, now: str) -> Field:
    label = f"{condition.title}{' *' if condition.required else ''}"
    if not condition.values:
        return Words(condition.id, label, now, "needed" if condition.required else "may stay empty")
    values = [(value, value) for value in condition.values]
    if now and now not in condition.values:
        values.insert(0, (now, now))
    return Choice(condition.id, label, values if condition.required else [("", NOT_SAID), *values], now)
