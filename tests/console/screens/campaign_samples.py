"""A real campaign in a folder of its own, with a small pack, a roster and two SSH keys without passphrase."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from console.campaigns.campaign import Campaign
from console.campaigns.opening import new_campaign, open_campaign
from console.record.entries import Moment, Seen

SERIAL = "1420923057123"
PACK = """
format: 1
name: bench
title: Bench test
version: "1"
roles: {lead: leads the test, safety: answers for safety}
stages:
  - id: table
    title: On the table
    items:
      - {id: plan, title: The test plan is there, kind: sensed, probe: {name: file_present, parameters: {path: plan.txt}},
         cure: Write plan.txt.}
      - {id: log, title: The log is there, kind: sensed, probe: {name: file_present, parameters: {path: log.txt}}}
      - {id: grip, title: Gripper closes with enough force, kind: measured, cure: Tighten the belt.,
         criterion: {metric: grip_force, comparison: ">=", threshold: 12, unit: N},
         override_by: [safety], defer_by: [lead]}
      - {id: clear, title: The table is clear, kind: confirmed, statement: Nothing but the cubes lies on the table.}
      - {id: serial, title: This is the right robot, kind: confirmed, critical: true, statement: I stand before orin.}
      - {id: stop, title: The stop button stops it, kind: witnessed, statement: It stopped at once.}
    gate:
      poll: [lead]
      signatures: [{meaning: performed, roles: [lead]}]
  - id: floor
    title: On the floor
    items:
      - {id: rope, title: The rope is on, kind: confirmed, statement: The rope is on.}
"""
ROSTER = """
format: 1
people:
  - {{principal: ada, name: Ada Lovelace, roles: [lead], keys: ["{ada}"]}}
  - {{principal: bob, name: Bob Noyce, roles: [safety], keys: ["{bob}"]}}
"""


def key_of(folder: Path, name: str) -> Path:
    """A new SSH key without passphrase."""
    path = folder / f"id_{name}"
    made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)]
    subprocess.run(made, check=True, capture_output=True)
    return path


def bench(folder: Path, wall_ns: Callable[[], int] = time.time_ns) -> Campaign:
    """A new campaign named `bench` below `folder`, whose robot's serial number was seen."""
    (folder / "pack.yaml").write_text(PACK)
    keys = {name: key_of(folder, name).with_suffix(".pub").read_text().strip() for name in ("ada", "bob")}
    (folder / "roster.yaml").write_text(ROSTER.format(**keys))
    files = folder / "files"
    files.mkdir()
    (files / "plan.txt").write_text("one cube, five trials")
    (files / "log.txt").write_text("ready")
    made = new_campaign(
        "demo",
        "3f2a" * 16,
        "tabletop",
        folder / "pack.yaml",
        name="bench",
        roster=folder / "roster.yaml",
        files=files,
        person="ada",
        root=folder / "campaigns",
        wall_ns=wall_ns,
    )
    facts = {"serial": SERIAL, "serial_source": "device-tree"}
    made.record.append("", Seen(fingerprints={"robot": "aa" * 32}, facts=facts, moment=Moment(wall_ns=wall_ns())))
    return made


def reopened(folder: Path, wall_ns: Callable[[], int] = time.time_ns) -> Campaign:
    """The same campaign, as after a restart."""
    return open_campaign("bench", root=folder / "campaigns", wall_ns=wall_ns)
