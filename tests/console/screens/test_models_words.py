"""What the models screen says of the robot: nothing twice, nothing cut that decides, and nothing as current that is none."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from console.changing.view import BundleRow, RobotRow
from console.marks import FIELD_MARKS, MARKS
from console.models.wording import bytes_words, chosen_since, share_of, step_words
from console.screens.help import _MODEL_SIGNS
from console.widgets import model_words
from console.widgets.model_words import use_mark
from remote.model_states import ModelsState, Outcome, Progress, Slot
from remote.protocol import WorkerPhase
from tests.console.screens.driving import screen_text, until
from tests.console.screens.models_samples import (
    IN_PROBATION,
    INT8,
    NANO,
    PUSHED,
    RETURNED,
    STORED,
    WAITING,
    WITH_AGENT,
    robot_with,
)
from tests.console.screens.scripted import WALL_NS, ScriptedSession
from tests.console.screens.test_models_screen import data, opened

__all__ = ["data"]
replace = msgspec.structs.replace
UNDECIDED = "still undecided: p99 of end to end, failed frames, boxes a frame"
FEW_SECONDS = Progress(done=20, whole=20, unit="frames", text=f"19 of 90 s, {UNDECIDED}", share=0.21)


def flat(text: str) -> str:
    return " ".join(text.replace("┃", " ").replace("│", " ").split())


async def test_what_is_undecided_is_never_cut_off_and_seconds_have_their_share(data: Path) -> None:
    session = ScriptedSession(robot_with(replace(IN_PROBATION, attempts=1, progress=FEW_SECONDS, shadow=None)))
    async with opened(session, (80, 24)) as (app, pilot, _):
        whole = f"probation of tabletop-int8 3f2a1b9c, 20 of 20 frames, 19 of 90 s, {UNDECIDED}, 75 s in it"
        assert whole in flat(screen_text(app))
        assert "probation 21 %" in screen_text(app)
        await pilot.press("enter")
        await until(
            pilot, lambda: f"━━━━──────────────── 20 of 20 frames, 19 of 90 s, {UNDECIDED}" in flat(screen_text(app))
        )


async def test_the_second_line_of_what_is_waited_for_is_no_reason_of_its_own(data: Path) -> None:
    long = "the file /cells/left/robot-is-idle is not there, which would say that the robot is idle"
    async with opened(ScriptedSession(robot_with(replace(WAITING, waits_for=long))), (80, 24)) as (app, pilot, _):
        await pilot.press("enter")
        await until(pilot, lambda: f"waits: {long}" in flat(screen_text(app)))
        assert screen_text(app).count("waits:") == 1


async def test_a_bundle_in_shadow_is_seen_in_the_list_with_its_time(data: Path) -> None:
    assert IN_PROBATION.shadow is not None
    beside = replace(IN_PROBATION.shadow, whole_s=60.0)
    for shadow, words in ((beside, "in shadow 41 of 60 s"), (replace(beside, whole_s=None), "in shadow 41 s")):
        idle = ModelsState(current=WITH_AGENT, shadow=shadow, since_wall_ns=WALL_NS)
        async with opened(ScriptedSession(robot_with(idle)), (80, 24)) as (app, pilot, _):
            await until(pilot, lambda: "yolox-nano" in screen_text(app))
            row = next(line for line in screen_text(app).splitlines() if "88aa11bb     3.7 MB" in line)
            assert words in row
            assert "● no change; in shadow yolox-nano 88aa11bb, 41" in screen_text(app)
    ended = ModelsState(current=WITH_AGENT, shadow=replace(beside, ended="over", ended_wall_ns=WALL_NS))
    async with opened(ScriptedSession(robot_with(ended)), (160, 45)) as (app, pilot, _):
        assert "was in shadow 75 s ago" in screen_text(app)
        assert "no change; in shadow" not in screen_text(app)


@pytest.mark.parametrize(
    ("state", "phase", "head", "row"),
    [
        (replace(IN_PROBATION, step="switched"), "starting", "orin is switching to tabletop-int8", "◑ switching to"),
        (
            replace(IN_PROBATION, step="rolling_back", current=WITH_AGENT, previous=None),
            "running",
            "orin is going back to tabletop 4f1d2c3b",
            "▲ leaves        tabletop-int8",
        ),
        (IN_PROBATION, "waiting_to_restart", "orin is starting tabletop-int8", "◐ starting      tabletop-int8"),
    ],
)
async def test_nothing_is_said_to_run_that_does_not_run_yet(
    data: Path, state: ModelsState, phase: WorkerPhase, head: str, row: str
) -> None:
    async with opened(ScriptedSession(robot_with(state, phase=phase)), (80, 24)) as (app, pilot, _):
        await until(pilot, lambda: row in screen_text(app))
        assert head in screen_text(app)
        assert "● runs" not in screen_text(app)


async def test_a_way_back_that_a_person_wants_reads_as_one(data: Path) -> None:
    wanted = replace(WAITING, current=PUSHED, previous=WITH_AGENT, candidate=WITH_AGENT)
    async with opened(ScriptedSession(robot_with(wanted)), (80, 24)) as (app, pilot, _):
        assert "waiting to go back: the robot says: arm moves" in screen_text(app)
        await until(pilot, lambda: "◑ comes back    tabletop" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "□ going back" in screen_text(app))
        assert "self-test" not in screen_text(app)
    assert step_words(wanted).startswith("waiting to go back to tabletop 4f1d2c3b")
    assert step_words(WAITING).startswith("waiting for safe, to switch to tabletop-int8")


@pytest.mark.parametrize(
    ("chosen", "last", "since"),
    [
        (INT8, replace(RETURNED, ended="went_back"), True),
        (NANO, replace(RETURNED, ended="committed"), True),
        (NANO, replace(RETURNED, ended="returned"), False),
        (INT8, replace(RETURNED, ended="refused"), False),
    ],
    ids=["what was left runs", "what was kept does not run", "it may have run before", "nothing changed"],
)
def test_a_choice_after_the_last_change_is_told_where_it_is_sure(chosen: str, last: Outcome, since: bool) -> None:
    current = Slot(digest=chosen, name="x", origin="chosen", by="root@vm")
    assert chosen_since(ModelsState(current=current, last=last)) == (current if since else None)
    assert chosen_since(ModelsState(current=replace(current, origin="push"), last=last)) is None


def test_the_place_of_a_bundle_is_that_of_the_newest_state() -> None:
    """For a second after a return two models would be said to run: the list of the store is older than the state."""
    int8 = replace(STORED[1], use="current")
    row = RobotRow("orin", True, ModelsState(current=WITH_AGENT), 0.0, True, worker="running")
    assert use_mark(int8, row).word == "stored"
    assert use_mark(replace(STORED[0], use=""), row).word == "runs"
    assert BundleRow("orin", int8).key == f"bundle:{INT8}"


def test_every_sign_of_the_screen_is_explained_in_its_help() -> None:
    shown = {mark.glyph for mark in (*model_words._ENDS.values(), *model_words._VERDICTS.values())}
    shown |= {
        MARKS[name].glyph for name in (*model_words._DOES.values(), "ok", "running", "pending", "paused", "stale")
    }
    told = {(MARKS.get(name) or FIELD_MARKS[name]).glyph for name, _ in _MODEL_SIGNS}
    assert shown <= told


def test_few_bytes_are_no_zero_megabytes() -> None:
    assert bytes_words(400, 1100) == "0.4 of 1.1 kB"
    assert bytes_words(3e6, 12.5e6) == "3.0 of 12.5 MB"


def test_a_step_of_an_older_agent_has_the_share_of_its_count() -> None:
    assert share_of(Progress(done=120, whole=300)) == 0.4
    assert share_of(FEW_SECONDS) == 0.21
    assert share_of(Progress(done=3)) is None
