"""Phases, sessions and trials from the command line: what a person without a screen and a script read, and exit codes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.campaigns.opening import open_campaign
from console.commands.session_watch import Watching
from console.looking import RobotSight
from remote.errors import Trouble
from tests.console.checklist.campaign_world import kinds
from tests.console.commands.program import Fieldgate
from tests.console.fieldwork.field_world import FieldRobot, FieldWorld


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FieldWorld:
    """A laptop with one campaign, c1, on which nothing was done."""
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))
    made = FieldWorld(tmp_path)
    made.field().campaign.close()
    return made


@pytest.fixture
def fieldgate(fieldgate: Fieldgate, home: FieldWorld) -> Fieldgate:
    """On that laptop."""
    return fieldgate


def test_a_whole_bench_phase_without_a_robot(fieldgate: Fieldgate) -> None:
    assert fieldgate("phase", "show").code == 7
    refused = fieldgate("phase", "begin", "lab")
    assert (refused.code, refused.out) == (3, "")
    assert "fence is pending" in refused.err
    assert fieldgate("phase", "begin", "bench_trials").code == 0
    assert fieldgate("session", "begin", "--no-robot").code == 0
    for _ in range(19):
        assert fieldgate("trial", "log", "success").code == 0
    assert "logged" not in fieldgate("trial", "log", "failure", "-m", "took_s=3.5").out
    undone = fieldgate("trial", "undo")
    assert "undone" in undone.out
    assert "stays in the record" in undone.err
    assert fieldgate("phase", "show").code == 7
    fieldgate("trial", "log", "c1", "success", "--note", "=HYPERLINK(1)", "--as", "bo")
    shown = fieldgate("phase", "show")
    assert (shown.code, "pass" in shown.out) == (0, True)
    assert json.loads(fieldgate("phase", "show", "--json").out)["phases"][1]["status"] == "pass"
    rows = list(csv.DictReader(io.StringIO(fieldgate("trial", "list", "--csv").out)))
    assert [row["counts"] for row in rows].count("yes") == 20
    assert (rows[19]["why_not"], rows[19]["took_s"]) == ("undone", "3.5")
    assert rows[20]["note"] == "'=HYPERLINK(1)"
    assert fieldgate("session", "end", "--why", "noon").code == 0
    assert "noon" in fieldgate("session", "show").out
    assert fieldgate("session", "show", "--json").code == 0


def test_a_failed_phase_ends_with_3(fieldgate: Fieldgate) -> None:
    fieldgate("phase", "begin", "bench_trials")
    fieldgate("session", "begin", "--no-robot")
    for outcome in ("success", "failure") * 10:
        fieldgate("trial", "log", outcome)
    assert fieldgate("phase", "show").code in (3, 7)
    assert fieldgate("phase", "show", "--phase", "lab").code == 7


def test_what_is_mistyped_is_told_and_nothing_is_written(fieldgate: Fieldgate, home: FieldWorld) -> None:
    fieldgate("phase", "begin", "bench_trials")
    fieldgate("session", "begin", "--no-robot")
    near = fieldgate("trial", "log", "sucess")
    assert (near.code, "success" in near.err) == (2, True)
    assert fieldgate("trial", "log", "success", "-c", "light").code == 2
    assert fieldgate("trial", "log", "success", "-m", "took_s=nan").code == 1
    assert fieldgate("trial", "log", "success", "-m", "took_s=soon").code == 2
    assert fieldgate("trial", "log", "success", "-m", "took_s=-5").code == 1
    with_light = fieldgate("trial", "log", "success", "-c", "light=dim")
    assert (with_light.code, "writes down no" in with_light.err) == (1, True)
    assert "trial" not in kinds(open_campaign("c1"))


def test_a_note_that_came_later_stands_with_its_trial(fieldgate: Fieldgate) -> None:
    fieldgate("phase", "begin", "bench_trials")
    fieldgate("session", "begin", "--no-robot")
    fieldgate("trial", "log", "failure", "--note", "slipped")
    fieldgate("trial", "log", "success")
    assert "slipped; the hand was wet" in fieldgate("trial", "note", "1", "the hand was wet").out
    notes = [row["note"] for row in csv.DictReader(io.StringIO(fieldgate("trial", "list", "--csv").out))]
    assert notes == ["slipped; the hand was wet", ""]
    missing = fieldgate("trial", "note", "3", "who knows")
    assert (missing.code, "there are 1 to 2" in missing.err) == (1, True)
    assert fieldgate("trial", "note", "1", " ").code == 1


def test_the_plan_of_a_phase_is_told_before_the_first_trial(fieldgate: Fieldgate) -> None:
    told = fieldgate("phase", "plan")
    assert "of cases if the true rate is 95 %" in told.out
    plans = json.loads(fieldgate("phase", "plan", "--json").out)["phases"]
    assert plans["bench_trials"][0]["power"] > 0.98
    assert plans["lab"][0]["at_threshold"] <= 0.05
    assert fieldgate("phase", "plan", "--phase", "bench_trials").code == 0


def test_a_pause_takes_trials_away_until_a_person_resumes(fieldgate: Fieldgate) -> None:
    fieldgate("phase", "begin", "bench_trials")
    fieldgate("session", "begin", "--no-robot")
    assert "PAUSED: lunch" in fieldgate("session", "pause", "--why", "lunch").out
    refused = fieldgate("trial", "log", "success")
    assert (refused.code, "lunch" in refused.err) == (1, True)
    assert fieldgate("session", "resume", "--no-robot").code == 0
    assert fieldgate("trial", "log", "success").code == 0
    assert "no session had a robot" in fieldgate("session", "measure").err


def test_watching_a_session_tells_each_change_once_and_survives_the_link(home: FieldWorld) -> None:
    robot = FieldRobot(home)
    field = home.in_lab(robot)
    lines: list[str] = []
    seconds = [0]

    def rest(wait_s: float) -> None:
        seconds[0] += 1
        if seconds[0] == 3:
            robot.cut()
        if seconds[0] == 20:
            robot.mend()
            field.resume(robot.sight, "anna")
        if seconds[0] == 25:
            field.end_session("anna", why="done")
        robot.second()

    robot.sight._pause = rest
    Watching(field, robot.sight, out=lines.append, clock=lambda: home.mono_ns / 1e9, sleep=rest).run(None)
    assert {line[19:22] for line in lines} == {"Z  "}, "a time without its zone"
    said = [line.split("  ", 1)[1] for line in lines]
    assert [line for line in said if line.startswith("the link")] == [
        "the link is up",
        "the link is down: the cable is out",
        "the link is up",
    ]
    assert sum(line.startswith("PAUSED") for line in said) == 1
    assert said[-1] == "the session has ended: done"


@pytest.fixture
def robot(home: FieldWorld, monkeypatch: pytest.MonkeyPatch) -> FieldRobot:
    """The robot that commands reach; waiting for it brings the next second."""
    made = FieldRobot(home)
    made.world.files = home.files

    @contextmanager
    def reached(campaign: object, *waits: object) -> Iterator[RobotSight]:
        if made.link.phase == "down":
            raise Trouble("'orin' did not answer within 2 s", code="unreachable")
        yield made.sight

    monkeypatch.setattr("console.commands.field_words.sight_of", reached)
    monkeypatch.setattr("console.commands.score.sight_of", reached)
    return made


def test_frames_are_drawn_into_a_folder_filled_in_and_counted_once(
    fieldgate: Fieldgate, home: FieldWorld, robot: FieldRobot, tmp_path: Path
) -> None:
    fieldgate("phase", "begin", "bench_trials")
    assert fieldgate("session", "begin").code == 0
    drawn = fieldgate("score", "draw", "c1", "-n", "3", "--every", "10s", "-o", str(tmp_path / "drawn"))
    sheet = Path(drawn.out.strip())
    assert drawn.err.count("drawn at random within") == 3
    text = sheet.read_text("utf-8-sig").replace(",,,,", ",x,2,cup,", 2)
    sheet.write_text(text)
    assert fieldgate("score", "enter", "c1", str(sheet)).out == (
        "2 frames entered, 0 were scored already, 1 not looked at\n"
    )
    again = json.loads(fieldgate("score", "enter", "c1", str(sheet), "--json").out)
    assert (again["entered"], again["known"]) == (0, 2)
    shown = json.loads(fieldgate("session", "show", "--json").out)
    assert (shown["frames_scored"], shown["journal"]) == (2, "journal-1")


def test_a_scene_file_scores_drawn_frames_or_is_sent_to_the_robot(
    fieldgate: Fieldgate, robot: FieldRobot, tmp_path: Path
) -> None:
    fieldgate("phase", "begin", "bench_trials")
    fieldgate("session", "begin")
    scene = tmp_path / "table.yaml"
    scene.write_text("format: 1\nscene: table\nobjects: [{label: cup}, {label: cup}]\n")
    told = fieldgate("score", "scene", "c1", str(scene), "-n", "2", "--every", "5s")
    assert told.out.splitlines()[-1] == "altogether 2 right, 2 wrong, 2 missed"
    assert fieldgate("score", "scene", "c1", str(scene), "--watch").code == 0
    assert robot.watch is not None
    assert [one.label for one in robot.watch.expected] == ["cup", "cup"]
    scene.write_text("format: 1\nscene: table\nobjects: [{label: cupp}]\n")
    wrong = fieldgate("score", "scene", "c1", str(scene), "-n", "1", "--every", "1s")
    assert (wrong.code, "cup" in wrong.err) == (1, True)


def test_a_camera_that_stands_still_ends_the_drawing_with_words(
    fieldgate: Fieldgate, robot: FieldRobot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fieldgate("phase", "begin", "bench_trials")
    fieldgate("session", "begin")
    monkeypatch.setattr(FieldRobot, "frame", property(lambda self: 5, lambda self, value: None), raising=False)
    stuck = fieldgate("score", "draw", "c1", "-n", "3", "--every", "1s", "-o", str(tmp_path / "drawn"))
    assert (stuck.code, "again and again" in stuck.err) == (7, True)


def test_a_session_on_another_bundle_ends_with_3(fieldgate: Fieldgate, robot: FieldRobot) -> None:
    fieldgate("phase", "begin", "bench_trials")
    robot.bundle = "91bc" * 16
    refused = fieldgate("session", "begin")
    assert (refused.code, "91bc" in refused.err) == (3, True)


def test_each_crash_while_a_session_is_watched_is_counted_at_once(home: FieldWorld) -> None:
    robot = FieldRobot(home)
    field = home.in_lab(robot)
    robot.sight.stored_seq = lambda: 10**6  # type: ignore[method-assign]
    counted: list[int] = []
    lines: list[str] = []
    seconds = [0]

    def rest(wait_s: float) -> None:
        seconds[0] += 1
        if seconds[0] == 3:
            robot.fail("worker_crash")
        robot.second()

    robot.sight._pause = rest
    watching = Watching(
        field,
        robot.sight,
        out=lines.append,
        as_json=True,
        crashed=lambda: counted.append(seconds[0]),
        clock=lambda: home.mono_ns / 1e9,
        sleep=rest,
    )
    watching.run(8.0)
    assert counted == [3]
    assert {"link", "session", "trials", "phase"} <= {json.loads(line)["subject"] for line in lines}
    assert field.state().session is not None


def test_a_trial_is_on_the_disk_before_a_silent_robot_is_waited_for(
    fieldgate: Fieldgate, home: FieldWorld, robot: FieldRobot, monkeypatch: pytest.MonkeyPatch
) -> None:
    fieldgate("phase", "begin", "bench_trials")
    fieldgate("session", "begin")
    seen: list[list[str]] = []

    @contextmanager
    def silent(*_: object) -> Iterator[RobotSight]:
        seen.append(kinds(open_campaign("c1")))
        raise Trouble("'orin' did not answer within 2 s", code="unreachable")
        yield robot.sight

    monkeypatch.setattr("console.commands.field_words.sight_of", silent)
    said = fieldgate("trial", "log", "success")
    assert (said.code, seen[-1][-1]) == (0, "trial")
    assert "whether the worker crashed is not known: 'orin' did not answer" in said.err
    fieldgate("session", "pause")
    asked = len(seen)
    refused = fieldgate("trial", "log", "success")
    assert (refused.code, len(seen)) == (1, asked), "a paused session asks no robot"


def test_a_trial_of_another_bundle_is_taken_back_once_the_robot_says_so(
    fieldgate: Fieldgate, robot: FieldRobot
) -> None:
    fieldgate("phase", "begin", "bench_trials")
    fieldgate("session", "begin")
    fieldgate("trial", "log", "success")
    robot.bundle = "91bc" * 16
    refused = fieldgate("trial", "log", "success")
    assert (refused.code, "91bc" in refused.err) == (3, True)
    assert [one.counts for one in open_campaign("c1").state().field.trials] == [True, False]


def test_a_trial_keeps_the_failures_that_belong_to_it_and_says_which_nobody_knows(fieldgate: Fieldgate) -> None:
    fieldgate("phase", "begin", "bench_trials")
    fieldgate("session", "begin", "--no-robot")
    assert json.loads(fieldgate("trial", "begin", "--json").out)["seq"] > 1
    logged = fieldgate("trial", "log", "failure", "--failure", "orin:7", "--note", "it slipped " * 20)
    assert (logged.code, "there is no failure 'orin:7'" in logged.err) == (0, True)
    listed = fieldgate("trial", "list").out
    assert ("failures orin:7" in listed, len(listed) < 200) == (True, True)
    assert json.loads(fieldgate("trial", "list", "--json").out)["trials"][0]["note"].count("slipped") == 20
    assert json.loads(fieldgate("trial", "intervene", "--json").out)["interventions"] == 1
    [row] = csv.DictReader(io.StringIO(fieldgate("trial", "list", "--csv").out))
    assert (row["failures"], row["time"][-1]) == ("orin:7", "Z")
