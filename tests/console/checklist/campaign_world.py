"""A laptop with a robot, a pack, a roster with real keys, and campaigns; time moves only by hand or by waiting."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import msgspec

from console.campaigns.campaign import Campaign
from console.campaigns.opening import new_campaign
from console.checklist.probes import Sight
from console.link.transport import Ran
from console.looking import OfflineSight
from console.record.record import Row
from console.record.signing import KeyFile
from console.robots import Robot, Robots
from remote.errors import Trouble
from remote.protocol import Command, Facts, GetFacts, Reply
from tests.console.checklist.given_robot import BUNDLE, GivenRobot, S, link, shot

NOW_NS = 1_800_000_000 * S
SERIAL = "142-0323-07-9A41"
FACTS = Facts(
    serial=SERIAL,
    serial_source="device-tree",
    bundle=BUNDLE,
    contract="c0" * 32,
    engine="onnxruntime 1.23.2 CPUExecutionProvider",
    source="scene:1",
    power_mode="MAXN",
    words={"l4t": "36.4"},
    mono_ns=1,
    wall_ns=2,
)
PACK = """\
format: 1
name: small
title: A small pack
version: "1"
roles:
  engineer: builds it
  safety: reviews it
  lead: answers for it
stages:
  - id: bench
    title: On the bench
    items:
      - id: results
        title: Success in simulation
        kind: sensed
        probe: {name: success_table, parameters: {file: results.csv}}
        criterion: {metric: success_rate, statistic: rate, comparison: ">", threshold: 70, unit: "%", n_min: 10}
        rests_on: [bundle]
        valid_for: 30 d
        override_by: [lead]
        defer_by: [lead]
      - id: clock
        title: The clocks agree
        kind: sensed
        probe: {name: clock}
        criterion: {metric: clock_offset_s, comparison: "<", threshold: 2, unit: s, margin: 0.5}
        rests_on: [bundle]
        cure: Set the clock.
      - id: steady
        title: The clocks agree for a while
        kind: sensed
        probe: {name: clock}
        hold: 5 s
        criterion: {metric: clock_offset_s, comparison: "<", threshold: 2, unit: s, margin: 0.5}
      - id: brake
        title: The brake engages on command
        kind: sensed
        latched: true
        act: {says: Engage the brake, argv: [brake, engage, "now, please"]}
        probe: {name: robot_command, parameters: {argv: [brake, state], expect_output: engaged}}
        cure: Mend the brake.
      - id: force
        title: Gripping force
        kind: measured
        criterion: {metric: grip_force_n, comparison: "<", threshold: 40, unit: N, margin: 2}
        rests_on: [robot]
      - id: drops
        title: Drops
        kind: measured
        criterion: {metric: drop_rate, statistic: rate, comparison: "<", threshold: 50, unit: "%"}
      - id: fence
        title: The fence is shut
        kind: confirmed
        statement: The fence around the cell is shut.
        rests_on: [robot]
      - id: limits
        title: The limits hold
        kind: witnessed
        critical: true
        latched: true
        statement: Poses outside the workspace were refused.
        rests_on: [bundle, robot]
      - id: sheet
        title: The procedure is posted
        kind: confirmed
        inspect: photo
        statement: The procedure hangs at the cell.
        defer_by: [lead]
    gate:
      poll: [engineer, safety]
      signatures:
        - {meaning: performed, roles: [engineer]}
        - {meaning: reviewed, roles: [safety]}
      overrides_allowed: false
  - id: field
    title: In the field
    items:
      - id: permit
        title: There is a permit
        kind: confirmed
        statement: The permit is here.
"""
PEOPLE = {"anna": ("Anna Alm", "engineer"), "bo": ("Bo Berg", "safety"), "cy": ("Cy Carl", "lead")}


class World:
    """Everything below `folder`; FIELDGATE_HOME must point into it. `now_ns` is the laptop's wall clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = folder / "files"
        self.files.mkdir()
        self.pack = folder / "small.yaml"
        self.pack.write_text(PACK)
        self.roster = folder / "roster.yaml"
        self.roster.write_text(roster_text(folder))
        self.now_ns = NOW_NS
        self.facts = FACTS
        self.made = 0
        if not any(robot.name == "orin" for robot in Robots().all()):
            Robots().add(Robot(name="orin", address="anna@10.0.0.7"))

    def campaign(self, **other: Any) -> Campaign:
        self.made += 1
        given: dict[str, Any] = {
            "robot": "orin", "bundle": BUNDLE, "bundle_name": "tabletop", "pack": self.pack, "name": f"c{self.made}",
            "roster": self.roster, "files": self.files, "person": "anna", "wall_ns": self.clock,
        }  # fmt: skip
        return new_campaign(**{**given, **other})

    def clock(self) -> int:
        return self.now_ns

    def key(self, principal: str) -> KeyFile:
        return KeyFile(self.folder / principal, may_ask=False)

    def robot(self, *offsets_ms: float | None, ran: Ran | Trouble | None = None, **link_parts: Any) -> GivenRobot:
        """A robot whose clock is off by these, one after the other; None: the link is down then."""
        shots = (_shot(offset, **link_parts) for offset in offsets_ms or (10.0,))
        return GivenRobot(*shots, answer=self.answer, ran=ran, files=self.files)

    def answer(self, command: Command) -> Reply:
        assert isinstance(command, GetFacts), command
        return Reply(id="1", facts=self.facts)

    def offline(self) -> Sight:
        return OfflineSight(self.files, BUNDLE, wall_ns=self.clock)

    def results(self, successes: int, n: int) -> None:
        rows = ["success", *(["yes"] * successes), *(["no"] * (n - successes))]
        (self.files / "results.csv").write_text("\n".join(rows) + "\n")

    def photo(self) -> Path:
        path = self.files / "sheet.jpg"
        path.write_bytes(b"\xff\xd8\xff\xe0 a picture")
        return path


def _shot(offset_ms: float | None, **parts: Any) -> Any:
    if offset_ms is None:
        return shot(link=link("down", reason="the cable is out", cure="plug it in", code="unreachable"))
    return shot(link=msgspec.structs.replace(link(), robot_wall_offset_ms=offset_ms, **parts))


def kinds(campaign: Campaign) -> list[str]:
    """The kinds of all entries, in order."""
    return [row.kind for row in campaign.record.rows()]


def last(campaign: Campaign, kind: str) -> Any:
    """The body of the last entry of that kind."""
    row: Row = [row for row in campaign.record.rows() if row.kind == kind][-1]
    return campaign.record.entry(row.seq).body


def roster_text(folder: Path) -> str:
    """A roster of PEOPLE; their keys are made beside it, by ssh-keygen."""
    lines = ["format: 1", "people:"]
    for principal, (name, role) in PEOPLE.items():
        path = folder / principal
        if not path.exists():
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", principal, "-f", str(path)]
            subprocess.run(argv, check=True)
        key = path.with_suffix(".pub").read_text().strip()
        lines.append(f"  - {{principal: {principal}, name: {name}, roles: [{role}], keys: ['{key}']}}")
    return "\n".join(lines) + "\n"
