"""The exit of a child is known though its pipes are full, or held open by somebody else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from remote.agent.child_process import ChildProcess, exit_text
from tests.waiting import wait_until

PATIENCE_S = 60
FLOOD = "import sys\nwhile True: sys.stdout.write('x' * 60000)"
ESCAPES = """
import os, subprocess, sys
kept = subprocess.Popen(["sleep", "300"], start_new_session=True)
print(kept.pid, flush=True)
sys.exit(3)
"""
LEAVES_BEHIND = ESCAPES.replace("start_new_session=True", "")


def python(code: str) -> Sequence[str]:
    return (sys.executable, "-c", code)


def is_gone(pid: int) -> bool:
    """Whether it has ended, though nobody may have asked how."""
    with contextlib.suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    return True


async def first_line(process: ChildProcess) -> bytes:
    assert process.stdout is not None
    return await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)


async def test_output_that_nobody_reads_does_not_hold_up_the_end() -> None:
    process = await ChildProcess.start(python(FLOOD), limit=1)
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.read(1), PATIENCE_S) == b"x"  # and the pipe is not read further
    assert await asyncio.wait_for(process.end(), PATIENCE_S) == -signal.SIGKILL
    assert not process.runs


async def test_somebody_who_escaped_with_the_pipe_does_not_hold_up_the_end() -> None:
    process = await ChildProcess.start(python(ESCAPES))
    kept = int(await first_line(process))
    try:
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 3
        assert not is_gone(kept)
        assert await asyncio.wait_for(process.end(), PATIENCE_S) == 3
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.read(), PATIENCE_S) == b""
    finally:
        os.kill(kept, signal.SIGKILL)


async def test_what_a_child_left_in_its_group_ends_with_it() -> None:
    process = await ChildProcess.start(python(LEAVES_BEHIND))
    kept = int(await first_line(process))
    assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 3
    await process.end()
    await asyncio.to_thread(wait_until, lambda: is_gone(kept))


async def test_who_gives_up_waiting_leaves_the_exit_to_the_others() -> None:
    process = await ChildProcess.start(python("input()"))
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(process.wait(), 0.01)
    assert process.stdin is not None
    process.stdin.write(b"\n")
    assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
    await process.end()


async def test_one_that_may_not_be_killed_is_waited_for_a_little_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """`sudo` belongs to root: without it a check by `sudo` that hangs is waited for as long as it likes."""
    process = await ChildProcess.start(python("import time; time.sleep(300)"))

    def refuse(*_: int) -> None:
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(os, "killpg", refuse)
        patch.setattr(os, "kill", refuse)
        assert await asyncio.wait_for(process.end(0.05), PATIENCE_S) is None
    assert process.runs
    process.signal(signal.SIGKILL)
    assert await asyncio.wait_for(process.wait(), PATIENCE_S) == -signal.SIGKILL


async def test_what_is_no_program_is_an_os_error() -> None:
    with pytest.raises(OSError, match="no-such-program"):
        await ChildProcess.start(["/no-such-program"])


@pytest.mark.parametrize(
    ("code", "text"), [(0, "exit status 0"), (3, "exit status 3"), (-9, "killed by SIGKILL"), (-6, "killed by SIGABRT")]
)
def test_an_exit_status_in_words(code: int, text: str) -> None:
    assert exit_text(code) == text
    assert exit_text(-250) == "killed by signal 250"
