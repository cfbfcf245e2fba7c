"""Saying that what is entered now was written on paper first."""

from __future__ import annotations

from collections.abc import Callable

from console.record.entries import Transcribed
from console.screens.form import Form, Words
from remote.errors import Trouble


class PaperSourceScreen(Form[Transcribed]):
    """Returns by whom and when the paper was filled in, None by Esc."""

    def __init__(self, person: str, clock: Callable[[], int]) -> None:
        fields = (
            Words("by", "written by", value=person),
            Words("at", "at", hint="as on the paper: 2026-11-21T09:30"),
        )
        text = "Values and confirmations that you enter from now on are marked as copied from this paper. P ends it."
        super().__init__("From paper", text, fields, (("begin", "Begin to copy"),), clock)

    def answer(self, button: str, values: dict[str, str]) -> Transcribed:
        """By whom and when."""
        from datetime import datetime

        try:
            datetime.fromisoformat(values["at"])
        except ValueError:
            cure = "write it like 2026-11-21T09:30"
            raise Trouble(f"'{values['at']}' is no date", cure=cure, code="bad_date") from None
        if not values["by"]:
            raise Trouble("who wrote it?", cure="give the name on the paper", code="no_person")
        return Transcribed(values["by"], values["at"])
