"""Asking the robot whether it may be switched now: its own command or file says so. No console has a say in this."""

from __future__ import annotations

import asyncio
import time
from asyncio.subprocess import DEVNULL
from collections.abc import Callable
from pathlib import Path

from remote.agent.child_process import ChildProcess
from remote.agent.settings import Idle

WORDS_BYTES = 300


async def why_busy(idle: Idle, wall_s: Callable[[], float] = time.time) -> str:
    """Why the robot may not be switched now; empty where it says that it is idle. No answer counts as busy."""
    if idle.file is not None:
        return await asyncio.to_thread(_file_says, Path(idle.file), idle.newer_than_s, wall_s)
    return await _command_says(idle.command, idle.timeout_s)


def _file_says(file: Path, newer_than_s: float | None, wall_s: Callable[[], float]) -> str:
    try:
        age_s = wall_s() - file.stat().st_mtime
    except FileNotFoundError:
        return f"{file} is not there, which would say that the robot is idle"
    except OSError as error:
        return f"{file} can't be looked at: {error.strerror}"
    if newer_than_s is None:
        return ""
    if age_s < 0:
        return f"{file} is from the future by {-age_s:.0f} s: nobody knows how old it is"
    return "" if age_s <= newer_than_s else f"{file} is {age_s:.0f} s old, not newer than {newer_than_s:g} s"


async def _command_says(command: tuple[str, ...], timeout_s: float) -> str:
    try:
        process = await ChildProcess.start(command, stdin=DEVNULL, stderr=DEVNULL)
    except OSError as error:
        return f"the idle check {command[0]} can't be run: {error.strerror}"
    words = bytearray()
    reader = asyncio.ensure_future(_first_words(process, words))
    try:
        code = await asyncio.wait_for(process.finish([reader]), timeout_s)
    except asyncio.TimeoutError:
        return f"the idle check {command[0]} gave no answer within {timeout_s:g} s"
    finally:
        reader.cancel()
        await process.end()
    if code == 0:
        return ""
    said = words.decode("utf-8", "replace").strip().splitlines()
    return said[0] if said else f"the idle check {command[0]} says that it is busy (exit status {code})"


async def _first_words(process: ChildProcess, words: bytearray) -> None:
    assert process.stdout is not None  # asked for with PIPE
    while chunk := await process.stdout.read(65_536):
        words += chunk[: WORDS_BYTES - len(words)]
