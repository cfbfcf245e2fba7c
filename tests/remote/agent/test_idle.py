"""Whether the robot may be switched: its own word, and silence never counts as yes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec
import pytest

from remote.agent.idle import why_busy
from remote.agent.settings import Idle

NOW_S = 1_800_000_000.0


def asked(idle: Idle) -> str:
    return asyncio.run(why_busy(idle, lambda: NOW_S))


@pytest.mark.parametrize(
    ("script", "busy"),
    [
        ("exit 0", ""),
        ("echo anything; exit 0", ""),
        ("echo the arm moves; echo more; exit 1", "the arm moves"),
        ("exit 7", "exit status 7"),
        ("kill -9 $$", "exit status -9"),
        ("sleep 60 & exit 0", ""),
        ("sleep 60 & wait", "no answer within 0.3 s"),
    ],
    ids=["idle", "idle with words", "busy with words", "busy", "killed", "idle, left one behind", "silent"],
)
def test_the_command_decides(script: str, busy: str) -> None:
    found = asked(Idle(command=("/bin/sh", "-c", script), timeout_s=0.3 if "wait" in script else 10.0))
    assert busy in found
    assert bool(found) == bool(busy)


def test_a_command_that_is_not_there_counts_as_busy() -> None:
    assert "can't be run" in asked(Idle(command=("/no/such/check",)))


@pytest.mark.parametrize(
    ("age_s", "newer_than_s", "busy"),
    [
        (0.0, 10.0, ""),
        (10.0, 10.0, ""),
        (11.0, 10.0, "11 s old"),
        (-5.0, 10.0, "future"),
        (1e6, None, ""),
        (None, None, "not there"),
        (None, 10.0, "not there"),
    ],
)
def test_the_file_decides(tmp_path: Path, age_s: float | None, newer_than_s: float | None, busy: str) -> None:
    file = tmp_path / "idle"
    if age_s is not None:
        file.touch()
        os.utime(file, (NOW_S - age_s, NOW_S - age_s))
    found = asked(Idle(file=str(file), newer_than_s=newer_than_s))
    assert busy in found
    assert bool(found) == bool(busy)


@pytest.mark.parametrize("given", [{}, {"command": ["true"], "file": "/x"}, {"command": ["true"], "newer_than_s": 3.0}])
def test_a_setting_that_says_nothing_or_two_things_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, Idle)
