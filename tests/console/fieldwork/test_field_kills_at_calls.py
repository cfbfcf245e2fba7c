"""A laptop that dies at any system call of an act: the record has all of it once, or nothing of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from console.campaigns.opening import open_campaign
from console.fieldwork.field_test import FieldTest
from console.record.verify import verify_record
from tests.console.fieldwork.field_world import FieldWorld
from tests.killing import CannotTrace, killed_at_call

EVERY, MOST_CALLS = 13, 600
BEFORE = (1, 1, True, False)
ACTS: list[tuple[Callable[[FieldTest], object], tuple[int, int, bool, bool]]] = [
    (lambda field: field.log_trial("failure", "anna"), (2, 2, True, False)),
    (lambda field: field.undo("anna"), (1, 0, True, False)),
    (lambda field: field.pause("lunch", "anna"), (1, 1, True, True)),
    (lambda field: field.end_session("anna"), (1, 1, False, False)),
]


def stands() -> tuple[int, int, bool, bool]:
    """Trials, those that count, whether a session is open, whether it is paused."""
    field = FieldTest(open_campaign("c1"))
    state = field.state()
    assert verify_record(field.campaign.record).intact
    field.campaign.close()
    paused = state.session is not None and state.session.paused != ""
    return len(state.trials), sum(one.counts for one in state.trials), state.session is not None, paused


@pytest.mark.parametrize(("act", "after"), ACTS, ids=["log", "undo", "pause", "end"])
def test_killed_at_any_call_an_act_is_there_once_or_not_at_all(
    world: FieldWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Callable[[FieldTest], object],
    after: tuple[int, int, bool, bool],
) -> None:  # fmt: skip
    field = world.unlinked()
    field.log_trial("success", "anna")
    home, copy = Path(field.campaign.folder).parents[2], tmp_path / "copy"
    field.campaign.close()
    for number in range(0, MOST_CALLS, EVERY):
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(home, copy)
        monkeypatch.setenv("FIELDGATE_HOME", str(copy))
        dying = FieldTest(open_campaign("c1"))
        try:
            code = killed_at_call(lambda dying=dying: act(dying), number)  # type: ignore[misc]
        except CannotTrace as trouble:
            pytest.skip(str(trouble))
        dying.campaign.close()
        assert stands() in ((after,) if code == 0 else (BEFORE, after))
        if code == 0:
            return
    pytest.fail("the act never came to its end")
