"""What a detail says: every field of an event, a failure or an alarm, as lines."""

from __future__ import annotations

from typing import Any

from console.alarms import Alarm
from console.widgets.alarms import alarm_value, alarm_word
from console.widgets.cells import clean
from console.widgets.drawing import clock_time
from remote.protocol import FAILURES, Failure


def lines_of(thing: Any) -> tuple[str, list[str], str | None]:
    """(title, lines, picture's digest or None) of an Alarm or of a Seen event or failure."""
    if isinstance(thing, Alarm):
        return _alarm(thing)
    body = thing.body
    lines = [clean(body.text), "", f"when      {clock_time(thing.wall_ns)} by the robot's clock, entry #{thing.seq}"]
    if isinstance(body, Failure):
        lines += _failure(body)
    else:
        lines.append(f"severity  {body.severity}")
    lines += [f"{clean(key):<9} {clean(str(value))}" for key, value in body.data.items()]
    return clean(body.name).replace("_", " "), lines, getattr(body, "picture", None)


def _failure(body: Failure) -> list[str]:
    lines = [f"meaning   {FAILURES[body.name]}"] if body.name in FAILURES else []
    if body.frame is not None:
        lines.append(f"frame     {body.frame}")
    if body.source:
        lines.append(f"source    {clean(body.source)}")
    if body.bundle:
        lines.append(f"bundle    {body.bundle[:8]}")
    if body.stages_ms:
        lines.append("stages    " + ", ".join(f"{clean(k)} {v:.1f} ms" for k, v in body.stages_ms.items()))
    return lines


def _alarm(alarm: Alarm) -> tuple[str, list[str], str | None]:
    _, word = alarm_word(alarm)
    lines = [alarm_value(alarm), "", f"state     {word}", f"severity  {alarm.severity}", f"behind it {alarm.n} values"]
    return alarm.title, [*lines, "", f"What to do: {alarm.cure}"], None
