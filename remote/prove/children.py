"""Programs of the proof, each in a process of its own: one that dies is a finding, not the end of the proof."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from remote.perception.engines.build_process import Said

LIMIT_S = 3600.0
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
    began = time.monotonic()
    process, stdin = _start(command, cwd)
    try:
        out, words = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        _kill(process)
        out, words = process.communicate()
        words += f"\nit did not end within {limit_s:g} s and was killed".encode()
    finally:
        os.close(stdin)
    return Ran(process.returncode, out, words.decode("utf-8", "replace")[-4096:], time.monotonic() - began)


def build(command: Sequence[str], *, cwd: Path) -> tuple[Said | None, Ran]:
    """A build to its end: what it said last, None where that was no answer."""
    ran = run(command, cwd=cwd)
    return last_said(ran.out), ran


def interrupted(command: Sequence[str], *, cwd: Path, kill: bool) -> tuple[Said | None, Ran]:
    """A build that is called off, or killed, as soon as it says how far it is."""
    began = time.monotonic()
    process, stdin = _start(command, cwd)
    assert process.stdout is not None
    heard = process.stdout.readline() + process.stdout.readline()  # reading the model, the first phase
    if kill:
        _kill(process)
    os.close(stdin)
    out, words = process.communicate()
    ran = Ran(process.returncode, heard + out, words.decode("utf-8", "replace")[-4096:], time.monotonic() - began)
    return last_said(ran.out), ran


def last_said(out: bytes) -> Said | None:
    """The last line of a build, if it is an answer."""
    lines = out.splitlines()
    try:
        said = msgspec.json.decode(lines[-1], type=Said) if lines else Said()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return said if said.engine or said.error else None


def _start(command: Sequence[str], cwd: Path) -> tuple[subprocess.Popen[bytes], int]:
    """The process and the other end of its stdin: whoever closes that calls it off (`communicate` would do so at once)."""
    rest = os.environ.get("PYTHONPATH", "")
    path = os.pathsep.join(part for part in (_PACKAGE_PARENT, rest) if part)
    reads, writes = os.pipe()
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": path},
            stdin=reads,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    finally:
        os.close(reads)
    return process, writes


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
