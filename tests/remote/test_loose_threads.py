"""A program ends though one of its threads hangs, and what still can end is waited for."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from remote.loose_threads import LooseThreads
from tests.waiting import wait_until

HANGS = """
import asyncio, os, sys
from remote.loose_threads import LooseThreads

async def main():
    asyncio.get_running_loop().set_default_executor(LooseThreads(0.1))
    kept = [asyncio.ensure_future(asyncio.to_thread(os.read, os.pipe()[0], 1)) for _ in range(40)]
    print(await asyncio.to_thread(lambda: "a later call"))

asyncio.run(main())
"""


def test_a_program_ends_though_its_threads_hang_and_they_hold_up_no_later_call() -> None:
    """An agent on a robot whose disk died, and a console that waits for one, could only be killed."""
    ended = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "a later call\n", "")


def test_what_soon_ends_is_waited_for() -> None:
    """A note that is being written when a person leaves is written."""
    done = []

    def write() -> None:
        time.sleep(0.1)
        done.append("written")

    async def main() -> None:
        asyncio.get_running_loop().set_default_executor(LooseThreads(20))
        asyncio.get_running_loop().run_in_executor(None, write)

    asyncio.run(main())
    assert done == ["written"]


def test_what_a_call_raises_comes_to_who_waits_for_it() -> None:
    with pytest.raises(ZeroDivisionError):
        LooseThreads(20).submit(lambda: 1 / 0).result(10)


def test_it_is_known_whether_something_still_runs() -> None:
    threads, go_on = LooseThreads(0.01), threading.Event()
    future = threads.submit(go_on.wait, 20)
    threads.shutdown()
    assert threads.busy
    go_on.set()
    assert future.result(10)
    wait_until(lambda: not threads.busy)
