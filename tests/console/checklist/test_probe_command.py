"""The probe robot_command: a program that is missing, hangs, fails or says something else never passes, and is told apart."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.checklist.probes import Finding
from console.checklist.probes.command import SHOWN, CommandParameters, look_at_command
from console.fieldtest.criteria import Answer
from console.link.transport import Ran
from console.looking import OfflineSight, RobotSight
from remote.errors import Trouble
from tests.console.checklist.given_robot import GivenRobot
from tests.real_sight import agent, seen


@pytest.fixture(scope="module")
def sight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RobotSight]:
    folder = tmp_path_factory.mktemp("robot")
    with agent(folder / "home") as robot, seen(robot.home, folder / "laptop") as made:
        yield made


def answer_of(found: Finding) -> Answer:
    assert isinstance(found.measurement, Answer), found
    return found.measurement


def says(text: str, **other: Any) -> CommandParameters:
    return CommandParameters(argv=(sys.executable, "-c", f"print({text!r})"), **other)


# ------------------------------------------------------------ real programs


def test_a_program_that_ends_well_holds_with_what_it_said(sight: RobotSight) -> None:
    found = look_at_command(sight, says("gripper 24.1 V", expect_output=r"gripper \d+\.\d V", match="full"))
    assert answer_of(found).holds
    assert "gripper 24.1 V" in answer_of(found).words
    assert found.details == {"exit": 0, "output": "gripper 24.1 V"}


def test_each_way_to_fail_has_its_own_words(sight: RobotSight, tmp_path: Path) -> None:
    forbidden = tmp_path / "data"
    forbidden.write_text("")
    failing = (sys.executable, "-c", "import sys; print('no bus', file=sys.stderr); sys.exit(3)")
    cases = {
        "there is no program fieldgate-none": CommandParameters(argv=("fieldgate-none", "-x")),
        "may not be run by this user": CommandParameters(argv=(str(forbidden),)),
        "did not end within 0.3 s": CommandParameters(argv=("sleep", "20"), timeout_s=0.3),
        "ended with exit 3, expected 0: no bus": CommandParameters(argv=failing),
        "did not say what is expected": says("gripper closed", expect_output="open"),
    }
    told = {words: answer_of(look_at_command(sight, parameters)) for words, parameters in cases.items()}
    assert not any(answer.holds for answer in told.values())
    assert [words for words, answer in told.items() if words not in answer.words] == []
    assert all(" - " in answer.words for answer in told.values()), "each says what to do"


def test_an_exit_that_is_expected_holds_also_where_it_is_not_zero(sight: RobotSight) -> None:
    for code in (3, 126, 127):
        argv = (sys.executable, "-c", f"raise SystemExit({code})")
        assert answer_of(look_at_command(sight, CommandParameters(argv=argv, expect_exit=code))).holds
        assert not answer_of(look_at_command(sight, CommandParameters(argv=argv))).holds


def test_a_shells_signs_in_an_argument_are_plain_text(sight: RobotSight) -> None:
    argv = ("printf", "%s", "$(touch /tmp/fieldgate-was-here); `id` | * ~")
    found = look_at_command(sight, CommandParameters(argv=argv))
    assert found.details["output"] == argv[2]
    assert not Path("/tmp/fieldgate-was-here").exists()


def test_much_output_is_cut_and_its_errors_are_kept_beside_it(sight: RobotSight) -> None:
    code = "import sys; print('x' * 300_000 + 'END'); print('warned', file=sys.stderr)"
    found = look_at_command(sight, CommandParameters(argv=(sys.executable, "-c", code), expect_output="END"))
    assert len(str(found.details["output"])) == SHOWN
    assert found.details["errors"] == "warned"
    assert len(answer_of(found).words) < 700
    assert not answer_of(found).holds, "only the first 64 KiB are looked at"


# ------------------------------------------------------------ the pattern


@pytest.mark.parametrize(
    ("out", "pattern", "match", "holds"),
    [
        (b" ready\n", "ready", "full", True),
        (b"ready now\n", "ready", "full", False),
        (b"ready now\n", "ready", "partial", True),
        (b"not yet\n", "ready", "partial", False),
        (b"READY\n", "ready", "partial", False),
        (b"", "ready", "partial", False),
        (b"", "", "full", True),
        (b"whatever", "", "full", True),
        (b"a\nready\nb", "(?m)^ready$", "partial", True),
        (b"a\nready\nb", "^ready$", "partial", False),
        (b"\xff\xfe ready", "ready", "partial", True),
    ],
)
def test_full_and_partial_mean_what_they_say(out: bytes, pattern: str, match: str, holds: bool) -> None:
    given = {"argv": ["status"], "expect_output": pattern, "match": match}
    parameters = msgspec.convert(given, CommandParameters)
    assert answer_of(look_at_command(GivenRobot(ran=Ran(0, out, b"")).sight, parameters)).holds == holds


def test_the_output_of_a_program_that_failed_is_not_taken_for_success() -> None:
    parameters = CommandParameters(argv=("status",), expect_output="ready")
    assert not answer_of(look_at_command(GivenRobot(ran=Ran(1, b"ready", b"")).sight, parameters)).holds


@given(st.binary(max_size=300), st.integers(0, 255), st.integers(0, 255))
def test_only_the_expected_exit_holds_whatever_it_says(out: bytes, ended: int, expected: int) -> None:
    parameters = CommandParameters(argv=("status",), expect_exit=expected)
    found = look_at_command(GivenRobot(ran=Ran(ended, out, b"")).sight, parameters)
    assert answer_of(found).holds == (ended == expected)


@pytest.mark.parametrize(
    "given",
    [
        {"argv": []},
        {"argv": "ls"},
        {"argv": ["a\0b"]},
        {"argv": ["x"], "expect_output": "("},
        {"argv": ["x"], "expect_output": "[z-a]"},
        {"argv": ["x"], "expect_exit": 256},
        {"argv": ["x"], "match": "some"},
        {"argv": ["x"], "timeout_s": 0},
        {"argv": ["x"], "shell": True},
    ],
)
def test_parameters_that_mean_nothing_are_refused_where_the_pack_is_read(given: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, CommandParameters)


# ------------------------------------------------------------ no robot


def test_a_robot_that_can_not_be_reached_decides_nothing(tmp_path: Path) -> None:
    away = Trouble("no route to host", cure="check the cable", code="unreachable")
    with pytest.raises(Trouble) as undecided:
        look_at_command(GivenRobot(ran=away).sight, CommandParameters(argv=("true",)))
    assert undecided.value is away
    assert look_at_command(OfflineSight(tmp_path), CommandParameters(argv=("true",))).measurement is None
