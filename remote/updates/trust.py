"""The robot's trust in its clock: a clock that was set back would make expired metadata look fresh.

The floor is the latest time that it surely is: the highest wall time that was ever seen, the times at which metadata was
signed, the date of this version of the agent. Robots without a clock battery boot in the past.
"""

from __future__ import annotations

from datetime import datetime, timezone

from remote.errors import Trouble

UNTRUSTED = "time_untrusted"
VERSION_WALL_NS = 1_767_225_600 * 10**9
"""2026-01-01 00:00 UTC: this version of the agent was not there before."""
SLACK_NS = 600 * 10**9
"""Two clocks that are both right differ by less."""
CURE = (
    "set the robot's clock (`timedatectl`, or let it reach a time server); if it is right and was ahead before, "
    "enrol it again (`fieldgate updates enrol`), which forgets the time seen"
)


def check_signed(now_wall_ns: int, signed_wall_ns: int | None) -> None:
    """Raise Trouble (code `time_untrusted`) for a clock that stands before the time at which metadata was signed."""
    if signed_wall_ns is not None and now_wall_ns < signed_wall_ns - SLACK_NS:
        what = f"this robot's clock says {utc(now_wall_ns)}, and the repository was signed at {utc(signed_wall_ns)}"
        cure = (
            "set the robot's clock (`timedatectl`); if it is right, correct the laptop's that signs and refresh again"
        )
        raise Trouble(what, cure=cure, code=UNTRUSTED)


def check_clock(now_wall_ns: int, floor_wall_ns: int) -> None:
    """Raise Trouble (code `time_untrusted`) for a clock that stands before what it surely is."""
    floor_wall_ns = max(floor_wall_ns, VERSION_WALL_NS)
    if now_wall_ns < floor_wall_ns - SLACK_NS:
        what = f"this robot's clock says {utc(now_wall_ns)}, and it is surely later than {utc(floor_wall_ns)}"
        raise Trouble(what, cure=CURE, code=UNTRUSTED)


def utc(wall_ns: int) -> str:
    """A wall time for people."""
    return datetime.fromtimestamp(wall_ns / 1e9, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def wall_ns_of(told: object) -> int | None:
    """The time of an ISO 8601 text in UTC, as SIGNED_AT is written; None for anything else."""
    if not isinstance(told, str):
        return None
    try:
        read = datetime.strptime(told, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return None
    return int(read.replace(tzinfo=timezone.utc).timestamp()) * 10**9
