"""`fieldgate-agent` as SSH, systemd and people run it: real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from remote.agent.clock import system_clock
from remote.agent.core import Agent
from remote.agent.journal import Journal
from remote.agent.lines import LineSplitter
from remote.agent.picture_book import PictureBook
from remote.agent.places import places_for
from remote.agent.serve import feed_watchdog
from remote.agent.settings import Settings
from remote.agent.status import running_pid
from remote.agent.systemd import notify, unit_text
from remote.agent.writer import JournalWriter
from remote.protocol import AgentHello, AgentState, Ping, Pong, Refusal, from_agent, line
from tests.remote.agent.robot import ROOT, Robot, environment, hello_of
from tests.waiting import wait_until

AGENT = [sys.executable, "-m", "remote"]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*AGENT, *words], capture_output=True, text=True, timeout=90, cwd=ROOT, env=environment())


class Attached:
    """An `attach` process and what came out of it."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [*AGENT, "attach", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environment()
        )
        self._lines = LineSplitter(1 << 23)
        self.messages: list[object] = []
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)

    def send(self, message: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line(message))
        self.process.stdin.flush()

    def saw(self, kind: type) -> bool:
        assert self.process.stdout is not None
        while chunk := self.process.stdout.read(65536):
            self.messages += [from_agent(one) for one in self._lines.feed(chunk)]
        return any(isinstance(message, kind) for message in self.messages)

    def end(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(60)


def test_attach_without_an_agent_says_so_in_one_line_of_the_protocol_and_exits_4(tmp_path: Path) -> None:
    result = run("attach", "--home", str(tmp_path / "none"))
    assert result.returncode == 4
    refusal = from_agent(result.stdout.encode())
    assert isinstance(refusal, Refusal)
    assert refusal.error.code == "no_agent"
    assert refusal.error.cure
    assert not (tmp_path / "none").exists()


def test_attach_to_the_socket_of_a_dead_agent_says_the_same_and_a_new_agent_replaces_it(robot: Robot) -> None:
    robot.end(signal.SIGKILL)
    assert (robot.home / "agent.sock").exists()
    assert run("attach", "--home", str(robot.home)).returncode == 4
    assert run("status", "--home", str(robot.home)).returncode == 4
    assert robot.start().console().state


def test_attach_carries_both_ways_and_ends_with_its_stdin(robot: Robot) -> None:
    attached = Attached("--home", str(robot.home))
    attached.send(hello_of("anna", "a"))
    attached.send(Ping(1))
    wait_until(lambda: attached.saw(Pong), 10, "a pong")
    assert isinstance(attached.messages[0], AgentHello)
    assert attached.end() == 0
    console = robot.console("ben")
    console.until(lambda: console.state.consoles == ("ben",), "anna gone")


def test_attach_ends_when_the_agent_is_killed(robot: Robot) -> None:
    attached = Attached("--home", str(robot.home))
    wait_until(lambda: attached.saw(AgentHello), 10, "the hello")
    robot.end(signal.SIGKILL)
    assert attached.process.wait(60) == 0


def test_attach_start_starts_an_agent_that_outlives_it_and_ends_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    words = ("--start", "--home", str(home), "--name", "table 1", "--drills", "--exit-when-alone", "1.5")
    first = Attached(*words)
    second = Attached(*words)
    for one in (first, second):
        one.send(hello_of("anna", "a"))
    for one in (first, second):
        wait_until(lambda one=one: one.saw(AgentState), 20, "a state")  # type: ignore[misc]
        hello, state = one.messages[0], next(m for m in one.messages if isinstance(m, AgentState))
        assert isinstance(hello, AgentHello)
        assert (hello.robot, state.drills) == ("table 1", True)
    pid = running_pid(places_for(home))
    assert pid is not None
    assert os.getsid(pid) != os.getsid(0)
    first.process.kill()
    first.process.wait()
    assert second.end() == 0
    assert running_pid(places_for(home)) == pid
    wait_until(lambda: running_pid(places_for(home)) is None, 15, "its end when alone")
    assert not places_for(home).socket.exists()


def test_attach_start_says_why_the_agent_does_not_start(tmp_path: Path) -> None:
    home = tmp_path / "home"
    places_for(home).prepare()
    (home / "settings.yaml").write_text("on_link_loss: explode\n")
    result = run("attach", "--start", "--home", str(home))
    assert result.returncode == 4
    assert "on_link_loss" in result.stdout


def test_a_second_agent_says_who_runs_and_exits_1(robot: Robot) -> None:
    assert robot.process is not None
    result = run("serve", "--home", str(robot.home))
    assert result.returncode == 1
    assert f"process {robot.process.pid}" in result.stderr
    assert "Traceback" not in result.stderr
    assert robot.console().state


def test_status_and_stop(robot: Robot) -> None:
    home = str(robot.home)
    assert "worker    stopped" in run("status", "--home", home).stdout
    both = json.loads(run("status", "--home", home, "--json").stdout)
    assert both["hello"]["type"] == "agent_hello"
    assert both["state"]["worker"]["phase"] == "stopped"
    assert run("stop", "--home", home).returncode == 0
    assert robot.process is not None
    assert robot.process.wait(60) == 0
    assert run("stop", "--home", home).returncode == 0


def test_autostart_starts_the_worker_with_the_agent(make_robot: object, tmp_path: Path) -> None:
    places_for(tmp_path / "home").prepare()
    (tmp_path / "home" / "settings.yaml").write_text("autostart: true\n")
    console = make_robot().console()  # type: ignore[operator]
    console.until(lambda: console.state.worker.phase == "running", "a running worker")


def test_a_damaged_journal_does_not_keep_the_agent_from_running(robot: Robot) -> None:
    old = robot.console().hello.journal
    robot.end()
    (robot.home / "journal.db-wal").unlink(missing_ok=True)  # left by an end under load, it would mend the file
    (robot.home / "journal.db").write_bytes(b"\x00\xff" * 9000)
    console = robot.start().console().subscribe()
    assert console.await_named("journal_replaced").data["kept_as"]
    assert console.hello.journal != old


def test_the_socket_and_the_journal_are_for_this_user_only(robot: Robot) -> None:
    for name in ("agent.sock", "journal.db", "agent.lock", "agent.log"):
        assert (robot.home / name).stat().st_mode & 0o077 == 0, name


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_is_turned_away_even_where_the_socket_would_let_it(robot: Robot) -> None:
    for path in (robot.home, *robot.home.parents):
        if path == Path("/"):
            break
        path.chmod(path.stat().st_mode | 0o755)
    (robot.home / "agent.sock").chmod(0o666)
    script = (
        "import os,socket,sys\nos.setgid(65534); os.setuid(65534)\n"
        f"s=socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect({str(robot.home / 'agent.sock')!r})\n"
        "sys.stdout.write(s.recv(4096).decode())"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60).stdout
    refusal = from_agent(said.encode())
    assert isinstance(refusal, Refusal)
    assert refusal.error.code == "wrong_user"


# ------------------------------------------------------------ systemd


@pytest.fixture
def door(tmp_path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listening.bind(str(tmp_path / "notify"))
    listening.settimeout(60)
    return listening


def test_notify_reaches_systemds_socket_and_is_silent_without_one(tmp_path: Path, door: socket.socket) -> None:
    assert notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "notify")})
    assert door.recv(100) == b"READY=1"
    assert not notify("READY=1", {})
    assert not notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "gone")})


def test_notify_reaches_an_abstract_socket(tmp_path: Path) -> None:
    name = f"fieldgate-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(b"\0" + name.encode())
        assert notify("WATCHDOG=1", {"NOTIFY_SOCKET": f"@{name}"})
        assert listening.recv(100) == b"WATCHDOG=1"


def test_systemd_hears_ready_watchdog_and_stopping(tmp_path: Path, door: socket.socket) -> None:
    told = {**environment(), "NOTIFY_SOCKET": str(tmp_path / "notify")}
    process = subprocess.Popen([*AGENT, "serve", "--home", str(tmp_path / "home")], cwd=ROOT, env=told)
    try:
        assert door.recv(200).startswith(b"READY=1\nMAINPID=")
        assert door.recv(200) == b"WATCHDOG=1"
        begin = time.monotonic()
        assert door.recv(200) == b"WATCHDOG=1"
        assert time.monotonic() - begin < 5
        process.terminate()
        while (word := door.recv(200)) == b"WATCHDOG=1":
            pass
        assert word == b"STOPPING=1"
        assert process.wait(60) == 0
    finally:
        process.kill()


def test_the_unit_quotes_what_systemd_would_expand() -> None:
    text = unit_text(Path("/opt/field gate/bin/fieldgate-agent"), Path("/home/u/50%"))
    assert 'ExecStart="/opt/field gate/bin/fieldgate-agent" serve --home /home/u/50%%' in text
    for line_ in ("Type=notify", "WatchdogSec=20", "Restart=on-failure"):
        assert line_ in text.splitlines()


@pytest.mark.parametrize(("silent_s", "fed"), [(0.0, True), (60.0, False)])
async def test_the_watchdog_is_fed_only_while_the_journal_moves(
    tmp_path: Path, door: socket.socket, monkeypatch: pytest.MonkeyPatch, silent_s: float, fed: bool
) -> None:
    clock = system_clock()
    places = places_for(tmp_path / "home").prepare()
    writer = JournalWriter(Journal(places.journal, clock.boot_id), clock, Settings().limits)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    book = PictureBook(places.pictures, places.picture_index, places.pins)
    agent = Agent(places, Settings(), clock, writer, book, name="r", drills=False, worker_command=("true",))
    feed_watchdog(agent, time.monotonic() + silent_s)
    door.settimeout(0.2)
    if fed:
        assert door.recv(100) == b"WATCHDOG=1"
    else:
        with pytest.raises(TimeoutError):
            door.recv(100)
    writer.close()
