"""Runs a program in a terminal of a given size and measures it from outside: CPU, bytes written, time to first content."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass

_TICKS = os.sysconf("SC_CLK_TCK")
_DROPPED = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "NO_COLOR")


@dataclass(frozen=True)
class Run:
    """What was seen. `first_content_s` is None where `content` never came; rates are over the measured span."""

    first_content_s: float | None
    cpu_percent: float | None
    bytes_per_s: float | None
    rss_bytes: int | None


def run(
    argv: Sequence[str],
    *,
    columns: int = 160,
    rows: int = 45,
    content: bytes = b"",
    warm_s: float = 0.0,
    span_s: float = 0.0,
    limit_s: float = 20.0,
) -> Run:
    """Run `argv`; stop it at first content (`span_s` 0), else after `warm_s` and a measured span of `span_s` seconds."""
    began = time.monotonic()
    pid, fd = pty.fork()
    if pid == 0:
        _become(argv)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    try:
        first = _until(fd, content, began, limit_s) if content else None
        if not span_s:
            return Run(first, None, None, None)
        _drain(fd, warm_s)
        cpu, at = _cpu_s(pid), time.monotonic()
        written = _drain(fd, span_s)
        spent, took = _cpu_s(pid) - cpu, time.monotonic() - at
        return Run(first, 100 * spent / took, written / took, _rss_bytes(pid))
    finally:
        _end(pid, fd)


def collect(argv: Sequence[str], *, seconds: float, content: bytes = b"Latency", limit_s: float = 20.0) -> bytes:
    """Everything that `argv` writes to its terminal until `seconds` after `content` came."""
    began, seen = time.monotonic(), b""
    pid, fd = pty.fork()
    if pid == 0:
        _become(argv)
    try:
        end = began + limit_s
        while time.monotonic() < end:
            chunk = _read(fd, 0.2)
            if chunk is None:
                break
            if content in seen + chunk and content not in seen:
                end = time.monotonic() + seconds
            seen += chunk
        return seen
    finally:
        _end(pid, fd)


def _become(argv: Sequence[str]) -> None:
    try:
        for name in _DROPPED:
            os.environ.pop(name, None)
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        # The parent sets the size after the fork; a program that starts faster would see 80x24.
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 160, 0, 0))
        os.execvp(argv[0], list(argv))
    finally:
        os._exit(127)  # it must not go on as its parent


def _until(fd: int, content: bytes, began: float, limit_s: float) -> float | None:
    seen = b""
    while time.monotonic() - began < limit_s:
        chunk = _read(fd, 0.5)
        if chunk is None:
            return None
        seen += chunk
        if content in seen:
            return time.monotonic() - began
    return None


def _drain(fd: int, seconds: float) -> int:
    end, count = time.monotonic() + seconds, 0
    while (left := end - time.monotonic()) > 0:
        chunk = _read(fd, left)
        if chunk is None:
            break
        count += len(chunk)
    return count


def _read(fd: int, timeout_s: float) -> bytes | None:
    """What was written within `timeout_s`; None at the end."""
    ready, _, _ = select.select([fd], [], [], timeout_s)
    if not ready:
        return b""
    try:
        return os.read(fd, 1 << 16) or None
    except OSError:
        return None


def _cpu_s(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - one read, no object
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _rss_bytes(pid: int) -> int:
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:  # noqa: PTH123 - one read, no object
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _end(pid: int, fd: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.close(fd)
    os.waitpid(pid, 0)
