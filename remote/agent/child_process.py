"""A child process in a group of its own, whose end is known whatever its pipes do, and of which nothing stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from asyncio.subprocess import PIPE, SubprocessStreamProtocol
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

STREAM_BYTES = 65_536
DRAIN_S = 2.0
KILLED_S = 5.0

log = logging.getLogger("fieldgate.agent")


class ChildProcess:
    """A started child; `start` makes one.

    From Python 3.11 on, `asyncio.subprocess.Process.wait` waits for the pipes as well: output that nobody reads, or a
    grandchild that keeps a pipe open, holds it up for ever (python/cpython#119710). Here the exit is the exit.

    Attributes:
        pid: its process id, which is also the id of its group.
        stdin, stdout, stderr: its pipes, None where it was started without.
        exited: done with the exit status, negative for the signal that ended it. To be waited for with `asyncio.wait` or
            `wait`: a cancelled one is lost for all.
    """

    def __init__(self, transport: asyncio.SubprocessTransport, streams: _Streams) -> None:
        self._transport = transport
        self.pid: int = transport.get_pid()
        self.stdin, self.stdout, self.stderr = streams.stdin, streams.stdout, streams.stderr
        self.exited = streams.exited

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        environment: dict[str, str] | None = None,
        stdin: int = PIPE,
        stderr: int = PIPE,
        limit: int = STREAM_BYTES,
    ) -> ChildProcess:
        """Start `command`, its stdout a pipe; `limit` bytes may wait in each pipe. Raises OSError."""
        loop = asyncio.get_running_loop()
        transport, streams = await loop.subprocess_exec(
            lambda: _Streams(limit, loop),
            *command,
            stdin=stdin,
            stdout=PIPE,
            stderr=stderr,
            cwd=cwd,
            env=environment,
            start_new_session=True,
        )
        return cls(transport, streams)

    @property
    def runs(self) -> bool:
        """Whether the process itself has not ended yet."""
        return self._transport.get_returncode() is None

    async def wait(self) -> int:
        """Wait for the exit status."""
        return await asyncio.shield(self.exited)

    def signal(self, number: int) -> None:
        """Signal its group; nothing happens where none of it is left."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def close(self) -> None:
        """Close the pipes; who reads them gets what came before."""
        with contextlib.suppress(PermissionError):  # it is killed too where it runs, which not everybody may be
            self._transport.close()

    async def finish(self, readers: Iterable[asyncio.Future[Any]]) -> int:
        """Wait for its exit, end what it left behind, let `readers` come to the ends of its pipes, close these; its status.

        Where somebody who escaped holds a pipe open, its reader is cancelled DRAIN_S after the exit: its end never comes.
        """
        code = await self.wait()
        self.signal(signal.SIGKILL)
        _, late = await asyncio.wait(set(readers), timeout=DRAIN_S)
        for reader in late:
            reader.cancel()
        if late:
            await asyncio.wait(late)
        self.close()
        return code

    async def end(self, patience_s: float = KILLED_S) -> int | None:
        """Kill it and what it left behind, wait for its exit status, close the pipes.

        None where it has not ended within `patience_s`: it hangs in a driver, or belongs to somebody else (`sudo`).
        """
        self.signal(signal.SIGKILL)
        await asyncio.wait({self.exited}, timeout=patience_s)
        self.close()
        if self.exited.done():
            return self.exited.result()
        log.warning("process %d does not end even after SIGKILL: it is left alone", self.pid)
        return None


class _Streams(SubprocessStreamProtocol):
    """The pipes, and the exit apart from them."""

    def __init__(self, limit: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=limit, loop=loop)
        self._child: asyncio.SubprocessTransport | None = None
        self.exited: asyncio.Future[int] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._child = transport

    def process_exited(self) -> None:
        super().process_exited()
        code = self._child.get_returncode() if self._child else None
        assert code is not None  # set before this is called
        self.exited.set_result(code)


def exit_text(code: int) -> str:
    """How a process ended, from its return code (negative: the signal's number)."""
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def child_environment() -> dict[str, str]:
    """This process's environment with the folder that holds the package `remote` on the child's path."""
    package_parent = str(Path(__file__).resolve().parents[2])
    rest = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part and part != package_parent]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([package_parent, *rest])}
