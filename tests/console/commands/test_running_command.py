"""`fieldgate running` as a person and a script meet it: what it prints and the code that it ends with."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click
import pytest

from console import exits
from console.cli import main
from console.commands.running import Moment
from console.store.store import Store
from tests.console.fieldwork.field_world import FieldWorld
from tests.console.store.journals import Robot, S, stored, worked


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A laptop that has 100 s of a robot, with a crash and a reboot."""
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path))
    monkeypatch.setenv("FIELDGATE_PERSON", "anna")
    robot = Robot(booted_ns=time.time_ns() // S * S - 600 * S)
    robot.event("agent_started")
    robot.work(50)
    robot.failure("worker_crash")
    robot.reboot(off_s=30)
    robot.work(50)
    (tmp_path / "data").mkdir()
    store = Store(tmp_path / "data" / "store.db")
    stored(store, robot)
    store.close()
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["fieldgate", *words])
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr()
    return int(end.value.code or 0), said.out, said.err


def test_hours_of_a_robot_as_text_and_as_json(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = run(capsys, monkeypatch, "running", "orin", "--from", "15min")
    assert code == exits.OK
    assert "1 crash, 0 hangs, 1 reboot;" in out
    assert "nothing is known of" in out
    assert "not calibrated" in out
    code, out, _ = run(capsys, monkeypatch, "running", "orin", "--from", "15min", "--json")
    told = json.loads(out)
    assert (told["running"]["up_s"], told["running"]["known_s"], told["running"]["reboots"]) == (100, 150, 1)
    assert told["unknown_s"] == pytest.approx(750, abs=1)
    assert told["mtbf_h"]["lower"] < told["mtbf_h"]["value"] == pytest.approx(75 / 3600)
    assert told["interventions_per_day"] is None
    assert told["spreads"]["end_to_end_ms"]["count"] == 1000


def test_time_that_is_not_here_ends_with_no_data(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zero crashes of no known time must not look like a clean night."""
    code, out, _ = run(capsys, monkeypatch, "running", "orin", "--from", "2h", "--to", "1h")
    assert code == exits.NO_DATA
    assert "crashes" not in out
    assert "not on this laptop" in out


def test_a_name_that_is_neither_robot_nor_campaign_is_said(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = run(capsys, monkeypatch, "running", "nobody")
    assert (code, out) == (exits.TROUBLE, "")
    assert "neither a robot nor a campaign" in err


def test_too_little_healthy_data_says_how_much_is_missing(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, err = run(capsys, monkeypatch, "running", "calibrate", "orin", "--from", "15min")
    assert code != exits.OK
    assert "100 are needed" in err


def test_a_drift_alarm_says_since_when_and_ends_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that runs each night must notice a lens that got dirty."""
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path))
    monkeypatch.setenv("FIELDGATE_PERSON", "anna")
    (tmp_path / "data").mkdir()
    booted_s = time.time_ns() // S - 200 * 60
    robot = worked([0.8] * 30, first_min=130, robot=worked([0.9] * 130, robot=Robot(booted_ns=booted_s * S)), seed=2)
    store = Store(tmp_path / "data" / "store.db")
    stored(store, robot)
    store.close()
    at = [time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(booted_s + 60 * minute)) for minute in (0, 110, 130)]
    code, out, err = run(capsys, monkeypatch, "running", "calibrate", "orin", "--from", at[0], "--to", at[1])
    assert (code, err) == (exits.OK, "")
    assert "calibrated on 110 healthy minutes" in out
    assert run(capsys, monkeypatch, "running", "orin", "--from", at[1], "--to", at[2])[0] == exits.OK
    code, out, _ = run(capsys, monkeypatch, "running", "orin", "--from", at[1])
    assert code == exits.ALARM
    assert "confidence fell since " in out


def test_a_campaign_is_counted_over_its_sessions_with_what_people_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FIELDGATE_PERSON", "anna")
    made = FieldWorld(tmp_path).field()
    made.campaign.close()
    code, _, err = run(capsys, monkeypatch, "running", "c1")
    assert (code, "no session yet" in err) == (exits.NO_DATA, True)
    assert run(capsys, monkeypatch, "phase", "begin", "bench_trials")[0] == exits.OK
    for _ in range(2):
        for words in (("session", "begin", "--no-robot"), ("trial", "intervene"), ("session", "end")):
            assert run(capsys, monkeypatch, *words)[0] == exits.OK, words
    code, out, _ = run(capsys, monkeypatch, "running", "c1", "--json")
    told = json.loads(out)
    assert code == exits.NO_DATA  # no robot's journal is here
    assert (len(told["spans_wall_ns"]), told["running"]["known_s"], told["running"]["interventions"]) == (2, 0, 2)


@pytest.mark.parametrize("text", ["x", "25:00", "2026-02-30T10:00", "-8h", "0h", "8 weeks", ""])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Moment().convert(text, None, None)


def test_times_are_local_unless_they_name_another() -> None:
    assert Moment().convert("2026-03-31T14:05Z", None, None) == 1_774_965_900 * S
    local = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(1_774_965_900))
    assert Moment().convert(local, None, None) == 1_774_965_900 * S
    assert abs(Moment().convert("8h", None, None) - (time.time_ns() - 8 * 3600 * S)) < 5 * S
