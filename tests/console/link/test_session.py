"""A session over a real sshd with the real agent: cuts, frozen links, commands, two consoles."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest

from console.link.client import RobotClient
from console.robots import Robot, Settings
from console.store.store import Store
from remote.errors import Trouble
from remote.protocol import GetChoices, GetState, Mark, Stop
from tests.console.link.conftest import Opened, at
from tests.sshd import Laptop, Sshd
from tests.waiting import wait_until


def until_up(session: RobotClient, timeout_s: float = 30.0) -> None:
    wait_until(lambda: session.snapshot.link.phase == "up" and session.snapshot.state, timeout_s, "the link to be up")


def up_for_s(session: RobotClient) -> float:
    link = session.snapshot.link
    return (time.monotonic_ns() - link.since_ns) / 1e9 if link.phase == "up" else 0.0


def robots_entries(server: Sshd) -> list[tuple[int, str, bytes]]:
    """What the agent's own file holds."""
    path = server.home / ".local/state/fieldgate-agent/journal.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as journal:
        rows = journal.execute("SELECT seq, kind, body FROM entries ORDER BY seq").fetchall()
    return [(seq, kind, bytes(body)) for seq, kind, body in rows]


def stored_entries(path: Path) -> list[tuple[int, str, bytes]]:
    with sqlite3.connect(path) as store:
        rows = store.execute("SELECT seq, kind, body FROM entries ORDER BY journal_id, seq").fetchall()
    return [(seq, kind, bytes(body)) for seq, kind, body in rows]


def test_ten_cuts_leave_the_laptop_with_the_robots_journal(
    server: Sshd, robot: Robot, opened: Opened, tmp_path: Path
) -> None:
    """A hole or a double here is evidence that the engineer signs and that never was."""
    session = opened(robot)
    until_up(session)
    for cut in range(10):
        before = session.snapshot.stored_seq
        wait_until(lambda before=before: session.snapshot.stored_seq > before, 20, "something new")  # type: ignore[misc]
        wait_until(lambda: up_for_s(session) > 0.6, 20, "a link that held")  # a shorter one lengthens the next wait
        reconnects = session.snapshot.link.reconnects
        session.cut() if cut % 2 else server.cut()
        wait_until(lambda n=reconnects: session.snapshot.link.reconnects > n, 20, "the reconnect")  # type: ignore[misc]
    until_up(session)
    session.request(Mark("the last one")).result(10)
    wait_until(lambda: any(f.body.name == "operator_mark" for f in session.snapshot.failures), 10, "the mark")
    session.close()
    server.end_agents(server.home / ".local/share/fieldgate/current/bin/fieldgate-agent")
    stored, theirs = stored_entries(tmp_path / "store-0.db"), robots_entries(server)
    assert [seq for seq, _, _ in stored] == list(range(1, len(stored) + 1))
    assert stored == theirs[: len(stored)]
    assert len(stored) > 20


def test_a_frozen_link_is_noticed_within_five_seconds_and_heals(server: Sshd, robot: Robot, opened: Opened) -> None:
    """Longer, and the engineer steers by numbers that are not there any more."""
    session = opened(robot)
    until_up(session)
    assert server.freeze() > 0
    frozen = time.monotonic()
    wait_until(lambda: session.snapshot.link.phase == "silent", 6, "silence to be said")
    wait_until(lambda: session.snapshot.link.phase == "down", 6, "the dead link to be noticed")
    assert time.monotonic() - frozen <= 5.5
    assert "nothing heard" in session.snapshot.link.reason
    server.thaw()
    until_up(session)


def test_a_request_asked_during_a_cut_is_answered_after_it(server: Sshd, robot: Robot, opened: Opened) -> None:
    session = opened(robot)
    until_up(session)
    server.freeze()
    future = session.request(Mark("once"), timeout_s=25)
    server.cut()
    assert future.result(30).error is None
    wait_until(lambda: session.snapshot.failures, 10, "the mark in the journal")
    assert [f.body.data for f in session.snapshot.failures if f.body.name == "operator_mark"] != []
    assert len([f for f in session.snapshot.failures if f.body.name == "operator_mark"]) == 1


def test_without_an_answer_a_command_is_unconfirmed(server: Sshd, robot: Robot, opened: Opened) -> None:
    session = opened(robot)
    until_up(session)
    server.freeze()
    with pytest.raises(Trouble) as caught:
        session.request(GetState(), timeout_s=0.5).result(5)
    assert caught.value.code == "unconfirmed"


def test_commands_need_the_lease_and_a_second_console_sees_who_has_it(robot: Robot, opened: Opened) -> None:
    first, second = opened(robot), opened(robot)
    until_up(first)
    until_up(second)
    with pytest.raises(Trouble) as caught:
        first.request(Stop()).result(5)
    assert caught.value.code == "no_lease"
    assert first.take_lease().result(5).error is None
    with pytest.raises(Trouble) as held:
        second.take_lease().result(5)
    assert held.value.code == "lease_held"
    wait_until(lambda: second.snapshot.state and second.snapshot.state.lease, 5, "the second to see the lease")
    lease = second.snapshot.state.lease if second.snapshot.state else None
    assert lease is not None
    second.take_lease(over=lease.epoch).result(5)
    wait_until(lambda: not first.holds_lease, 5, "the first to see that it lost the lease")
    assert second.request(Stop(), timeout_s=15).result(20).state.worker.phase == "stopped"  # type: ignore[union-attr]


def test_two_consoles_on_one_store_both_show_everything(robot: Robot, opened: Opened, tmp_path: Path) -> None:
    store = Store(tmp_path / "one.db")
    first, second = opened(robot, store=store), opened(robot, store=store)
    until_up(first)
    until_up(second)
    first.request(Mark("seen by both")).result(10)
    for session in (first, second):
        wait_until(lambda s=session: s.snapshot.failures, 10, "the mark on both")  # type: ignore[misc]
    assert first._identity.client_id != second._identity.client_id


def test_a_screen_shows_the_past_while_the_robot_is_away(
    server: Sshd, robot: Robot, opened: Opened, tmp_path: Path
) -> None:
    session = opened(robot)
    until_up(session)
    wait_until(lambda: session.snapshot.hosts, 15, "a first host entry")
    session.close()
    server.stop()
    later = opened(robot, store=Store(tmp_path / "store-0.db"))
    assert later.snapshot.hosts
    assert later.snapshot.hosts[-1].at_ns is None
    wait_until(lambda: later.snapshot.link.phase == "down", 10, "the refused connection")
    assert later.snapshot.link.code == "unreachable"
    with pytest.raises(Trouble) as caught:
        later.request(GetState()).result(1)
    assert caught.value.code == "unreachable"


def test_a_new_journal_is_said_and_the_old_one_kept(server: Sshd, robot: Robot, opened: Opened, tmp_path: Path) -> None:
    session = opened(robot)
    until_up(session)
    wait_until(lambda: session.snapshot.stored_seq >= 3, 15, "some entries")
    program = server.home / ".local/share/fieldgate/current/bin/fieldgate-agent"
    server.end_agents(program)
    for file in (server.home / ".local/state/fieldgate-agent").glob("journal.db*"):
        file.unlink()
    wait_until(lambda: "another one" in session.snapshot.link.reason, 40, "the new journal to be said")
    with sqlite3.connect(tmp_path / "store-0.db") as store:
        assert store.execute("SELECT count(*) FROM journals").fetchone() == (2,)


def test_a_refused_key_waits_for_a_person(server: Sshd, robot: Robot, opened: Opened) -> None:
    """Trying for ever would lock the account or fill the robot's log."""
    server.authorized_keys.write_text("")
    session = opened(robot)
    wait_until(lambda: session.snapshot.link.phase == "refused", 10, "the refusal")
    assert session.snapshot.link.code == "auth_failed"
    words = "Connection closed by authenticating user"
    wait_until(lambda: words in server.log.read_text(), 5, "the server to note the try")
    time.sleep(1.5)  # the second try would come after 0.2 s
    assert server.log.read_text().count(words) == 1


def test_after_a_person_acted_retry_goes_on_without_a_restart(server: Sshd, robot: Robot, opened: Opened) -> None:
    """Without it the screen, with all that it shows, must be left after the key was allowed."""
    allowed = server.authorized_keys.read_text()
    server.authorized_keys.write_text("")
    session = opened(robot)
    wait_until(lambda: session.snapshot.link.phase == "refused", 10, "the refusal")
    server.authorized_keys.write_text(allowed)
    session.retry()
    until_up(session)
    assert session.snapshot.link.reconnects == 0


def test_retry_does_not_wait_for_the_next_try(server: Sshd, robot: Robot, opened: Opened) -> None:
    session = opened(robot)
    until_up(session)
    session.retry()  # while up there is nothing to try: it must not shorten what comes later
    session.cut(for_s=60)
    wait_until(lambda: session.snapshot.link.phase == "down", 10, "the cut")
    retry_at_ns = session.snapshot.link.retry_at_ns
    assert retry_at_ns is not None
    assert retry_at_ns - time.monotonic_ns() > 50_000_000_000
    time.sleep(0.5)
    assert session.snapshot.link.phase == "down"
    session.retry()
    until_up(session)


def test_no_agent_is_said_with_the_cure_and_found_once_it_runs(server: Sshd, robot: Robot, opened: Opened) -> None:
    session = opened(at(server, settings=Settings()))
    wait_until(lambda: session.snapshot.link.code == "no_agent", 10, "no agent to be said")
    assert "fieldgate deploy orin" in session.snapshot.link.cure
    opened(robot)
    until_up(session)


def test_closing_is_quick_and_leaves_no_thread(robot: Robot, opened: Opened) -> None:
    before = set(threading.enumerate())
    session = opened(robot)
    until_up(session)
    began = time.monotonic()
    session.close()
    assert time.monotonic() - began < 2.5
    left = [t.name for t in threading.enumerate() if t not in before and t.name.startswith("fieldgate")]
    assert left == []


def test_samples_are_as_many_as_asked_for_and_of_now(robot: Robot, opened: Opened) -> None:
    session = opened(robot)
    session.watch_samples(10)
    until_up(session)
    wait_until(lambda: session.snapshot.sample, 15, "a sample")
    snapshot = session.snapshot
    assert snapshot.sample_at_ns is not None
    assert 0 <= snapshot.taken_ns - snapshot.sample_at_ns < 1_000_000_000
    assert snapshot.link.round_trip_ms is not None


def test_the_openssh_transport_carries_a_session(server: Sshd, opened: Opened) -> None:
    session = opened(at(server, transport="openssh"))
    until_up(session)
    assert session.request(GetChoices("sources")).result(5).choices
    server.cut()
    wait_until(lambda: session.snapshot.link.reconnects == 1, 15, "the reconnect")


def test_the_local_robot_needs_no_ssh(laptop: Laptop, opened: Opened, tmp_path: Path) -> None:
    home = tmp_path / "agent"
    settings = Settings(start_agent=True, exit_when_alone_s=1.0)
    session = opened(Robot(name="demo", transport="local", home=str(home), settings=settings))
    until_up(session)
    session.cut()
    wait_until(lambda: session.snapshot.link.reconnects == 1, 15, "the reconnect")
    assert msgspec.structs.replace(session.snapshot.link, phase="up").transport == "local"
    session.close()
    subprocess.run([sys.executable, "-m", "remote", "stop", "--home", str(home)], check=False, capture_output=True)
