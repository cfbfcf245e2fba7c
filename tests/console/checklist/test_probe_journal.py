"""The probe journal_canary: `logging is set up` is true only where an entry was written, came back and is stored."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.checklist.probes.journal import CanaryParameters, look_at_journal
from console.fieldtest.criteria import Answer
from console.link.snapshot import Seen, Snapshot
from console.looking import OfflineSight
from remote.errors import Trouble
from remote.protocol import Command, Event, Note, Reply
from tests.console.checklist.given_robot import GivenRobot, link, refusing, shot
from tests.real_sight import agent, seen
from tests.remote.agent.robot import Robot
from tests.remote.agent.test_agent_disk import fill, small_disk

__all__ = ["small_disk"]
GIVEN = CanaryParameters(timeout_s=2.0)
TEXT = "fieldgate canary 42"


def answer_of(finding: object) -> Answer:
    measured = getattr(finding, "measurement", None)
    assert isinstance(measured, Answer), finding
    return measured


def look(robot: GivenRobot) -> Answer:
    return answer_of(look_at_journal(robot.sight, GIVEN, nonce=lambda: "42"))


def with_note(seq: int = 7, text: str = TEXT, name: str = "note") -> Snapshot:
    return shot(events=(Seen(seq, 0, 0, Event(name=name, severity="info", text=text)),))


def numbered(command: Command) -> Reply:
    assert command == Note(TEXT)
    return Reply(id="1", seq=7)


def robot_with(*shots: Snapshot, stored: int = 7) -> GivenRobot:
    robot = GivenRobot(*shots, answer=numbered)
    robot.sight.stored = stored
    return robot


# ------------------------------------------------------------ a real robot


def test_a_real_journal_takes_it_gives_it_back_and_the_laptop_keeps_it(tmp_path: Path) -> None:
    with agent(tmp_path / "home") as robot, seen(robot.home, tmp_path / "laptop") as sight:
        found = look_at_journal(sight, CanaryParameters())
        assert answer_of(found).holds
        assert int(found.details["seq"] or 0) <= sight.stored_seq()
        again = look_at_journal(sight, CanaryParameters())
        assert int(again.details["seq"] or 0) > int(found.details["seq"] or 0)


def test_a_robot_with_a_full_disk_does_not_hold(small_disk: Path, tmp_path: Path) -> None:
    (small_disk / "settings.yaml").write_text("limits: {disk_free_floor_bytes: 0}\n")
    robot = Robot(small_disk).start()
    try:
        with seen(robot.home, tmp_path / "laptop") as sight:
            assert answer_of(look_at_journal(sight, CanaryParameters())).holds
            fill(small_disk)
            assert sight.session is not None
            with contextlib.suppress(Trouble):
                for _ in range(200):  # the log's own room is used up first
                    sight.session.request(Note("x" * 1900)).result(10)
            refused = answer_of(look_at_journal(sight, CanaryParameters()))
            assert not refused.holds
            assert "journal" in refused.words
            assert "disk" in refused.words
    finally:
        robot.end()


# ------------------------------------------------------------ given robots


def test_it_holds_when_the_very_text_came_back_and_is_stored() -> None:
    assert look(robot_with(shot(), with_note())).holds


@pytest.mark.parametrize(
    ("came", "stored", "says"),
    [
        (shot(), 7, "did not come back within 2 s"),
        (with_note(seq=6), 7, "did not come back"),
        (with_note(), 6, "was not stored within 2 s"),
        (with_note(text="fieldgate canary 43"), 7, "came back changed"),
        (with_note(name="drill"), 7, "came back changed"),
    ],
)
def test_each_way_to_lose_an_entry_is_a_no_in_its_own_words(came: Snapshot, stored: int, says: str) -> None:
    answer = look(robot_with(came, stored=stored))
    assert not answer.holds
    assert says in answer.words


@given(st.text(min_size=1, max_size=60).filter(lambda text: text != TEXT))
def test_no_other_text_passes_for_the_canary(text: str) -> None:
    assert not look(robot_with(with_note(text=text))).holds


def test_a_store_that_can_not_take_it_is_named() -> None:
    full = msgspec.structs.replace(shot(), link=link(reason="the laptop's disk is full", cure="make room here"))
    answer = look(robot_with(full))
    assert not answer.holds
    assert "the laptop's disk is full - make room here" in answer.words


def test_a_link_that_breaks_meanwhile_decides_nothing() -> None:
    broken = msgspec.structs.replace(shot(), link=link("down", reason="the cable is out", cure="plug it in"))
    found = look_at_journal(robot_with(shot(), broken).sight, GIVEN, nonce=lambda: "42")
    assert found.measurement is None
    assert "the cable is out" in found.unavailable
    assert found.cure == "plug it in"


@pytest.mark.parametrize("code", ["not_journalled", "journal_slow"])
def test_a_journal_that_refuses_is_a_no(code: str) -> None:
    answer = look(GivenRobot(answer=refusing(code, "the disk is full", "make space")))
    assert not answer.holds
    assert "the disk is full - make space" in answer.words


@pytest.mark.parametrize("code", ["unreachable", "unconfirmed", "too_old", "busy"])
def test_a_robot_that_could_not_be_asked_decides_nothing(code: str) -> None:
    with pytest.raises(Trouble) as undecided:
        look(GivenRobot(answer=refusing(code)))
    assert undecided.value.code == code


def test_without_a_robot_or_a_number_it_is_unavailable(tmp_path: Path) -> None:
    for sight in (OfflineSight(tmp_path), GivenRobot(answer=lambda command: Reply(id="1")).sight):
        found = look_at_journal(sight, GIVEN)
        assert found.measurement is None
        assert found.unavailable


def test_each_canary_is_another_one() -> None:
    """With the same text twice, yesterday's entry would pass for today's."""
    texts: list[str] = []

    def noted(command: Command) -> Reply:
        assert isinstance(command, Note)
        texts.append(command.text)
        return Reply(id="1")

    for _ in range(20):
        look_at_journal(GivenRobot(answer=noted).sight, CanaryParameters(text="shift 2"))
    assert len(set(texts)) == 20
    assert all(text.startswith("shift 2 ") for text in texts)
