"""The models screen: what runs where, a change step by step, and that nothing is asked without the lease."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from console.app import FieldgateApp
from console.changing.desk import ModelsDesk
from console.robots import Robot, Robots
from console.store.known_models import FOLDER, KnownModels
from remote.errors import Trouble
from remote.model_states import Slot
from remote.protocol import (
    Activate,
    CancelChange,
    Command,
    Facts,
    GetFacts,
    GetStored,
    GoBack,
    RemoveBundle,
    Reply,
    Shadow,
    Validate,
)
from remote.verdicts import ValidationReport
from tests.console.screens.driving import NOW_NS, Clock, running, screen_text, show, until
from tests.console.screens.models_samples import (
    CHECKS,
    IDLE,
    IN_PROBATION,
    INT8,
    NANO,
    STORED,
    WAITING,
    WALL_NOW_NS,
    robot_with,
)
from tests.console.screens.scripted import DIGEST, S, ScriptedSession, link


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A laptop that knows two robots, one of which told of its models three hours ago."""
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path))
    robots = Robots()
    for name in ("orin", "arm-2"):
        robots.add(Robot(name=name, address=f"{name}.local"))
    folder = tmp_path / "data" / FOLDER
    folder.mkdir(parents=True)
    known = KnownModels(folder, "arm-2", wall_ns=lambda: WALL_NOW_NS - 3 * 3600 * S)
    told = robot_with(IDLE).state
    assert told is not None
    known.note(told)
    return tmp_path


def answers(command: Command) -> Reply:
    if isinstance(command, GetStored):
        return Reply(id="1", stored=STORED)
    if isinstance(command, GetFacts):
        facts = Facts(serial="1", serial_source="machine-id", words={}, mono_ns=0, wall_ns=0)
        return Reply(id="1", facts=facts)
    if isinstance(command, Validate):
        report = ValidationReport(
            profile=command.profile, digest=command.digest, name="yolox-nano", engine="ONNX Runtime", verdict="fail",
            checks=CHECKS,
        )  # fmt: skip
        return Reply(id="1", validation=report)
    return Reply(id="1")


@asynccontextmanager
async def opened(
    session: ScriptedSession, size: tuple[int, int] = (100, 30), clock: Clock | None = None
) -> AsyncIterator[tuple[FieldgateApp, Pilot[int], ModelsDesk]]:
    session.answer_with = answers
    async with running(session, size, clock) as (app, pilot):
        await pilot.press("5")
        await until(pilot, lambda: app.place == "models")
        desk = app.desks["models"]
        assert isinstance(desk, ModelsDesk)
        desk.wall_ns = lambda: WALL_NOW_NS
        await until(pilot, lambda: "arm-2" in screen_text(app))
        desk.show()
        await pilot.pause()
        yield app, pilot, desk


async def select(pilot: Pilot[int], desk: ModelsDesk, digest: str) -> None:
    await until(pilot, lambda: len(desk.view().rows) > 3)
    at = [row.key for row in desk.view().rows].index(f"bundle:{digest}")
    await pilot.press("home", *["down"] * at)


async def test_each_robot_is_listed_and_what_is_old_is_said_to_be(data: Path) -> None:
    async with opened(ScriptedSession(robot_with(IDLE))) as (app, pilot, _):
        await until(pilot, lambda: "yolox-nano" in screen_text(app))
        text = screen_text(app)
        assert "orin runs tabletop 4f1d2c3b, came with the agent" in text
        line = next(row for row in text.splitlines() if "arm-2" in row)
        assert "STALE 3 h" in line
        await pilot.press("end", "enter")
        await until(pilot, lambda: "nothing is known of its models yet" in screen_text(app))


async def test_a_change_is_shown_step_by_step_with_what_it_waits_for(data: Path) -> None:
    async with opened(ScriptedSession(robot_with(IN_PROBATION)), (160, 45)) as (app, pilot, desk):
        text = screen_text(app)
        assert "probation of tabletop-int8 3f2a1b9c, 120 of 300 frames, start 2 of it" in text
        assert "75 s in it" in text
        assert "✔ self-test" in text
        assert "RETURNED" in text
        assert "(it is at most 39.8 ms), n 300" in " ".join(text.replace("│", " ").split())
        assert "yolox-nano 88aa11bb beside" in text
        await show(app, pilot, desk.app.session, robot_with(WAITING))  # type: ignore[arg-type]
        assert "waits: the robot says: arm moves" in screen_text(app)


async def test_what_was_heard_long_ago_is_never_shown_as_current(data: Path) -> None:
    clock, session = Clock(), ScriptedSession(robot_with(IN_PROBATION))
    async with opened(session, (160, 45), clock) as (app, pilot, _):
        clock.now_ns += 60 * S
        lost = link("down", now_ns=NOW_NS, heard_ns=NOW_NS, reason="the link broke")
        await show(app, pilot, session, robot_with(IN_PROBATION, link_=lost))
        text = screen_text(app)
        assert "◌ STALE 60 s ago: orin runs" in text
        assert "◌ as it was: probation of" in text
        assert "orin  ◌ STALE 60 s: as it was then" in text
        assert "◌ runs          tabletop-int8  3f2a1b9c     0.5 MB  as it was" in text
        assert "75 s in it" not in text
        assert "● runs" not in text
        assert "◑" not in text


async def test_an_agent_that_is_too_old_says_nothing_of_its_models(data: Path) -> None:
    async with opened(ScriptedSession(robot_with(None))) as (app, _, desk):
        assert "the agent tells nothing of its models" in screen_text(app)
        assert desk.offered() == ()


@pytest.mark.parametrize(
    ("key", "button", "command"),
    [
        ("a", "tab", Activate(NANO)),
        ("D", "tab", RemoveBundle(NANO)),
        ("w", "tab", Shadow(NANO, 60.0)),
        ("v", "", Validate(NANO, "x86")),
    ],
)
async def test_a_key_asks_the_robot_for_what_is_selected(data: Path, key: str, button: str, command: Command) -> None:
    session = ScriptedSession(robot_with(IDLE))
    async with opened(session) as (app, pilot, desk):
        await select(pilot, desk, NANO)
        await pilot.press(key)
        if button:
            await until(pilot, lambda: "88aa11bb" in screen_text(app) and app.screen is not desk.screen)
            await pilot.press(button, "enter")
        await until(pilot, lambda: command in session.asked)


@pytest.mark.parametrize(
    ("key", "models", "command"),
    [("c", IN_PROBATION, CancelChange("too slow")), ("b", None, GoBack("too slow"))],
    ids=["call-off", "back"],
)
async def test_a_reason_is_asked_for_before_a_change_is_undone(
    data: Path, key: str, models: object, command: Command
) -> None:
    import msgspec

    known = IN_PROBATION if models is not None else msgspec.structs.replace(IN_PROBATION, step="idle", candidate=None)
    session = ScriptedSession(robot_with(known))
    async with opened(session) as (app, pilot, desk):
        await pilot.press(key)
        await until(pilot, lambda: app.screen is not desk.screen)
        await pilot.press(*"too slow", "enter")
        await until(pilot, lambda: command in session.asked)


@pytest.mark.parametrize("key", ["p", "c", "b", "u"])
async def test_nothing_is_asked_without_the_lease(data: Path, key: str) -> None:
    session = ScriptedSession(robot_with(IN_PROBATION), mine=False)
    async with opened(session) as (app, pilot, _):
        await pilot.press(key)
        await until(
            pilot, lambda: "needs the lease; ada@laptop commands this robot" in " ".join(screen_text(app).split())
        )
        assert all(isinstance(command, GetStored) for command in session.asked)


async def test_what_is_in_use_is_not_removed_and_not_brought_into_use_again(data: Path) -> None:
    session = ScriptedSession(robot_with(IDLE))
    async with opened(session) as (app, pilot, desk):
        await select(pilot, desk, DIGEST)
        await pilot.press("D")
        await until(pilot, lambda: "it stays" in screen_text(app))
        await pilot.press("a")
        await until(pilot, lambda: "already: nothing was asked" in screen_text(app))
        assert not any(isinstance(command, (Activate, RemoveBundle)) for command in session.asked)


async def test_a_wrong_path_is_said_in_the_dialog_which_keeps_it(data: Path, tmp_path: Path) -> None:
    session = ScriptedSession(robot_with(IDLE))
    async with opened(session) as (app, pilot, desk):
        await pilot.press("p")
        await until(pilot, lambda: "Push a bundle" in screen_text(app))
        await pilot.press(*str(tmp_path / "nope"), "enter")
        await until(pilot, lambda: "there is no folder" in screen_text(app))
        await pilot.press(*["backspace"] * 5, "enter")
        await until(pilot, lambda: "is no bundle" in screen_text(app))
        assert "Errno" not in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is desk.screen)
        assert desk.busy == ""


async def test_a_refusal_of_the_robot_is_said(data: Path) -> None:
    session = ScriptedSession(robot_with(IDLE))
    async with opened(session) as (app, pilot, desk):
        session.answer_with = lambda command: Trouble("another change is under way", code="update_underway")
        await select(pilot, desk, INT8)
        await pilot.press("a")
        await until(pilot, lambda: app.screen is not desk.screen)
        await pilot.press("tab", "enter")
        await until(pilot, lambda: "refused: bring tabletop-int8" in " ".join(screen_text(app).split()))


async def test_the_validation_of_a_bundle_is_shown_with_its_numbers(data: Path) -> None:
    async with opened(ScriptedSession(robot_with(IDLE)), (160, 45)) as (app, pilot, desk):
        await select(pilot, desk, NANO)
        await pilot.press("v")
        await until(pilot, lambda: "validated: fail" in screen_text(app))
        assert "profile x86" in screen_text(app)


async def test_how_a_change_ended_is_said_without_being_looked_for(data: Path) -> None:
    """Whoever looked on while it was on probation must not read on that it goes on, nor only that all is idle."""
    import msgspec

    session = ScriptedSession(robot_with(IN_PROBATION))
    async with opened(session, (80, 24)) as (app, pilot, _):
        over = msgspec.structs.replace(IN_PROBATION, step="idle", candidate=None, progress=None)
        await show(app, pilot, session, robot_with(over))
        text = " ".join(screen_text(app).split())
        assert "● no change; last change ✖ RETURNED 75 s ago: tabletop-int8 3f2a1b9c" in text
        assert "✖ tabletop-int8 3f2a1b9c was taken back in probation: 99 % of frames take up to 39.8 ms" in text


async def test_the_steps_of_a_change_come_into_sight_when_it_is_asked_for(data: Path) -> None:
    """Whoever brought a bundle into use would go on looking at its digest while the robot takes it back."""
    import msgspec

    session = ScriptedSession(robot_with(IDLE))
    async with opened(session, (160, 45)) as (app, pilot, desk):
        await select(pilot, desk, NANO)
        await pilot.press("a")
        await until(pilot, lambda: app.screen is not desk.screen)
        await pilot.press("tab", "enter")
        await until(pilot, lambda: Activate(NANO) in session.asked)
        new = Slot(digest=NANO, name="yolox-nano", origin="push")
        await show(app, pilot, session, robot_with(msgspec.structs.replace(IN_PROBATION, candidate=new, current=new)))
        assert "✔ self-test" in screen_text(app)
        assert desk.screen.items.selected is not None
        assert desk.screen.items.selected.key == f"bundle:{NANO}", "the cursor never moves by itself"


async def test_what_a_change_waits_for_is_not_cut_off_on_a_small_screen(data: Path) -> None:
    async with opened(ScriptedSession(robot_with(WAITING)), (80, 24)) as (app, _, _desk):
        assert "waiting for safe: the robot says: arm moves" in screen_text(app)


async def test_a_long_reason_to_wait_gets_a_second_line_on_a_small_screen(data: Path) -> None:
    import msgspec

    long = "the file /home/robot/cells/left/arm/robot-is-idle is not there, which would say that the robot is idle"
    session = ScriptedSession(robot_with(msgspec.structs.replace(WAITING, waits_for=long)))
    async with opened(session, (80, 24)) as (app, pilot, _):
        await until(pilot, lambda: f"waiting for safe: {long}, 75 s in it" in " ".join(screen_text(app).split()))


@pytest.mark.parametrize("keys", [("enter",), ()], ids=["detail", "list"])
async def test_the_keys_work_again_after_a_terminal_that_was_too_small(data: Path, keys: tuple[str, ...]) -> None:
    async with opened(ScriptedSession(robot_with(IDLE)), (80, 24)) as (_, pilot, desk):
        await select(pilot, desk, NANO)
        await pilot.press(*keys)
        for size in ((50, 18), (48, 12), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause(0.05)
        await until(pilot, lambda: desk.screen.focused is (desk.screen.detail if keys else desk.screen.items))
        await pilot.press("escape" if keys else "enter")
        await until(pilot, lambda: desk.screen.focused is (desk.screen.items if keys else desk.screen.detail))


async def test_what_runs_beside_or_is_on_its_way_is_shown_on_its_own_page(data: Path) -> None:
    async with opened(ScriptedSession(robot_with(IN_PROBATION)), (160, 45)) as (app, pilot, desk):
        await select(pilot, desk, NANO)
        await until(pilot, lambda: "yolox-nano 88aa11bb beside" in screen_text(app))
        await select(pilot, desk, INT8)
        await until(pilot, lambda: "✔ self-test" in screen_text(app))


async def test_nothing_is_said_to_run_while_the_worker_is_stopped(data: Path) -> None:
    session = ScriptedSession(robot_with(IDLE, phase="stopped"))
    async with opened(session) as (app, pilot, _):
        await until(pilot, lambda: "○ would run     tabletop" in screen_text(app))
        assert "orin is stopped, would run tabletop 4f1d2c3b" in screen_text(app)


async def test_a_lease_that_was_lost_is_said(data: Path) -> None:
    """After the agent was killed the keys would do nothing, and nobody knew why."""
    session = ScriptedSession(robot_with(IDLE))
    async with opened(session) as (app, pilot, _):
        await show(app, pilot, session, robot_with(IDLE))
        session.mine = False
        await show(app, pilot, session, robot_with(IDLE))
        await until(pilot, lambda: "the lease is lost" in screen_text(app))
        session.mine = True
        await show(app, pilot, session, robot_with(IDLE))
        await pilot.press("l")
        session.mine = False
        await show(app, pilot, session, robot_with(IDLE))
        assert "the lease is lost" not in screen_text(app)
