"""What the journal says of sessions: written once where nothing changed, anew when more has come, and a ground to stop."""

from __future__ import annotations

from typing import Any

import pytest

from console.fieldtest.running import Measured, Running
from console.fieldwork.field_test import FieldTest
from console.record.entries import SessionMeasured
from remote.errors import Trouble
from tests.console.checklist.campaign_world import kinds, last
from tests.console.fieldwork.field_world import PACK, FieldRobot, FieldWorld

CRASH_STOP = """\
    stop:
      - {id: crash, title: Two crashes, count: crashes, at: 2}
    planned_n: 20
"""


class Journal:
    """What `running_between` finds; `asked` are the spans in seconds."""

    def __init__(self) -> None:
        self.known_s, self.crashes = 0.0, 0
        self.asked: list[float] = []

    def between(self, store: Any, robot: str, from_ns: int, to_ns: int, *, interventions: int = 0) -> Measured:
        wanted_s = (to_ns - from_ns) / 1e9
        self.asked.append(wanted_s)
        known_s = min(self.known_s, wanted_s)
        return Measured(running=Running(wanted_s=wanted_s, known_s=known_s, up_s=known_s, crashes=self.crashes))


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> Journal:
    made = Journal()
    monkeypatch.setattr("console.store.running.running_between", made.between)
    return made


def _begun(world: FieldWorld) -> FieldTest:
    field = world.field(PACK.replace("    planned_n: 20\n", CRASH_STOP))
    field.begin_phase("bench_trials", "anna")
    field.begin_session(FieldRobot(world).sight, "anna")
    return field


STORE: Any = None


def test_what_did_not_change_is_not_written_again(world: FieldWorld, journal: Journal) -> None:
    field = _begun(world)
    assert field.measure(STORE, "anna").measured.running.known_s == 0
    assert "session_measured" not in kinds(field.campaign)
    world.pass_time(60.0)
    journal.known_s = 30.0
    field.measure(STORE, "anna")
    field.measure(STORE, "anna")
    assert kinds(field.campaign).count("session_measured") == 1
    field.end_session("anna")
    journal.known_s = 60.0
    field.measure(STORE, "anna")
    assert kinds(field.campaign).count("session_measured") == 2
    assert field.state().phase("bench_trials").running_s == 60.0


def test_a_session_of_which_all_is_known_is_not_counted_again(world: FieldWorld, journal: Journal) -> None:
    field = _begun(world)
    world.pass_time(60.0)
    field.end_session("anna")
    journal.known_s = 60.0
    field.measure(STORE, "anna")
    asked = len(journal.asked)
    assert isinstance(field.measure(STORE, "anna"), SessionMeasured)
    assert len(journal.asked) == asked
    FieldTest(field.campaign).measure(STORE, "anna")
    assert len(journal.asked) == asked


def test_crashes_that_the_journal_tells_of_stop_the_session(world: FieldWorld, journal: Journal) -> None:
    field = _begun(world)
    world.pass_time(60.0)
    journal.known_s, journal.crashes = 60.0, 1
    field.measure(STORE, "anna")
    assert field.state().session is not None
    journal.crashes = 2
    field.measure(STORE, "anna")
    assert last(field.campaign, "session_ended").stop == "crash"
    assert field.state().phase("bench_trials").status == "stopped"


def test_a_session_without_a_robot_has_no_journal(world: FieldWorld, journal: Journal) -> None:
    with pytest.raises(Trouble) as nothing:
        world.unlinked().measure(STORE, "anna")
    assert nothing.value.code == "no_data"
    assert journal.asked == []
