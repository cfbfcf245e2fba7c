"""What came before and after a failure: a ring of the worker's last moments, and the clips that are still open. No I/O.

Times are monotonic nanoseconds of the robot. Pictures are JPEG bytes here; who keeps them asks for the moments that a clip
has not yet been given a digest for.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from remote.perception.messages import Moment

BEFORE_S = 5.0
AFTER_S = 5.0
AFTER_LEAST_S = 1.0
"""A failure's one picture from after it is at least that much later."""
GRACE_S = 1.0
RING_MOST = 24
RING_BYTES = 8 * 1024 * 1024
MOST_OPEN = 32
PICTURES_PER_HOUR = 1200
PICTURES_AT_ONCE = 240
NS_PER_S = 1_000_000_000
NS_PER_MS = 1e6


class Ring:
    """The moments of the last BEFORE_S, bounded in number and bytes: the oldest go first."""

    def __init__(self, most: int = RING_MOST, most_bytes: int = RING_BYTES) -> None:
        self._moments: deque[Moment] = deque()
        self._most, self._most_bytes, self._bytes = most, most_bytes, 0

    def add(self, moment: Moment) -> None:
        """The newest moment."""
        self._moments.append(moment)
        self._bytes += len(moment.jpeg)
        oldest_ns = moment.mono_ns - round((BEFORE_S + GRACE_S) * NS_PER_S)
        while self._moments and (
            len(self._moments) > self._most or self._bytes > self._most_bytes or self._moments[0].mono_ns < oldest_ns
        ):
            self._bytes -= len(self._moments.popleft().jpeg)

    def clear(self) -> None:
        """What comes is another run's."""
        self._moments.clear()
        self._bytes = 0

    def before(self, mono_ns: int) -> tuple[Moment, ...]:
        """The moments of the BEFORE_S before that time, the oldest first."""
        first_ns = mono_ns - round(BEFORE_S * NS_PER_S)
        return tuple(one for one in self._moments if first_ns <= one.mono_ns < mono_ns)

    @property
    def bytes(self) -> int:
        """Bytes of JPEG held."""
        return self._bytes


class Allowance:
    """How many pictures clips may take: `at_once`, refilled with `per_hour`."""

    def __init__(self, now_ns: int, per_hour: int = PICTURES_PER_HOUR, at_once: int = PICTURES_AT_ONCE) -> None:
        self._per_ns, self._most = per_hour / (3600 * NS_PER_S), float(at_once)
        self._left, self._since_ns = self._most, now_ns
        self.per_hour = per_hour

    def take(self, now_ns: int) -> bool:
        """Whether one more picture may be kept; it then counts as taken."""
        passed_ns = max(0, now_ns - self._since_ns)
        self._left, self._since_ns = min(self._most, self._left + passed_ns * self._per_ns), now_ns
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass
class OpenClip:
    """A clip that waits for its pictures. `whole`: every moment belongs to it, else one from after the failure is enough."""

    failure: str
    at_ns: int
    whole: bool
    frames: list[tuple[float, str]] = field(default_factory=list)
    reason: str = ""

    def offset_ms(self, mono_ns: int) -> float:
        """Milliseconds after the failure."""
        return round((mono_ns - self.at_ns) / NS_PER_MS, 1)

    def wants(self, moment: Moment) -> bool:
        """Whether this moment belongs to the clip."""
        after_s = (moment.mono_ns - self.at_ns) / NS_PER_S
        return (0 if self.whole else AFTER_LEAST_S) < after_s <= AFTER_S

    def is_done_by(self, moment: Moment) -> bool:
        """Whether nothing more belongs to the clip after this moment."""
        after_s = (moment.mono_ns - self.at_ns) / NS_PER_S
        return after_s >= (AFTER_S if self.whole else AFTER_LEAST_S)

    def is_overdue(self, now_ns: int) -> bool:
        """Whether the time for pictures is over."""
        return now_ns - self.at_ns > (AFTER_S + GRACE_S) * NS_PER_S


class OpenClips:
    """The clips that wait for moments; at most MOST_OPEN."""

    def __init__(self) -> None:
        self._open: list[OpenClip] = []

    def open(self, clip: OpenClip) -> bool:
        """Let it wait; False where too many do."""
        if len(self._open) >= MOST_OPEN:
            return False
        self._open.append(clip)
        return True

    def moment(self, moment: Moment) -> tuple[list[OpenClip], list[OpenClip]]:
        """(the clips that this moment belongs to, those that are done with it)."""
        wanting = [one for one in self._open if one.wants(moment)]
        return wanting, self._take([one for one in self._open if one.is_done_by(moment)])

    def overdue(self, now_ns: int) -> list[OpenClip]:
        """The clips whose time is over; they are not open any more."""
        return self._take([one for one in self._open if one.is_overdue(now_ns)])

    def all(self) -> list[OpenClip]:
        """Every open clip; none is open any more."""
        return self._take(list(self._open))

    def _take(self, gone: list[OpenClip]) -> list[OpenClip]:
        self._open = [one for one in self._open if one not in gone]
        return gone
