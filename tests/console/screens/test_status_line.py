"""What stands above every screen: in a narrow terminal link and worker stay, and what to do about a link that is down."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.geometry import Size

from console.alarms import Alarm
from console.app import FieldgateApp
from console.fieldtest.kpis import AlarmSeverity
from console.widgets.alarms import AlarmsPanel
from remote.protocol import WorkerPhase
from tests.console.screens.driving import NOW_NS, running, screen_text
from tests.console.screens.scripted import ADA, S, ScriptedSession, link, snapshot, state

CURE = "start the SSH service on the robot, or correct the port"


def alarm(n: int, severity: AlarmSeverity, title: str, value: float, limit: float, unit: str) -> Alarm:
    return Alarm(
        id=f"a{n}", title=title, severity=severity, state="raised", acknowledged=False, since_ns=NOW_NS - 89 * S,
        value=value, limit=limit, unit=unit, n=300, word="", blind="", cure="",
    )  # fmt: skip


FIVE = (
    alarm(1, "critical", "End to end slow", 241.3, 200, "ms"),
    alarm(2, "warning", "Inference slow", 61.9, 50, "ms"),
    alarm(3, "warning", "CPU busy", 96.0, 70, "%"),
    alarm(4, "warning", "Memory filling", 71.2, 60, "%"),
    alarm(5, "info", "Frames dropped", 7.3, 5, "frames"),
)


def show(app: FieldgateApp, session: str = "", alarms: tuple[Alarm, ...] = FIVE) -> list[str]:
    """The screen's lines with these alarms, and a session that stands so."""
    app.live.show(replace(app._view(), alarms=alarms, session=(session, "critical")))
    return screen_text(app).splitlines()


@pytest.mark.parametrize("phase", ["running", "waiting_to_restart"])
@pytest.mark.parametrize(
    "session", ["", "session: running 34 min", "PAUSED: Robot in reach: the link was down for 6 s"]
)
async def test_link_and_worker_stay_in_sight_when_it_matters(session: str, phase: WorkerPhase) -> None:
    """They fell off the line at 80 columns just when an alarm or a session took their place."""
    first = snapshot(now_ns=NOW_NS, state_=state(phase=phase, lease=ADA))
    async with running(ScriptedSession(first), (80, 24)) as (app, _):
        line = show(app, session)[0]
        assert "link ● up 0.2 s ago" in line
        assert ("worker ● running" if phase == "running" else "worker ✖ restarting") in line
        assert "✖ 1 ▲ 3 ◆ 1" in line
        assert session[:6] in line
        assert "session 34 min" in line or "running 34" not in session


async def test_the_smallest_terminal_keeps_them_too() -> None:
    async with running(ScriptedSession(snapshot(now_ns=NOW_NS)), (60, 15)) as (app, _):
        line = show(app, "PAUSED: anna paused it")[0]
        assert "link ● up │ worker ● running" in line
        assert "PAUSED" in line
        assert "✖ 1 ▲ 3" in line


async def test_a_wide_terminal_says_all_in_words() -> None:
    async with running(ScriptedSession(snapshot(now_ns=NOW_NS)), (160, 45)) as (app, _):
        line = show(app, "PAUSED: anna paused it")[0]
        assert (
            "PAUSED: anna paused it │ alarms ✖ 1 critical, 4 other, 5 new │ link ● up 0.2 s ago │ worker ● running"
            in line
        )


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 45)])
async def test_what_to_do_about_a_link_that_is_down_is_never_cut_off(size: tuple[int, int]) -> None:
    reason = "127.0.0.1 port 22 refuses connections, and so it did all the time"
    down = link("down", now_ns=NOW_NS, reason=reason, cure=CURE, retry_at_ns=NOW_NS + 3 * S)
    async with running(ScriptedSession(snapshot(now_ns=NOW_NS, link_=down)), size) as (app, _):
        lines = screen_text(app).splitlines()
        assert "LINK DOWN for 60 s: 127.0.0.1 port 22 refuses" in lines[0]
        assert CURE in " ".join(lines[:2])
        assert "orin" in lines[2 if CURE in lines[1] else 1]


async def test_in_a_low_terminal_it_comes_before_the_reason() -> None:
    down = link("down", now_ns=NOW_NS, reason="no answer from 192.168.1.100", cure="Check cable and Wi-Fi.")
    async with running(ScriptedSession(snapshot(now_ns=NOW_NS, link_=down)), (60, 15)) as (app, _):
        lines = screen_text(app).splitlines()
        assert "LINK DOWN for 60 s · Check cable and Wi-Fi." in lines[0]
        assert "orin" in lines[1]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_an_alarms_number_keeps_its_unit_and_those_without_a_row_are_told(size: tuple[int, int]) -> None:
    """`61.9 … 89 s` reads as 61.9 s, and of five alarms a person saw three."""
    async with running(ScriptedSession(snapshot(now_ns=NOW_NS)), size) as (app, _):
        text = "\n".join(show(app))
        panel = next(one for one in app.live.panels if isinstance(one, AlarmsPanel))
        rows = panel.size.height - 2
        values = ["241.3 ms", "61.9 ms", "96.0 %", "71.2 %", "7.3 frames"]
        assert [one for one in values if one in text] == values[:rows]
        assert f"5 raised · {5 - rows} more" in text


async def test_a_limit_has_its_unit() -> None:
    async with running(ScriptedSession(snapshot(now_ns=NOW_NS)), (160, 45)) as (app, _):
        assert "Inference slow: 61.9 ms (limit 50 ms)" in "\n".join(show(app))


async def test_no_alarm_is_not_said_of_what_nobody_has_judged() -> None:
    fresh = snapshot(now_ns=NOW_NS, seconds=0)
    async with running(ScriptedSession(fresh), (80, 24)) as (app, _):
        unjudged = app._view().unjudged
        assert unjudged >= 10
        text = screen_text(app)
        assert f"alarms none, {unjudged} not judged" in text
        assert f"no alarm, but {unjudged} are not judged" in text
    async with running(ScriptedSession(snapshot(now_ns=NOW_NS)), (80, 24)) as (app, _):
        assert app.size == Size(80, 24)
        assert "alarms none │" in screen_text(app)


async def test_why_a_command_was_refused_and_what_to_do_is_read_to_its_end_on_the_live_screen_too() -> None:
    refused = (
        "refused: use bundle 8aa4f66e: the robot is not idle: /run/arm/idle is not there - push it, or stop the worker"
    )
    async with running(ScriptedSession(snapshot(now_ns=NOW_NS)), (80, 24)) as (app, pilot):
        app.front.say(refused, "critical")
        await pilot.pause()
        assert refused in " ".join(screen_text(app).split())
        assert screen_text(app).splitlines()[-1].startswith(" ? help")
