"""A robot that is this very machine: the agent's attach as a child process instead of an SSH session."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from console.link.attach import attach_options
from console.link.pipes import PipeChannel
from console.link.transport import Progress, Ran
from console.robots import Robot
from remote.errors import Trouble

_PIECE_BYTES = 1 << 20


class LocalTransport:
    """See Transport. The agent is that of the Python that runs this console."""

    name = "local"

    def __init__(self, robot: Robot) -> None:
        self._robot = robot

    def open(self) -> PipeChannel:
        """See Transport."""
        return PipeChannel([sys.executable, "-m", "remote", "attach", *attach_options(self._robot)])

    def run(self, command: str, *, stdin: bytes = b"", timeout_s: float = 60.0) -> Ran:
        """See Transport."""
        pipe = subprocess.PIPE
        shell = ["/bin/sh", "-c", command]
        with subprocess.Popen(shell, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True) as process:
            try:
                out, words = process.communicate(stdin, timeout=timeout_s)
            except subprocess.TimeoutExpired as error:
                what = f"a command took more than {timeout_s:.0f} s on {self._robot.name}"
                raise Trouble(what, code="timeout") from error
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)  # with its children, which would hold the pipes
        return Ran(process.returncode, out, words)

    def put(self, local: Path, remote: str, progress: Progress | None = None, *, offset: int = 0) -> None:
        """See Transport."""
        size = local.stat().st_size
        with local.open("rb") as source, Path(remote).open("r+b" if offset else "wb") as target:
            source.seek(offset)
            target.seek(offset)
            while piece := source.read(_PIECE_BYTES):
                target.write(piece)
                if progress is not None:
                    progress(source.tell(), size)
            target.flush()
            os.fsync(target.fileno())

    def close(self) -> None:
        """Nothing is kept open."""
