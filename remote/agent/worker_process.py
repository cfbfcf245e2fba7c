"""One life of the worker: a child process in a group of its own, its messages, its last words, its end."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from remote.agent.child_process import ChildProcess, child_environment, exit_text
from remote.agent.lines import LineSplitter
from remote.errors import Trouble
from remote.perception.messages import FromWorker
from remote.protocol import LINE_LIMIT_BYTES, line

LAST_WORDS_BYTES = 4096
READ_BYTES = 256 * 1024
UNREAD_LIMIT_BYTES = 64 * 1024

log = logging.getLogger("fieldgate.worker")
_decoder: msgspec.json.Decoder[FromWorker] = msgspec.json.Decoder(FromWorker)


class WorkerProcess:
    """A started worker. `on_message` gets each message, `on_noise` the first line that is none."""

    def __init__(
        self, process: ChildProcess, on_message: Callable[[FromWorker], None], on_noise: Callable[[str], None]
    ) -> None:
        self._process, self._on_message, self._on_noise = process, on_message, on_noise
        self._stderr = bytearray()
        self._noisy_lines = 0
        self.broken = ""
        self._readers = [asyncio.ensure_future(self._read_messages()), asyncio.ensure_future(self._read_stderr())]

    @classmethod
    async def spawn(
        cls,
        command: Sequence[str],
        cwd: Path,
        on_message: Callable[[FromWorker], None],
        on_noise: Callable[[str], None],
    ) -> WorkerProcess:
        """Start `command`. Raises OSError where it can't be started."""
        return cls(await ChildProcess.start(command, cwd=cwd, environment=child_environment()), on_message, on_noise)

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its group."""
        return self._process.pid

    @property
    def ended(self) -> asyncio.Future[int]:
        """Done when the process has ended."""
        return self._process.exited

    def send(self, message: object) -> bool:
        """Write one message; False where the worker is gone or does not read its stdin."""
        stdin = self._process.stdin
        if stdin is None or stdin.is_closing() or stdin.transport.get_write_buffer_size() > UNREAD_LIMIT_BYTES:
            return False
        stdin.write(line(message))
        return True

    def signal(self, number: int) -> None:
        """Signal the whole group; nothing happens where it has ended."""
        if self._process.runs:
            self._process.signal(number)

    async def finish(self) -> str:
        """Wait for the end, gather what was still in the pipes; how it ended: `exit status 3` or `killed by SIGKILL`."""
        return exit_text(await self._process.finish(self._readers))

    @property
    def last_words(self) -> str:
        """The last LAST_WORDS_BYTES of stderr."""
        return bytes(self._stderr).decode("utf-8", "replace").strip()

    async def _read_messages(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None  # asked for with PIPE
        lines = LineSplitter(LINE_LIMIT_BYTES)
        while chunk := await stdout.read(READ_BYTES):
            try:
                whole = lines.feed(chunk)
            except Trouble as trouble:
                self.broken = f"on its stdout {trouble.what}"
                self.signal(signal.SIGKILL)
                return
            for one in whole:
                self._take(one)

    def _take(self, one: bytes) -> None:
        try:
            message = _decoder.decode(one)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            self._noisy_lines += 1
            log.warning("no message on stdout (%s): %r", error, one[:200])
            if self._noisy_lines == 1:
                self._on_noise(one[:80].decode("utf-8", "replace"))
            return
        self._on_message(message)

    async def _read_stderr(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None  # asked for with PIPE
        while chunk := await stderr.read(READ_BYTES):
            self._stderr = (self._stderr + chunk)[-LAST_WORDS_BYTES:]
            for one in chunk[-LAST_WORDS_BYTES:].decode("utf-8", "replace").splitlines():
                log.info("worker %d: %s", self.pid, one)
