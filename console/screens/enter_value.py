"""Entering a measured value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from console.checklist.states import ItemState
from console.checklist.wording import asked_words
from console.screens.form import Field, Form, Words, count_of, flowing, number_of, paths_of
from remote.errors import Trouble


@dataclass(frozen=True)
class Entered:
    """What was measured: a value that stands for `n` readings, or `successes` of `n` trials (value None)."""

    value: float | None
    n: int
    successes: int | None
    note: str
    files: tuple[Path, ...]


class EnterValueScreen(Form[Entered]):
    """Returns what was entered, None by Esc. A rate is asked for as successes and trials."""

    def __init__(self, item: ItemState, clock: Callable[[], int]) -> None:
        criterion = item.item.criterion
        self._rate = criterion is not None and criterion.statistic == "rate"
        unit = criterion.unit if criterion else ""
        asked: tuple[Field, ...] = (
            (Words("successes", "successes", hint="how many succeeded"), Words("n", "of trials", hint="all of them"))
            if self._rate
            else (Words("value", f"value in {unit}" if unit else "value"), Words("n", "readings", value="1"))
        )
        files = Words("files", "files", hint="paths, divided by commas")
        how = f"How: {flowing(item.item.how)}" if item.item.how else ""
        lines = (flowing(item.item.statement or item.item.title), how, f"Limit: {asked_words(item)}")
        text = "\n\n".join(line for line in lines if line)
        fields = (*asked, Words("note", "note"), files)
        super().__init__(f"Value: {item.item.title}", text, fields, (("record", "Record it"),), clock)

    def answer(self, button: str, values: dict[str, str]) -> Entered:
        """What was entered."""
        n = count_of(values["n"], "trials" if self._rate else "readings", 1)
        files = tuple(Path(one) for one in paths_of(values["files"]))
        if not self._rate:
            return Entered(number_of(values["value"], "value"), n, None, values["note"], files)
        successes = count_of(values["successes"], "successes")
        if successes > n:
            raise Trouble(f"{successes} of {n} can't be", cure="successes are at most the trials", code="bad_value")
        return Entered(None, n, successes, values["note"], files)
