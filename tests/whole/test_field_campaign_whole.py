"""A field test from the laboratory to the target on the demo robot, with everything broken once: the verdicts are right, the
failures are in the book, what was counted is what was done, and report and exports open in what they are made for.
"""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from console.campaigns.campaign import Campaign
from console.campaigns.opening import new_campaign
from console.failures.book import FailureBook
from console.failures.pulling import lacking
from console.failures.query import parse
from console.failures.rows import FailureRow
from console.fieldwork.field_test import FieldTest
from console.fieldwork.holding import holding_now
from console.fieldwork.own_truth import scored_by_source
from console.fieldwork.scoring import Draws, instants
from console.fieldwork.telling import tell_watch
from console.link.snapshot import Snapshot
from console.looking import RobotSight
from console.phases.states import PhaseState, TrialState
from console.places import data_dir
from console.record.entries import PhaseBegun
from console.robots import Robot, Robots
from console.store.pictures import Pictures
from console.store.store import Store
from console.visiting import confirmed
from remote.errors import Trouble
from remote.protocol import Drill, Start, Watch
from tests.real_sight import seen
from tests.remote.agent.robot import Robot as Agent
from tests.waiting import wait_until
from tests.whole.test_demo import fieldgate

pytestmark = pytest.mark.whole
FRAMES_OF_A_TRIAL, FOUND_SHARE = 2, 0.6
"""A trial: so many frames drawn at random; it succeeds where so large a share of the objects in them was found."""
TITLES = {
    "link": ("The robot is heard",),
    "camera": ("The camera is alive",),
    "worker": ("Inference runs", "The camera is alive: not known"),  # one that hangs tells nothing of its camera either
}
_SUCCESS = (
    'criterion: {metric: success_rate, statistic: rate, comparison: ">=", threshold: 50, unit: "%"}\n'
    "        plan: {look: sequential, n: 30, expected: 97}"
)
_HOLDING = """\
    holding:
      - {id: link, title: The robot is heard, check: link, for: 1 s, cure: Wait for it.}
      - {id: bundle, title: The right bundle runs, check: bundle, for: 1 s}
      - {id: worker, title: Inference runs, check: worker, for: 1 s}
      - {id: camera, title: The camera is alive, check: camera, for: 1 s}
"""
PACK = f"""\
format: 1
name: table
title: The table-top demo
version: "1"
roles: {{engineer: builds it}}
stages:
  - id: bench
    title: Laboratory
    items: [{{id: table, title: The table is set, kind: confirmed, statement: The table is set.}}]
    gate: {{phases: [lab]}}
  - id: rooms
    title: Office
    items: [{{id: people, title: People know of it, kind: confirmed, statement: They know.}}]
    gate: {{phases: [office]}}
  - id: place
    title: Target
    items: [{{id: place, title: The place is known, kind: confirmed, statement: It is.}}]
    gate: {{phases: [target]}}
phases:
  - id: lab
    title: Laboratory
    trial: {FRAMES_OF_A_TRIAL} frames drawn at random
    success: six of ten objects in them are found
    conditions: [{{id: light, title: Light, required: true}}]
    entry: [{{item: table}}]
{_HOLDING}    questions:
      - id: success
        title: It finds the objects
        denominator: trials
        {_SUCCESS}
      - id: detected
        title: It reports what is there
        denominator: objects in scored frames
        criterion: {{metric: detection_accuracy, comparison: ">=", threshold: 40, unit: "%"}}
        plan: {{look: fixed, n: 10, expected: 80}}
    planned_n: 30
  - id: office
    title: Office
    trial: {FRAMES_OF_A_TRIAL} frames drawn at random
    success: six of ten objects in them are found
    conditions: [{{id: light, title: Light, required: true}}]
    entry: [{{item: people}}, {{phase: lab}}]
{_HOLDING}    questions:
      - id: success
        title: It finds the objects
        denominator: trials
        {_SUCCESS}
    planned_n: 30
  - id: target
    title: Target
    trial: {FRAMES_OF_A_TRIAL} frames drawn at random
    success: six of ten objects in them are found
    conditions: [{{id: light, title: Light, required: true}}]
    entry: [{{item: place}}, {{phase: office}}]
{_HOLDING}    questions:
      - id: success
        title: It finds the objects
        denominator: trials
        {_SUCCESS}
      - id: crashes
        title: The worker seldom crashes in a trial
        denominator: trials of which it is known
        criterion: {{metric: crash_rate, statistic: rate, comparison: "<", threshold: 50, unit: "%"}}
        plan: {{look: fixed, n: 6, expected: 1}}
    planned_n: 30
    min_running: 2 s
"""


@pytest.fixture
def sight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RobotSight]:
    """Of a robot on which inference runs; the laptop's files are those that the commands use too."""
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "laptop"))
    agent = Agent(tmp_path / "robot", "real").start()
    try:
        Robots().add(Robot(name="orin", transport="local", home=str(agent.home)))
        (tmp_path / "pack.yaml").write_text(PACK)
        with seen(agent.home, data_dir(), files=tmp_path) as made:
            assert made.session is not None
            made.session.take_lease().result(10)
            made.session.request(Start(), timeout_s=60).result(70)
            made.session.release_lease().result(10)
            wait_until(lambda: _shot(made).windows, 30, "a first window")
            yield made
    finally:
        agent.end(signal.SIGKILL)


def _shot(sight: RobotSight) -> Snapshot:
    assert sight.session is not None
    return sight.session.snapshot


class Team:
    """People who test: what they do with one campaign, on the sight."""

    def __init__(self, sight: RobotSight, name: str, pack: Path) -> None:
        self.sight, self.chance = sight, random.Random(name)
        state = _shot(sight).state
        assert state is not None
        assert state.bundle is not None
        self.bundle = state.bundle.digest
        made = new_campaign("orin", self.bundle, "tabletop", pack, name=name, person="anna", files=pack.parent)
        self.field = FieldTest(made)
        for item in ("table", "people", "place"):
            made.confirm(item, True, "anna")

    @property
    def campaign(self) -> Campaign:
        campaign = self.field.campaign
        assert isinstance(campaign, Campaign)
        return campaign

    def begin(self, phase: str, reason: str = "") -> None:
        """Begin the phase, and a session in it on a robot that is well."""
        self.field.begin_phase(phase, "anna", reason)
        self.well()
        self.field.begin_session(self.sight, "anna", {"light": "lamp"})
        told = tell_watch(
            self.sight, lambda watch: msgspec.structs.replace(watch, own_truth=True, latency_budget_ms=90.0)
        )
        assert told == ""
        wait_until(lambda: (s := _shot(self.sight).state) and (s.watch or Watch()).own_truth, 10, "the watch")

    def well(self) -> None:
        phase = self.field.phases[self.field.state().current]
        wait_until(lambda: all(one.met for one in holding_now(phase, self.bundle, self.sight)), 40, "all to hold")

    def looks(self, frames: int = FRAMES_OF_A_TRIAL, *, score: bool = False) -> bool:
        """Draw frames at random and say by the source's own truth whether enough was found; `score` writes each down."""
        right = there = 0
        for one in instants(Draws(self.chance, 0.2, self.sight.mono_ns()), self.sight, frames):
            frame, by = scored_by_source(self.field.draw(self.sight, one))
            right, there = right + by.right, there + by.right + by.missed
            if score and not self.field.is_scored(frame.session, frame.run, frame.frame):
                self.field.score_by_scene(frame, by.right, by.wrong, by.missed, by.boxes, "anna")
        return right >= FOUND_SHARE * there

    def tries(self) -> TrialState:
        """One trial, from its begin to its outcome."""
        self.field.begin_trial("anna")
        return self.field.log_trial("success" if self.looks() else "failure", "anna", sight=self.sight)

    def until_decided(self, phase: str, most: int = 16) -> PhaseState:
        """Look after every trial and stop as soon as it is decided."""
        for _ in range(most):
            self.tries()
            if self.field.state().phase(phase).status != "testing":
                break
        return self.field.state().phase(phase)

    def drill(self, fault: str, seconds: float) -> None:
        session = self.sight.session
        assert session is not None
        confirmed(session.take_lease(), 10)
        confirmed(session.request(msgspec.convert({"do": "drill", "fault": fault, "seconds": seconds}, Drill)), 10)
        confirmed(session.release_lease(), 10)

    def paused_by(self, condition: str) -> None:
        """Wait until the session pauses and says why; then nothing can be logged, and a person resumes it."""

        def why() -> str:
            session = self.field.look(self.sight).session
            return session.paused if session is not None else ""

        said = wait_until(why, 20, f"the pause by {condition}")
        assert said.startswith(TITLES[condition]), said
        with pytest.raises(Trouble) as refused:
            self.field.log_trial("success", "anna")
        assert refused.value.code == "session_paused"
        self.well()
        self.field.resume(self.sight, "anna", f"{condition} is back")

    def gate_is_shut_by(self, stage: str) -> tuple[str, ...]:
        found = next(one for one in self.campaign.state().stages if one.stage.id == stage)
        return found.gate.blocked_by

    def ends(self) -> None:
        ended = self.field.end_session("anna", self.sight)
        wait_until(lambda: self.sight.stored_seq() >= ended.last_seq, 15, "the journal")


@pytest.mark.tour  # nearly a minute: only in `make whole`
def test_a_campaign_with_everything_broken_once_comes_out_right(sight: RobotSight, tmp_path: Path) -> None:
    team = Team(sight, "table", tmp_path / "pack.yaml")
    with pytest.raises(Trouble) as early:
        team.field.begin_phase("office", "anna")
    assert early.value.code == "entry_unmet"

    team.begin("lab")
    team.looks(10, score=True)
    assert team.until_decided("lab").status in ("pass", "marginal"), team.field.state().phase("lab").reason
    team.ends()
    assert team.gate_is_shut_by("bench") == ()
    team.campaign.pass_gate("bench", "anna")

    team.begin("office")
    _break_everything(team)
    assert team.until_decided("office").status == "pass", team.field.state().phase("office").reason
    team.ends()
    team.campaign.pass_gate("rooms", "anna")

    team.begin("target")
    _kill_the_laptop_in_a_trial(team)
    assert team.until_decided("target", 9).status == "testing", "nobody has measured yet how long it ran"
    team.ends()
    _counts_are_what_was_done(team)
    assert team.field.state().phase("target").status == "pass", team.field.state().phase("target").reason
    team.campaign.pass_gate("place", "anna")

    _go_back_after_another_bundle(team)
    rows = _failures_are_in_the_book()
    _the_report_holds_it(rows, tmp_path)
    _the_exports_open(rows, tmp_path)


def test_a_blind_robot_does_not_pass_and_its_gate_stays_shut(sight: RobotSight, tmp_path: Path) -> None:
    team = Team(sight, "blind", tmp_path / "pack.yaml")
    team.begin("lab")
    team.drill("blind", 60)
    wait_until(lambda: not (s := _shot(sight).sample) or not s.detections, 10, "blindness")
    team.looks(6, score=True)
    found = team.until_decided("lab")
    assert found.status == "fail", found.reason
    assert any("lab" in reason.lower() for reason in team.gate_is_shut_by("bench")), team.gate_is_shut_by("bench")
    with pytest.raises(Trouble):
        team.campaign.pass_gate("bench", "anna")
    team.ends()
    with pytest.raises(Trouble) as onward:
        team.field.begin_phase("office", "anna")
    assert onward.value.code == "entry_unmet"


# ------------------------------------------------------------ the breaking


def _break_everything(team: Team) -> None:
    sight, session = team.sight, team.sight.session
    assert session is not None
    team.tries()
    team.drill("slow_inference", 3.0)
    _failed(sight, "latency_over_budget")
    team.drill("blind", 3.0)
    _failed(sight, "no_detection")
    team.drill("camera_unplugged", 4.0)
    team.paused_by("camera")
    team.drill("worker_crash", 1.0)
    team.paused_by("worker")
    team.drill("worker_hang", 30.0)
    team.paused_by("worker")
    state = _shot(sight).state
    assert state is not None
    assert state.worker.pid is not None
    run = state.worker.run
    os.kill(state.worker.pid, signal.SIGKILL)
    wait_until(
        lambda: (s := _shot(sight).state) and s.worker.run > run and s.worker.phase == "running", 40, "the worker"
    )
    _resumed(team)
    session.cut(for_s=3.0)
    team.paused_by("link")


def _resumed(team: Team) -> None:
    """A worker that is back within a second need not have paused anything."""
    team.well()
    session = team.field.look(team.sight).session
    if session is not None and session.paused:
        team.field.resume(team.sight, "anna")


def _failed(sight: RobotSight, name: str) -> None:
    wait_until(lambda: any(one.body.name == name for one in _shot(sight).failures), 15, name)


def _kill_the_laptop_in_a_trial(team: Team) -> None:
    """Another process of this laptop begins a trial and is killed: the session is open still, the trial is there once."""
    command = [sys.executable, "-m", "tests.console.fieldwork.field_child", team.campaign.name, "begun", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as child:
        assert child.stdout is not None
        assert child.stdout.readline().startswith("begun ")
        child.kill()
    before = team.field.state()
    assert before.session is not None
    assert before.session.open_trial is not None
    logged = team.field.log_trial("success" if team.looks() else "failure", "anna", sight=team.sight)
    after = team.field.state()
    assert after.session is not None
    assert after.session.open_trial is None
    assert len(after.trials) == len(before.trials) + 1
    assert next(one for one in after.trials if one.seq == logged.seq).counts


# ------------------------------------------------------------ what is left of it


def _counts_are_what_was_done(team: Team) -> None:
    store = Store()
    try:
        team.field.measure(store, "anna")
    finally:
        store.close()
    counts: Counter[str] = Counter()
    for session in team.field.state().sessions:
        assert session.measured is not None
        running = session.measured.running
        assert 0 < running.up_s <= running.known_s + 1e-6 <= running.wanted_s + 1e-3
        for name in ("crashes", "hangs", "reboots", "agent_restarts", "camera_faults"):
            counts[name] += getattr(running, name)
    # The crash drill and the kill -9; the hang drill; the camera that was unplugged.
    assert dict(counts) == {"crashes": 2, "hangs": 1, "reboots": 0, "agent_restarts": 0, "camera_faults": 1}


def _go_back_after_another_bundle(team: Team) -> None:
    shown = {one.phase.id: one.trials for one in team.field.state().phases}
    assert min(shown.values()) >= 5
    team.campaign.revise("a better one", "anna", bundle="91bc" + "0" * 60, bundle_name="better")
    state = team.field.state()
    assert state.phases[0].status == "stale"
    assert all(one.trials == 0 for one in state.phases)
    why = " -> ".join((team.bundle[:4], "91bc"))
    assert any(why in reason for one in state.phases for reason in one.left_out), state.phases[0].left_out
    assert team.gate_is_shut_by("bench")
    team.field.begin_phase("lab", "anna", "the bundle was changed")
    begun = team.campaign.record.entry(team.field.state().phase("lab").begun_seq or 0).body
    assert isinstance(begun, PhaseBegun)
    assert (begun.back_from, begun.reason) == ("target", "the bundle was changed")
    with pytest.raises(Trouble) as refused:
        team.field.begin_session(team.sight, "anna", {"light": "lamp"})
    assert refused.value.code in ("wrong_bundle", "holding_unmet")
    assert "bundle" in refused.value.what
    team.campaign.revise("the old one after all", "anna", bundle=team.bundle, bundle_name="tabletop")


def _failures_are_in_the_book() -> list[FailureRow]:
    store, book, pictures = Store(), FailureBook(), Pictures()
    wanted = {"worker_crash": 2, "worker_hang": 1}
    least = ("no_detection", "latency_over_budget", "camera_gone")
    try:

        def rows() -> list[FailureRow]:
            book.refresh(store)
            return list(book.all_rows(book.find(parse('robot:"orin"'))))

        def whole() -> list[FailureRow]:
            found = rows()
            missed = [one for one in found if one.kind == "no_detection"]
            return found if any(one.at and one.clip for one in missed) and lacking(book, pictures, "orin").whole else []

        found = wait_until(whole, 30, "pictures and a clip of what was missed")
        assert all(one.at or one.data.get("only_repeats") for one in found if one.kind == "no_detection")
        kinds = Counter(one.kind for one in found)
        assert {kind: kinds[kind] for kind in wanted} == wanted
        assert all(kinds[kind] for kind in least), kinds
        tested = [one.conditions for one in found if "phase" in one.conditions]  # the others lie between two sessions
        assert {"phase": "office", "light": "lamp"} in tested
        assert all(one["light"] == "lamp" for one in tested)
        return found
    finally:
        book.close()
        store.close()


def _the_report_holds_it(rows: list[FailureRow], folder: Path) -> None:
    done = fieldgate("report", "table", "-o", str(folder / "report"))
    assert done.returncode == 0, done.stderr
    html = (folder / "report" / "report.html").read_text()
    for words in (
        "Laboratory",
        "Office",
        "Target",
        "It finds the objects",
        "no detection",
        "worker crash",
        "data:image/jpeg",
    ):
        assert words in html, words
    assert "<script" not in html
    verified = fieldgate("verify", "table")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def _the_exports_open(rows: list[FailureRow], folder: Path) -> None:
    made: dict[str, Callable[[Path], int]] = {"coco": _coco, "csv": _csv, "parquet": _parquet, "mcap": _mcap}
    for form, opened in made.items():
        target = folder / (form if form == "coco" else f"failures.{form}")
        done = fieldgate("failures", "export", "--format", form, "-o", str(target))
        assert done.returncode == 0, done.stderr
        assert opened(target) >= (1 if form == "coco" else len(rows)), form


def _coco(folder: Path) -> int:
    from pycocotools.coco import COCO

    path = next(folder.rglob("*.json"), None)
    assert path is not None
    names = [one for one in folder.rglob("*.json") if "annotations" in json.loads(one.read_text())]
    opened = COCO(str(names[0]))
    for image in opened.dataset["images"]:
        assert any(folder.rglob(Path(image["file_name"]).name)), image
    return len(opened.getImgIds())


def _csv(path: Path) -> int:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return len(list(csv.DictReader(file)))


def _parquet(path: Path) -> int:
    import pyarrow.parquet as parquet

    return int(parquet.read_table(path).num_rows)


def _mcap(path: Path) -> int:
    from mcap.reader import make_reader

    with path.open("rb") as file:
        topics = Counter(channel.topic for _, channel, _ in make_reader(file).iter_messages())
    assert {"/camera", "/camera/boxes", "/failures", "/metrics"} <= set(topics), topics
    return sum(topics.values())
