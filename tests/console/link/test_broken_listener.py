"""A listener that raises: the session says that it has ended instead of going on as if it were up."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from console.link.client import RobotClient
from console.link.opening import transport_of
from console.link.snapshot import Snapshot
from console.robots import Robot
from console.store.identity import Identity
from console.store.pictures import Pictures
from console.store.store import Store
from tests.waiting import wait_until


def test_a_screen_that_fails_does_not_leave_a_session_that_seems_to_be_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: reported.append(str(args.exc_value)))
    robot = Robot(name="demo", transport="local", home=str(tmp_path / "nobody"))
    store = Store(tmp_path / "s.db")
    client = RobotClient(robot, transport_of(robot), store, Identity("s", "demo", tmp_path), Pictures(tmp_path / "p"))

    def listen(snapshot: Snapshot) -> None:
        if snapshot.link.phase == "down":
            raise ValueError("a mistake in the screen")

    client.start(listen)
    wait_until(lambda: client.snapshot.link.phase == "closed", 10, "the end to be said")
    assert "a mistake in the screen" in client.snapshot.link.reason
    assert reported == ["a mistake in the screen"]
    client.close()
