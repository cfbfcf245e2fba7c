"""A child process of the agent: its lines come as they are said, its end is told, and nothing of it stays behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from remote.agent.child import Ended, TooLate, run_child
from remote.errors import Trouble
from tests.remote.agent.test_child_process import is_gone
from tests.waiting import wait_until

HERE = Path("/")


async def run(text: str, **more: float) -> tuple[Ended, list[bytes]]:
    lines: list[bytes] = []
    ended = await run_child(
        (sys.executable, "-c", text), cwd=HERE, limit_s=more.get("limit_s", 20), on_line=lines.append
    )
    return ended, lines


async def test_each_line_comes_once_and_the_end_is_told() -> None:
    code = "import sys; print('a'); print(); print('b', end=''); print('oh', file=sys.stderr); sys.exit(7)"
    ended, lines = await run(code)
    assert lines == [b"a"]  # `b` is no whole line; it is at the end of `out`
    assert (ended.code, ended.out, ended.words, ended.how, ended.last_words) == (
        7,
        b"a\n\nb",
        "oh",
        "exit status 7",
        "oh",
    )


async def test_a_child_that_takes_too_long_is_killed() -> None:
    with pytest.raises(TooLate, match=r"did not end within 0\.2 s"):
        await run("import time; time.sleep(60)", limit_s=0.2)


async def test_an_endless_line_ends_the_child_and_not_the_agent() -> None:
    with pytest.raises(Trouble, match="came without an end"):
        await run("import sys\nwhile True: sys.stdout.write('x' * 60000)")


ESCAPES = """
import subprocess, sys
kept = subprocess.Popen(["sleep", "60"], start_new_session=True)
print(kept.pid)
print("the answer", flush=True)
"""


async def test_who_escaped_with_the_pipes_does_not_hold_up_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a child that started some daemon is waited for to its limit, and what it found is given up."""
    monkeypatch.setattr("remote.agent.child_process.DRAIN_S", 0.2)
    ended, lines = await asyncio.wait_for(run(ESCAPES), 60)
    os.kill(int(lines[0]), signal.SIGKILL)
    assert (ended.code, lines[1]) == (0, b"the answer")


async def test_what_is_left_in_the_group_ends_with_the_child() -> None:
    ended, lines = await asyncio.wait_for(run(ESCAPES.replace(", start_new_session=True", "")), 60)
    assert (ended.code, lines[1]) == (0, b"the answer")
    wait_until(lambda: is_gone(int(lines[0])), 5, "what it left behind to be gone")


async def test_all_that_it_said_comes_though_it_ended_long_before() -> None:
    """Its pipe holds more than is read at once."""
    ended, lines = await run("import sys; sys.stdout.write('a line of words\\n' * 4000)")
    assert (ended.code, len(lines)) == (0, 4000)


async def call_off(code: str, grace_s: float) -> None:
    """Start it, and call it off when it says that it is up."""
    up = asyncio.Event()
    command = (sys.executable, "-c", code)
    task = asyncio.ensure_future(run_child(command, cwd=HERE, limit_s=20, on_line=lambda _: up.set(), grace_s=grace_s))
    await asyncio.wait_for(up.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_called_off_child_may_tidy_up_before_it_is_killed(tmp_path: Path) -> None:
    tidy = tmp_path / "tidy"
    code = f"import os; print('up', flush=True); os.read(0, 1); open({str(tidy)!r}, 'w').close()"
    await call_off(code, grace_s=10)
    assert tidy.exists()


async def test_a_called_off_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    made = tmp_path / "pid"
    code = f"import os, time; open({str(made)!r}, 'w').write(str(os.getpid())); print('up', flush=True); time.sleep(60)"
    await call_off(code, grace_s=0.1)
    wait_until(lambda: not Path(f"/proc/{made.read_text()}").exists(), 5, "the child to be gone")
