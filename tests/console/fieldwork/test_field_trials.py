"""Logging trials: what a person said is in the record once, with what it was made under, and undo erases nothing."""

from __future__ import annotations

import pytest

from console.record.verify import verify_record
from remote.errors import Trouble
from tests.console.checklist.campaign_world import kinds, last
from tests.console.checklist.given_robot import BUNDLE
from tests.console.fieldwork.field_world import FieldRobot, FieldWorld


def test_a_trial_says_what_it_was_made_with_and_counts(world: FieldWorld) -> None:
    field = world.unlinked()
    first = field.log_trial("success", "anna", note=" well done ")
    assert (first.number, first.outcome, first.note, first.counts) == (1, "success", "well done", True)
    assert last(field.campaign, "trial").fingerprints["bundle"] == BUNDLE
    assert field.state().trials[-1] == first
    assert field.state().phase("bench_trials").trials == 1


def test_without_a_session_nothing_is_logged(world: FieldWorld) -> None:
    field = world.field()
    with pytest.raises(Trouble) as no_phase:
        field.begin_session(None, "anna")
    assert no_phase.value.code == "no_phase"
    field.begin_phase("bench_trials", "anna")
    with pytest.raises(Trouble) as no_session:
        field.log_trial("success", "anna")
    assert no_session.value.code == "no_session"
    assert "trial" not in kinds(field.campaign)


def test_undo_takes_back_the_newest_and_erases_nothing(world: FieldWorld) -> None:
    field = world.unlinked()
    field.log_trial("success", "anna")
    wrong = field.log_trial("failure", "anna")
    undone = field.undo("anna")
    assert undone is not None
    assert (undone.seq, undone.counts, undone.why_not) == (wrong.seq, False, "undone")
    assert kinds(field.campaign).count("trial") == 2
    assert field.state().trials[-1] == undone
    again = field.undo("anna")
    assert again is not None
    assert again.number == 1
    with pytest.raises(Trouble) as nothing:
        field.undo("anna")
    assert nothing.value.code == "nothing_to_undo"


def test_what_the_robot_says_after_a_trial_is_written_counts_as_if_it_had_been_known(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)

    def logged(*between: str) -> bool | None:
        robot.second()
        for name in between:
            robot.fail(name)
        trial = field.log_trial("success", "anna", conditions={"light": "dim"})
        robot.second()
        robot.fail("worker_crash")  # after it: that is the next one's
        return field.complete_trial(trial.seq, robot.sight, "anna").crashed

    assert logged() is False
    assert robot.watch is not None
    assert robot.watch.conditions["light"] == "dim"
    assert logged() is True
    robot.boot_id = "boot-2"
    assert [one.crashed for one in field.state().trials] == [False, True]
    robot.failures = ()
    assert logged() is None
    assert [one.crashed for one in field.state().trials] == [False, True, None]
    assert not [one for one in field.state().phase("lab").cautions if "without asking" in one]
    assert verify_record(field.campaign.record).intact
