"""A laptop with a campaign whose pack has phases, and a robot of given snapshots."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import msgspec

from console.campaigns.campaign import Campaign
from console.fieldwork.field_test import FieldTest
from console.link.snapshot import Link, Seen, Snapshot
from console.looking import RobotSight
from remote.protocol import (
    AgentHello,
    AgentState,
    BundleState,
    Command,
    Detection,
    Failure,
    GetFacts,
    GetFrame,
    GetState,
    Host,
    JournalState,
    LeaseState,
    Picture,
    Reply,
    SetWatch,
    Watch,
    Window,
    WorkerState,
)
from tests.console.checklist.campaign_world import World
from tests.console.checklist.given_robot import BUNDLE
from tests.console.checklist.probe_sight import window

PACK = """\
format: 1
name: phased
title: A pack with phases
version: "1"
roles: {engineer: builds it}
stages:
  - id: bench
    title: On the bench
    items:
      - {id: fence, title: The fence is shut, kind: confirmed, statement: The fence is shut.}
phases:
  - id: lab
    title: In the lab
    trial: one object shown
    success: it is named
    conditions:
      - {id: light, title: Light, values: [bright, dim], required: true}
      - {id: place, title: Place}
    entry: [{item: fence}]
    holding:
      - {id: link, title: The robot is reached, check: link, for: 5 s, cure: Look at the cable.}
      - {id: bundle, title: The right bundle runs, check: bundle}
      - id: latency
        title: It is quick enough
        criterion: {metric: end_to_end_ms, statistic: p95, comparison: "<", threshold: 200, unit: ms}
        for: 3 s
        cure: Cool it down.
    questions:
      - id: success
        title: It names what it is shown
        denominator: trials
        criterion: {metric: success_rate, statistic: rate, comparison: ">=", threshold: 80, unit: "%"}
        plan: {look: sequential, n: 60, expected: 95}
    stop:
      - {id: row, title: Three failures in a row, count: failures_in_a_row, at: 3, cure: Find out why.}
      - {id: help, title: Five interventions, count: interventions, at: 5}
    planned_n: 60
  - id: bench_trials
    title: Without a link
    trial: one object shown
    success: it is named
    questions:
      - id: success
        title: It names what it is shown
        denominator: trials
        criterion: {metric: success_rate, statistic: rate, comparison: ">=", threshold: 50, unit: "%"}
        plan: {look: fixed, n: 20, expected: 90}
    planned_n: 20
"""


class FieldWorld(World):
    """A World whose campaigns have the phases `lab` and `bench_trials`; `tells` are the sentences that were told.

    `mono_ns` is the laptop's monotonic clock.
    """

    mono_ns = 500_000_000_000

    def field(self, pack: str = PACK, **other: Any) -> FieldTest:
        """The field test of a new campaign."""
        self.pack.write_text(pack)
        return self.of(self.campaign(**other))

    def of(self, campaign: Campaign) -> FieldTest:
        self.tells: list[str] = []
        return FieldTest(campaign, self.tells.append, mono_ns=lambda: self.mono_ns)

    def unlinked(self, pack: str = PACK) -> FieldTest:
        """One with an open session without a robot."""
        field = self.field(pack)
        field.begin_phase("bench_trials", "anna")
        field.begin_session(None, "anna")
        return field

    def pass_time(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)
        self.mono_ns += round(seconds * 1e9)

    def in_lab(self, robot: FieldRobot) -> FieldTest:
        """One with an open session in the lab, its light bright."""
        field = self.field()
        field.campaign.confirm("fence", True, "anna")
        field.begin_phase("lab", "anna")
        field.begin_session(robot.sight, "anna", {"light": "bright"})
        return field


def replaced(shot: Any, **parts: Any) -> Any:
    """The snapshot with other parts."""
    return msgspec.structs.replace(shot, **parts)


class FieldRobot:
    """A robot of given snapshots whose clocks are the world's; waiting moves them, and a second brings a window and a sample.

    `asked` are the commands that it got. `holder` commands it; empty: nobody.
    """

    def __init__(self, world: FieldWorld, *, bundle: str = BUNDLE, ms: float = 20.0) -> None:
        self.world, self.bundle, self.ms = world, bundle, ms
        self.holder = ""
        self.mine = False
        self.watch: Watch | None = None
        self.boot_id = "boot-1"
        self.failures: tuple[Seen[Failure], ...] = ()
        self.link = Link(phase="up", since_ns=0, transport="local", robot_wall_offset_ms=0.0)
        self.frame = 100
        self.newest_ms: float | None = None
        self.asked: list[Command] = []
        self.windows: tuple[Seen[Window], ...] = ()
        self.hosts: tuple[Seen[Host], ...] = ()
        self.run = 7
        self.second()
        session: Any = self
        nothing: Any = None
        self.sight = RobotSight(
            session, nothing, nothing, robot="orin", files=world.files, bundle=BUNDLE,
            mono_ns=self.mono_ns, wall_ns=world.clock, pause=self.pause,
        )  # fmt: skip

    def mono_ns(self) -> int:
        return self.world.mono_ns

    def pause(self, seconds: float) -> None:
        """Somebody waits; the worker goes on telling of each second meanwhile."""
        self.world.pass_time(seconds)
        if self.windows and self.mono_ns() - (self.windows[-1].at_ns or 0) >= 1_000_000_000:
            self.tell(self.newest_ms)

    def second(self, ms: float | None = None) -> None:
        """One second passes, and the worker tells of it."""
        self.world.pass_time(1.0)
        self.tell(ms)

    def tell(self, ms: float | None = None) -> None:
        """A window and a sample come."""
        self.newest_ms = ms
        number = len(self.windows)
        made = window(number, at_s=0, ms=[self.ms if ms is None else ms] * 30)
        made = msgspec.structs.replace(made, at_ns=self.mono_ns(), body=replaced(made.body, run=self.run))
        self.windows = (*self.windows, made)
        self.hosts = (*self.hosts, Seen(1, self.mono_ns(), 0, Host(values={"cpu_percent": 30.0})))

    def fail(self, name: str) -> None:
        self.failures = (
            *self.failures,
            Seen(900, self.mono_ns(), self.world.now_ns, Failure(name=name, text="it went wrong")),
        )

    def cut(self) -> None:
        self.link = msgspec.structs.replace(self.link, phase="down", reason="the cable is out")

    def mend(self) -> None:
        self.link = msgspec.structs.replace(self.link, phase="up", reason="")
        self.second()

    # ------------------------------------------------------------ as a session

    @property
    def snapshot(self) -> Snapshot:
        lease = LeaseState(self.holder, "them", 1, 2**62) if self.holder else None
        state = AgentState(
            version=1, mono_ns=0, worker=WorkerState("running", 0, run=self.run), source="scene:1",
            bundle=BundleState(self.bundle, "tabletop", LABELS), lease=lease, epoch=0,
            journal=JournalState("journal-1", 1, 41, 0), watch=self.watch,
        )  # fmt: skip
        hello = AgentHello(
            protocol=1, oldest_protocol=1, software="x", robot="orin", boot_id=self.boot_id, journal="journal-1",
            mono_ns=0, wall_ns=0,
        )  # fmt: skip
        link = msgspec.structs.replace(self.link, heard_ns=self.mono_ns() if self.link.phase == "up" else None)
        return Snapshot(
            robot="orin", taken_ns=0, link=link, hello=hello, state=state, windows=self.windows, hosts=self.hosts,
            failures=self.failures,
        )  # fmt: skip

    @property
    def holds_lease(self) -> bool:
        return self.mine

    def take_lease(self, *, over: int | None = None) -> Future[Reply]:
        self.mine = True
        return _done(Reply(id="1"))

    def release_lease(self) -> Future[Reply]:
        self.mine = False
        return _done(Reply(id="1"))

    def request(self, command: Command, **_: object) -> Future[Reply]:
        self.asked.append(command)
        if isinstance(command, GetState):
            return _done(Reply(id="1", state=self.snapshot.state))
        if isinstance(command, GetFacts):
            return _done(Reply(id="1", facts=replaced(self.world.facts, bundle=self.bundle)))
        if isinstance(command, SetWatch):
            assert self.mine, "the agent would refuse this"
            self.watch = command.watch
            return _done(Reply(id="1"))
        assert isinstance(command, GetFrame), command
        self.frame += 1
        boxes = (Detection(0, 0.9, 10, 10, 60, 60), Detection(1, 0.6, 100, 100, 150, 150))
        jpeg = a_jpeg()
        picture = Picture(jpeg=jpeg, digest="d", width=640, height=480, frame=self.frame, detections=boxes)
        return _done(Reply(id="1", picture=picture))


LABELS = ("cup", "bowl")


def a_jpeg() -> bytes:
    """A small real one."""
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (64, 48), (90, 90, 90)).save(out, "JPEG")
    return out.getvalue()


def _done(reply: Reply) -> Future[Reply]:
    future: Future[Reply] = Future()
    future.set_result(reply)
    return future
