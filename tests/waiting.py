"""Waiting for the real world in tests: poll with a deadline, never sleep for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
LEAST_S = 60.0
"""Nobody waits so long where all is well; a machine with ten times as much to do as it can needs it."""


def wait_until(predicate: Callable[[], T], timeout_s: float = LEAST_S, what: str = "the condition") -> T:
    """The first true value of `predicate`, asked every few milliseconds; AssertionError naming `what` at the deadline.

    The deadline is `timeout_s`, but LEAST_S at least: how quick something is, a test measures by itself.
    """
    timeout_s = max(timeout_s, LEAST_S)
    end = time.monotonic() + timeout_s
    pause = 0.002
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout_s:g} s in vain for {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
