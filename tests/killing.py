"""Children of a test that are killed at a chosen system call, at a chosen byte of a file, or at any moment."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_TRACE_ME, _TO_NEXT_STOP, _EXIT_KILL, _SET_OPTIONS = 0, 24, 0x100000, 0x4200
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
KILLED = -signal.SIGKILL
LIMIT_S = 60.0
"""None of the children here works for more than a second or two, on a busy machine some more."""
_SAYS_WHERE_S = 2.0


class CannotTrace(Exception):
    """This machine does not let one process trace another."""


def forked(work: Callable[[], object]) -> int:
    """A child in a group of its own that does `work` and ends with 0, or with 1 after an exception; its process id."""
    child = os.fork()
    if child:
        with contextlib.suppress(PermissionError, ProcessLookupError):  # it has done so itself, or has ended
            os.setpgid(child, child)
        return child
    end = 1
    try:
        os.setpgid(0, 0)
        work()
        end = 0
    finally:  # whatever happens, a child must not come back into the test
        if end:
            traceback.print_exc()
        os._exit(end)


@contextmanager
def watched(child: int, limit_s: float | None = None) -> Iterator[None]:
    """Within it the child of `forked` is waited for: after `limit_s` (None: LIMIT_S) it is killed with its group, and
    AssertionError says so.

    A child may hang for ever: a thread of the test held a lock when it was forked. Its stacks go to stderr first.
    """
    limit_s = LIMIT_S if limit_s is None else limit_s
    late, over = threading.Event(), threading.Event()

    def end() -> None:
        late.set()
        for number in (signal.SIGABRT, signal.SIGKILL):  # pytest lets a process that is aborted say where it is
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, number)
            if number == signal.SIGABRT:
                over.wait(_SAYS_WHERE_S)

    timer = threading.Timer(limit_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        raise
    finally:
        over.set()
        timer.cancel()
        timer.join()
    if late.is_set():
        raise AssertionError(f"the child (process {child}) had not ended after {limit_s:g} s: it was killed")


def ended(child: int, limit_s: float | None = None) -> int:
    """Wait for the child; its exit code, or the negative signal that ended it. AssertionError as in `watched`."""
    with watched(child, limit_s):
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_at_call(work: Callable[[], object], number: int) -> int:
    """Do `work` in a child that is killed before its system call `number` (from 0) is carried out.

    Its exit code: KILLED, or 0 where it made fewer calls. The kernel stops it at each call's beginning and end.
    """

    def traced() -> object:
        _stop_for_tracer()
        return work()

    child = forked(traced)
    with watched(child):
        status = os.waitpid(child, 0)[1]
        if not os.WIFSTOPPED(status):
            raise CannotTrace(f"ptrace is refused here (exit {os.waitstatus_to_exitcode(status)})")
        _libc.ptrace(_SET_OPTIONS, child, None, _EXIT_KILL)
        for _ in range(2 * number + 1):
            _libc.ptrace(_TO_NEXT_STOP, child, None, None)
            status = os.waitpid(child, 0)[1]
            if not os.WIFSTOPPED(status):
                return os.waitstatus_to_exitcode(status)
        os.kill(child, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _stop_for_tracer() -> None:
    if _libc.ptrace(_TRACE_ME, 0, None, None) != 0:
        os._exit(77)
    os.kill(os.getpid(), signal.SIGSTOP)


def limited(work: Callable[[], object], size_bytes: int, *, deadly: bool) -> int:
    """Do `work` in a child whose files can't grow beyond `size_bytes`: a write up to there is carried out in part.

    Where `deadly`, the write beyond kills the child in the middle of it; else it fails as on a full disk.
    """

    def narrowed() -> object:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL if deadly else signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))
        return work()

    return ended(forked(narrowed))
