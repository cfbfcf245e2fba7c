"""Probes: named functions that look at the real thing and say what they found. docs/probes.md explains how to write one.

A probe gets a `Sight` (what it may look through) and its own parameters, and returns a `Finding`. It never judges: that is the
criterion's part. What it can't see it says (`unavailable` with the reason), and what it could see only in part too. It raises
Trouble for what a person must mend (a file that is no table); the runner turns that into `unavailable` with its words.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from console.fieldtest.criteria import Measurement
from console.link.session import Session
from console.link.snapshot import Snapshot
from console.link.transport import Ran
from remote.protocol import Facts, Scalar


class Sight(Protocol):
    """What a probe may look through. Without a robot `session` is None and what needs one is unavailable."""

    @property
    def session(self) -> Session | None:
        """The started session with the robot."""
        ...

    @property
    def files(self) -> Path:
        """The folder on the laptop that relative paths belong to."""
        ...

    @property
    def bundle(self) -> str:
        """The campaign's bundle, by digest; empty where none was named."""
        ...

    def facts(self) -> Facts:
        """What the robot is; asked once and kept. Raises Trouble where it can't be asked."""
        ...

    def run(self, argv: tuple[str, ...], timeout_s: float) -> Ran:
        """Run a program on the robot, without a shell. Raises Trouble where the robot can't be reached."""
        ...

    def stored_seq(self) -> int:
        """The last journal entry of this robot that is safe in the laptop's store."""
        ...

    def wait(self, wanted: Callable[[Snapshot], bool], timeout_s: float) -> Snapshot | None:
        """The first snapshot that is wanted, or None after `timeout_s` or when the link is lost meanwhile."""
        ...

    def mono_ns(self) -> int:
        """The laptop's monotonic clock: a snapshot's `at_ns` is on it."""
        ...

    def wall_ns(self) -> int:
        """The laptop's wall clock."""
        ...


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a probe found: a measurement, or why none could be made (`unavailable`, one sentence; `cure` what to do).

    `fingerprints` are further ones that this rests on, such as `file:results.csv`. `details` are further numbers to show.
    `files` are to be kept with the record.
    """

    measurement: Measurement | None = None
    unavailable: str = ""
    cure: str = ""
    fingerprints: dict[str, str] = {}
    details: dict[str, Scalar] = {}
    files: tuple[Path, ...] = ()


Look = Callable[[Sight, Any], Finding]


class Known(NamedTuple):
    """A probe in the table: where it is, the type of its parameters, the metrics it measures, in one sentence what it sees.

    `needs_robot`: without a session it is unavailable. `rests_on`: fingerprints that every finding of it rests on.
    """

    module: str
    parameters: str
    look: str
    metrics: tuple[str, ...]
    meaning: str
    needs_robot: bool
    rests_on: tuple[str, ...] = ()


_HERE = "console.checklist.probes"
_RUNNING = ("bundle", "contract", "engine", "robot", "power_mode")

PROBES: dict[str, Known] = {
    "bundle_integrity": Known(
        f"{_HERE}.bundle",
        "IntegrityParameters",
        "look_at_integrity",
        ("bundle_intact",),
        "the robot holds the campaign's bundle, every file has its digest, it loads, warms up and gives finite output",
        True,
        ("bundle", "contract", "engine"),
    ),
    "model_validation": Known(
        f"{_HERE}.model_validation",
        "ValidationParameters",
        "look_at_validation",
        ("model_validated", "validated_engine_p99_ms", "validated_pipeline_p99_ms", "validated_loaded_p99_ms"),
        "the campaign's bundle passes the validation suite on the robot itself: parity, times with their bounds, heat, limits",
        True,
        ("bundle", "contract", "engine", "robot", "power_mode"),
    ),
    "live_metric": Known(
        f"{_HERE}.live",
        "MetricParameters",
        "look_at_metric",
        ("*",),
        "a metric of the last windows or host samples (docs/metrics.md): latency, FPS, temperature, power, load",
        True,
        _RUNNING,
    ),
    "camera_alive": Known(
        f"{_HERE}.camera",
        "CameraParameters",
        "look_at_camera",
        ("camera_alive",),
        "the camera gives pictures that change and are not black",
        True,
        ("source",),
    ),
    "journal_canary": Known(
        f"{_HERE}.journal",
        "CanaryParameters",
        "look_at_journal",
        ("journal_works",),
        "the robot's journal takes an entry, gives it back unchanged, and the laptop stores it",
        True,
        ("robot",),
    ),
    "clock": Known(
        f"{_HERE}.clock",
        "ClockParameters",
        "look_at_clock",
        ("clock_offset_s",),
        "how far the robot's clock is from the laptop's",
        True,
        (),
    ),
    "disk": Known(
        f"{_HERE}.host",
        "DiskParameters",
        "look_at_disk",
        ("disk_free_bytes", "disk_percent"),
        "room on the robot's disk that holds the journal",
        True,
        (),
    ),
    "power_mode": Known(
        f"{_HERE}.host",
        "PowerModeParameters",
        "look_at_power_mode",
        ("power_mode_is",),
        "the power mode of the robot's computer",
        True,
        ("power_mode",),
    ),
    "randomisation": Known(
        f"{_HERE}.randomisation",
        "RandomisationParameters",
        "look_at_randomisation",
        ("tier_coverage", "group_coverage", "real_values_covered"),
        "a randomisation file varies what the tiers or groups ask for, and its ranges hold the values measured in reality",
        False,
    ),
    "success_table": Known(
        f"{_HERE}.results",
        "TableParameters",
        "look_at_results",
        ("success_rate",),
        "successes and trials of a table of results (CSV, JSON, Parquet)",
        False,
        ("bundle",),
    ),
    "file_present": Known(
        f"{_HERE}.files",
        "FileParameters",
        "look_at_file",
        ("file_present",),
        "a file is there, on the laptop or on the robot, with the digest that is wanted",
        False,
    ),
    "robot_command": Known(
        f"{_HERE}.command",
        "CommandParameters",
        "look_at_command",
        ("command_output",),
        "a command on the robot ends and says what is expected",
        True,
        ("robot",),
    ),
}


def parameters_type(name: str) -> type[msgspec.Struct]:
    """The struct that types a probe's parameters. KeyError for an unknown probe."""
    known = PROBES[name]
    found: type[msgspec.Struct] = getattr(importlib.import_module(known.module), known.parameters)
    return found


def look_of(name: str) -> Look:
    """The probe's function, imported now. KeyError for an unknown probe."""
    known = PROBES[name]
    look: Look = getattr(importlib.import_module(known.module), known.look)
    return look
