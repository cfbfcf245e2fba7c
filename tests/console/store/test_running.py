"""Uptime, crashes and reboots as a journal shows them: a wrong count here is a wrong verdict on a robot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.store.running import running_between
from console.store.store import Store
from tests.console.store.journals import START_NS, Robot, S, stored


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store.db")
    yield made
    made.close()


def test_a_clean_minute_is_up_and_all_of_it_known(store: Store) -> None:
    robot = Robot()
    robot.event("agent_started")
    robot.work(60)
    stored(store, robot)
    found = running_between(store, "orin", START_NS, START_NS + 60 * S).running
    assert (found.wanted_s, found.known_s, found.up_s) == (60, 60, 60)
    assert (found.frames, found.breakdowns, found.agent_restarts) == (590, 0, 0)  # the last window ends with the span
