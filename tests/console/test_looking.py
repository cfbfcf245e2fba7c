"""A sight: what a probe sees of a robot is the robot, and what it can't see it is told, in words that name the cure."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec
import pytest

from console.checklist.probes import Sight
from console.link.snapshot import Link, LinkPhase, Snapshot
from console.looking import POLL_S, OfflineSight, RobotSight, looking_at
from console.robots import Robot
from console.store.store import Store
from remote.errors import Trouble
from remote.protocol import CheckBundle, Facts, GetFacts, GetState, Note, Reply
from tests.real_sight import agent, seen, start_old_agent
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One agent for all tests that change nothing there."""
    with agent(tmp_path_factory.mktemp("robot") / "home") as robot:
        yield robot.home


@pytest.fixture
def sight(home: Path, tmp_path: Path) -> Iterator[RobotSight]:
    with seen(home, tmp_path / "laptop", bundle="b" * 64) as made:
        yield made


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


# ------------------------------------------------------------ a real robot


def test_it_is_a_sight(sight: RobotSight, tmp_path: Path) -> None:
    looked_through: Sight = sight
    assert looked_through.session is not None
    assert (looked_through.files, looked_through.bundle) == (tmp_path / "laptop", "b" * 64)
    offline: Sight = OfflineSight(tmp_path)
    assert offline.session is None


def test_facts_are_asked_once_and_kept(sight: RobotSight) -> None:
    first = sight.facts()
    assert len(first.bundle) == 64
    assert sight.facts() is first


def test_what_the_store_holds_is_what_is_said_to_be_stored(sight: RobotSight) -> None:
    assert sight.session is not None
    seq = sight.session.request(Note("kept")).result(10).seq
    assert seq is not None
    assert sight.wait(lambda shot: sight.stored_seq() >= seq, 10) is not None


@pytest.mark.parametrize("word", ["a b", "$HOME", "`id`", "'", '"', "a\nb", "*", "~", ";", "-n", "\\", "ä中", "!x", ""])
def test_a_word_reaches_the_robots_program_as_it_is(sight: RobotSight, word: str) -> None:
    """Without it a pack's argument could become a command on the robot."""
    ran = sight.run((*python("import sys; sys.stdout.write(repr(sys.argv[1:]))"), word), 20)
    assert (ran.exit, ran.out.decode(), ran.err) == (0, repr([word]), b"")


def test_a_missing_program_a_forbidden_one_and_one_that_does_not_end_are_told_apart(
    sight: RobotSight, tmp_path: Path
) -> None:
    assert sight.run(("fieldgate-has-no-such-program", "x"), 10).exit == 127
    forbidden = tmp_path / "data.txt"
    forbidden.write_text("no program")
    assert sight.run((str(forbidden),), 10).exit == 126
    with pytest.raises(Trouble) as late:
        sight.run(("sleep", "30"), 0.3)
    assert late.value.code == "timeout"


def test_what_does_not_end_in_time_is_not_left_running(sight: RobotSight, tmp_path: Path) -> None:
    """Otherwise each look at a hanging program leaves one more of them on the robot."""
    noted = tmp_path / "pid"
    began = time.monotonic()
    with pytest.raises(Trouble):
        sight.run(("/bin/sh", "-c", 'sleep 300 & echo $! > "$0"; wait', str(noted)), 2)
    assert time.monotonic() - began < 60, "its child held the pipes"
    wait_until(lambda: not running(int(noted.read_text())), 10, "the program's child to be gone")


def running(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.parametrize("argv", [(), ("echo", "a\0b")])
def test_a_command_that_no_system_can_run_is_refused_in_words(sight: RobotSight, argv: tuple[str, ...]) -> None:
    with pytest.raises(Trouble) as refused:
        sight.run(argv, 1)
    assert refused.value.code == "bad_command"


def test_a_robot_that_dies_while_it_is_waited_for_is_noticed_at_once(tmp_path: Path) -> None:
    with agent(tmp_path / "home") as robot, seen(robot.home, tmp_path / "laptop") as made:
        asked = 0

        def never(shot: Snapshot) -> bool:
            nonlocal asked
            asked += 1
            if asked == 3:
                robot.end(signal.SIGKILL)
            return False

        assert made.wait(never, 60) is None
        with pytest.raises(Trouble) as gone:
            made.facts()
        assert gone.value.code == "unreachable"
        assert gone.value.cure


def test_an_agent_that_is_too_old_is_named_with_the_command_that_helps(tmp_path: Path) -> None:
    """Otherwise an engineer waits for a time-out and reads `not confirmed`, for each item of the list."""
    old = start_old_agent(tmp_path / "home", tmp_path / "old")
    try:
        with seen(tmp_path / "home", tmp_path / "laptop") as made:
            assert made.session is not None
            for question in (lambda: made.facts(), *(asking(made, one) for one in (CheckBundle("b" * 64), Note("x")))):
                with pytest.raises(Trouble) as refused:
                    question()
                assert refused.value.code == "too_old"
                assert "too old" in refused.value.what
                assert "fieldgate deploy orin" in refused.value.cure
            assert made.session.request(GetState()).result(10).state is not None
            assert made.session.snapshot.link.phase == "up"
    finally:
        old.send_signal(signal.SIGTERM)
        old.wait(15)


def asking(made: RobotSight, command: CheckBundle | Note) -> Callable[[], object]:
    def ask() -> Reply:
        assert made.session is not None
        return made.session.request(command, timeout_s=60).result(5)

    return ask


def test_a_command_can_look_at_a_robot_and_leaves_nothing_open(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "laptop"))
    with looking_at(Robot(name="orin", transport="local", home=str(home)), files=tmp_path, bundle="x") as made:
        assert made.facts().source == "scene:"
        session = made.session
    assert session is not None
    assert session.snapshot.link.phase == "closed"
    with pytest.raises(Trouble, match="closed"):
        made.stored_seq()


def test_a_store_that_belongs_to_somebody_else_stays_open(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "laptop"))
    store = Store()
    robot = Robot(name="orin", transport="local", home=str(home))
    with looking_at(robot, files=tmp_path, store=store) as made:
        assert made.session is not None
        made.session.request(Note("kept")).result(10)
        wait_until(lambda: made.stored_seq() > 0, 10, "an entry in the store")
    assert made.stored_seq() == store.journals("orin")[-1].last_seq > 0
    store.close()


def test_a_robot_without_an_agent_is_said_before_any_item_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "laptop"))
    robot = Robot(name="orin", transport="local", home=str(tmp_path / "none"))
    with pytest.raises(Trouble) as gone, looking_at(robot, files=tmp_path):
        pass
    assert gone.value.code == "no_agent"
    assert "fieldgate deploy orin" in gone.value.cure


def test_looking_loads_no_ssh_no_sql_and_no_screen_by_itself() -> None:
    code = "import sys, console.looking; print([m for m in ('paramiko', 'sqlite3', 'textual') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# ------------------------------------------------------------ waiting, with a clock of the test's own


def shot(phase: LinkPhase, seq: int = 0) -> Snapshot:
    return Snapshot(robot="orin", taken_ns=0, link=Link(phase=phase, since_ns=0, transport="local"), stored_seq=seq)


class Scripted:
    """A session whose snapshot is another one after each pause."""

    def __init__(self, *shots: Snapshot) -> None:
        self._shots = list(shots)
        self.paused_s = 0.0

    @property
    def snapshot(self) -> Snapshot:
        return self._shots[0]

    def pause(self, seconds: float) -> None:
        self.paused_s += seconds
        if len(self._shots) > 1:
            self._shots.pop(0)

    def mono_ns(self) -> int:
        return round(self.paused_s * 1e9)


def watching(*shots: Snapshot) -> tuple[RobotSight, Scripted]:
    session: Any = Scripted(*shots)
    nothing: Any = None
    made = RobotSight(
        session, nothing, nothing, robot="orin", files=Path(), mono_ns=session.mono_ns, pause=session.pause
    )
    return made, session


def wanted(snapshot: Snapshot) -> bool:
    return snapshot.stored_seq >= 2


def test_the_first_snapshot_that_is_wanted_comes_back() -> None:
    made, session = watching(shot("up", 1), shot("up", 2), shot("up", 3))
    found = made.wait(wanted, 10)
    assert found is not None
    assert found.stored_seq == 2
    assert session.paused_s == pytest.approx(POLL_S)


def test_time_that_is_over_is_none_after_that_time() -> None:
    made, session = watching(shot("up", 1))
    assert made.wait(wanted, 3.0) is None
    assert session.paused_s == pytest.approx(3.0)
    assert made.wait(wanted, 0.0) is None


@pytest.mark.parametrize("phase", ["down", "refused", "closed"])
def test_a_lost_link_ends_the_wait_and_old_knowledge_is_not_taken_for_new(phase: LinkPhase) -> None:
    made, session = watching(shot("up", 1), shot(phase, 2))
    assert made.wait(wanted, 10) is None
    assert session.paused_s < 1


def test_a_link_that_still_connects_is_waited_for_and_its_stored_past_is_not_the_present() -> None:
    made, _ = watching(shot("connecting", 2), shot("up", 3))
    found = made.wait(wanted, 10)
    assert found is not None
    assert found.stored_seq == 3


def test_a_silent_link_may_go_on() -> None:
    made, _ = watching(shot("silent", 1), shot("silent", 2))
    assert made.wait(wanted, 10) is not None


# ------------------------------------------------------------ answers that lack what was asked for


class Answering:
    """A session that answers each request with the same reply."""

    def __init__(self, reply: Reply) -> None:
        self.reply, self.asked = reply, 0
        self.snapshot = shot("up")

    def request(self, command: object, **_: object) -> Future[Reply]:
        assert isinstance(command, GetFacts)
        self.asked += 1
        future: Future[Reply] = Future()
        future.set_result(self.reply)
        return future


def through(reply: Reply) -> tuple[RobotSight, Answering]:
    session: Any = Answering(reply)
    nothing: Any = None
    return RobotSight(session, nothing, nothing, robot="orin", files=Path()), session


def test_an_answer_without_facts_is_no_fact() -> None:
    made, _ = through(Reply(id="1"))
    with pytest.raises(Trouble) as refused:
        made.facts()
    assert refused.value.code == "too_old"


def test_one_sight_asks_one_time_however_many_probes_ask() -> None:
    facts = Facts(serial="1", serial_source="dmi", mono_ns=1, wall_ns=2)
    made, session = through(Reply(id="1", facts=facts))
    assert [made.facts() for _ in range(3)] == [facts] * 3
    assert session.asked == 1
    assert msgspec.structs.asdict(made.facts())["serial"] == "1"


# ------------------------------------------------------------ no robot


def test_without_a_robot_everything_of_it_is_said_to_be_out_of_sight(tmp_path: Path) -> None:
    made = OfflineSight(tmp_path, "b" * 64, mono_ns=lambda: 5, wall_ns=lambda: 7)
    assert (made.files, made.bundle, made.stored_seq()) == (tmp_path, "b" * 64, 0)
    assert made.wait(lambda _: True, 10) is None
    assert (made.mono_ns(), made.wall_ns()) == (5, 7)
    for look in (made.facts, lambda: made.run(("true",), 1)):
        with pytest.raises(Trouble) as refused:
            look()
        assert refused.value.code == "no_robot"
        assert refused.value.what == "the robot is not connected"


def test_why_there_is_no_robot_is_told_where_it_is_known(tmp_path: Path) -> None:
    """Somebody who reads the record a month later must not take a changed host key for a cable that was out."""
    made = OfflineSight(tmp_path, reason="the host key has changed", cure="ask who set the robot up again")
    for look in (made.facts, lambda: made.run(("true",), 1)):
        with pytest.raises(Trouble) as refused:
            look()
        assert (refused.value.what, refused.value.cure) == (
            "the host key has changed",
            "ask who set the robot up again",
        )
        assert refused.value.code == "no_robot"
