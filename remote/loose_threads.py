"""Threads for the calls of an event loop that can't keep a program from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class LooseThreads(ThreadPoolExecutor):
    """For `loop.set_default_executor`: each call runs at once, in a daemon thread of its own.

    The threads of asyncio's own executor are waited for without a limit when the loop ends, and once more when Python does:
    one that hangs in a dead disk, or waits for an answer of a robot, would keep a program that is over. A pool of them that
    all hang would also keep every later call from beginning.

    Args:
        patience_s: how long `shutdown` waits for calls that still run.
    """

    def __init__(self, patience_s: float) -> None:
        super().__init__(max_workers=1)
        self._patience_s = patience_s
        self._running: set[Future[object]] = set()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See Executor."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - it is whoever waits for the future who is told
                future.set_exception(error)
            else:
                future.set_result(result)

        self._running.add(future)  # type: ignore[arg-type] # nothing is put into it here
        future.add_done_callback(self._running.discard)
        threading.Thread(target=run, name="loose", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See Executor; waits for `patience_s` at most."""
        if wait:
            futures.wait(set(self._running), self._patience_s)

    @property
    def busy(self) -> bool:
        """Whether a call still runs."""
        return bool(self._running)
