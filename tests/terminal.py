"""A program in a real terminal of its own: keys in, bytes out, and how it ended."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent
# The program itself takes the terminal, which is its standard input, for what opens /dev/tty. Nothing of this process, which
# has threads, runs between fork and exec.
_TAKES_IT = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
_LAST_BYTES = 2000


class Terminal:
    """A context: at its end the program is killed where it still runs."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        self.seen = b""
        self._master, slave = pty.openpty()
        environment = {**environment, "PYTHONFAULTHANDLER": "1"}
        command = [sys.executable, "-I", "-S", "-c", _TAKES_IT, *argv]
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, env=environment, start_new_session=True
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(30)
        os.close(self._master)

    def until(self, text: bytes, limit_s: float = 60.0) -> None:
        """Read until `text` came; what was before it is forgotten."""
        end = time.monotonic() + limit_s
        while text not in self.seen:
            assert time.monotonic() < end, f"{text!r} never came: {self._said!r}"
            if not self._take(0.2):
                code = self._process.wait(30)
                raise AssertionError(f"the program ended ({code}) before {text!r} came: {self._said!r}")
        self.seen = self.seen.split(text, 1)[1]

    def press(self, keys: bytes) -> None:
        """Type, once everything is painted: nothing came for a while."""
        end = time.monotonic() + 20
        before = -1
        while len(self.seen) != before and time.monotonic() < end:
            before = len(self.seen)
            self._take(0.2)
        os.write(self._master, keys)

    def end(self, limit_s: float = 60.0) -> int:
        """Read on until the program has ended; its exit code."""
        end = time.monotonic() + limit_s
        while self._take(0.2):
            assert time.monotonic() < end, f"it has not ended: {self._said!r}"
        return self._process.wait(30)

    @property
    def _said(self) -> bytes:
        """What it wrote last; where it crashed, all that Python says of that."""
        crash = self.seen.find(b"Fatal Python error")
        return self.seen[crash:] if crash >= 0 else self.seen[-_LAST_BYTES:]

    def _take(self, patience_s: float) -> bool:
        """Read what comes; False once the program, and all that it started, has let go of the terminal."""
        if not select.select([self._master], [], [], patience_s)[0]:
            return True
        try:
            self.seen += os.read(self._master, 65536)
        except OSError:
            return False
        return True
