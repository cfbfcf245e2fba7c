"""Kept pictures of the failures screen: what a person decides by must not change by accident."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from console.failures.book import FailureBook
from console.reviewing.desk import ReviewDesk
from remote.protocol import Body, Window
from tests.console.failures.book_samples import failure, fill, store_with
from tests.console.screens.driving import NOW_NS, app_on, settled, until
from tests.console.screens.scripted import Robot, ScriptedSession, snapshot

SIZES = [(80, 24), (100, 30), (160, 45)]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Forty failures, some marked, the newest with telemetry around it."""
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path))
    folder = tmp_path / "data"
    folder.mkdir()
    store = store_with(folder / "store.db", 40)
    robot = Robot()
    around: list[Window] = [robot.window(n) for n in range(12)]
    text = "Best score 0.31 (cube) lies below the limit of 0.50"
    last = failure(
        40, name="low_confidence", text=text, picture="cd" * 32, conditions={"place": "dock", "light": "dim"}
    )
    bodies: list[Body] = [
        *around[:6],
        last,
        *around[6:],
        failure(41, name="operator_mark", text="shadow taken for a cube"),
    ]
    fill(store, bodies, first=81)
    book = FailureBook(folder, wall_ns=lambda: 1_772_000_100_000_000_000)
    book.refresh(store)
    book.mark(["j-one:87"], "to_label", "ada")
    book.mark(["j-one:80"], "false_alarm", "ada")
    book.note("j-one:87", "the lamp over the dock was off", "ada")
    book.close()
    store.close()
    return folder


def compare(
    snap_compare: Any, size: tuple[int, int], *, by: str = "", press: Sequence[str] = (), **options: Any
) -> bool:
    """Whether the screen after these keys is as it was kept."""
    session = ScriptedSession(snapshot(now_ns=NOW_NS))
    app = app_on(session, person="ada", **options)

    async def before(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: app.newest is session.first)
        await pilot.press("4")
        await until(pilot, lambda: app.place == "failures")
        desk = app.desks["failures"]
        assert isinstance(desk, ReviewDesk)
        await until(pilot, lambda: desk.found.complete and desk.found.count == 42 and bool(desk.rows))
        if by:
            desk.group(by)
            await until(pilot, lambda: bool(desk.groups))
        for key in press:
            await pilot.press(key)
            await pilot.pause(0.05)
        shown = desk.screen.shows_detail and not by
        await until(
            pilot,
            lambda: not shown or (desk.detail.shot is not None and (desk.detail.around is not None) == ("v" in press)),
        )
        app.repaint()
        await settled(pilot)

    same: bool = snap_compare(app, terminal_size=size, run_before=before)
    return same


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_list(snap_compare: Any, size: tuple[int, int]) -> None:
    assert compare(snap_compare, size, press=("down",))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_one_in_full_with_what_was_measured_around_it(snap_compare: Any, size: tuple[int, int]) -> None:
    assert compare(snap_compare, size, press=("down", "enter", "v"))


@pytest.mark.parametrize("size", [(80, 24)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_groups(snap_compare: Any, size: tuple[int, int]) -> None:
    assert compare(snap_compare, size, by="place", press=("down",))


def test_in_ascii(snap_compare: Any) -> None:
    assert compare(snap_compare, (100, 30), press=("down",), ascii=True)
