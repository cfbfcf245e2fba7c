"""Kept pictures of the field test: what a person tests by must not change by accident."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from textual.pilot import Pilot

from console.app import FieldgateApp
from console.link.snapshot import Snapshot
from console.phases.states import FieldState
from console.record.entries import ConditionSeen
from console.testing.desk import FieldDesk
from console.testing.view import Echo, Held
from tests.console.screens.checklist_samples import ShownCampaign
from tests.console.screens.driving import NOW_NS, app_on, settled, until
from tests.console.screens.field_samples import field, paused, stopped, with_field
from tests.console.screens.scripted import S, ScriptedSession, link, snapshot

SIZES = [(80, 24), (100, 30), (160, 45)]
WELL = (
    ConditionSeen(id="link", met=True, words="the link is up, last heard 0.2 s ago"),
    ConditionSeen(id="worker", met=True, words="the worker is running"),
)
CUT = (
    ConditionSeen(id="link", met=False, words="the link is down, last heard 8.2 s ago: no route to orin"),
    ConditionSeen(id="worker", met=None, words="not known: the link is down"),
)


def compare(
    snap_compare: Any,
    size: tuple[int, int],
    state: FieldState,
    *,
    seen: tuple[ConditionSeen, ...] = WELL,
    echo: Echo | None = None,
    robot: Snapshot | None = None,
    press: Sequence[str] = (),
    **options: Any,
) -> bool:
    """Whether the screen, looked at as `seen` and with these keys pressed, is as it was kept."""
    session = ScriptedSession(robot or snapshot(now_ns=NOW_NS))
    campaign: Any = ShownCampaign(with_field(state))
    app = app_on(session, opener=lambda: campaign, person="ada", **options)

    async def before(pilot: Pilot[Any]) -> None:
        assert isinstance(pilot.app, FieldgateApp)
        await until(pilot, lambda: app.newest is session.first)
        await until(pilot, lambda: app.desk is not None and app.desk.newest is not None)
        await pilot.press("3")
        await until(pilot, lambda: app.place == "field")
        desk = app.desks["field"]
        assert isinstance(desk, FieldDesk)
        await until(pilot, lambda: not desk._looking and desk._held is not None and desk._figures.key is not None)
        desk._looking = True  # what was looked at stays as it is here
        desk._held, desk._echo = Held("office", seen, NOW_NS), echo
        desk.show()
        for key in press:
            await pilot.press(key)
            await pilot.pause()
        app.repaint()
        await settled(pilot)

    same: bool = snap_compare(app, terminal_size=size, run_before=before)
    return same


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_running_session(snap_compare: Any, size: tuple[int, int]) -> None:
    assert compare(snap_compare, size, field())


def test_a_running_session_in_ascii(snap_compare: Any) -> None:
    assert compare(snap_compare, (160, 45), field(), ascii=True)


def test_a_running_session_without_colour(snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert compare(snap_compare, (100, 30), field())


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_paused_session_of_a_robot_out_of_reach(snap_compare: Any, size: tuple[int, int]) -> None:
    down = link("down", now_ns=NOW_NS, reason="no route to orin", retry_at_ns=NOW_NS + 3 * S, cure="Check the cable.")
    assert compare(snap_compare, size, paused(), seen=CUT, robot=snapshot(now_ns=NOW_NS, link_=down))


def test_a_fresh_entry(snap_compare: Any) -> None:
    echo = Echo("success", "trial 13: success, 9 of 12", True, NOW_NS - S)
    assert compare(snap_compare, (80, 24), field(), echo=echo)


def test_a_stop_rule_that_was_reached(snap_compare: Any) -> None:
    assert compare(snap_compare, (80, 24), stopped())


def test_a_locked_phase(snap_compare: Any) -> None:
    assert compare(snap_compare, (80, 24), field(session=None), press=("right",))


def test_the_conditions_of_a_session(snap_compare: Any) -> None:
    assert compare(snap_compare, (80, 24), field(), press=("c",))


def test_beginning_a_session(snap_compare: Any) -> None:
    assert compare(snap_compare, (80, 24), field(session=None), press=("x",))


def test_the_field_test_in_a_small_terminal(snap_compare: Any) -> None:
    assert compare(snap_compare, (60, 15), field())
