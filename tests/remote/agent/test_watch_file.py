"""What to look out for: lost at a restart, or believed from a damaged file, it misleads a whole field test."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.agent import watch_file
from remote.errors import Trouble
from remote.protocol import AgentState, Constraints, Event, Expectation, SetWatch, Start, Watch
from remote.safety.watch_check import MOST_CONDITIONS, MOST_EXPECTED, check_watch
from tests.remote.agent.robot import Robot
from tests.waiting import wait_until

WATCH = Watch(
    conditions={"place": "bench"}, expected=(Expectation(label="cube", box=(1, 2, 3, 4)),), low_confidence=0.4
)
NAN = float("nan")


def test_what_is_written_is_read_and_none_removes_it(tmp_path: Path) -> None:
    path = tmp_path / "watch.json"
    assert watch_file.load(path) is None
    watch_file.save(path, WATCH)
    assert watch_file.load(path) == WATCH
    assert path.stat().st_mode & 0o777 == 0o600
    watch_file.save(path, None)
    watch_file.save(path, None)
    assert watch_file.load(path) is None


WHOLE = msgspec.json.encode(WATCH)


@given(cut=st.integers(0, len(WHOLE) - 1))
def test_a_truncated_file_is_never_half_believed(cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.json"
    path.write_bytes(WHOLE[:cut])
    with pytest.raises(Trouble, match="can't be read") as trouble:
        watch_file.load(path)
    assert trouble.value.code == "bad_watch"


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"miss_frames": 0}',
        b'{"unknown": 1}',
        b'{"min_iou": 1e400}',
        b'{"conditions": {"": "x"}}',
    ],
)
def test_a_corrupt_or_hostile_file_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "watch.json").write_bytes(data)
    with pytest.raises(Trouble) as trouble:
        watch_file.load(tmp_path / "watch.json")
    assert trouble.value.code == "bad_watch"


def test_a_file_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "watch.json").symlink_to("/dev/zero")
    with pytest.raises(Trouble, match="longer than"):
        watch_file.load(tmp_path / "watch.json")


BOUNDS: list[tuple[str, Any, Any]] = [
    ("min_iou", 0.01, 0.009),
    ("min_iou", 1.0, 1.001),
    ("miss_frames", 1, 0),
    ("miss_frames", 10_000, 10_001),
    ("low_confidence", 0.0, -0.001),
    ("low_confidence", 1.0, 1.001),
    ("latency_budget_ms", 0.001, 0.0),
    ("flicker_changes", 1, 0),
    ("flicker_s", 0.01, 0.009),
    ("flicker_s", 3600.0, NAN),
    ("conditions", {str(n): "x" for n in range(MOST_CONDITIONS)}, {str(n): "x" for n in range(MOST_CONDITIONS + 1)}),
    ("conditions", {"a": "x" * 200}, {"a": "x" * 201}),
    ("conditions", {"a": "späť"}, {"a": "x\ny"}),
    ("expected", (Expectation(label="cube"),) * MOST_EXPECTED, (Expectation(label="cube"),) * (MOST_EXPECTED + 1)),
    ("expected", (Expectation(label="cube"),), (Expectation(label="cup"),)),
    ("expected", (Expectation(label="cube", box=(0, 0, 1, 1)),), (Expectation(label="cube", box=(1, 0, 1, 1)),)),
    ("expected", (), (Expectation(label="cube", box=(0, 0, NAN, 1)),)),
    ("constraints", Constraints(max_boxes=0), Constraints(max_boxes=-1)),
    (
        "constraints",
        Constraints(min_box_share=0.2, max_box_share=0.2),
        Constraints(min_box_share=0.21, max_box_share=0.2),
    ),
    ("constraints", Constraints(max_box_share=1.0), Constraints(max_box_share=1.01)),
]


@pytest.mark.parametrize(("field", "good", "bad"), BOUNDS)
def test_a_number_or_word_that_cannot_be_meant_is_refused_by_name(field: str, good: object, bad: object) -> None:
    check_watch(msgspec.structs.replace(Watch(), **{field: good}), ("cube",))
    with pytest.raises(Trouble, match=field):
        check_watch(msgspec.structs.replace(Watch(), **{field: bad}), ("cube",))


def told(robot: Robot) -> Watch | None:
    console = robot.console()
    state = console.first(AgentState)
    console.close()
    return state.watch


def test_a_watch_survives_the_agent_and_reaches_the_worker_and_the_journal(make_robot: Callable[..., Robot]) -> None:
    robot = make_robot()
    console = robot.console().subscribe()
    refused = console.ask(SetWatch(WATCH))
    assert refused.error is not None
    assert refused.error.code == "no_lease"
    epoch = console.take_lease()
    reply = console.ask(SetWatch(WATCH), epoch=epoch)
    assert reply.state is not None
    assert reply.state.watch == WATCH
    event = console.await_named("watch_set")
    assert isinstance(event, Event)
    assert msgspec.json.decode(str(event.data["watch"]), type=Watch) == WATCH
    assert "place=bench" in event.text
    console.ask(SetWatch(WATCH), epoch=epoch)
    console.ask(Start(), epoch=epoch)
    log, reached = robot.home / "agent.log", f"watch {WATCH.conditions}"
    wait_until(lambda: reached in log.read_text(), 10, "the worker to know")
    assert len(console.named("watch_set")) == 1  # the same again is nothing new
    bad = console.ask(SetWatch(Watch(miss_frames=0)), epoch=epoch)
    assert bad.error is not None
    assert bad.error.code == "bad_watch"
    robot.end(signal.SIGKILL)
    robot.start()
    assert told(robot) == WATCH
    robot.end()


def test_a_corrupt_watch_file_is_told_and_the_agent_begins_all_the_same(
    make_robot: Callable[..., Robot], tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "home" / "watch.json").write_bytes(WHOLE[:20])
    robot = make_robot()
    console = robot.console().subscribe()
    assert "watch.json" in console.await_named("watch_unusable").text
    assert console.state.watch is None


def test_a_watch_that_the_disk_refuses_is_not_in_force(robot: Robot) -> None:
    console = robot.console()
    epoch = console.take_lease()
    (robot.home / "watch.json").mkdir()  # nothing can be renamed onto a folder
    reply = console.ask(SetWatch(WATCH), epoch=epoch)
    assert reply.error is not None
    assert reply.error.code == "settings_unwritable"
    assert reply.state is not None
    assert reply.state.watch is None
