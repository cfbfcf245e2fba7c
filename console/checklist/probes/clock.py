"""`clock`: how far the robot's wall clock is from the laptop's."""

from __future__ import annotations

from typing import Annotated

import msgspec

from console.checklist.probes import Finding, Sight
from console.fieldtest.criteria import Number


class ClockParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`timeout_s`: how long the first measurement is waited for; a link that is up measures once a second."""

    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 5.0


def look_at_clock(sight: Sight, parameters: ClockParameters) -> Finding:
    """A Number of `clock_offset_s`: how far the robot's clock is off, in seconds, never negative.

    The sign (positive: the robot's is ahead) and the possible error, half a round trip, are details.
    """
    if sight.session is None:
        return Finding(unavailable="it needs the robot", cure="look again with the robot connected")
    shot = sight.wait(lambda s: s.link.robot_wall_offset_ms is not None, parameters.timeout_s)
    if shot is None:
        link = sight.session.snapshot.link
        why = f": {link.reason}" if link.reason else ""
        return Finding(
            unavailable=f"the offset was not measured within {parameters.timeout_s:g} s (the link is {link.phase}{why})",
            cure=link.cure or "wait until the link is up, then look again",
        )
    offset_ms, trip_ms = shot.link.robot_wall_offset_ms, shot.link.round_trip_ms
    assert offset_ms is not None  # it was waited for
    return Finding(
        measurement=Number(value=abs(offset_ms) / 1e3, unit="s"),
        details={
            "offset_s": round(offset_ms / 1e3, 6),
            "robot_is": "ahead" if offset_ms > 0 else "behind" if offset_ms < 0 else "exact",
            "error_s": None if trip_ms is None else round(trip_ms / 2e3, 6),
        },
    )
