"""Answering a gate's go/no-go poll."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from console.checklist.states import StageState
from console.screens.form import Choice, Form, Words
from console.widgets.checklist_rows import named


@dataclass(frozen=True)
class PollAnswer:
    """One role's go or no-go."""

    role: str
    go: bool
    note: str


class AnswerPollScreen(Form[PollAnswer]):
    """Returns the answer, None by Esc."""

    AUTO_FOCUS = "#no"

    def __init__(self, stage: StageState, clock: Callable[[], int]) -> None:
        missing = stage.gate.blocked_by
        text = "Any change of what the answer was given on resets it.\n"
        text += (
            "Still missing: " + "; ".join(named(stage, one) for one in missing)
            if missing
            else "Nothing else is missing."
        )
        given = {answer.role: answer.go for answer in stage.gate.poll}
        words = {None: "no answer yet", True: "GO", False: "NO-GO"}
        roles = [(role, f"{role} ({words[given.get(role)]})") for role in stage.stage.gate.poll]
        fields = (Choice("role", "in the role", roles), Words("note", "note"))
        buttons = (("stop", "NO-GO"), ("go", "GO"))
        super().__init__(f"Go or no-go: {stage.stage.title}", text, fields, buttons, clock)

    def answer(self, button: str, values: dict[str, str]) -> PollAnswer:
        """The answer."""
        return PollAnswer(values["role"], button == "go", values["note"])
