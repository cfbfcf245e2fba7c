"""Keys act on the robot only after asking, and say truthfully how it ended."""

from __future__ import annotations

import asyncio
import time

import pytest
from PIL import Image
from textual.widgets import Button, Input, OptionList, Static

from console.actions import ACTIONS, Place, on_screen
from console.app import FieldgateApp
from console.checking import item_acts, stage_acts
from console.link.snapshot import LinkPhase
from console.screens.confirm import ConfirmScreen
from console.testing import field_acts
from console.testing.applicable import TRIALS
from console.widgets.list_panel import ListPanel
from console.widgets.panel import Panel
from remote.errors import Trouble
from remote.protocol import (
    Choice,
    Command,
    Detection,
    ErrorInfo,
    Expected,
    GetChoices,
    GetFrame,
    GetPicture,
    Mark,
    Picture,
    Reply,
    SetBundle,
    SetSource,
    Start,
    Stop,
    WorkerPhase,
)
from tests.console.screens.driving import NOW_NS, Clock, running, screen_text, show, until
from tests.console.screens.scripted import ADA, BOB, DIGEST, Robot, S, ScriptedSession, link, snapshot, state


def normal(**options: object) -> ScriptedSession:
    return ScriptedSession(snapshot(now_ns=NOW_NS, **options))  # type: ignore[arg-type]


def jpeg(width: int = 64, height: int = 48) -> bytes:
    import io

    file = io.BytesIO()
    Image.new("RGB", (width, height), "#808080").save(file, "JPEG")
    return file.getvalue()


def picture() -> Picture:
    boxes = (Detection(0, 0.91, 10, 8, 40, 30),)
    return Picture(jpeg=jpeg(), digest="d", width=64, height=48, frame=77, detections=boxes)


async def test_stopping_asks_first_and_the_safe_button_has_the_focus() -> None:
    session = normal()
    async with running(session) as (app, pilot):
        await pilot.press("s")
        await pilot.pause()
        assert "Stop the worker on orin?" in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert session.asked == []


async def test_a_stop_is_shown_as_asked_until_the_agent_confirms() -> None:
    session = normal()
    session.answer_with = lambda command: None
    async with running(session) as (app, pilot):
        await pilot.press("s")
        await pilot.pause()
        await pilot.press("right", "enter")
        await until(pilot, lambda: bool(session.asked))
        await pilot.pause()
        assert session.asked == [Stop()]
        assert session.expected == [Expected(worker="running")]
        assert "asked: stop the worker" in screen_text(app)
        assert "confirmed" not in screen_text(app)
        session.answers[0].set_result(Reply(id="1"))
        await until(pilot, lambda: "confirmed: the worker has stopped" in screen_text(app))


async def test_a_stopped_worker_is_started() -> None:
    session = normal(state_=state(phase="stopped", lease=ADA))
    async with running(session) as (_, pilot):
        await pilot.press("s")
        await pilot.pause()
        await pilot.press("tab", "enter")
        await until(pilot, lambda: session.asked == [Start()])
        assert session.expected == [Expected(worker="stopped")]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            Trouble("the worker is starting", cure="Wait.", code="state_changed"),
            "refused: stop the worker: the worker is",
        ),
        (
            Trouble("no answer in 5 s", cure="Look again.", code="unconfirmed"),
            "not confirmed: stop the worker: no answer",
        ),
        (
            Reply(id="1", error=ErrorInfo("lease_lost", "bob took it", "Press l.")),
            "not done: stop the worker: bob took it",
        ),
    ],
)
async def test_what_was_not_done_is_never_shown_as_done(answer: Reply | Exception, said: str) -> None:
    session = normal()
    session.answer_with = lambda command: answer
    async with running(session, size=(160, 45)) as (app, pilot):
        await pilot.press("s")
        await pilot.pause()
        await pilot.press("right", "enter")
        await until(pilot, lambda: said in screen_text(app))
        assert "● confirmed" not in screen_text(app)


@pytest.mark.parametrize("key", ["s", "c", "b"])
async def test_without_the_lease_nothing_is_sent_and_the_cure_is_named(key: str) -> None:
    session = ScriptedSession(snapshot(now_ns=NOW_NS, state_=state(lease=BOB)), mine=False)
    async with running(session) as (app, pilot):
        await pilot.press(key)
        await pilot.pause()
        assert session.asked == []
        assert "needs the lease; bob@bench commands" in screen_text(app)
        assert "press l" in screen_text(app)


async def test_a_free_lease_is_taken_and_given_back() -> None:
    session = ScriptedSession(snapshot(now_ns=NOW_NS, state_=state(lease=None)), mine=False)
    async with running(session) as (app, pilot):
        await pilot.press("l")
        await until(pilot, lambda: session.taken_over == [None])
        session.mine = True
        await pilot.press("l")
        await until(pilot, lambda: session.released == 1)
        await until(pilot, lambda: "confirmed: the lease is free" in screen_text(app))


async def test_taking_over_names_the_one_who_loses_it_and_needs_a_yes() -> None:
    session = ScriptedSession(snapshot(now_ns=NOW_NS, state_=state(lease=BOB)), mine=False)
    async with running(session) as (app, pilot):
        await pilot.press("l")
        await pilot.pause()
        assert "Take the lease from bob@bench?" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert session.taken_over == []
        await pilot.press("l")
        await pilot.pause()
        await pilot.press("right", "enter")
        await until(pilot, lambda: session.taken_over == [5])


async def test_losing_the_lease_to_another_is_said() -> None:
    session = normal()
    async with running(session) as (app, pilot):
        session.mine = False
        await show(app, pilot, session, snapshot(now_ns=NOW_NS, state_=state(lease=BOB)))
        await until(pilot, lambda: "bob@bench commands this robot now" in screen_text(app))
        assert "lease bob@bench" in screen_text(app)


def choices(command: Command) -> Reply:
    if command == GetChoices("sources"):
        return Reply(id="1", choices=(Choice("scene:", "rendered table"), Choice("v4l2:/dev/video0", "USB camera")))
    if command == GetChoices("bundles"):
        return Reply(id="1", choices=(Choice(DIGEST, "tabletop"), Choice("ee" * 32, "yolox-nano")))
    return Reply(id="1")


@pytest.mark.parametrize(
    ("key", "sent", "expected"),
    [
        ("c", SetSource("v4l2:/dev/video0"), Expected(source="scene:")),
        ("b", SetBundle("ee" * 32), Expected(bundle=DIGEST)),
    ],
)
async def test_source_and_bundle_are_chosen_from_what_the_robot_offers(
    key: str, sent: Command, expected: Expected
) -> None:
    session = normal()
    session.answer_with = choices
    async with running(session) as (app, pilot):
        await pilot.press(key)
        await until(pilot, lambda: bool(app.screen.query(OptionList)))
        assert "(in use)" in screen_text(app)
        await pilot.press("down", "enter")
        if key == "b":
            await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
            await pilot.press("right", "enter")
        await until(pilot, lambda: sent in session.asked)
        assert session.expected[-1] == expected


@pytest.mark.parametrize("phase", ["running", "stopped"])
async def test_another_bundle_is_asked_for_by_name_and_not_taken_by_one_enter_too_many(
    phase: WorkerPhase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An arm would do other things at once, by a model that nothing has tested on it."""
    session = ScriptedSession(snapshot(now_ns=NOW_NS, state_=state(phase=phase, lease=ADA)))
    session.answer_with = choices
    monkeypatch.setattr(FieldgateApp, "session_seen", lambda self: ("session: running 3 min", "info"))
    async with running(session) as (app, pilot):
        await pilot.press("b")
        await until(pilot, lambda: bool(app.screen.query(OptionList)))
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        said = " ".join(str(one.render()) for one in app.screen.query(Static))
        for word in (
            "orin",
            "tabletop 4f1d2c3b",
            "eeeeeeee yolox-nano",
            "no self-test, no probation: screen 5 does both",
        ):
            assert word in said
        assert "Field test: running 3 min; it takes no trial" in said
        assert ("the next time" in said) is (phase == "stopped")
        await pilot.press("enter")  # the button in focus leaves
        await until(pilot, lambda: not isinstance(app.screen, ConfirmScreen))
        assert not [asked for asked in session.asked if isinstance(asked, SetBundle)]


@pytest.mark.parametrize("key", ["c", "b"])
async def test_choosing_what_is_in_use_leaves_the_worker_alone(key: str) -> None:
    """It would be started anew: frames are missed for nothing."""
    session = normal()
    session.answer_with = choices
    async with running(session) as (app, pilot):
        await pilot.press(key)
        await until(pilot, lambda: bool(app.screen.query(OptionList)))
        await pilot.press("enter")
        await until(pilot, lambda: "in use already" in screen_text(app))
        assert not [asked for asked in session.asked if isinstance(asked, (SetSource, SetBundle))]


async def test_a_robot_that_offers_nothing_is_said() -> None:
    session = normal()
    async with running(session) as (app, pilot):
        await pilot.press("b")
        await until(pilot, lambda: "The robot offers none." in screen_text(app))


@pytest.mark.parametrize("phase", ["refused", "down"])
async def test_r_tries_again_after_a_person_acted(phase: LinkPhase) -> None:
    """Without it the only way on after deploying, or allowing a key, is to leave the screen and start it anew."""
    session = normal(
        link_=link(phase, now_ns=NOW_NS, reason="the agent is too old", cure="run `fieldgate deploy orin`")
    )
    async with running(session) as (app, pilot):
        assert screen_text(app).splitlines()[-1].startswith(" r retry")
        await pilot.press("r")
        await until(pilot, lambda: session.retried == 1)
        await until(pilot, lambda: "trying to reach orin now" in screen_text(app))


async def test_while_the_link_is_up_there_is_nothing_to_retry_and_no_key_for_it() -> None:
    session = normal()
    async with running(session) as (app, pilot):
        assert "retry" not in screen_text(app)
        await pilot.press("r")
        await until(pilot, lambda: "nothing to try again: the link is up" in screen_text(app))
        assert session.retried == 0


async def test_the_key_for_a_retry_comes_and_goes_with_the_broken_link() -> None:
    session = normal()
    async with running(session) as (app, pilot):
        await show(app, pilot, session, snapshot(now_ns=NOW_NS, link_=link("down", now_ns=NOW_NS)))
        assert screen_text(app).splitlines()[-1].startswith(" r retry")
        await show(app, pilot, session, snapshot(now_ns=NOW_NS))
        assert "retry" not in screen_text(app)


async def test_marking_sends_the_note_and_needs_no_lease() -> None:
    session = ScriptedSession(snapshot(now_ns=NOW_NS, state_=state(lease=BOB)), mine=False)
    async with running(session) as (app, pilot):
        await pilot.press("m")
        await until(pilot, lambda: bool(app.screen.query(Input)))
        await pilot.press(*"glare", "enter")
        await until(pilot, lambda: session.asked == [Mark("glare")])


async def test_escape_marks_nothing() -> None:
    session = normal()
    async with running(session) as (app, pilot):
        await pilot.press("m")
        await until(pilot, lambda: bool(app.screen.query(Input)))
        await pilot.press("escape")
        await pilot.pause()
        assert session.asked == []


async def test_an_acknowledged_alarm_stays_in_sight() -> None:
    session = normal(link_=link("down", now_ns=NOW_NS, reason="cable"))
    async with running(session) as (app, pilot):
        assert "2 critical" not in screen_text(app)
        assert "1 critical, 1 new" in screen_text(app)
        await pilot.press("a")
        await pilot.pause()
        assert "ack critical" in screen_text(app)
        assert "Link down" in screen_text(app)
        assert ", 1 new" not in screen_text(app)


async def test_pause_freezes_the_numbers_and_says_so_while_alarms_go_on() -> None:
    session = normal()
    clock = Clock()
    async with running(session, clock=clock) as (app, pilot):
        await pilot.press("space")
        before = app.live.query_one("#latency", Panel).rows[1:]
        slow = Robot(3)
        slow.slow_ms = 80
        clock.now_ns += S
        await show(
            app,
            pilot,
            session,
            snapshot(now_ns=clock.now_ns, first=1, robot=slow, link_=link("down", now_ns=clock.now_ns)),
        )
        text = screen_text(app)
        assert "paused" in text
        assert app.live.query_one("#latency", Panel).rows[1:] == before
        assert "LINK DOWN" in text
        assert "Link down" in text
        await pilot.press("space")
        await pilot.pause()
        assert app.live.query_one("#latency", Panel).rows[1:] != before


async def test_filter_shows_matches_only_and_says_that_it_does() -> None:
    session = normal()
    async with running(session, size=(160, 45)) as (app, pilot):
        app.live.query_one("#events").focus()
        await pilot.press("slash")
        await until(pilot, lambda: bool(app.screen.query(Input)))
        await pilot.press(*"signal", "enter")
        await pilot.pause()
        text = screen_text(app)
        assert "ended with signal 9, started again" in text
        assert "filter: signal" in text
        assert "agent 0.1.0 started" not in text
        await pilot.press("escape")
        await pilot.pause()
        assert "agent 0.1.0 started" in screen_text(app)


async def test_an_inverted_filter_hides_matches() -> None:
    async with running(normal(), size=(160, 45)) as (app, pilot):
        panel = app.live.query_one("#events", ListPanel)
        panel.set_filter("!signal")
        await pilot.pause()
        assert "agent 0.1.0 started" in screen_text(app)
        assert "signal 9, started again" not in screen_text(app)


async def test_copy_takes_the_selected_line() -> None:
    async with running(normal(), size=(160, 45)) as (app, pilot):
        app.live.query_one("#failures").focus()
        await pilot.press("down", "y")
        assert "operator_mark: gripper shadow" in app.clipboard


async def test_the_cursor_sticks_to_its_line_when_new_ones_come() -> None:
    session = normal()
    async with running(session, size=(160, 45)) as (app, pilot):
        panel = app.live.query_one("#failures", ListPanel)
        panel.focus()
        await pilot.press("down")
        assert panel.selected is not None
        chosen = panel.selected.key
        first = session.snapshot
        import msgspec

        more = (*first.failures, msgspec.structs.replace(first.failures[-1], seq=900))
        await show(app, pilot, session, msgspec.structs.replace(first, failures=more))
        assert panel.selected.key == chosen


async def test_a_failure_opens_with_its_picture() -> None:
    session = normal()
    session.answer_with = lambda command: Reply(id="1", picture=picture())
    async with running(session, size=(160, 45)) as (app, pilot):
        app.live.query_one("#failures").focus()
        await pilot.press("down", "enter")
        await until(pilot, lambda: "picture, as the robot kept it" in screen_text(app))
        assert session.asked == [GetPicture("cd" * 32)]
        assert "a person marked this moment" in screen_text(app)


async def test_the_camera_picture_is_asked_for_and_drawn() -> None:
    session = normal()
    session.answer_with = lambda command: Reply(id="1", picture=picture())
    async with running(session) as (app, pilot):
        await pilot.press("p")
        await until(pilot, lambda: "frame 77" in screen_text(app))
        await until(pilot, lambda: "▀" in screen_text(app))
        assert "cube 0.91" in screen_text(app)
        assert session.asked[0] == GetFrame(640)
        await pilot.press("p")
        await pilot.pause()
        assert "frame 77" not in screen_text(app)


async def test_in_ascii_the_picture_is_made_of_ascii() -> None:
    session = normal()
    session.answer_with = lambda command: Reply(id="1", picture=picture())
    async with running(session, ascii=True) as (app, pilot):
        await pilot.press("p")
        await until(pilot, lambda: "=====" in screen_text(app))
        assert screen_text(app).isascii()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Reply(id="1", picture=Picture(jpeg=b"\xff\xd8junk", digest="d", width=6, height=4)), "can't be decoded"),
        (Reply(id="1"), "no picture yet"),
        (Trouble("the worker does not run", cure="Press s."), "the worker does not run"),
    ],
)
async def test_a_picture_that_does_not_come_is_said(answer: Reply | Exception, said: str) -> None:
    session = normal()
    session.answer_with = lambda command: answer
    async with running(session) as (app, pilot):
        await pilot.press("p")
        await until(pilot, lambda: said in screen_text(app))


async def test_help_explains_the_pane_in_focus_and_every_key() -> None:
    async with running(normal(), size=(160, 60)) as (app, pilot):
        app.live.query_one("#detections").focus()
        await pilot.press("question_mark")
        await pilot.pause()
        text = screen_text(app)
        assert "Help: Detections" in text
        assert all(action.meaning[:40] in text for action in on_screen("live"))


async def test_the_palette_offers_every_action() -> None:
    async with running(normal()) as (app, pilot):
        names = [command.title for command in app.get_system_commands(app.screen)]
        assert len(names) == len(on_screen("live")) - 1
        await pilot.press("colon")
        await until(pilot, lambda: type(app.screen).__name__ == "CommandPalette")


OWN = {"checklist": (item_acts, stage_acts), "field": (field_acts,)}
"""Where the actions of a place are done that are not the app's own."""


@pytest.mark.parametrize("place", ["live", *OWN])
async def test_every_action_has_a_method_and_no_key_twice(place: Place) -> None:
    keys = [key for action in on_screen(place) for key in action.keys.split(",")]
    assert len(keys) == len(set(keys))
    assert len({action.name for action in ACTIONS}) == len(ACTIONS)
    apps = [action.name for action in on_screen(place) if action.place in ("every", "live")]
    assert all(callable(getattr(FieldgateApp, f"action_{name}")) for name in apps)
    own = {action.name for action in ACTIONS if action.place == place} - set(apps) - set(TRIALS)
    assert all(any(callable(getattr(acts, name, None)) for acts in OWN[place]) for name in own)


async def test_a_slow_robot_never_blocks_the_keys() -> None:
    """The answer to `b` takes seconds; meanwhile the event loop turns and the screen repaints."""
    session = normal()

    def slow(command: Command) -> Reply | None:
        return None if isinstance(command, GetChoices) else Reply(id="1")

    session.answer_with = slow
    async with running(session) as (app, pilot):
        await pilot.press("b")
        worst, last = 0.0, time.monotonic()
        for _ in range(50):
            await asyncio.sleep(0.01)
            worst, last = max(worst, time.monotonic() - last), time.monotonic()
        assert worst < 0.3
        await pilot.press("t")
        assert app.theme == "fieldgate-light"
        session.answers[0].set_result(Reply(id="1"))


async def test_q_leaves() -> None:
    async with running(normal()) as (app, pilot):
        await pilot.press("q")
        await pilot.pause()
        assert app.return_code == 0


async def test_buttons_answer_to_the_mouse_too() -> None:
    session = normal()
    async with running(session) as (app, pilot):
        await pilot.press("s")
        await pilot.pause()
        assert isinstance(app.focused, Button)
        await pilot.click("#yes")
        await until(pilot, lambda: session.asked == [Stop()])
