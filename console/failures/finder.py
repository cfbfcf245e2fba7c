"""Searching beside the screen: orders to a child process, its answers handed on from a thread."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec

from console.failures.finding_child import Answer, Count, Find, Order, Refresh

_answers = msgspec.json.Decoder(Answer)


class Finder:
    """Starts the child with the first order and again after it ended by accident.

    Args:
        folder: where failures.db lies.
        store: the laptop's store.db.
        on_answer: called from a thread with each answer and the row numbers that came with it.
    """

    def __init__(self, folder: Path, store: Path, on_answer: Callable[[Answer, array[int]], None]) -> None:
        self._arguments = (str(folder), str(store))
        self._on_answer = on_answer
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._id = 0

    def refresh(self, *, hush: bool = False) -> None:
        """Bring the book up to date."""
        self._send(Refresh(hush))

    def find(self, line: str, after_row: int = 0) -> int:
        """Look for what matches; the number that its answers bear. One that still runs is given up."""
        self._id += 1
        self._send(Find(self._id, line, after_row))
        return self._id

    def count(self, line: str, by: str) -> int:
        """Count groups; the number that its answer bears."""
        self._id += 1
        self._send(Count(self._id, line, by))
        return self._id

    @property
    def pid(self) -> int | None:
        """The child's process id; None before the first order."""
        return self._child.pid if self._child else None

    def close(self) -> None:
        """End the child; what it was doing is nobody's loss."""
        with self._lock:
            self._closed = True
            child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()

    def _send(self, order: Order) -> None:
        """A pipe that takes this little never blocks."""
        with self._lock:
            if self._closed:
                return
            child = self._running()
            assert child.stdin is not None
            with contextlib.suppress(BrokenPipeError):  # it died meanwhile; its reader says so
                child.stdin.write(msgspec.json.encode(order) + b"\n")
                child.stdin.flush()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            command = [sys.executable, "-m", "console.failures.finding_child", *self._arguments]
            self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            threading.Thread(target=self._read, args=(self._child,), name="failure answers", daemon=True).start()
        return self._child

    def _read(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None
        while line := child.stdout.readline():
            answer = _answers.decode(line)
            rows = array("q")
            rows.frombytes(_exactly(child.stdout, answer.bytes))
            self._on_answer(answer, rows)
        code = child.wait()
        if not self._closed:
            what = f"the search ended by itself (status {code})"
            ended = Answer(id=self._id, done=True, what=what, cure="filter again", code="search_ended")
            self._on_answer(ended, array("q"))


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    """So many bytes; fewer (a whole number of rows) where the child ended."""
    data = pipe.read(count) if count else b""
    return data[: len(data) // 8 * 8]
