"""How the agent before this one ended: who counts uptime must tell a reboot, a kill and a clean end apart."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from remote.agent.clock import Clock
from remote.agent.journal import Before, Journal, draft
from remote.agent.previous_end import facts_of_start
from remote.protocol import Event
from tests.remote.agent.robot import Robot


@pytest.mark.parametrize(
    ("before", "killed", "end", "rebooted"),
    [
        (Before("", None), "", "none", None),
        (Before("", None), "7", "unclean", None),
        (None, "", "unknown", None),
        (None, "7", "unclean", None),
        (Before("now", True), "", "clean", False),
        (Before("then", True), "", "clean", True),
        (Before("now", True), "7", "unclean", False),
        (Before("then", False), "", "unclean", True),  # power went before the lock's content reached the disk
        (Before("then", None), "", "unknown", True),
    ],
)
def test_each_end_has_its_word(before: Before | None, killed: str, end: str, rebooted: bool | None) -> None:
    assert facts_of_start(before, killed, "now") == {"previous_end": end, "rebooted": rebooted}


def event(name: str) -> Event:
    return Event(name=name, severity="info", text="")


def test_the_journal_tells_of_the_agent_before_it(tmp_path: Path) -> None:
    def opened(boot: str) -> tuple[Journal, Clock]:
        return Journal(tmp_path / "journal.db", boot), Clock(boot)

    journal, clock = opened("one")
    assert journal.before() == Before("", None)
    journal.append([draft(event("note"), clock)])
    assert journal.before() == Before("one", None)
    journal.append([draft(event("agent_started"), clock), draft(event("note"), clock)])
    assert journal.before() == Before("one", False)
    journal.append([draft(event("agent_stopping"), clock), draft(event("worker_stopped"), clock)])
    journal.close()
    journal, _ = opened("two")
    assert journal.before() == Before("one", True)
    journal.close()


def test_a_real_agent_says_how_the_one_before_it_ended(make_robot: Callable[..., Robot]) -> None:
    robot = make_robot()
    robot.end()
    robot.start()
    told = robot.console().subscribe()
    told.until(lambda: len(told.named("agent_started")) == 2, "its start on the disk")
    robot.end(signal.SIGKILL)
    robot.start()
    console = robot.console().subscribe()
    console.until(lambda: len(console.named("agent_started")) == 3, "three starts")
    starts = console.named("agent_started")
    assert [one.data["previous_end"] for one in starts] == ["none", "clean", "unclean"]
    assert [one.data["rebooted"] for one in starts] == [None, False, False]
    assert [bool(one.data.get("killed_pid")) for one in starts] == [False, False, True]
