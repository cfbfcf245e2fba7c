"""The robot's clocks against the laptop's, from the answers to pings."""

from __future__ import annotations

from collections import deque

import msgspec

KEPT = 30
"""Pings that count: half a minute at one a second, short against what two quartz clocks drift apart (about 1 ms)."""


class Measured(msgspec.Struct, frozen=True):
    """One ping: its round trip, and robot minus laptop of both clocks at the middle of it."""

    round_trip_ns: int
    mono_offset_ns: int
    wall_offset_ns: int


class ClockOffset:
    """Takes pings, gives the best estimate. The error of an offset is at most half of its ping's round trip.

    So the monotonic offset is that of the shortest round trip (the rule of NTP's clock filter, RFC 5905 section 10). The
    wall clock may be set at any moment: its offset is that of the newest ping that was not much delayed.
    """

    def __init__(self) -> None:
        self._pings: deque[Measured] = deque(maxlen=KEPT)
        self._rough: tuple[int, int] | None = None
        self._wall_offset_ns: int | None = None

    def rough(self, mono_offset_ns: int, wall_offset_ns: int) -> None:
        """Begin anew with what the hello's stamps say, until the first ping is answered."""
        self._pings.clear()
        self._rough = (mono_offset_ns, wall_offset_ns)
        self._wall_offset_ns = wall_offset_ns

    def add(self, *, sent_ns: int, got_ns: int, got_wall_ns: int, robot_mono_ns: int, robot_wall_ns: int) -> Measured:
        """One answered ping, by the laptop's monotonic stamps, its wall clock at `got_ns`, and the robot's stamps."""
        half = (got_ns - sent_ns) // 2
        ping = Measured(got_ns - sent_ns, robot_mono_ns - (got_ns - half), robot_wall_ns - (got_wall_ns - half))
        self._pings.append(ping)
        best = min(known.round_trip_ns for known in self._pings)
        if ping.round_trip_ns <= 3 * best + 10_000_000:
            self._wall_offset_ns = ping.wall_offset_ns
        return ping

    @property
    def mono_offset_ns(self) -> int | None:
        """Robot's monotonic clock minus the laptop's; None before a hello."""
        if self._pings:
            return min(self._pings, key=lambda ping: ping.round_trip_ns).mono_offset_ns
        return self._rough[0] if self._rough else None

    @property
    def wall_offset_ms(self) -> float | None:
        """Robot's wall clock minus the laptop's; None before a hello."""
        return None if self._wall_offset_ns is None else self._wall_offset_ns / 1e6

    @property
    def round_trip_ms(self) -> float | None:
        """The newest ping's; None before one was answered."""
        return self._pings[-1].round_trip_ns / 1e6 if self._pings else None
