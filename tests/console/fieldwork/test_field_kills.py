"""A laptop that dies in the middle of a trial: what was said is there once, the session is open, the trial is shown open."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from console.campaigns.opening import open_campaign
from console.fieldwork.field_test import FieldTest
from console.record.verify import verify_record
from remote.errors import Trouble
from tests.console.fieldwork.field_world import FieldRobot, FieldWorld

ROOT = Path(__file__).parents[3]


def _child(world: FieldWorld, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.console.fieldwork.field_child", *words]
    return subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, text=True)


def _killed(world: FieldWorld, what: str) -> list[str]:
    """What the child had said when it was killed with SIGKILL."""
    child = _child(world, "c1", what, "3")
    assert child.stdout is not None
    said: list[str] = []
    for line in child.stdout:
        said.append(line.strip())
        if line.strip() == "ready":
            break
    child.kill()
    child.wait()
    return said[:-1]


def test_killed_within_a_trial_the_session_and_the_trial_are_still_open(world: FieldWorld) -> None:
    world.unlinked().campaign.close()
    said = _killed(world, "begun")
    field = FieldTest(open_campaign("c1"))
    session = field.state().session
    assert session is not None
    assert session.trials == 3
    assert f"begun {session.open_trial}" == said[-1]
    with pytest.raises(Trouble) as still_open:
        field.begin_trial("anna")
    assert still_open.value.code == "trial_open"
    logged = field.log_trial("aborted", "anna", note="the laptop died")
    assert logged.number == 4
    again = field.state().session
    assert again is not None
    assert (again.open_trial, again.trials) == (None, 4)
    assert verify_record(field.campaign.record).intact


def test_killed_between_trials_nothing_is_lost_and_nothing_counted_twice(world: FieldWorld) -> None:
    world.unlinked().campaign.close()
    said = _killed(world, "logged")
    field = FieldTest(open_campaign("c1"))
    assert [f"trial {one.seq}" for one in field.state().trials] == said
    undone = field.undo("anna")
    assert undone is not None
    assert f"trial {undone.seq}" == said[-1]
    field.end_session("anna")
    assert field.state().phase("bench_trials").trials == 2


def test_two_processes_that_log_at_once_lose_none_and_share_no_number(world: FieldWorld) -> None:
    field = world.unlinked()
    children = [_child(world, "c1", "many", "60") for _ in range(2)]
    outs = [child.stdout for child in children if child.stdout is not None]
    said = [out.readline().split() for out in outs]
    own = [field.log_trial("success", "anna").number for _ in range(60)]
    said = [[*words, *out.read().split()] for words, out in zip(said, outs, strict=True)]
    assert [child.wait() for child in children] == [0, 0]
    trials = field.state().trials
    assert len(trials) == 180
    assert all(one.counts for one in trials)
    assert [one.number for one in trials if one.person == "anna"] == own
    told = [int(seq) for words in said for seq in words[1::2]]
    assert sorted(told) == [one.seq for one in trials if one.person != "anna"]
    assert verify_record(field.campaign.record).intact


def test_a_session_that_another_process_ended_takes_no_trial(world: FieldWorld) -> None:
    field = world.unlinked()
    other = FieldTest(open_campaign("c1"))
    other.log_trial("success", "bo")
    other.end_session("bo")
    with pytest.raises(Trouble) as refused:
        field.log_trial("success", "anna")
    assert refused.value.code == "no_session"
    assert len(field.state().trials) == 1


def test_killed_between_the_last_failure_and_the_end_of_the_session_no_further_trial_is_taken(
    world: FieldWorld,
) -> None:
    field = world.in_lab(FieldRobot(world))
    newest = [field.log_trial("failure", "anna") for _ in range(2)][-1]
    record = field.campaign.record
    record.append("anna", record.entry(newest.seq).body)  # the third in a row, and then nothing
    again = FieldTest(open_campaign("c1"))
    with pytest.raises(Trouble) as stopped:
        again.log_trial("success", "anna")
    assert stopped.value.code == "phase_stopped"
    again.end_session("anna")
    assert again.state().phase("lab").stops[0].reached
    assert len(again.state().trials) == 3
