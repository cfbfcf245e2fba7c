"""Leaving the screen ends the program, whatever still waits for a robot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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

WAITS = """
import threading, time
import console.app
from console.commands import live
from tests.console.screens.driving import NOW_NS
from tests.console.screens.scripted import ScriptedSession, snapshot

console.app.LEAVE_S = 30
closed = threading.Event()

class Session(ScriptedSession):
    def close(self):
        closed.set()

async def leave(pilot):
    begun = threading.Event()
    pilot.app.run_worker(lambda: (begun.set(), closed.wait()), thread=True, name="an answer that never comes")
    while not begun.is_set():
        await pilot.pause(0.01)
    await pilot.press("q")
    print(time.monotonic())

live._run = lambda app, session, **_: app.run(headless=True, size=(100, 30), auto_pilot=leave)
try:
    live.run_screen("orin", None, Session(snapshot(now_ns=NOW_NS)), kpis=None)
finally:
    print(time.monotonic())
"""


def test_what_waits_for_the_robots_answer_is_given_up_first() -> None:
    """A validation may take a quarter of an hour: leaving meanwhile waited for it."""
    ended = subprocess.run([sys.executable, "-c", WAITS], capture_output=True, text=True, timeout=60, check=False)
    asked_s, left_s = map(float, ended.stdout.split())
    assert left_s - asked_s < 5, ended.stderr


def test_q_ends_the_program_though_a_thread_hangs() -> None:
    """The terminal was back and nothing could be typed: a push or a validation that hung kept the program for minutes."""
    ended = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (0, "left\n"), ended.stderr


FAST = """
from console.app import FieldgateApp
from console.actions import on_screen
from tests.console.screens.driving import until
from tests.console.screens.models_samples import IDLE, robot_with
from tests.console.screens.scripted import ScriptedSession

async def leave(pilot):
    await pilot.press("5")
    await until(pilot, lambda: pilot.app.place == "models" and pilot.app.newest.state is not None)
    desk = pilot.app.desks["models"]
    for action in on_screen("models"):
        if action.place == "models":
            desk.act(action.name)
    pilot.app.exit()

FieldgateApp(ScriptedSession(robot_with(IDLE)), robot="orin").run(headless=True, size=(100, 30), auto_pilot=leave)
print("left")
"""


def test_keys_typed_fast_leave_no_warnings_of_the_program_on_the_terminal(tmp_path: Path) -> None:
    """`coroutine 'push' was never awaited` stood there: what began an action was made, and another key came first."""
    environment = {**os.environ, "FIELDGATE_HOME": str(tmp_path)}
    command = [sys.executable, "-c", FAST]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "left\n", "")
