"""What is known of one robot right now: an immutable value that the link makes and the faces show.

Times ending in `_ns` without `wall` are nanoseconds of the laptop's monotonic clock; the link converts the robot's stamps by
the measured offset, so an age is `now_ns - at_ns` whatever either wall clock says.
"""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

import msgspec

from remote.protocol import AgentHello, AgentState, Event, Failure, Host, Sample, Window

LinkPhase = Literal["connecting", "up", "silent", "down", "refused", "closed"]
CONNECTED: tuple[LinkPhase, ...] = ("up", "silent")
LOST: tuple[LinkPhase, ...] = ("down", "refused", "closed")
HISTORY = 300
"""Windows, hosts, events and failures that a snapshot keeps of each: five minutes at one a second."""

KINDS_SHOWN = ("window", "host", "event", "failure")
"""The kinds of journal entries that a snapshot keeps, in the order of its fields; the others are in the store alone."""

B = TypeVar("B", Window, Host, Event, Failure)


class Seen(msgspec.Struct, Generic[B], frozen=True):
    """A journal entry's body with where and when. `at_ns` is None where its boot is not the present one."""

    seq: int
    at_ns: int | None
    wall_ns: int
    body: B


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """The link itself.

    `phase`: connecting (first try), up, silent (connected, nothing heard for 2 s), down (trying again, `reason` and
    `retry_at_ns` say why and when), refused (a person must act: key, host key, version), closed (we hung up).
    `code` is the stable word of the Trouble behind `reason`, empty while up.
    `round_trip_ms` and `robot_wall_offset_ms` (robot's clock minus laptop's) are None until measured.
    """

    phase: LinkPhase
    since_ns: int
    transport: str
    reason: str = ""
    cure: str = ""
    code: str = ""
    retry_at_ns: int | None = None
    heard_ns: int | None = None
    round_trip_ms: float | None = None
    robot_wall_offset_ms: float | None = None
    reconnects: int = 0


class Pulling(msgspec.Struct, frozen=True):
    """How failures' pictures come: how many wait, came and were refused over this session.

    `all_known`: there are no others in the store than those that wait; else older ones are still being looked for.
    """

    waiting: int = 0
    came: int = 0
    refused: int = 0
    all_known: bool = True


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the faces show of one robot, newest last in each tuple (at most HISTORY of each).

    `sample_at_ns` is the newest frame's capture time. `stored_seq` is the last entry safely in the laptop's store.
    """

    robot: str
    taken_ns: int
    link: Link
    hello: AgentHello | None = None
    state: AgentState | None = None
    sample: Sample | None = None
    sample_at_ns: int | None = None
    windows: tuple[Seen[Window], ...] = ()
    hosts: tuple[Seen[Host], ...] = ()
    events: tuple[Seen[Event], ...] = ()
    failures: tuple[Seen[Failure], ...] = ()
    stored_seq: int = 0
    pulling: Pulling = Pulling()
