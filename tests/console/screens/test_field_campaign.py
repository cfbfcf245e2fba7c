"""The field test screen on a real campaign: a key is in the record before it is echoed, and nothing counts twice."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from console.app import FieldgateApp
from console.campaigns.opening import open_campaign
from console.checking.open_sessions import has_open_session
from console.checklist.probes import Sight
from console.fieldwork.field_test import FieldTest
from console.record.entries import FrameScored
from console.screens.score_frame import ScoreScreen
from console.testing.desk import FieldDesk
from remote.protocol import Command, GetFrame, Reply
from tests.console.checklist.campaign_world import kinds, last
from tests.console.fieldwork.field_world import FieldRobot, FieldWorld
from tests.console.screens.driving import NOW_NS, Clock, running, screen_text, until
from tests.console.screens.scripted import S, ScriptedSession, link, snapshot


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FieldWorld:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))
    return FieldWorld(tmp_path)


class Driven:
    """The app on the field test screen; keys come a second after each other unless told otherwise."""

    def __init__(self, app: FieldgateApp, pilot: Pilot[int], clock: Clock) -> None:
        self.app, self.pilot, self.clock = app, pilot, clock

    @property
    def desk(self) -> FieldDesk:
        found = self.app.desks["field"]
        assert isinstance(found, FieldDesk)
        return found

    @property
    def text(self) -> str:
        return " ".join(screen_text(self.app).replace("│", " ").replace("┃", " ").split())

    async def said(self, *words: str) -> None:
        await until(self.pilot, lambda: all(word in self.text for word in words))

    async def press(self, *keys: str) -> None:
        self.clock.now_ns += S
        await self.pilot.press(*keys)

    async def button(self, name: str) -> None:
        await until(self.pilot, lambda: bool(self.app.screen.query(f"#{name}")))
        self.app.screen.query_one(f"#{name}", Button).press()
        await self.pilot.pause()

    def bells(self) -> list[int]:
        """How often the bell is rung from now on, each time."""
        rung: list[int] = []

        def ring(times: int) -> None:
            rung.append(times)

        self.desk.ring = ring  # type: ignore[method-assign]
        return rung

    async def look(self) -> None:
        """What the timer does each second, to its end."""
        await until(self.pilot, lambda: not self.desk._looking)
        self.desk.look()
        await until(self.pilot, lambda: not self.desk._looking)


@asynccontextmanager
async def on(field: FieldTest, sight: Sight | None = None, size: tuple[int, int] = (120, 36)) -> AsyncIterator[Driven]:
    """The app on the field test screen of that campaign; `sight` None: the robot is out of reach."""
    campaign, clock = field.campaign, Clock()
    shot = (
        snapshot(now_ns=NOW_NS)
        if sight
        else snapshot(now_ns=NOW_NS, link_=link("down", now_ns=NOW_NS, reason="no route"))
    )
    options: dict[str, Any] = {"sight_of": (lambda _: sight)} if sight else {}
    async with running(ScriptedSession(shot), size, clock, opener=lambda: campaign, person="anna", **options) as (
        app,
        pilot,
    ):
        await until(pilot, lambda: app.desk is not None and app.desk.newest is not None)
        await pilot.press("3")
        driven = Driven(app, pilot, clock)
        await until(pilot, lambda: app.place == "field" and "Must show" in screen_text(app))
        yield driven
        busy = ("campaign", "fold", "observe", "look", "figures", "score")
        await until(pilot, lambda: not any(one.is_running for one in app.workers if one.group in busy))
    campaign.close()


@contextmanager
def busy_disk(field: FieldTest) -> Iterator[None]:
    """Another process writes into the record meanwhile, so that an append must wait."""
    with closing(sqlite3.connect(field.campaign.record.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def test_a_key_is_in_the_record_before_it_is_echoed(world: FieldWorld) -> None:
    """An echo that comes first would tell of a trial that a crash then takes away."""
    field = world.unlinked()
    async with on(field) as driven:
        with busy_disk(field):
            await driven.press("s")
            await driven.said("writing: success")
            await driven.pilot.pause(0.1)
            assert "trial 1:" not in driven.text
        await driven.said("trial 1: success, 1 of 1", "S U C C E S S")
        assert kinds(field.campaign).count("trial") == 1
        await driven.press("f")
        await driven.said("trial 2: failure, 1 of 2")
        await driven.press("a")
        await driven.said("trial 3: aborted, 1 of 3")


async def test_the_bell_tells_success_from_failure_without_looking(world: FieldWorld) -> None:
    async with on(world.unlinked()) as driven:
        rung = driven.bells()
        await driven.press("s")
        await driven.said("trial 1: success")
        await driven.press("f")
        await driven.said("trial 2: failure")
        assert rung == [1, 2]


async def test_a_key_that_is_held_down_logs_one_trial(world: FieldWorld) -> None:
    """A sleeve on the keyboard must not add thirty successes."""
    field = world.unlinked()
    async with on(field) as driven:
        await driven.press("s")
        await driven.said("trial 1: success")
        for _ in range(4):
            driven.clock.now_ns += 300_000_000
            await driven.pilot.press("s")
        await driven.said("not logged: that key came again at once")
        assert kinds(field.campaign).count("trial") == 1
        await driven.press("s")
        await driven.said("trial 2: success, 2 of 2")


async def test_a_trial_in_which_somebody_helped_is_marked_so(world: FieldWorld) -> None:
    """A success that a hand made is none of the robot's autonomy."""
    field = world.unlinked()
    async with on(field) as driven:
        await driven.press("S")
        await driven.said("trial 1: success with help, 1 of 1")
        assert last(field.campaign, "trial").intervened
        await driven.press("F")
        await driven.said("trial 2: failure with help, 1 of 2")
        await driven.press("i")
        await driven.said("the intervention is noted", "3 interventions")


async def test_undo_is_an_entry_that_stays_in_sight(world: FieldWorld) -> None:
    field = world.unlinked()
    async with on(field) as driven:
        await driven.press("f")
        await driven.said("trial 1: failure")
        await driven.press("u")
        await driven.said("trial 1 (failure) is undone", "1 failure", "undone")
        assert kinds(field.campaign).count("trial") == 1
        assert kinds(field.campaign)[-1] == "withdrawal"
        await until(driven.pilot, lambda: field.state().trials[0].counts is False)


async def test_a_condition_that_is_left_pauses_large_and_no_trial_is_taken(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    async with on(field, robot.sight) as driven:
        rung = driven.bells()
        await driven.look()
        await driven.said("R U N N I N G", "The robot is reached: the link is up")
        robot.cut()
        await driven.look()
        world.pass_time(6)
        await driven.look()
        await driven.said("P A U S E D", "The robot is reached: the link is down", "NOT MET")
        assert 3 in rung
        await driven.press("s")
        await driven.said("NOT logged: the session is paused")
        assert "trial" not in kinds(field.campaign)
        await driven.press("p")
        await driven.said("not done: looking whether all holds again")
        robot.mend()
        await driven.press("p")
        await driven.said("goes on", "R U N N I N G")
        await driven.press("s")
        await driven.said("trial 1: success")
        assert last(field.campaign, "trial").conditions == {"light": "bright"}


async def test_a_session_is_open_again_after_the_laptop_crashed(world: FieldWorld) -> None:
    field = world.unlinked()
    async with on(field) as driven:
        await driven.press("s")
        await driven.said("trial 1: success")
    again = FieldTest(open_campaign(field.campaign.name, wall_ns=world.clock))
    async with on(again) as driven:
        await driven.said("R U N N I N G", "next: trial 2", "1 of 1 succeeded")
        await driven.press("s")
        await driven.said("trial 2: success, 2 of 2")


async def test_phase_and_session_begin_by_keys_and_end_after_asking(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.field()
    field.campaign.confirm("fence", True, "anna")
    async with on(field, robot.sight) as driven:
        await driven.said("N O T B E G U N")
        await driven.press("s")
        await driven.said("NOT logged: no session is open")
        await driven.press("g")
        await driven.said("Begin In the lab?", "met: ")
        await driven.button("yes")
        await driven.said("the phase is begun", "x begins a session")
        await driven.press("x")
        await driven.said("Light *", "one object shown")
        driven.app.screen.query_one("#field-place", Input).value = "aisle 3"
        await driven.button("set")
        await driven.said("R U N N I N G", "conditions: light bright, place aisle 3")
        await driven.press("b")
        await driven.said("A T T E M P T")
        await driven.press("s")
        await driven.said("trial 1: success after ", " s, 1 of 1")
        await driven.press("x")
        await driven.said("End the session?", "1 of 1 succeeded")
        await driven.button("yes")
        await driven.said("is over: 1 of 1", "N O S E S S I O N")
        ended = last(field.campaign, "session_ended")
        assert (ended.stop, ended.journal) == ("", "journal-1")


async def test_conditions_that_change_are_carried_into_the_next_trial(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    async with on(field, robot.sight) as driven:
        await driven.press("c")
        await driven.said("Every trial from now on")
        await driven.pilot.press("right")
        await driven.button("set")
        await driven.said("conditions: light dim")
        await driven.press("s")
        await driven.said("trial 1: success")
        assert last(field.campaign, "trial").conditions == {"light": "dim"}


async def test_a_stop_rule_ends_the_session_and_is_lifted_with_a_reason(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    async with on(field, robot.sight) as driven:
        for n in (1, 2, 3):
            await driven.press("f")
            await driven.said(f"trial {n}: failure")
        await driven.said("trial 3: failure, 0 of 3 succeeded - the session is ended by the stop rule 'row'")
        await driven.said("S T O P P E D", "REACHED: l lifts it")
        await driven.press("l")
        await driven.said("What was found")
        await driven.pilot.press(*"the belt was loose", "enter")
        await driven.said("lifted: Three failures in a row", "0 of 3")
        assert last(field.campaign, "stop_lifted").reason == "the belt was loose"


async def test_going_back_asks_for_a_reason_and_keeps_what_was_typed_where_it_is_refused(world: FieldWorld) -> None:
    field = world.unlinked()
    field.end_session("anna")
    async with on(field) as driven:
        await driven.press("g")
        await driven.said("anew", "Why?")
        await driven.pilot.press(*"no", "enter")
        await driven.said("write 10 characters or more")
        await driven.pilot.press(*" longer reason", "enter")
        await driven.said("the phase is begun")
        assert last(field.campaign, "phase_begun").reason == "no longer reason"


class BlindRobot(FieldRobot):
    """One whose camera has given no frame yet."""

    def request(self, command: Command, **more: object) -> Future[Reply]:
        if not isinstance(command, GetFrame):
            return super().request(command, **more)
        answer: Future[Reply] = Future()
        answer.set_result(Reply(id="1"))
        return answer


async def test_a_frame_is_scored_box_by_box_and_kept_with_its_picture(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    async with on(field, robot.sight) as driven:
        await driven.press("k")
        await driven.said("box 1 of 2: cup 0.90", "drawn at random within")
        await driven.pilot.press("enter")
        await driven.said("2 boxes have no word yet")
        await driven.pilot.press("r", "w", "plus", "plus", "minus")
        await driven.said("box 2 of 2: bowl 0.60", "wrong", "missed 1")
        await driven.pilot.press("enter")
        await driven.said("1 written")
        scored = last(field.campaign, "frame_scored")
        assert isinstance(scored, FrameScored)
        assert (scored.right, scored.wrong, scored.missed, scored.by) == (1, 1, 1, "person")
        assert [(box.label, box.verdict) for box in scored.boxes] == [("cup", "right"), ("bowl", "wrong")]
        assert scored.picture is not None
        assert scored.conditions == {"light": "bright"}
        await driven.pilot.press("escape")
        await driven.said("1 frame scored and written", "1 frame scored")
        await driven.press("u")
        await driven.said("the newest score or intervention is undone")


async def test_a_frame_that_does_not_come_is_said_and_drawn_again(world: FieldWorld) -> None:
    robot = BlindRobot(world)
    async with on(world.in_lab(robot), robot.sight) as driven:
        await driven.press("k")
        await driven.said("the robot gave no frame", "Enter draws again")
        assert isinstance(driven.app.screen, ScoreScreen)
        await driven.pilot.press("escape")
        await until(driven.pilot, lambda: driven.app.screen is driven.app.front)


async def test_another_person_sits_down_and_what_they_log_is_theirs(world: FieldWorld) -> None:
    field = world.unlinked()
    async with on(field) as driven:
        await driven.press("w")
        await driven.said("Who sits at the keyboard now?")
        driven.app.screen.query_one(Input).value = "bo"
        await driven.pilot.press("enter")
        await driven.said("is bo's word", "as bo")
        await driven.press("s")
        await driven.said("trial 1: success, 1 of 1")
        assert field.state().trials[0].person == "bo"


async def test_a_note_is_kept_on_the_newest_trial(world: FieldWorld) -> None:
    field = world.unlinked()
    async with on(field) as driven:
        await driven.press("f")
        await driven.said("trial 1: failure")
        await driven.press("n")
        await driven.said("Note on trial 1")
        await driven.pilot.press(*"slipped", "enter")
        await driven.said("noted on trial 1: slipped")
        assert "slipped" in last(field.campaign, "note").text


async def test_another_key_at_once_is_another_trial_and_a_held_one_rings(world: FieldWorld) -> None:
    """A correction, or a second robot's outcome, that is dropped silently makes the rates wrong."""
    field = world.unlinked()
    async with on(field) as driven:
        rung = driven.bells()
        await driven.press("s")
        driven.clock.now_ns += 300_000_000
        await driven.pilot.press("f")
        await driven.said("trial 2: failure, 1 of 2 succeeded")
        driven.clock.now_ns += 300_000_000
        await driven.pilot.press("f")
        await driven.said("not logged: that key came again at once")
        assert rung == [1, 2, 2]
        assert kinds(field.campaign).count("trial") == 2


async def test_what_is_undone_stands_large_at_once(world: FieldWorld) -> None:
    """Who presses u with the eyes on the robot must know that it was heard."""
    async with on(world.unlinked()) as driven:
        rung = driven.bells()
        await driven.press("f")
        await driven.said("F A I L U R E")
        await driven.press("u")
        await driven.said("U N D O N E", "trial 1 (failure)")
        assert rung == [2, 4]
        await driven.press("i")
        await driven.said("S T E P P E D I N")


async def test_an_attempt_shows_its_own_time(world: FieldWorld) -> None:
    async with on(world.unlinked()) as driven:
        world.pass_time(300)
        await driven.press("b")
        await driven.said("A T T E M P T 0 s trial 1: s, f or a ends it", "open 5 min")


async def test_an_open_session_is_watched_and_shown_without_its_screen(world: FieldWorld) -> None:
    """Who looks at the checklist alone must not believe that nobody tests."""
    field, clock = world.in_lab(FieldRobot(world)), Clock()
    campaign = field.campaign
    async with running(ScriptedSession(snapshot(now_ns=NOW_NS)), (120, 36), clock, opener=lambda: campaign) as (
        app,
        pilot,
    ):
        await until(pilot, lambda: "field" in app.desks)
        await until(pilot, lambda: "session: running" in screen_text(app))
        assert app.place == "checklist"
        field.pause("the fence is open", "anna")
        assert app.desk is not None
        app.desk.fold()
        await until(pilot, lambda: "PAUSED: the fence is open" in screen_text(app))
        await pilot.press("1")
        await until(pilot, lambda: app.place == "live" and "PAUSED: the fence" in screen_text(app))
        busy = ("campaign", "fold", "observe", "look", "figures")
        await until(pilot, lambda: not any(one.is_running for one in app.workers if one.group in busy))
    campaign.close()


def test_a_session_that_nobody_opened_here_is_found(world: FieldWorld, tmp_path: Path) -> None:
    field = world.in_lab(FieldRobot(world))
    robot = field.campaign.robot
    assert has_open_session(robot)
    assert not has_open_session("another")
    field.end_session("anna")
    assert not has_open_session(robot)
    torn = tmp_path / "campaigns" / "torn"
    torn.mkdir(parents=True)
    (torn / "record.db").write_bytes(b"SQLite format 3\0 torn")
    assert not has_open_session(robot, tmp_path / "campaigns")


async def test_a_dialog_that_waits_says_at_once_what_for(world: FieldWorld) -> None:
    """A dialog that seems to do nothing is confirmed twice, or left."""
    field = world.unlinked()
    field.end_session("anna")
    async with on(field) as driven:
        await driven.press("g")
        await driven.said("Why?")
        with busy_disk(field):
            await driven.pilot.press(*"a longer reason", "enter")
            await driven.said("going back...")
        await driven.said("the phase is begun")
