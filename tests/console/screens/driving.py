"""Starting the app on a scripted session with a fixed clock, and reading what is on its screen."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input

from console.app import FieldgateApp
from console.fieldtest.kpis import Kpis, load_kpis
from console.link.snapshot import Snapshot
from tests.console.screens.scripted import S, ScriptedSession
from tests.waiting import LEAST_S

NOW_NS = 1000 * S


@cache
def rules() -> Kpis:
    return load_kpis()


class Clock:
    """Monotonic time that moves only when told to."""

    def __init__(self) -> None:
        self.now_ns = NOW_NS

    def __call__(self) -> int:
        return self.now_ns


def app_on(session: ScriptedSession, clock: Clock | None = None, **options: Any) -> FieldgateApp:
    return FieldgateApp(session, robot="orin", kpis=rules(), clock=clock or Clock(), **options)


@asynccontextmanager
async def running(
    session: ScriptedSession, size: tuple[int, int] = (100, 30), clock: Clock | None = None, **options: Any
) -> AsyncIterator[tuple[FieldgateApp, Pilot[int]]]:
    app = app_on(session, clock, **options)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: session.first is None or app.newest is session.first)
        app.repaint()
        await pilot.pause()
        yield app, pilot


async def until(pilot: Pilot[Any], true: Callable[[], bool]) -> None:
    """Let the app work until `true`."""
    end = time.monotonic() + LEAST_S
    while not true():
        assert time.monotonic() < end, "it never came true:\n" + screen_text(pilot.app)  # type: ignore[arg-type]
        await pilot.pause(0.02)


async def settled(pilot: Pilot[Any], for_s: float = 0.2) -> None:
    """Let the app work until what is on its screen has stayed the same for so long; cursors stay in sight from now on."""
    for one in pilot.app.screen.query(Input):
        one.cursor_blink, one._cursor_visible = False, True
    since, shown = time.monotonic(), ""
    end = since + LEAST_S
    while (now := time.monotonic()) - since < for_s and now < end:
        await pilot.pause(0.05)
        if (text := screen_text(pilot.app)) != shown:  # type: ignore[arg-type]
            since, shown = time.monotonic(), text


async def show(app: FieldgateApp, pilot: Pilot[int], session: ScriptedSession, snapshot: Snapshot) -> None:
    session.push(snapshot)
    app.repaint()
    await pilot.pause()


def screen_text(app: FieldgateApp) -> str:
    """What a person reads now, dialogs included."""
    # The compositor has no public reader of what is on the screen; exported pictures would have to be parsed.
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())
