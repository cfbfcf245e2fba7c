"""What no field test can have counted: such an entry was not written by this program, and counts for nothing."""

from __future__ import annotations

import msgspec

from console.record.entries import FrameScored, SessionMeasured

MOST_BOXES = 100_000
"""More things than this are in no frame."""
SLACK_S = 2.0
"""Times of windows and of the wall clock differ by a little."""


def unbelievable_frame(body: FrameScored) -> str:
    """Why the counts of a scored frame can't be; empty where they can."""
    counts = {"right": body.right, "wrong": body.wrong, "missed": body.missed}
    for name, count in counts.items():
        if not 0 <= count <= MOST_BOXES:
            return f"{count} {name} can't be in one frame"
    return ""


def unbelievable_running(body: SessionMeasured, lasted_s: float) -> str:
    """Why what a journal is said to tell can't be; empty where it can. `lasted_s`: how long the session was open until then."""
    running, measured = body.measured.running, body.measured
    numbers = {name: value for name, value in msgspec.structs.asdict(running).items() if value is not None}
    negative = next((name for name, value in numbers.items() if value < 0), "")
    if negative or any(count < 0 for count in measured.readings.values()):
        return f"{negative or 'readings'} is less than nothing"
    limits = [
        ("of a session", running.wanted_s, lasted_s),
        ("known", running.known_s, running.wanted_s),
        ("up", running.up_s, running.known_s),
    ]
    for name, seconds, most_s in limits:
        if seconds > most_s * 1.01 + SLACK_S:
            return f"{_time(seconds)} {name} of {_time(most_s)} can't be"
    return ""


def _time(seconds: float) -> str:
    return f"{seconds / 3600:.4g} h" if seconds >= 3600 else f"{seconds:.4g} s"
