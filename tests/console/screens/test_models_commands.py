"""What keys of the models screen ask, of which robot, and what a person learns of a command's fate."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from console.app import FieldgateApp
from console.changing.desk import ModelsDesk
from console.link.snapshot import Seen, Snapshot
from console.screens.dialog import Dialog
from remote.errors import Trouble
from remote.model_states import ModelsState
from remote.protocol import (
    Activate,
    AgentState,
    Command,
    Event,
    GetFacts,
    GetStored,
    GoBack,
    Validate,
)
from tests.console.screens.driving import NOW_NS, Clock, screen_text, show, until
from tests.console.screens.models_samples import (
    IDLE,
    IN_PROBATION,
    INT8,
    NANO,
    WITH_AGENT,
    robot_with,
)
from tests.console.screens.scripted import ADA, BOB, DIGEST, WALL_NS, S, ScriptedSession, link
from tests.console.screens.test_models_screen import answers, data, opened, select

__all__ = ["data"]
BEFORE = msgspec.structs.replace(IDLE, previous=msgspec.structs.replace(WITH_AGENT, digest=INT8, name="tabletop-int8"))
LOST = Trouble("the lease of epoch 4 is over: nobody holds it", cure="take the lease again", code="lease_lost")


def said(app: FieldgateApp) -> str:
    """What is on the screen, with one blank wherever a line was wrapped or drawn."""
    drawn = str.maketrans(dict.fromkeys("│╭╮╰╯─▊▎▔▁", " "))
    return " ".join(screen_text(app).translate(drawn).split())


def asked(session: ScriptedSession) -> list[Command]:
    """What was asked of the robot that is no mere look."""
    return [command for command in session.asked if not isinstance(command, (GetStored, GetFacts))]


def holding(models: ModelsState, session: ScriptedSession) -> ScriptedSession:
    """A session whose next commands stay without an answer."""
    session.push(robot_with(models))
    session.answer_with = lambda command: answers(command) if isinstance(command, (GetStored, GetFacts)) else None
    return session


def without_lease(models: ModelsState, *events: Event) -> Snapshot:
    shot = robot_with(models)
    assert shot.state is not None
    told = msgspec.structs.replace(shot.state, lease=None)
    seen = tuple(Seen(900 + n, NOW_NS, WALL_NS, event) for n, event in enumerate(events))
    return msgspec.structs.replace(shot, state=told, events=(*shot.events, *seen))


async def other_robot(pilot: Pilot[int], desk: ModelsDesk) -> None:
    """Put the cursor on the robot that is not attached."""
    await until(pilot, lambda: len(desk.view().rows) > 4)
    at = [row.key for row in desk.view().rows].index("robot:arm-2")
    await pilot.press("home", *["down"] * at)
    await until(pilot, lambda: desk.other_robot == "arm-2")


# ------------------------------------------------------------ which robot


@pytest.mark.parametrize("page", [False, True], ids=["row", "page"])
@pytest.mark.parametrize("key", ["p", "a", "b", "c", "v", "w", "D", "u", "l"])
async def test_a_key_changes_no_robot_that_is_not_the_one_in_sight(data: Path, key: str, page: bool) -> None:
    """Otherwise who reads another robot's page switches the model of the one that is attached."""
    session = ScriptedSession(robot_with(BEFORE))
    async with opened(session, (80, 24)) as (app, pilot, desk):
        await other_robot(pilot, desk)
        if page:
            await pilot.press("enter")
        await pilot.press(key)
        await until(pilot, lambda: "arm-2 is not attached" in said(app))
        assert "`fieldgate arm-2 --screen models`" in said(app)
        assert app.screen is desk.screen
        assert not asked(session)
        assert session.released == 0
        assert desk.offered() == ()


@pytest.mark.parametrize(
    ("key", "models", "names"),
    [
        ("p", BEFORE, ("Push a bundle to orin",)),
        ("a", BEFORE, ("Bring yolox-nano 88aa11bb", "orin verifies")),
        ("b", BEFORE, ("on orin", "tabletop-int8 3f2a1b9c comes back on orin")),
        ("c", IN_PROBATION, ("the change to tabletop-int8 3f2a1b9c", "orin: probation")),
        ("w", BEFORE, ("yolox-nano 88aa11bb looks at orin's frames",)),
        ("D", BEFORE, ("yolox-nano 88aa11bb is removed from orin",)),
    ],
)
async def test_every_dialog_names_robot_and_bundle(
    data: Path, key: str, models: ModelsState, names: tuple[str, ...]
) -> None:
    async with opened(ScriptedSession(robot_with(models)), (80, 24)) as (app, pilot, desk):
        await select(pilot, desk, NANO)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, Dialog))
        await until(pilot, lambda: all(name in said(app) for name in names))


# ------------------------------------------------------------ a command's fate


@pytest.mark.parametrize("lease_first", [False, True], ids=["answer first", "lease first"])
@pytest.mark.parametrize(
    ("trouble", "fate"),
    [(LOST, "not done"), (Trouble("no answer came within 60 s", code="unconfirmed"), "not confirmed")],
    ids=["lost", "unconfirmed"],
)
async def test_what_became_of_a_command_stands_beside_a_lease_that_was_lost(
    data: Path, trouble: Trouble, fate: str, lease_first: bool
) -> None:
    """The robot froze while it was asked: all that was said then was that the lease is lost."""
    session = holding(BEFORE, ScriptedSession())
    async with opened_waiting(session) as (app, pilot, desk):
        await bring_into_use(app, pilot, desk, session)

        async def lease() -> None:
            session.mine = False
            await show(app, pilot, session, without_lease(BEFORE))

        await (lease() if lease_first else pilot.pause())
        assert "asked: bring yolox-nano 88aa11bb into use on orin" in said(app)
        session.answers[-1].set_exception(trouble)
        await until(pilot, lambda: f"{fate}: bring yolox-nano 88aa11bb into use on orin: {trouble.what}" in said(app))
        await (pilot.pause() if lease_first else lease())
        await until(pilot, lambda: "the lease is lost" in said(app))
        assert f"{fate}: bring yolox-nano 88aa11bb into use on orin: {trouble.what}" in said(app)
        assert "asked: bring" not in said(app)


async def test_what_became_of_a_command_is_said_where_it_was_asked_and_where_the_person_went(data: Path) -> None:
    session = holding(BEFORE, ScriptedSession())
    async with opened_waiting(session) as (app, pilot, desk):
        await bring_into_use(app, pilot, desk, session)
        await pilot.press("1")
        await until(pilot, lambda: app.place == "live")
        session.answers[-1].set_exception(LOST)
        await until(pilot, lambda: "not done: bring yolox-nano" in said(app))
        await pilot.press("5")
        await until(pilot, lambda: app.place == "models")
        await until(pilot, lambda: "not done: bring yolox-nano" in said(app))


async def test_an_unconfirmed_removal_is_not_said_to_be_not_done(data: Path) -> None:
    session = ScriptedSession(robot_with(BEFORE))
    async with opened(session, (80, 24)) as (app, pilot, desk):
        await select(pilot, desk, NANO)
        session.answer_with = lambda command: Trouble("no answer came within 60 s", code="unconfirmed")
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, Dialog))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: "not confirmed: remove yolox-nano 88aa11bb from orin" in said(app))


@pytest.mark.parametrize(
    ("state", "events", "says"),
    [
        ({"lease": BOB}, (), "bob@bench commands the robot now"),
        ({"lease": msgspec.structs.replace(BOB, holder=ADA.holder)}, (), "another console of ada@laptop commands"),
        (
            {"lease": None},
            (Event(name="lease_taken", severity="info", text="", data={"holder": "bob@bench", "epoch": 5}),),
            "bob@bench took it and has given it back",
        ),
        (
            {"lease": None},
            (Event(name="lease_expired", severity="info", text="", data={"epoch": ADA.epoch}),),
            "it ran out unrenewed",
        ),
        ({"lease": None}, (), "nobody commands the robot now"),
    ],
    ids=["taken", "same name", "given back", "ran out", "unknown"],
)
async def test_who_took_the_lease_is_said(data: Path, state: object, events: tuple[Event, ...], says: str) -> None:
    session = ScriptedSession(robot_with(BEFORE))
    async with opened(session, (80, 24)) as (app, pilot, _):
        await show(app, pilot, session, robot_with(BEFORE))
        session.mine = False
        shot = without_lease(BEFORE, *events)
        assert isinstance(state, dict)
        assert shot.state is not None
        told: AgentState = msgspec.structs.replace(shot.state, **state)
        await show(app, pilot, session, msgspec.structs.replace(shot, state=told))
        await until(pilot, lambda: f"the lease is lost: {says}" in said(app))


# ------------------------------------------------------------ dialogs


@pytest.mark.parametrize(
    ("key", "models", "says"),
    [
        ("b", BEFORE, "a reason is needed"),
        ("c", IN_PROBATION, "a reason is needed"),
        ("p", BEFORE, "a folder is needed"),
    ],
)
async def test_an_empty_answer_is_refused_in_the_dialog(data: Path, key: str, models: ModelsState, says: str) -> None:
    """The dialog went without a word, and what was typed next were commands."""
    session = ScriptedSession(robot_with(models))
    async with opened(session, (80, 24)) as (app, pilot, _):
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, Dialog))
        await pilot.press("space", "enter")
        await until(pilot, lambda: says in said(app))
        assert isinstance(app.screen, Dialog)
        assert not asked(session)


async def test_what_the_robot_refuses_stands_in_the_dialog_which_keeps_the_reason(data: Path) -> None:
    session = ScriptedSession(robot_with(BEFORE))
    async with opened(session, (80, 24)) as (app, pilot, desk):
        session.answer_with = lambda command: Trouble("another change is under way", code="update_underway")
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, Dialog))
        await pilot.press(*"slow", "enter")
        await until(pilot, lambda: "another change is under way" in said(app))
        assert isinstance(app.screen, Dialog)
        assert "slow" in said(app)
        session.answer_with = answers
        await pilot.press(*"er", "enter")
        await until(pilot, lambda: app.screen is desk.screen)
        await until(pilot, lambda: "confirmed: the change back to tabletop-int8 3f2a1b9c has begun" in said(app))
        assert asked(session) == [GoBack("slow"), GoBack("slower")]


async def test_a_refusal_after_the_person_left_the_dialog_is_said_below(data: Path) -> None:
    session = holding(BEFORE, ScriptedSession())
    async with opened_waiting(session) as (app, pilot, desk):
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, Dialog))
        await pilot.press(*"slow", "enter")
        await until(pilot, lambda: asked(session) == [GoBack("slow")])
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is desk.screen)
        session.answers[-1].set_exception(LOST)
        await until(pilot, lambda: "not done: bring back tabletop-int8 3f2a1b9c on orin" in said(app))


@pytest.mark.parametrize("key", ["p", "b", "a", "v", "w", "D"])
async def test_nothing_is_typed_for_a_robot_that_is_not_there(data: Path, key: str) -> None:
    session = ScriptedSession(robot_with(BEFORE))
    async with opened(session, (80, 24)) as (app, pilot, desk):
        await select(pilot, desk, NANO)
        down = link("down", now_ns=NOW_NS, reason="the link is dead", cure="mend the cable")
        await show(app, pilot, session, robot_with(BEFORE, link_=down))
        assert desk.offered() == ()
        await pilot.press(key)
        await until(pilot, lambda: "orin can't be reached now: the link is dead - mend the cable" in said(app))
        assert app.screen is desk.screen


async def test_what_is_not_known_is_not_guessed(data: Path) -> None:
    """A robot that was never reached was said to be commanded by nobody."""
    session = ScriptedSession(robot_with(BEFORE), mine=False)
    async with opened(session, (80, 24)) as (app, pilot, _):
        never = msgspec.structs.replace(robot_with(None), state=None)
        refused = link("refused", now_ns=NOW_NS, reason="port 22 is closed", cure="start the SSH service")
        await show(app, pilot, session, msgspec.structs.replace(never, link=refused))
        for key in ("p", "b", "l"):
            await pilot.press(key)
            await until(pilot, lambda: "port 22 is closed - start the SSH service" in said(app).split("not asked")[-1])
            assert "nobody commands" not in said(app)
            assert "no model ran" not in said(app)


# ------------------------------------------------------------ cursor, key line, age


async def test_the_cursor_stays_on_its_bundle(data: Path) -> None:
    session = ScriptedSession(robot_with(BEFORE))
    async with opened(session, (80, 24)) as (app, pilot, desk):
        await select(pilot, desk, NANO)
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, Dialog))
        await pilot.press(*"slow", "enter")
        await until(pilot, lambda: app.screen is desk.screen)
        assert desk.bundle is not None
        assert desk.bundle.digest == NANO
        other = [row.key for row in desk.view().rows].index("robot:arm-2")
        assert desk.screen.items.at == other - 1, "nano is the last bundle before the next robot"
        desk._stored = tuple(one for one in desk._stored if one.digest != NANO)
        desk.show()
        selected = desk.screen.items.selected
        assert selected is not None
        assert selected.robot == "orin", "what is left of it stands above, never on another robot"


@pytest.mark.parametrize(
    ("digest", "models", "offered"),
    [
        ("", BEFORE, ("model_push", "model_back", "model_lease")),
        (DIGEST, BEFORE, ("model_push", "model_validate", "model_back", "model_lease")),
        (
            NANO,
            IDLE,
            ("model_push", "model_activate", "model_validate", "model_shadow", "model_remove", "model_lease"),
        ),
        (NANO, IN_PROBATION, ("model_cancel", "model_validate", "model_remove", "model_lease")),
        ("", msgspec.structs.replace(IN_PROBATION, step="rolling_back", shadow=None), ("model_lease",)),
    ],
    ids=["robot", "runs", "stored", "probation", "going back"],
)
async def test_the_key_line_offers_what_can_be_done(
    data: Path, digest: str, models: ModelsState, offered: tuple[str, ...]
) -> None:
    async with opened(ScriptedSession(robot_with(models)), (80, 24)) as (_, pilot, desk):
        if digest:
            await select(pilot, desk, digest)
        assert desk.offered() == offered


async def test_the_key_line_says_whose_the_lease_is(data: Path) -> None:
    session = ScriptedSession(robot_with(BEFORE))
    async with opened(session, (80, 24)) as (app, pilot, desk):
        assert "l give lease back" in said(app)
        session.mine = False
        await show(app, pilot, session, robot_with(BEFORE))
        await until(pilot, lambda: "l take lease from ada@laptop" in said(app))
        assert desk.offered() == ("model_lease",)
        await show(app, pilot, session, without_lease(BEFORE))
        await until(pilot, lambda: "l take lease " in said(app) and "ada@laptop 1" not in said(app))
        assert "from ada@laptop" not in screen_text(app).splitlines()[-1]


async def test_what_was_said_long_ago_says_so(data: Path) -> None:
    clock, session = Clock(), ScriptedSession(robot_with(BEFORE))
    async with opened(session, (80, 24), clock) as (app, pilot, _):
        await pilot.press("l")
        await until(pilot, lambda: "confirmed: the lease is free" in said(app))
        clock.now_ns += 30 * S
        await show(app, pilot, session, robot_with(BEFORE))
        assert "30 s ago: ● confirmed: the lease is free" in said(app)


# ------------------------------------------------------------ validation


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_a_validation_that_goes_on_is_in_sight_with_its_time(data: Path, size: tuple[int, int]) -> None:
    clock, session = Clock(), holding(BEFORE, ScriptedSession())
    async with opened_waiting(session, size, clock) as (app, pilot, desk):
        await select(pilot, desk, NANO)
        await pilot.press("v")
        await until(pilot, lambda: any(isinstance(one, Validate) for one in session.asked))
        clock.now_ns += 35 * S
        heard = link(now_ns=clock.now_ns)
        await show(app, pilot, session, robot_with(BEFORE, link_=heard))
        assert "validating yolox-nano 88aa11bb on orin for 35 s, of a minute or more" in said(app)
        assert "validating 35 s" in said(app)
        assert "model_validate" not in desk.offered()
        await pilot.press("v")
        await until(pilot, lambda: said(app).count("validating yolox-nano 88aa11bb on orin for 35 s") == 2)
        assert sum(isinstance(one, Validate) for one in session.asked) == 1
        await show(app, pilot, session, robot_with(IN_PROBATION, link_=heard))
        assert "validating 35 s" in said(app), "a change that begins takes it not out of sight"
        await pilot.press("enter")
        await until(pilot, lambda: "validating for 35 s" in said(app))
        assert "not validated" not in said(app)
        reply = answers(next(one for one in session.asked if isinstance(one, Validate)))
        next(one for one in reversed(session.answers) if not one.done()).set_result(reply)
        await until(pilot, lambda: "validated yolox-nano 88aa11bb: fail" in said(app))


# ------------------------------------------------------------ what they share


@asynccontextmanager
async def opened_waiting(
    session: ScriptedSession, size: tuple[int, int] = (80, 24), clock: Clock | None = None
) -> AsyncIterator[tuple[FieldgateApp, Pilot[int], ModelsDesk]]:
    """As `opened`, and commands stay without an answer."""
    answer = session.answer_with
    async with opened(session, size, clock) as found:
        session.answer_with = answer
        yield found


async def bring_into_use(app: FieldgateApp, pilot: Pilot[int], desk: ModelsDesk, session: ScriptedSession) -> None:
    await show(app, pilot, session, robot_with(BEFORE))
    await select(pilot, desk, NANO)
    await pilot.press("a")
    await until(pilot, lambda: isinstance(app.screen, Dialog))
    await pilot.press("tab", "enter")
    await until(pilot, lambda: asked(session) == [Activate(NANO)])
    await until(pilot, lambda: app.screen is desk.screen)
