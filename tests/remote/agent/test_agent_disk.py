"""A disk that is really full: a small file system of its own, filled to the last byte."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from remote.protocol import GetState, Ping, Pong, SetSource
from tests.remote.agent.robot import Console, Robot
from tests.waiting import LEAST_S


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "none", str(place)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> Path:
    ballast = place / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)
    return ballast


def trouble(console: Console) -> str:
    state = console.ask(GetState()).state
    assert state is not None
    return state.journal.trouble


def wait_for(console: Console, wanted: bool) -> None:
    end = time.monotonic() + LEAST_S
    while bool(trouble(console)) != wanted:
        assert time.monotonic() < end, f"trouble never became {wanted}"
        time.sleep(0.05)


def test_the_agent_lives_through_a_full_disk_and_tells_of_it(small_disk: Path) -> None:
    (small_disk / "settings.yaml").write_text("limits: {disk_free_floor_bytes: 0}\n")
    robot = Robot(small_disk).start()
    try:
        console = robot.console().subscribe()
        epoch = console.take_lease()
        console.until(lambda: console.named("lease_taken"), "entries before")
        ballast = fill(small_disk)
        for _ in range(200):  # something to journal, so that the room in the log is used up
            robot.console("visitor").close()
        wait_for(console, True)
        console.send(Ping(5))
        assert console.first(Pong).id == 5
        refused = console.ask(SetSource("scene:2"), epoch=epoch)
        assert refused.error is not None
        assert refused.error.code == "settings_unwritable"
        assert refused.state is not None
        assert refused.state.source == "scene:"
        ballast.unlink()
        wait_for(console, False)
        assert console.await_named("journal_blocked").data["why"]
        assert [entry.seq for entry in console.entries] == list(range(1, len(console.entries) + 1))
    finally:
        assert robot.end() == 0
