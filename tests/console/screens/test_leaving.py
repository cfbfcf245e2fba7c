"""Leaving the screen ends the program, whatever still waits for a robot."""

from __future__ import annotations

import subprocess
import sys

HANGS = """
import threading
import console.app
from console.app import FieldgateApp
from tests.console.screens.driving import NOW_NS
from tests.console.screens.scripted import ScriptedSession, snapshot

console.app.LEAVE_S = 0.2

async def leave(pilot):
    begun = threading.Event()

    def hang():
        begun.set()
        threading.Event().wait()

    pilot.app.run_worker(hang, thread=True, name="a copy to a robot that froze")
    while not begun.is_set():
        await pilot.pause(0.01)
    await pilot.press("q")

FieldgateApp(ScriptedSession(snapshot(now_ns=NOW_NS)), robot="orin").run(headless=True, size=(100, 30), auto_pilot=leave)
print("left")
"""


def test_q_ends_the_program_though_a_thread_hangs() -> None:
    """The terminal was back and nothing could be typed: a push or a validation that hung kept the program for minutes."""
    ended = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (0, "left\n"), ended.stderr
