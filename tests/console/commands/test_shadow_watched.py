"""How `fieldgate model shadow` waits for the end of what runs beside: told by states as an agent sends them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from console.commands.model_shadow import _watched
from remote.errors import Trouble
from remote.model_states import ModelsState, ShadowState

RUNS = ShadowState(digest="a" * 64, name="red")
ENDED = ShadowState(digest="a" * 64, name="red", frames=4, ended="its time was over")


class Visit:
    """Gives one state after the other: (phase of the link, version, shadow); fails where it is asked for more."""

    def __init__(self, *states: tuple[str, int, ShadowState | None]) -> None:
        self._left = list(states)

    def next(self, timeout_s: float) -> Any:
        phase, version, shadow = self._left.pop(0)
        state = SimpleNamespace(version=version, models=ModelsState(shadow=shadow))
        return SimpleNamespace(link=SimpleNamespace(phase=phase), state=state)


def watched(*states: tuple[str, int, ShadowState | None]) -> ShadowState:
    return _watched(Visit(*states), "orin", 40)  # type: ignore[arg-type]


def test_the_end_of_an_earlier_one_is_not_its_end() -> None:
    earlier = ShadowState(digest="b" * 64, name="blue", ended="its time was over")
    assert watched(("up", 39, earlier), ("up", 40, RUNS), ("up", 41, ENDED)) == ENDED


def test_an_agent_that_was_started_anew_knows_of_no_shadow_and_nobody_waits_for_it() -> None:
    """It counts its states from 0 again: the command would wait until it has counted as far as before."""
    with pytest.raises(Trouble) as caught:
        watched(("up", 40, RUNS), ("down", 41, RUNS), ("up", 1, None))
    assert caught.value.code == "no_shadow"
