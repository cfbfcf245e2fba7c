"""Runs a program of ours in a child process and waits for its end, so that what breaks there breaks nothing here."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from remote.agent.child_process import ChildProcess, child_environment, exit_text
from remote.agent.lines import LineSplitter
from remote.errors import Trouble

WORDS_BYTES = 4096
OUT_BYTES = 65_536
READ_BYTES = 65_536

OnLine = Callable[[bytes], None]


@dataclass(frozen=True)
class Ended:
    """How a child ended.

    Attributes:
        code: its exit status, negative for the signal that killed it.
        out: the last OUT_BYTES of its stdout.
        words: the last WORDS_BYTES of its stderr, stripped.
    """

    code: int
    out: bytes
    words: str

    @property
    def how(self) -> str:
        """`exit status 3` or `killed by SIGKILL`."""
        return exit_text(self.code)

    @property
    def last_words(self) -> str:
        """The last line of stderr, at most 300 characters."""
        return self.words.splitlines()[-1][:300] if self.words else ""


class TooLate(Exception):
    """The child did not end within its time and was killed. `limit_s` is that time."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"did not end within {limit_s:g} s and was killed")
        self.limit_s = limit_s


async def run_child(
    command: Sequence[str],
    *,
    cwd: Path,
    limit_s: float,
    on_line: OnLine | None = None,
    grace_s: float = 0.0,
) -> Ended:
    """Start `command` in a process group of its own, read it to its end, and leave nothing of it behind.

    The child's stdin stays open as long as it is wanted: a child that reads it knows by its end that nobody waits any more,
    whichever way this process ended. Cancelling the task closes it too; the child then has `grace_s` seconds to tidy up.

    Args:
        command: the command line; the package `remote` is on its path.
        cwd: its working directory.
        limit_s: how long it may take.
        on_line: gets each whole line of its stdout, when it comes, without the newline; lines over OUT_BYTES end the child.
        grace_s: how long it may go on after its stdin was closed, before its group is killed.

    Raises:
        OSError: it can't be started.
        TooLate: it took longer than `limit_s`.
        Trouble: code `too_long`, a line over the limit.
    """
    process = await ChildProcess.start(command, cwd=cwd, environment=child_environment())
    try:
        return await asyncio.wait_for(_ended(process, on_line), limit_s)
    except asyncio.TimeoutError:
        raise TooLate(limit_s) from None
    except asyncio.CancelledError:
        await _wait_a_little(process, grace_s)
        raise
    finally:
        await process.end()


async def _ended(process: ChildProcess, on_line: OnLine | None) -> Ended:
    """Both pipes, read together so that it never waits for a reader, and the exit status."""
    assert process.stdout is not None  # asked for with PIPE
    assert process.stderr is not None
    out, words = _Tail(OUT_BYTES, on_line), _Tail(WORDS_BYTES)
    pipes = ((process.stdout, out), (process.stderr, words))
    readers = [asyncio.ensure_future(_read(process, stream, tail)) for stream, tail in pipes]
    try:
        code = await process.finish(readers)
    finally:
        for reader in readers:
            reader.cancel()
    for reader in readers:
        if not reader.cancelled():
            reader.result()
    return Ended(code, out.kept, words.kept.decode("utf-8", "replace").strip())


class _Tail:
    """Keeps the last `limit` bytes of what it takes; `on_line` gets each whole line."""

    def __init__(self, limit: int, on_line: OnLine | None = None) -> None:
        self._limit, self._on_line, self._lines = limit, on_line, LineSplitter(limit)
        self.kept = b""

    def take(self, chunk: bytes) -> None:
        self.kept = (self.kept + chunk)[-self._limit :]
        if self._on_line is not None:
            for one in self._lines.feed(chunk):
                self._on_line(one)


async def _read(process: ChildProcess, stream: asyncio.StreamReader, tail: _Tail) -> None:
    """To its end. Who says what can't be taken is killed: nobody would read on."""
    try:
        while chunk := await stream.read(READ_BYTES):
            tail.take(chunk)
    except Exception:
        process.signal(signal.SIGKILL)
        raise


async def _wait_a_little(process: ChildProcess, grace_s: float) -> None:
    """Close its stdin and give it time, reading on, so that it does not hang on a full pipe."""
    if process.stdin:
        process.stdin.close()
    with contextlib.suppress(asyncio.TimeoutError, Trouble):
        if grace_s > 0:
            await asyncio.wait_for(_ended(process, None), grace_s)
