"""What is kept along while testing says the same as the fold, whatever people do: else a session ends at the wrong trial."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from console.fieldwork.field_test import FieldTest
from console.record.entries import Outcome
from remote.errors import Trouble
from tests.console.fieldwork.field_world import PACK, FieldRobot, FieldWorld

RULES = """\
    stop:
      - {id: row, title: In a row, count: failures_in_a_row, at: 4}
      - {id: all, title: Failures, count: failures, at: 9}
      - {id: help, title: Interventions, count: interventions, at: 6}
      - {id: crash, title: Crashes, count: crashes, at: 3}
    planned_n: 20
"""
OTHER = "91bc" * 16


def _act(field: FieldTest, robot: FieldRobot, rng: random.Random) -> None:
    act = rng.randrange(20)
    if act < 10:
        if rng.random() < 0.2:
            robot.fail("worker_crash")
        robot.second()
        outcomes: tuple[Outcome, ...] = ("success", "failure", "failure", "aborted")
        outcome = rng.choice(outcomes)
        field.log_trial(outcome, "anna", intervened=rng.random() < 0.2, sight=robot.sight)
    elif act < 12:
        field.undo("anna")
    elif act < 13:
        field.intervene("anna", "", robot.sight)
    elif act < 14:
        field.begin_trial("anna")
    elif act < 16:
        field.lift_stop("bench_trials", rng.choice(("row", "all", "help", "crash")), "it was looked after", "anna")
    elif act < 17:
        field.end_session("anna", robot.sight)
    elif act < 18:
        field.begin_phase("bench_trials", "anna", "once more from the start")
    elif act < 19:
        robot.bundle = OTHER if robot.bundle != OTHER else field.campaign.bundle
        field.campaign.revise("another model is tried", "anna", bundle=robot.bundle)
    else:
        words = {**robot.world.facts.words, "kernel": str(rng.random())}
        robot.world.facts = type(robot.world.facts)(serial="1", serial_source="x", words=words, mono_ns=1, wall_ns=1)
        field.campaign.observe(robot.sight, "anna")


@pytest.mark.parametrize("seed", range(8))
def test_counts_towards_stop_rules_are_those_of_the_fold(world: FieldWorld, seed: int) -> None:
    rng, robot = random.Random(seed), FieldRobot(world)
    field = world.field(PACK.replace("    planned_n: 20\n", RULES))
    field.begin_phase("bench_trials", "anna")
    for _ in range(70):
        with suppress(Trouble):
            _act(field, robot, rng)
        if field._ongoing.session is None:
            with suppress(Trouble):
                field.begin_session(robot.sight, "anna")
    field._caught_up()
    _compare(field)
    _compare(FieldTest(field.campaign))


def _compare(field: FieldTest) -> None:
    field._caught_up()
    state, phase = field.state(), field.phases["bench_trials"]
    told = {stop.id: stop.count for stop in state.phase("bench_trials").stops}
    assert {id: field._ongoing.stop_count(phase, id) for id in told} == told
    session, own = state.session, field._ongoing.session
    assert (session is None) == (own is None)
    if session is not None and own is not None:
        assert (session.seq, bool(session.paused)) == (own.seq, bool(own.paused))
        assert session.open_trial == (own.open_trial.seq if own.open_trial else None)
        assert session.conditions == own.conditions
    assert {one.seq: one.number for one in state.trials} == field._ongoing.numbers
