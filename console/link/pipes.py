"""A channel over a child process's stdin and stdout: the local agent, and the system's ssh."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import threading
from collections.abc import Sequence

from remote.errors import Trouble

_PIECE_BYTES = 1 << 16
_WORDS_S = 1.0
_LAST_WORDS_BYTES = 4096


class PipeChannel:
    """Runs a program and speaks with it. Its stderr is kept by its end only."""

    def __init__(self, command: Sequence[str], *, env: dict[str, str] | None = None) -> None:
        try:
            # A session of its own: Ctrl+C in the terminal is for the console, not for the program at the other end.
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=env,
                bufsize=0,  # what a buffer holds back would be written when it is closed, to nobody
                start_new_session=True,
            )
        except OSError as error:
            what = f"{command[0]} can't be run: {error.strerror}"
            raise Trouble(what, cure=f"install it: {command[0]}", code="unreachable") from error
        self._words = bytearray()
        self._at_end = False
        self._listener = threading.Thread(target=self._listen, name="fieldgate-stderr", daemon=True)
        self._listener.start()
        assert self._process.stdout is not None
        self._out = self._process.stdout.fileno()
        os.set_blocking(self._out, False)
        self._closed = threading.Event()

    def receive(self, timeout_s: float) -> bytes | None:
        """See Channel."""
        if self._closed.is_set():
            return b""
        try:
            if not select.select([self._out], [], [], timeout_s)[0]:
                return b"" if self._closed.is_set() else None
            piece = os.read(self._out, _PIECE_BYTES)
            self._at_end = not piece
            return piece
        except BlockingIOError:
            return None
        except (OSError, ValueError):
            return b""

    def send(self, data: bytes) -> None:
        """See Channel."""
        assert self._process.stdin is not None
        left = memoryview(data)
        try:
            while left:
                left = left[self._process.stdin.write(left) :]
        except (OSError, ValueError) as error:
            raise Trouble(f"the link broke while sending: {error}", code="unreachable") from error

    def close(self) -> None:
        """See Channel. The program is ended if it does not end by itself."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._process.terminate()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):  # it hangs in the kernel
                self._process.wait(1.0)
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()

    def release(self) -> None:
        """Close the files too; only when no other thread can still be reading."""
        self.close()
        self._listener.join(1.0)
        for file in (self._process.stdout, self._process.stderr):
            if file is not None:
                file.close()

    def last_words(self) -> str:
        """See Channel."""
        # Its output may end a moment before its last words have come and the program itself is gone.
        if self._at_end or self._process.poll() is not None:
            self._listener.join(_WORDS_S)
        return self._words.decode("utf-8", "replace").strip()

    @property
    def exit_code(self) -> int | None:
        """How the program ended; None while it runs."""
        try:
            return self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            return None

    def _listen(self) -> None:
        stream = self._process.stderr
        assert stream is not None
        with contextlib.suppress(OSError, ValueError):
            while piece := os.read(stream.fileno(), _PIECE_BYTES):
                self._words += piece
                del self._words[:-_LAST_WORDS_BYTES]
