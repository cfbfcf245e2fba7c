"""What every program of ours does that another one waits for: it is nice, answers in lines of JSON, ends with its parent."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable

import msgspec

NICENESS = 10
EXIT_PARENT_GONE = 3


def be_nice() -> None:
    """So that a worker beside it keeps its rate."""
    with contextlib.suppress(OSError):
        os.nice(NICENESS)


def claim_answers() -> Callable[[msgspec.Struct], None]:
    """Take stdout for answers: what a library prints goes to stderr from now on. The result writes one line of JSON."""
    out = os.dup(1)
    os.dup2(2, 1)

    def answer(said: msgspec.Struct) -> None:
        os.write(out, msgspec.json.encode(said) + b"\n")

    return answer


def end_with_parent(call_off: Callable[[], None] = lambda: None, grace_s: float = 0.0) -> None:
    """From now on the end of stdin, which is the parent's, ends this process with status EXIT_PARENT_GONE.

    Args:
        call_off: is called first, on another thread.
        grace_s: how long the process may take to end by itself after that.
    """

    def wait() -> None:
        while os.read(0, 4096):
            pass
        call_off()
        threading.Event().wait(grace_s)
        os._exit(EXIT_PARENT_GONE)

    threading.Thread(target=wait, daemon=True).start()
