"""Four weeks of field testing as a laptop keeps them: a record, a store with every second, pictures of failures.

The record is written entry by entry as the field test would, the store in bulk: 20 working days of 8 hours.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from console.campaigns.campaign import Campaign
from console.campaigns.opening import new_campaign
from console.record.entries import FrameScored, Moment, PhaseBegun, SessionBegun, SessionEnded, Trial
from console.robots import Robot, Robots
from console.store.pictures import Pictures
from console.store.store import Store
from remote.histogram import Histogram
from remote.protocol import (
    STAGES,
    Body,
    CameraHealth,
    Detection,
    Entry,
    Failure,
    Host,
    LabelCount,
    Window,
    raw,
)

S_NS = 1_000_000_000
DAY_NS = 86_400 * S_NS
START_NS = 1_767_600_000 * S_NS  # a Monday, 08:00 UTC
BUNDLE, ROBOT, PERSON, JOURNAL = "b" * 64, "bench", "ada", "journal-1"
FPS, POOL, BATCH = 30, 500, 5000
PHASES = ("lab",) * 4 + ("office",) * 4 + ("target",) * 12
LIGHTS, PLACES, KINDS = (
    ("bright", "normal", "dim"),
    ("dock", "hall", "yard"),
    ("no_detection", "low_confidence", "class_flicker", "latency_over_budget", "constraint_hit", "operator_mark"),
)


class Size(NamedTuple):
    """How much happened."""

    sessions: int = 20
    hours: float = 8.0
    trials: int = 2000
    failures: int = 2000
    pictures: int = 300


def make_home(folder: Path) -> None:
    """Use `folder` as this laptop's, with one robot."""
    os.environ["FIELDGATE_HOME"] = str(folder)
    Robots().add(Robot(name=ROBOT, address="nobody@10.0.0.1"))


def begin_ns(session: int) -> int:
    """When a session begins: five days a week, at eight."""
    return START_NS + (session // 5 * 7 + session % 5) * DAY_NS


# ------------------------------------------------------------ the record


class _Clock:
    def __init__(self) -> None:
        self.now_ns = START_NS

    def __call__(self) -> int:
        return self.now_ns


def write_record(size: Size, chance: random.Random) -> Campaign:
    """The campaign, with its phases, sessions, trials and scored frames."""
    clock = _Clock()
    campaign = new_campaign(ROBOT, BUNDLE, "tabletop", "perception", person=PERSON, wall_ns=clock)
    campaign.record._connection.execute("PRAGMA synchronous = OFF")  # the setting up is not what is measured
    phase = ""
    for number in range(size.sessions):
        clock.now_ns = begin_ns(number)
        rule = campaign.checklist.phase_rules[PHASES[number % len(PHASES)]]
        if PHASES[number % len(PHASES)] != phase:
            phase = PHASES[number % len(PHASES)]
            campaign.record.append(PERSON, PhaseBegun(phase=phase, rule=rule))
        _write_session(campaign, phase, rule, number, size, clock, chance)
    return campaign


def _write_session(
    campaign: Campaign, phase: str, rule: str, number: int, size: Size, clock: _Clock, chance: random.Random
) -> None:
    prints, each = {"bundle": BUNDLE}, size.trials // size.sessions
    first_seq = round(2 * number * size.hours * 3600) + 1
    begun = SessionBegun(
        phase=phase, rule=rule, fingerprints=prints, journal=JOURNAL, first_seq=first_seq,
        moment=Moment(wall_ns=clock.now_ns),
    )  # fmt: skip
    session = campaign.record.append(PERSON, begun).entry.seq
    for one in range(each):
        clock.now_ns = begin_ns(number) + round((one + 0.5) / each * size.hours * 3600 * S_NS)
        told = {"object": chance.choice(("cube", "cone", "ball")), "light": chance.choice(LIGHTS)}
        trial = Trial(
            session=session, phase=phase, outcome="success" if chance.random() < 0.96 else "failure", conditions=told,
            crashed=False, measures={"took_s": round(chance.uniform(4, 60), 1)}, fingerprints=prints,
            moment=Moment(wall_ns=clock.now_ns),
        )  # fmt: skip
        campaign.record.append(PERSON, trial)
        if phase == "lab":
            campaign.record.append(PERSON, _score(session, phase, one, prints, clock, chance))
    clock.now_ns = begin_ns(number) + round(size.hours * 3600 * S_NS)
    ended = SessionEnded(
        session=session, why="the day is over", journal=JOURNAL, moment=Moment(wall_ns=clock.now_ns),
        last_seq=round(2 * (number + 1) * size.hours * 3600),
    )  # fmt: skip
    campaign.record.append(PERSON, ended)


def _score(
    session: int, phase: str, frame: int, prints: dict[str, str], clock: _Clock, chance: random.Random
) -> FrameScored:
    return FrameScored(
        session=session, phase=phase, by="scene", frame=frame, right=4, wrong=int(chance.random() < 0.03),
        missed=int(chance.random() < 0.1), fingerprints=prints, moment=Moment(wall_ns=clock.now_ns),
    )  # fmt: skip


# ------------------------------------------------------------ the store


def write_store(store: Store, size: Size, digests: list[str], chance: random.Random, now: list[int]) -> None:
    """Every second of every session: a window, a host sample, and failures in between. `now` is the store's clock."""
    store._database.execute("PRAGMA synchronous = OFF")
    journal = store.journal(ROBOT, JOURNAL).id
    store.note_labels(BUNDLE, ("cube", "cone", "ball"))
    batch: list[Entry] = []
    for entry in _entries(size, digests, chance):
        batch.append(entry)
        if len(batch) == BATCH:
            now[0] = entry.wall_ns
            store.add(journal, batch)
            batch = []
    if batch:
        now[0] = batch[-1].wall_ns
        store.add(journal, batch)


def _entries(size: Size, digests: list[str], chance: random.Random) -> Iterator[Entry]:
    windows, hosts, seq, window = _windows(chance), _hosts(chance), 0, 0
    seconds = round(size.hours * 3600)
    each = size.failures // size.sessions
    pictures = iter(digests)
    every = max(1, size.failures // max(1, len(digests)))
    failures = 0
    for session in range(size.sessions):
        at = sorted(chance.sample(range(seconds), min(each, seconds)), reverse=True)
        for second in range(seconds):
            wall_ns = begin_ns(session) + second * S_NS
            mono_ns, boot = (second + 60) * S_NS, f"boot-{session}"
            head, tail = windows[chance.randrange(POOL)]
            start = b"%d" % (mono_ns - S_NS)
            bodies = [msgspec.Raw(head + start + tail), hosts[second // 60 % len(hosts)]]
            while at and at[-1] == second:
                at.pop()
                picture = next(pictures, None) if failures % every == 0 else None
                bodies.append(raw(_failure(failures, picture, chance)))
                failures += 1
            for body in bodies:
                seq += 1
                yield Entry(seq, boot, mono_ns, wall_ns, body)
            window += 1


def _windows(chance: random.Random) -> list[tuple[bytes, bytes]]:
    """Bodies without their start, as (before it, behind it)."""
    made = []
    for _ in range(POOL):
        times = {
            stage: Histogram.of([chance.lognormvariate(3.0 if stage == "end_to_end" else 2.0, 0.3) for _ in range(FPS)])
            for stage in STAGES
        }
        window: Body = Window(
            run=1, window=0, start_mono_ns=0, span_ms=1000.0, frames=FPS, frames_with_detections=FPS - 1,
            stages_ms=times, labels={name: LabelCount(FPS, FPS, 27.0, 0.7, 0.99) for name in ("cube", "cone", "ball")},
            camera=CameraHealth("ok", brightness=round(chance.uniform(30, 200), 1)), source="scene:", bundle=BUNDLE,
            conditions={"light": chance.choice(LIGHTS), "place": chance.choice(PLACES)},
        )  # fmt: skip
        head, mark, tail = msgspec.json.encode(window).partition(b'"start_mono_ns":0')
        made.append((head + mark[:-1], tail))
    return made


def _hosts(chance: random.Random) -> list[msgspec.Raw]:
    names = ("cpu_percent", "gpu_percent", "memory_percent", "temp_max_c", "power_w", "uptime_s")
    return [raw(Host(values={name: round(chance.uniform(20, 70), 1) for name in names})) for _ in range(200)]


def _failure(number: int, picture: str | None, chance: random.Random) -> Failure:
    kind = chance.choice(KINDS)
    return Failure(
        name=kind, text=f"cube missing for {number % 40} frames", id=f"{number:016x}", frame=number, picture=picture,
        stages_ms={stage: 8.0 for stage in STAGES}, detections=(Detection(0, 0.6, 100, 100, 220, 240),), width=640,
        height=480, light=round(chance.uniform(30, 200), 1), source="scene:", bundle=BUNDLE,
        conditions={"light": chance.choice(LIGHTS), "place": chance.choice(PLACES)}, data={"label": "cube"},
    )  # fmt: skip


# ------------------------------------------------------------ pictures


def write_pictures(count: int) -> list[str]:
    """So many rendered scenes as JPEGs in the laptop's folder; their digests."""
    import cv2

    from remote.training.randomisation import load_randomisation
    from remote.training.scene import SceneRenderer

    pictures, digests = Pictures(), []
    renderer = SceneRenderer(load_randomisation(), width=640, height=480)
    # Two a second: neighbours look alike, as pictures of failures do.
    for _, scene in zip(range(count), renderer.episode(3, frame_rate_hz=2.0), strict=False):
        jpeg = cv2.imencode(".jpg", scene.image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
        digests.append(hashlib.sha256(jpeg).hexdigest())
        pictures.keep(digests[-1], jpeg)
    return digests
