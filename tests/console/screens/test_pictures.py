"""Kept pictures of the screen: what a person sees must not change by accident."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from console.app import FieldgateApp
from console.link.snapshot import Snapshot
from remote.protocol import CameraHealth
from tests.console.screens.driving import NOW_NS, app_on, settled, until
from tests.console.screens.scripted import BOB, Robot, S, ScriptedSession, link, snapshot, state

SIZES = [(80, 24), (100, 30), (160, 45)]


def down() -> Snapshot:
    broken = link(
        "down",
        now_ns=NOW_NS,
        since_ns=NOW_NS - 7 * S,
        heard_ns=NOW_NS - 8 * S,
        retry_at_ns=NOW_NS + 3 * S,
        reason="no answer from 192.168.1.100",
        cure="Check cable and Wi-Fi.",
    )
    return snapshot(now_ns=NOW_NS, age_ns=8 * S, link_=broken)


def sick() -> Snapshot:
    robot = Robot()
    robot.slow_ms, robot.camera = 260.0, CameraHealth("frozen", "same picture for 4 s", 41.0, reopened=3)
    return snapshot(now_ns=NOW_NS, robot=robot, state_=state(phase="waiting_to_restart", lease=BOB))


def blind() -> Snapshot:
    first = snapshot(now_ns=NOW_NS)
    gone = ("gpu_percent", "emc_percent", "power_total_mw", "swap_percent")
    why = dict.fromkeys(gone, "the jtop service is not active")
    bodies = [
        msgspec.structs.replace(
            seen.body,
            values={name: value for name, value in seen.body.values.items() if name not in gone},
            series={"temp_c": {"CPU": 51.0}, "core_percent": {"0": 40.0}},
            text={},
            unavailable=why,
        )
        for seen in first.hosts
    ]
    hosts = tuple(msgspec.structs.replace(s, body=b) for s, b in zip(first.hosts, bodies, strict=True))
    return msgspec.structs.replace(first, hosts=hosts)


async def settle(pilot: Pilot[Any]) -> None:
    app = pilot.app
    assert isinstance(app, FieldgateApp)
    session = app.session
    assert isinstance(session, ScriptedSession)
    await until(pilot, lambda: session.first is None or app.newest is session.first)
    app.repaint()
    await pilot.pause()
    app.repaint()
    await pilot.pause()


def compare(snap_compare: Any, first: Snapshot | None, size: tuple[int, int], **options: Any) -> bool:
    mine = options.pop("mine", True)
    keys = options.pop("press", ())

    async def before(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        if keys:
            await settled(pilot)  # a dialog's second layout pass

    app = app_on(ScriptedSession(first, mine=mine), **options)
    same: bool = snap_compare(app, terminal_size=size, run_before=before)
    return same


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_healthy_robot(snap_compare: Any, size: tuple[int, int]) -> None:
    assert compare(snap_compare, snapshot(now_ns=NOW_NS), size)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_broken_link(snap_compare: Any, size: tuple[int, int]) -> None:
    assert compare(snap_compare, down(), size)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_alarms_on_a_robot_that_another_commands(snap_compare: Any, size: tuple[int, int]) -> None:
    assert compare(snap_compare, sick(), size, mine=False)


def test_stale_data_over_a_link_that_is_up(snap_compare: Any) -> None:
    assert compare(snap_compare, snapshot(now_ns=NOW_NS, age_ns=9 * S), (100, 30))


def test_what_can_not_be_read_says_why(snap_compare: Any) -> None:
    assert compare(snap_compare, blind(), (160, 45))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_ascii(snap_compare: Any, size: tuple[int, int]) -> None:
    assert compare(snap_compare, sick(), size, ascii=True)


@pytest.mark.parametrize("theme", ["light", "high-contrast"])
def test_themes(snap_compare: Any, theme: str) -> None:
    assert compare(snap_compare, sick(), (160, 45), theme_name=theme)


def test_low_bandwidth_has_no_histories(snap_compare: Any) -> None:
    assert compare(snap_compare, snapshot(now_ns=NOW_NS), (100, 30), low_bandwidth=True)


def test_before_the_first_data(snap_compare: Any) -> None:
    assert compare(snap_compare, None, (100, 30))


def test_no_colour_leaves_glyphs_words_and_attributes(snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert compare(snap_compare, sick(), (100, 30))


def test_too_small_a_terminal_says_so(snap_compare: Any) -> None:
    assert compare(snap_compare, sick(), (40, 10))


def test_the_smallest_terminal_that_is_enough(snap_compare: Any) -> None:
    assert compare(snap_compare, sick(), (60, 15))


@pytest.mark.parametrize("key", ["s", "m", "question_mark"])
def test_dialogs(snap_compare: Any, key: str) -> None:
    assert compare(snap_compare, snapshot(now_ns=NOW_NS), (100, 30), press=(key,))


def test_a_takeover_names_the_other(snap_compare: Any) -> None:
    assert compare(snap_compare, sick(), (80, 24), mine=False, press=("l",))


def test_a_failure_in_full(snap_compare: Any) -> None:
    assert compare(snap_compare, snapshot(now_ns=NOW_NS), (160, 45), press=(*["tab"] * 7, "enter"))
