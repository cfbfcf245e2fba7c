"""Over many seeds: a robot that is good enough passes, one that is not does not, whatever people do (more: `make bench`)."""

from __future__ import annotations

import pytest

from tests.console.phases.simulated import CASES, GOOD, Case, Count, Habits, Robot, as_it_should, counted, walk

FEW = {"good robot": 3, "right at the limit in the lab": 6, "at the limit, after one that passed": 4}


@pytest.mark.parametrize("case", [one for one in CASES if one.title in FEW], ids=lambda case: case.title)
def test_the_right_ones_pass(case: Case) -> None:
    count = counted(case, range(FEW[case.title]))
    assert as_it_should(case, count), count


def test_trials_that_were_undone_and_phases_begun_anew_leave_nothing_behind() -> None:
    """The walk itself looks after every trial that no gate is open too early and that no old trial counts."""
    found = walk(Robot({**GOOD, "lab": 0.8}), Habits(undo=0.2, anew=0.1), 3)
    assert found.begun["lab"] > 1
    assert not found.through


def test_the_judgement_of_the_counts_can_fail() -> None:
    """12 of 40 wrong passes are more than chance at 5 %, 4 are not; a good robot must get through in nine of ten."""
    good, bad = CASES[0], next(one for one in CASES if one.weak)
    assert not as_it_should(bad, Count(12, 40))
    assert as_it_should(bad, Count(4, 40))
    assert not as_it_should(good, Count(8, 10))
    assert as_it_should(good, Count(9, 10))
