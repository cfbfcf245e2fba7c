"""Kept pictures of the checklist: what a person decides by must not change by accident."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from textual.pilot import Pilot

from console.app import FieldgateApp
from console.checklist.states import ChecklistState
from console.link.snapshot import Snapshot
from tests.console.screens.checklist_samples import ShownCampaign, checklist
from tests.console.screens.driving import NOW_NS, app_on, settled, until
from tests.console.screens.scripted import S, ScriptedSession, link, snapshot

SIZES = [(80, 24), (100, 30), (160, 45)]


def compare(
    snap_compare: Any,
    size: tuple[int, int],
    *,
    state: ChecklistState | None = None,
    robot: Snapshot | None = None,
    at: str = "",
    press: Sequence[str] = (),
    dialog: bool = False,
    **options: Any,
) -> bool:
    """Whether the screen with the cursor on `at` and these keys pressed is as it was kept; `dialog`: they open one."""
    session = ScriptedSession(robot or snapshot(now_ns=NOW_NS))
    campaign: Any = ShownCampaign(state or checklist())
    app = app_on(session, opener=lambda: campaign, person="ada", **options)

    async def before(pilot: Pilot[Any]) -> None:
        assert isinstance(pilot.app, FieldgateApp)
        await until(pilot, lambda: app.newest is session.first)
        await until(pilot, lambda: app.desk is not None and app.desk.screen.items.selected is not None)
        assert app.desk is not None
        if at:
            app.desk.screen.items.select(at)
        for key in press:
            await pilot.press(key)
            await pilot.pause()
        if dialog:
            await until(pilot, lambda: app.screen.is_modal)
        app.repaint()
        await settled(pilot)

    same: bool = snap_compare(app, terminal_size=size, run_before=before)
    return same


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_checklist(snap_compare: Any, size: tuple[int, int]) -> None:
    assert compare(snap_compare, size)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_checklist_in_ascii(snap_compare: Any, size: tuple[int, int]) -> None:
    assert compare(snap_compare, size, at="item:latency", ascii=True)


def test_the_checklist_without_colour(snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert compare(snap_compare, (100, 30))


def test_the_checklist_of_a_robot_out_of_reach(snap_compare: Any) -> None:
    down = link("down", now_ns=NOW_NS, reason="no route to orin", retry_at_ns=NOW_NS + 3 * S, cure="Check the cable.")
    assert compare(snap_compare, (80, 24), robot=snapshot(now_ns=NOW_NS, link_=down))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_evidence_in_full(snap_compare: Any, size: tuple[int, int]) -> None:
    assert compare(snap_compare, size, at="item:latency", press=("enter",))


def test_a_gate_in_full(snap_compare: Any) -> None:
    assert compare(snap_compare, (80, 24), at="gate:real", press=("enter",))


def test_an_unfolded_count(snap_compare: Any) -> None:
    assert compare(snap_compare, (80, 24), at="fold:simulation", press=("enter",))


@pytest.mark.parametrize(
    ("at", "key"),
    [
        ("item:stuck", "c"),
        ("item:stuck", "w"),
        ("item:trials", "v"),
        ("item:grip", "v"),
        ("item:trials", "o"),
        ("gate:real", "g"),
        ("item:fallback", "a"),
        ("item:latency", "question_mark"),
    ],
)
def test_dialogs_of_the_checklist(snap_compare: Any, at: str, key: str) -> None:
    assert compare(snap_compare, (80, 24), at=at, press=(key,), dialog=True)


def test_the_checklist_in_a_small_terminal(snap_compare: Any) -> None:
    assert compare(snap_compare, (60, 15))


def test_the_checklist_in_too_small_a_terminal(snap_compare: Any) -> None:
    assert compare(snap_compare, (50, 12))
