"""A push as it is told: each step once, the end for what it is, and what this laptop knows when the robot is away."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from console.marks import MARKS
from console.models.pushing import EVERY_S, Following, called_off_line, ended_lines, result_line
from console.models.wording import STEPS, outcome_words, progress_words, step_words
from console.store.known_models import AGAIN_NS, KnownModels, known_models
from console.widgets.model_words import outcome_mark
from remote.model_states import ModelsState, Outcome, Progress, Slot
from remote.protocol import AgentState, JournalState, Pong, Reply, WorkerState
from remote.verdicts import Check

DIGEST, OTHER = "a" * 64, "b" * 64
CANDIDATE = Slot(digest=DIGEST, name="tiny", origin="push")
TESTING = ModelsState(candidate=CANDIDATE, step="self_test")


def outcome(digest: str = DIGEST, ended: str = "returned", wall_ns: int = 2) -> Outcome:
    bad = Check(name="p99", verdict="fail", text="p99 of end to end", value=41.2, limit=30.6, unit="ms", n=900)
    good = Check(name="frames", verdict="pass", text="it ran", value=900.0)
    given = {
        "digest": digest,
        "name": "tiny",
        "ended": ended,
        "why": "too slow",
        "step": "probation",
        "wall_ns": wall_ns,
    }
    return msgspec.convert({**given, "checks": (good, bad)}, Outcome)


def test_each_step_is_told_once_and_progress_now_and_then() -> None:
    now = [0.0]
    following = Following(DIGEST, None, lambda: now[0])
    assert len(following.take(TESTING)) == 4
    assert following.take(TESTING) == ()
    far = msgspec.structs.replace(TESTING, step="probation", attempts=1, progress=Progress(done=1.0, whole=9.0))
    assert "[7 of 8] probation" in following.take(far)[-1]
    assert following.take(far) == ()
    now[0] += EVERY_S
    assert "1 of 9" in following.take(far)[0]
    assert "start 2 of it" in following.take(msgspec.structs.replace(far, attempts=2))[0]
    assert "waits: the arm moves" in following.take(msgspec.structs.replace(far, waits_for="the arm moves"))[0]


def test_a_step_that_went_by_unseen_is_told_too() -> None:
    """A list of steps with holes makes a person look for the ones that are missing."""
    following = Following(DIGEST, None, lambda: 0.0)
    before = following.take(TESTING)
    assert before[:3] == ("[1 of 8] verifying: done", "[2 of 8] staging: done", "[3 of 8] building the engine: done")
    assert before[3].startswith("[4 of 8] self-test of tiny")
    after = following.take(msgspec.structs.replace(TESTING, step="probation"))
    assert after[:2] == ("[5 of 8] waiting for safe: done", "[6 of 8] switching: done")
    assert following.take(ModelsState(last=outcome(ended="committed"))) == ("[8 of 8] keeping it: done",)


def test_a_change_that_was_refused_passed_no_further_step() -> None:
    following = Following(DIGEST, None, lambda: 0.0)
    following.take(TESTING)
    assert following.take(ModelsState(last=outcome(ended="refused"))) == ()


def test_who_calls_a_change_off_is_told_what_ended_or_that_it_goes_on() -> None:
    """`idle` said nothing of it, and 0 as exit code left open whether anything had been ended."""
    runs = Slot(digest=OTHER, name="old", origin="agent")
    gone = msgspec.structs.replace(outcome(ended="cancelled"), step="waiting_for_safe")
    ended = called_off_line(ModelsState(current=runs, last=gone), "orin")
    assert ended == "called off: tiny aaaaaaaa, in waiting for safe; old bbbbbbbb stays"
    turning = ModelsState(current=runs, candidate=CANDIDATE, step="rolling_back", last=outcome(OTHER))
    goes_on = called_off_line(turning, "orin")
    assert goes_on.startswith("going back from tiny aaaaaaaa; old bbbbbbbb comes back by itself")
    assert "`fieldgate model list orin` tells" in goes_on


def test_the_end_of_this_change_is_not_that_of_the_one_before() -> None:
    before = outcome(wall_ns=1)
    following = Following(DIGEST, before)
    following.take(msgspec.structs.replace(TESTING, last=before))
    assert following.outcome is None
    following.take(ModelsState(last=outcome(wall_ns=2)))
    assert following.outcome == outcome(wall_ns=2)
    assert not following.overtaken


def test_a_way_back_is_followed_by_the_one_that_comes_and_by_the_one_that_goes() -> None:
    """It is told of the one that comes until the switch, and ends with the one that is left."""
    following = Following(OTHER, None, also=DIGEST)
    waiting = msgspec.structs.replace(TESTING, step="waiting_for_safe", waits_for="the arm moves")
    assert "waits: the arm moves" in following.take(waiting)[0]
    following.take(ModelsState(last=outcome(OTHER)))
    assert following.outcome == outcome(OTHER)
    called_off = Following(OTHER, None, also=DIGEST)
    called_off.take(ModelsState(last=outcome(ended="cancelled")))
    assert called_off.outcome is not None
    assert [following.overtaken, called_off.overtaken] == [False, False]


def test_progress_never_says_more_than_its_whole() -> None:
    assert progress_words(Progress(done=300, whole=300, unit="frames")) == "300 of 300 frames"
    more = Progress(done=301, whole=300, unit="frames", text="still undecided: missed objects")
    assert progress_words(more) == "300 frames are through (301 now), still undecided: missed objects"


def test_what_is_counted_by_nobody_has_no_number() -> None:
    assert progress_words(Progress(done=0.0, text="verifying and loading")) == "verifying and loading"


def test_each_step_and_each_end_is_a_sentence_and_no_word_of_the_protocol() -> None:
    for step in STEPS:
        said = step_words(msgspec.structs.replace(TESTING, step=step))
        assert "tiny aaaaaaaa" in said
        assert "_" not in said
    assert step_words(msgspec.structs.replace(TESTING, step="verified")) == "verifying tiny aaaaaaaa"
    assert result_line(outcome(ended="cancelled")) == "called off: too slow"


def test_a_wanted_way_back_is_no_failure() -> None:
    """A person wanted it: it must not read as if the robot had found something wrong."""
    back = outcome(ended="went_back")
    assert outcome_words(back) == "a person went back from tiny aaaaaaaa to the one before: too slow"
    assert result_line(back) == "went back: too slow"
    assert (outcome_mark(back).role, outcome_mark(outcome()).role) == (MARKS["n/a"].role, "critical")


@pytest.mark.parametrize(
    "state",
    [
        ModelsState(last=outcome(OTHER)),
        ModelsState(step="building", candidate=Slot(digest=OTHER, name="x", origin="push")),
    ],
    ids=["another ended", "another goes on"],
)
def test_a_change_that_followed_while_nobody_looked_is_no_end_of_ours(state: ModelsState) -> None:
    following = Following(DIGEST, None)
    following.take(state)
    assert following.overtaken
    assert following.outcome is None


def test_the_result_is_one_line_and_what_failed_comes_first() -> None:
    assert result_line(outcome()) == "returned: too slow"
    assert result_line(outcome(ended="committed")) == "kept"
    assert ended_lines(outcome())[1].startswith("  fail: p99")


# ------------------------------------------------------------ what this laptop knows


class Wall:
    def __init__(self) -> None:
        self.ns = 10**18

    def __call__(self) -> int:
        return self.ns


def told(models: ModelsState) -> AgentState:
    return AgentState(
        version=1,
        mono_ns=0,
        worker=WorkerState("stopped", 0),
        source=None,
        bundle=None,
        lease=None,
        epoch=0,
        journal=JournalState("j", 1, 1, 1),
        models=models,
    )


def test_the_newest_state_is_kept_with_the_time_at_which_it_was_heard(tmp_path: Path) -> None:
    wall = Wall()
    keeper = KnownModels(tmp_path / "models", "orin", wall)
    assert known_models("orin", tmp_path / "models") is None
    keeper.note(told(TESTING))
    assert known_models("orin", tmp_path / "models") == (TESTING, 10**18)
    wall.ns += 1
    keeper.note(told(msgspec.structs.replace(TESTING, progress=Progress(done=3.0))))
    assert known_models("orin", tmp_path / "models") == (TESTING, 10**18), "progress alone is not worth a write"
    later = ModelsState(last=outcome())
    keeper.note(Reply(id="r", state=told(later)))
    assert known_models("orin", tmp_path / "models") == (later, 10**18 + 1)
    wall.ns += AGAIN_NS + 1
    keeper.note(Pong(id=1, mono_ns=0, wall_ns=0))
    assert known_models("orin", tmp_path / "models") == (later, wall.ns), "what is heard of is still so"


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\x00", b"[" * 5000, b'{"state":{"step":"dancing"},"wall_ns":1}'])
def test_a_damaged_file_is_nothing_known(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "orin.json").write_bytes(data)
    assert known_models("orin", tmp_path) is None


def test_a_disk_that_is_not_there_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    KnownModels(tmp_path / "file" / "models", "orin").note(told(TESTING))
    assert known_models("orin", tmp_path / "file" / "models") is None
