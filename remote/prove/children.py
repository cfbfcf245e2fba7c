"""Programs of the proof, each in a process of its own: one that dies is a finding, not the end of the proof."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from remote.perception.engines.build_process import Said

LIMIT_S = 3600.0
LOOK_EVERY_S = 0.02
_PACKAGE_PARENT = str(Path(__file__).resolve().parents[2])


@dataclass(frozen=True)
class Ran:
    """How a program ended: its status (negative: the signal), stdout, the end of stderr, seconds."""

    code: int
    out: bytes
    words: str
    seconds: float

    @property
    def last_words(self) -> str:
        """The last line of stderr, or how it ended."""
        lines = self.words.strip().splitlines()
        return lines[-1][:300] if lines else f"exit status {self.code}"


def ours(module: str, *arguments: object) -> list[str]:
    """The command line of one of our modules on this interpreter."""
    return [sys.executable, "-m", module, *map(str, arguments)]


def run(command: Sequence[str], *, cwd: Path, limit_s: float = LIMIT_S) -> Ran:
    """Run it to its end, or to the end of its time. Its stdin stays open as long as it runs."""
    with _started(command, cwd) as child:
        return child.ended(limit_s)


def build(command: Sequence[str], *, cwd: Path) -> tuple[Said | None, Ran]:
    """A build to its end: what it said last, None where that was no answer."""
    ran = run(command, cwd=cwd)
    return last_said(ran.out), ran


def interrupted(command: Sequence[str], *, cwd: Path, kill: bool, limit_s: float = LIMIT_S) -> tuple[Said | None, Ran]:
    """A build that is called off, or killed, as soon as it says how far it is."""
    with _started(command, cwd) as child:
        child.heard(2, limit_s)  # reading the model, the first phase
        if kill:
            child.kill()
        child.call_off()
        ran = child.ended(limit_s)
    return last_said(ran.out), ran


def last_said(out: bytes) -> Said | None:
    """The last line of a build, if it is an answer."""
    lines = out.splitlines()
    try:
        said = msgspec.json.decode(lines[-1], type=Said) if lines else Said()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return said if said.engine or said.error else None


class _Child:
    """A started program. It writes into files: a pipe's end would not come where somebody escaped with it."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: int, out: BinaryIO, words: BinaryIO) -> None:
        self._process, self._stdin, self._out, self._words = process, stdin, out, words
        self._began = time.monotonic()

    def heard(self, lines: int, limit_s: float) -> None:
        """Wait until it has said so many lines, has ended, or is silent for too long."""
        end = time.monotonic() + limit_s
        while _content(self._out).count(b"\n") < lines and self._process.poll() is None and time.monotonic() < end:
            time.sleep(LOOK_EVERY_S)

    def call_off(self) -> None:
        """Close its stdin."""
        if self._stdin >= 0:
            os.close(self._stdin)
        self._stdin = -1

    def kill(self) -> None:
        """With its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def ended(self, limit_s: float) -> Ran:
        """How it ended; where it does not within `limit_s` it is killed."""
        more = b""
        try:
            self._process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
            more = f"\nit did not end within {limit_s:g} s and was killed".encode()
        words = (_content(self._words) + more).decode("utf-8", "replace")[-4096:]
        return Ran(self._process.returncode, _content(self._out), words, time.monotonic() - self._began)


@contextlib.contextmanager
def _started(command: Sequence[str], cwd: Path) -> Iterator[_Child]:
    """The program; whoever closes the other end of its stdin calls it off. Nothing of it is left behind."""
    rest = os.environ.get("PYTHONPATH", "")
    path = os.pathsep.join(part for part in (_PACKAGE_PARENT, rest) if part)
    environment = {**os.environ, "PYTHONPATH": path}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as words:
        reads, writes = os.pipe()
        try:
            process = subprocess.Popen(
                command, cwd=cwd, env=environment, stdin=reads, stdout=out, stderr=words, start_new_session=True
            )
        except BaseException:
            os.close(writes)
            raise
        finally:
            os.close(reads)
        child = _Child(process, writes, out, words)
        try:
            yield child
        finally:
            child.kill()
            process.wait()
            child.call_off()


def _content(file: BinaryIO) -> bytes:
    """All of it; the child writes at a place of its own in the same file, which must not be moved."""
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0)
