"""A laptop that slept: its monotonic clock stood still, so the measured offset is void."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from console.link.backoff import Backoff
from console.link.client import RobotClient
from console.link.opening import transport_of
from console.robots import Robot, Settings
from console.store.identity import Identity
from console.store.pictures import Pictures
from console.store.store import Store
from tests.waiting import wait_until


class Lid:
    """This machine's clocks, with a lid that can be closed for a while."""

    def __init__(self) -> None:
        self.slept_ns = 0

    def mono_ns(self) -> int:
        return time.monotonic_ns()

    def wall_ns(self) -> int:
        return time.time_ns() + self.slept_ns

    def awake_ns(self) -> int:
        return time.monotonic_ns() + self.slept_ns


@pytest.mark.parametrize("slept_s", [600, 1])
def test_after_a_sleep_the_link_is_made_anew_at_once(tmp_path: Path, slept_s: int) -> None:
    lid, store = Lid(), Store(tmp_path / "s.db")
    settings = Settings(start_agent=True, exit_when_alone_s=0.5)
    robot = Robot(name="demo", transport="local", home=str(tmp_path / "agent"), settings=settings)
    client = RobotClient(
        robot,
        transport_of(robot),
        store,
        Identity("s", "demo", tmp_path),
        Pictures(tmp_path / "p"),
        clock=lid,
        backoff=Backoff(lambda: 0.0),
    )
    said: list[str] = []
    client.start(lambda snapshot: said.append(snapshot.link.reason))
    try:
        wait_until(lambda: client.snapshot.link.round_trip_ms, 20, "the link")
        lid.slept_ns = slept_s * 1_000_000_000
        if slept_s > 2:
            wait_until(lambda: client.snapshot.link.reconnects == 1, 5, "the reconnect")
        else:
            heard = client.snapshot.link.heard_ns
            wait_until(lambda: client.snapshot.link.heard_ns != heard, 5, "the next answer")
            assert client.snapshot.link.reconnects == 0
    finally:
        client.close()
