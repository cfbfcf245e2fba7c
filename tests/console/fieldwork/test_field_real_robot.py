"""A field test on a real agent with a real worker: what is logged and measured is what happened to it."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.fieldwork.field_test import FieldTest
from console.fieldwork.holding import holding_now
from console.fieldwork.scoring import Draws, instants
from console.link.snapshot import Snapshot
from console.looking import RobotSight
from console.record.entries import ConditionSeen
from console.store.store import Store
from remote.protocol import Start
from tests.console.fieldwork.field_world import PACK, FieldWorld
from tests.real_sight import seen
from tests.remote.agent.robot import Robot as Agent
from tests.waiting import wait_until


@pytest.fixture
def sight(tmp_path: Path) -> Iterator[RobotSight]:
    """Of a robot on which inference runs."""
    robot = Agent(tmp_path / "robot", "real").start()
    try:
        with seen(robot.home, tmp_path / "laptop") as made:
            session = made.session
            assert session is not None
            session.take_lease().result(10)
            session.request(Start(), timeout_s=60).result(70)
            session.release_lease().result(10)
            yield made
    finally:
        robot.end(signal.SIGKILL)


def _shot(sight: RobotSight) -> Snapshot:
    assert sight.session is not None
    return sight.session.snapshot


def test_a_session_with_a_killed_worker_and_a_cut_link(world: FieldWorld, sight: RobotSight, tmp_path: Path) -> None:
    robot_state = _shot(sight).state
    assert robot_state is not None
    assert robot_state.bundle is not None
    pack = PACK.replace("threshold: 200", "threshold: 20000").replace("for: 5 s", "for: 1 s")
    world.pack.write_text(pack)
    field = FieldTest(world.campaign(bundle=robot_state.bundle.digest, wall_ns=time.time_ns))
    field.campaign.confirm("fence", True, "anna")
    field.begin_phase("lab", "anna")
    field.begin_session(sight, "anna", {"light": "bright"})
    wait_until(
        lambda: (s := _shot(sight).state) and s.watch and s.watch.conditions.get("light") == "bright", 10, "watch"
    )
    assert field.log_trial("success", "anna", sight=sight).crashed is False

    pid = robot_state.worker.pid or (now.worker.pid if (now := _shot(sight).state) else None)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: any(one.body.name == "worker_crash" for one in _shot(sight).failures), 15, "the crash")
    assert field.log_trial("failure", "anna", sight=sight).crashed is True
    wait_until(lambda: (s := _shot(sight).state) and s.worker.phase == "running", 30, "the worker")
    wait_until(lambda: all(one.met for one in _held(field, sight)), 30, "everything to hold again")

    draw = next(instants(Draws(random.Random(1), 0.2, sight.mono_ns()), sight, 1))
    frame = field.draw(sight, draw)
    field.score(frame, len(frame.detections), 0, 0, frame.reported(), "anna")

    assert sight.session is not None
    sight.session.cut(for_s=3.0)
    wait_until(lambda: (s := field.look(sight).session) and s.paused, 15, "the pause")
    wait_until(lambda: _shot(sight).link.phase == "up", 20, "the link")
    assert field.look(sight).session is not None
    wait_until(lambda: all(one.met for one in _held(field, sight)), 30, "everything to hold again")
    assert field.resume(sight, "anna").paused == ""
    ended = field.end_session("anna", sight)
    assert (ended.trials, ended.frames_scored) == (2, 1)

    wait_until(lambda: sight.stored_seq() >= ended.last_seq, 10, "the journal")
    store = Store(tmp_path / "laptop" / "store.db")
    try:
        running = field.measure(store, "anna").measured.running
        assert (running.crashes, running.reboots) == (1, 0)
        assert 0 < running.up_s <= running.known_s <= running.wanted_s
        again = field.campaign.record.head()
        if running.unknown_s == 0:
            field.measure(store, "anna")
            assert field.campaign.record.head() == again
    finally:
        store.close()


def _held(field: FieldTest, sight: RobotSight) -> tuple[ConditionSeen, ...]:
    return holding_now(field.phases["lab"], field.campaign.bundle, sight)
