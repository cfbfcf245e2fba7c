"""Kept pictures of the models screen: what a person decides by must not change by accident."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from console.changing.desk import ModelsDesk
from remote.model_states import ModelsState
from tests.console.screens.driving import app_on, screen_text, until
from tests.console.screens.models_samples import IDLE, IN_PROBATION, WAITING, WALL_NOW_NS, robot_with
from tests.console.screens.scripted import ScriptedSession
from tests.console.screens.test_models_screen import answers, data

__all__ = ["data"]
SIZES = [(80, 24), (100, 30), (160, 45)]


def compare(
    snap_compare: Any, size: tuple[int, int], models: ModelsState, *, press: Sequence[str] = (), **options: Any
) -> bool:
    """Whether the screen after these keys is as it was kept."""
    session = ScriptedSession(robot_with(models))
    session.answer_with = answers
    app = app_on(session, person="ada", **options)

    async def before(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: app.newest is session.first)
        app.repaint()
        await pilot.press("5")
        await until(pilot, lambda: app.place == "models")
        desk = app.desks["models"]
        assert isinstance(desk, ModelsDesk)
        desk.wall_ns = lambda: WALL_NOW_NS
        await until(pilot, lambda: "arm-2" in screen_text(app) and len(desk.view().rows) > 3)
        await pilot.press(*press)
        app.repaint()
        await pilot.pause()

    return bool(snap_compare(app, terminal_size=size, run_before=before))


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("size", SIZES)
def test_a_candidate_in_probation(snap_compare: Any, size: tuple[int, int]) -> None:
    assert compare(snap_compare, size, IN_PROBATION)


@pytest.mark.usefixtures("data")
def test_the_steps_in_full_on_a_narrow_screen(snap_compare: Any) -> None:
    assert compare(snap_compare, (80, 24), IN_PROBATION, press=["enter"])


@pytest.mark.usefixtures("data")
def test_waiting_for_the_robot_in_ascii(snap_compare: Any) -> None:
    assert compare(snap_compare, (110, 24), WAITING, ascii=True)


@pytest.mark.usefixtures("data")
def test_nothing_goes_on(snap_compare: Any, tmp_path: Path) -> None:
    assert compare(snap_compare, (80, 24), IDLE, press=["down", "down"])
