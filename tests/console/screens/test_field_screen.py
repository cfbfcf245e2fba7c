"""What a person sees of a field test: nothing stale as current, nothing hidden, nothing that steers the terminal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
import pytest
from textual.geometry import Size
from textual.pilot import Pilot
from textual.widgets import Button

from console.actions import in_key_line, on_screen
from console.app import FieldgateApp
from console.marks import FIELD_MARKS
from console.phases.schema import Entry
from console.phases.states import FieldState
from console.record.entries import ConditionSeen
from console.screens.field_layout import FieldLayout
from console.testing.applicable import TRIALS, offered_now
from console.testing.desk import FieldDesk
from console.testing.figures import figures_key, figures_of, power_words
from console.testing.view import FieldView, Held, phase_to_show
from console.testing.wording import session_name, span_words, succeeded
from console.widgets.field_banner import large
from tests.console.screens.checklist_samples import ShownCampaign
from tests.console.screens.driving import NOW_NS, Clock, running, screen_text, until
from tests.console.screens.field_samples import OFFICE, field, paused, question, session, stopped, trial, with_field
from tests.console.screens.scripted import S, ScriptedSession, link, snapshot


@asynccontextmanager
async def shown(
    state: FieldState | None = None, size: tuple[int, int] = (100, 30), clock: Clock | None = None, **options: Any
) -> AsyncIterator[tuple[FieldgateApp, Pilot[int]]]:
    campaign: Any = ShownCampaign(with_field(field() if state is None else state))
    shot = options.pop("shot", snapshot(now_ns=NOW_NS))
    async with running(ScriptedSession(shot), size, clock, opener=lambda: campaign, person="ada", **options) as (
        app,
        pilot,
    ):
        await until(pilot, lambda: app.desk is not None and app.desk.newest is not None)
        await pilot.press("3")
        await until(pilot, lambda: app.place == "field" and "ada" in screen_text(app))
        yield app, pilot
        busy = ("fold", "look", "figures")
        await until(pilot, lambda: not any(one.is_running for one in app.workers if one.group in busy))


def desk_of(app: FieldgateApp) -> FieldDesk:
    found = app.desks["field"]
    assert isinstance(found, FieldDesk)
    return found


async def test_1_2_and_3_switch_and_come_back_to_the_same_place() -> None:
    async with shown() as (app, pilot):
        for key, place, words in (("2", "checklist", "Domain"), ("1", "live", "Latency"), ("3", "field", "Must show")):
            await pilot.press(key)
            await until(pilot, partial(_says, app, words))
            assert app.place == place


def _says(app: FieldgateApp, words: str) -> bool:
    return words in screen_text(app)


async def test_status_banner_and_keys_never_leave() -> None:
    async with shown(paused()) as (app, pilot):
        for size in ((160, 45), (80, 24), (60, 15), (50, 10), (20, 5)):
            await pilot.resize_terminal(*size)
            await pilot.pause(0.1)
            lines = screen_text(app).splitlines()
            assert "orin" in lines[0]
            assert "? help" in lines[-1]
            if size[1] >= 15:
                assert "P A U S E D" in screen_text(app)


@pytest.mark.parametrize("size", [(80, 24), (60, 15), (100, 30), (160, 45), (130, 38)])
def test_the_parts_fill_the_screen_without_gap_or_overlap(size: tuple[int, int]) -> None:
    layout = FieldLayout()
    layout.questions, layout.stops, layout.status = 9, 5, 2
    regions = layout.regions(Size(*size))
    assert sum(region.area for region in regions.values()) == size[0] * size[1]
    cells = {(x, y) for one in regions.values() for x in range(*one.column_span) for y in one.line_range}
    assert len(cells) == size[0] * size[1]


async def test_a_look_that_is_old_is_never_shown_as_the_present() -> None:
    clock = Clock()
    async with shown(clock=clock) as (app, pilot):
        desk = desk_of(app)
        seen = (ConditionSeen(id="link", met=True, words="the link is up"),)
        desk._held = Held("office", seen, clock.now_ns)
        desk._looking = True  # no newer look comes
        desk.show()
        await until(pilot, lambda: "Robot in reach: the link is up" in screen_text(app))
        assert "STALE" not in screen_text(app)
        clock.now_ns += 4 * S
        desk.show()
        await until(pilot, lambda: "STALE 4 s ago" in screen_text(app))
        desk._looking = False


async def test_undone_trials_stay_and_say_so_and_left_out_ones_say_why() -> None:
    async with shown(size=(160, 45)) as (app, _):
        text = screen_text(app)
        assert "11 failure" in text
        assert "undone" in text
        assert "bundle 3f2a -> 4f1d" in text
        assert "3 trials left out" in text
        assert "9 of 12 = 75.0 % [42.8, 94.5] against > 80 %, about 31 more trials" in text
        assert "not yet decided" in text


async def test_another_phase_is_looked_at_with_the_arrows() -> None:
    async with shown() as (app, pilot):
        await pilot.press("right")
        await until(pilot, lambda: "Grasping where it will work" in screen_text(app))
        assert "[◇ target locked]" in screen_text(app)
        await pilot.press("left", "left")
        await until(pilot, lambda: "[✔ lab pass]" in screen_text(app))


async def test_keys_of_a_paused_session_take_no_trial_and_say_why() -> None:
    async with shown(paused(), size=(160, 45)) as (app, pilot):
        line = screen_text(app).splitlines()[-1]
        assert "p resume" in line
        assert "s success" not in line
        await pilot.press("s")
        await until(pilot, lambda: "NOT logged: the session is paused" in screen_text(app))


def test_what_is_offered_follows_the_state() -> None:
    assert set(TRIALS) <= set(offered_now(field(), "office"))
    assert not set(TRIALS) & set(offered_now(paused(), "office"))
    assert offered_now(stopped(), "office")[0] == "lift_stop"
    assert "session" not in offered_now(stopped(), "office")
    assert "session" in offered_now(field(session=None), "office")
    assert "session" not in offered_now(field(session=None), "lab")
    attempt = field(session=session(open_trial=120))
    assert "begin_attempt" not in offered_now(attempt, "office")
    assert set(TRIALS) <= set(offered_now(attempt, "office"))


def test_the_shown_phase_is_the_wanted_one_else_where_the_work_is() -> None:
    assert phase_to_show(field(), "") == "office"
    assert phase_to_show(field(), "target") == "target"
    assert phase_to_show(field(session=None, current=""), "") == "office"
    assert phase_to_show(FieldState(), "lab") == ""


async def test_a_pack_without_phases_says_so() -> None:
    async with shown(FieldState()) as (app, _):
        assert "no phases of field testing" in screen_text(app)
        assert "N O   P H A S E" in screen_text(app)


async def test_a_lost_link_is_said_and_trials_can_still_be_logged() -> None:
    down = snapshot(now_ns=NOW_NS, link_=link("down", now_ns=NOW_NS, reason="no route to orin"))
    async with shown(shot=down) as (app, _):
        assert "LINK DOWN: the robot is not seen" in screen_text(app)
        assert "s success" in screen_text(app)


async def test_in_ascii_every_cell_is_ascii() -> None:
    for state in (field(), paused(), stopped()):
        async with shown(state, ascii=True, size=(160, 45)) as (app, pilot):
            assert screen_text(app).isascii()
            await pilot.press("question_mark")
            await pilot.pause(0.1)
            assert screen_text(app).isascii()


HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202eevil\x00\r\n[bold red]not markup[/] " + "very " * 30 + "long"


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (160, 45)])
async def test_hostile_text_never_steers_the_terminal_nor_breaks_the_rows(size: tuple[int, int]) -> None:
    made = field()
    questions = tuple(
        msgspec.structs.replace(one, words=HOSTILE, question=msgspec.structs.replace(one.question, title=HOSTILE))
        for one in made.phases[1].questions
    )
    bad = msgspec.structs.replace(
        made.phases[1],
        phase=msgspec.structs.replace(OFFICE, title=HOSTILE, trial=HOSTILE),
        reason=HOSTILE,
        questions=questions,
        left_out={HOSTILE: 1},
        stops=tuple(msgspec.structs.replace(one, title=HOSTILE) for one in made.phases[1].stops),
    )
    hostile = session(paused=HOSTILE, conditions={"light": HOSTILE})
    trials = (trial(1, "failure", note=HOSTILE, conditions={"light": HOSTILE}),)
    state = msgspec.structs.replace(made, phases=(bad,), session=hostile, trials=trials)
    async with shown(state, size=size) as (app, pilot):
        for key in ("", "c", "escape", "x", "escape", "question_mark"):
            if key:
                await pilot.press(key)
            await pilot.pause(0.1)
            text = screen_text(app)
            assert not any(char in text for char in "\x1b\x07\x00\u202e\r")
            assert len(text.splitlines()) == size[1]


async def test_help_and_palette_name_the_screens_own_keys_and_signs() -> None:
    async with shown(size=(160, 80)) as (app, pilot):
        names = [command.title for command in app.get_system_commands(app.screen)]
        assert len(names) == len(on_screen("field")) - 1
        await pilot.press("question_mark")
        await pilot.pause(0.1)
        text = screen_text(app)
        assert "Help: Must show" in text
        assert all(action.meaning[:40] in text for action in on_screen("field"))
        assert all(mark.word in text for mark in FIELD_MARKS.values())


def test_the_key_line_offers_its_own_keys_first_and_not_its_own_screen() -> None:
    line = [one.name for one in in_key_line("up", "field", offered_now(field(), "office"))]
    assert line[:3] == list(TRIALS[:3])
    assert "field_screen" not in line
    assert "failures_screen" in line


def view_of(state: FieldState) -> FieldView:
    from console.marks import UNICODE

    return FieldView(state=with_field(state), charset=UNICODE, person="ada", now_ns=NOW_NS, shown="office")


def test_the_trend_counts_only_trials_that_count_and_narrows() -> None:
    view = view_of(field())
    trend = figures_of(view, figures_key(view)).trend
    assert trend is not None
    assert [point[0] for point in trend.points] == list(range(1, 13))
    assert trend.points[-1][1] == 9 / 12
    assert trend.threshold == 0.8
    widths = [upper - lower for _, _, lower, upper in trend.points]
    assert widths == sorted(widths, reverse=True)
    assert all(lower <= share <= upper for _, share, lower, upper in trend.points)


def test_a_plan_says_what_it_is_worth_and_nothing_where_it_can_not() -> None:
    assert power_words(question()) == "plan: 87 % to pass by 60 if it is 95 %"
    assert power_words(question(plan=None)) == ""
    assert power_words(question(threshold=96)) == "plan: 0 % to pass by 60 if it is 95 %"


async def test_a_passed_phase_is_never_shown_as_not_begun_and_says_what_falls_by_going_back() -> None:
    """`g` there would void a pass that took days."""
    async with shown(field(session=None), size=(120, 36)) as (app, pilot):
        await pilot.press("left")
        await until(pilot, lambda: "L A B   P A S S E D" in screen_text(app))
        assert "(office is being tested)" in screen_text(app)
        assert "N O T" not in screen_text(app)
        await pilot.press("g")
        await until(pilot, lambda: "lose their standing" in screen_text(app))
        said = " ".join(screen_text(app).replace("│", " ").split())
        assert "lab (40 trials, PASSED), office (12 trials)" in said
        await pilot.press("escape")


async def test_passing_is_announced_with_what_comes_next() -> None:
    made = field(session=None)
    passed = msgspec.structs.replace(made.phases[1], status="pass", reason="every question is decided")
    made = msgspec.structs.replace(made, phases=(made.phases[0], passed, *made.phases[2:]))
    async with shown(made, size=(120, 36)) as (app, _):
        assert "O F F I C E   P A S S E D" in screen_text(app)
        assert "Right, then g begins Grasping where it will work" in screen_text(app)


async def test_a_phase_that_can_not_begin_offers_no_begin_and_says_what_is_missing() -> None:
    made = field(session=None)
    locked = msgspec.structs.replace(
        made.phases[2],
        phase=msgspec.structs.replace(made.phases[2].phase, entry=(Entry(title="Office passed", phase="office"),)),
    )
    made = msgspec.structs.replace(made, phases=(*made.phases[:2], locked, made.phases[3]))
    async with shown(made, size=(120, 36)) as (app, pilot):
        await pilot.press("right")
        await until(pilot, lambda: "L O C K E D" in screen_text(app))
        await pilot.press("g")
        await until(pilot, lambda: "can't begin yet" in screen_text(app))
        assert [one.id for one in app.screen.query(Button)] == ["no"]
        assert "NOT MET: Office passed" in screen_text(app)
        await pilot.press("escape")


async def test_looking_at_another_phase_says_where_trials_go() -> None:
    async with shown(size=(120, 36)) as (app, pilot):
        await pilot.press("left")
        await until(pilot, lambda: "you look at lab; trials go to office" in screen_text(app))
        assert "new ones go to office" in screen_text(app)


async def test_down_past_the_fields_lands_on_begin() -> None:
    async with shown(field(session=None), size=(120, 36)) as (app, pilot):
        await pilot.press("x")
        await until(pilot, lambda: bool(app.screen.query("#set")))
        await pilot.press("down", "down")
        assert app.screen.focused is app.screen.query_one("#set")
        await pilot.press("escape")


async def test_a_refusal_names_the_stop_rule() -> None:
    async with shown(stopped(), size=(120, 36)) as (app, pilot):
        await pilot.press("s")
        await until(pilot, lambda: "the stop rule 'Failures in a row' was reached - l lifts it" in screen_text(app))


async def test_a_message_ages_and_goes_with_the_state_that_it_tells_of() -> None:
    clock = Clock()
    async with shown(clock=clock, size=(120, 36)) as (app, pilot):
        desk = desk_of(app)
        desk.say("the link came back", "ok")
        desk.show()
        clock.now_ns += 12 * S
        desk.show()
        await until(pilot, lambda: "12 s ago: the link came back" in screen_text(app))
        await pilot.press("right")
        await until(pilot, lambda: "the link came back" not in screen_text(app))


@pytest.mark.parametrize(
    ("met", "words"),
    [(True, "all holds again: p resumes"), (False, "p resumes once it holds: Robot in reach, Inference runs")],
)
def test_a_paused_banner_says_what_is_missing_now(met: bool, words: str) -> None:
    seen = tuple(ConditionSeen(id=id, met=met, words="") for id in ("link", "worker"))
    view = replace(view_of(paused()), held=Held("office", seen, NOW_NS))
    assert large(view).below == words


@pytest.mark.parametrize("width", [80, 100])
async def test_the_key_line_keeps_what_a_session_needs(width: int) -> None:
    async with shown(size=(width, 30)) as (app, pilot):
        line = screen_text(app).splitlines()[-1]
        wanted = ["s success", "f failure", "a aborted", "u undo", "n note", "b attempt", "p pause"]
        assert all(word in line for word in wanted) if width == 80 else "4 failures" in line
        if width == 100:
            await pilot.press("1")
            await until(pilot, lambda: app.place == "live")
            await until(pilot, lambda: "4 failures" in screen_text(app).splitlines()[-1])
            assert "3 field" in screen_text(app).splitlines()[-1]


def test_one_count_leaves_out_what_the_phase_leaves_out() -> None:
    made = field()
    without = msgspec.structs.replace(made.phases[1], phase=msgspec.structs.replace(OFFICE, aborted="excluded"))
    assert succeeded(made, "office") == "9 of 12 succeeded"
    made = msgspec.structs.replace(made, phases=(made.phases[0], without, *made.phases[2:]))
    assert succeeded(made, "office") == "9 of 11 succeeded, 1 aborted"
    assert span_words(252) == "4.2 min"
    assert span_words(5400) == "1.50 h"
    assert session_name(made, 90) == "session 1 (entry 90)"


async def test_at_80_columns_a_trial_keeps_why_it_does_not_count() -> None:
    async with shown(size=(80, 30)) as (app, pilot):
        assert "◌  11 failure  10:17 dim" in screen_text(app)
        assert "undone by ada: undone" in screen_text(app)
        await pilot.press("tab", "end")
        await until(pilot, lambda: "bundle 3f2a -> 4f1d" in screen_text(app))


async def test_a_key_that_would_do_nothing_is_not_named_as_one_that_does() -> None:
    """`^r retry` tries to reach a robot that is reached."""
    async with shown(field(session=None)) as (app, pilot):
        await pilot.press("right", "x")
        await until(pilot, lambda: "session: does not apply now; g phase" in screen_text(app))
        assert "^r" not in screen_text(app)
