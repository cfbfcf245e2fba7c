"""`fieldgate model push` and `list` on a real agent: scripts can rely on its exit codes, and leaving it leaves the robot
alone.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from console import exits
from console.robots import Robot as RobotEntry
from console.robots import Robots
from remote.models.make import make_bundle
from remote.protocol import ReleaseLease, RenewLease, SetSource
from tests.console.commands.program import HEEDS_CTRL_C
from tests.remote.agent.model_robot import models, running, until
from tests.remote.agent.robot import Console, Robot
from tests.tiny_models import base_yolov8, tiny_bundle, write_model

UNCOMPARED = ["--p99-ratio", "0", "--boxes-ratio", "0", "--miss-share-more", "1"]
QUICK = ["--probation-frames", "5", "--least-s", "0", "--failed-share", "1", *UNCOMPARED]
ROOT = Path(__file__).resolve().parents[3]


class Desk:
    """A laptop that knows one robot, and a console of its own on the robot."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[str]] = []
        self.robot = Robot(folder / "home", "real", 60.0).start()
        self.watcher, self.epoch = running(self.robot)
        self.free()
        (folder / "laptop" / "config").mkdir(mode=0o700, parents=True)
        Robots(folder / "laptop" / "config" / "robots.yaml").add(
            RobotEntry(name="orin", transport="local", home=str(self.robot.home))
        )

    def free(self) -> None:
        self.watcher.ask(ReleaseLease(), epoch=self.epoch)

    def start(self, *words: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "FIELDGATE_HOME": str(self.folder / "laptop")}
        command = [sys.executable, "-c", HEEDS_CTRL_C, "model", *words]
        pipe = subprocess.PIPE
        made = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=pipe, stderr=pipe, text=True)
        self.started.append(made)
        return made

    def run(self, *words: str) -> tuple[int, str, str]:
        process = self.start(*words)
        out, narrated = process.communicate(timeout=90)
        return process.returncode, out, narrated

    def bundle(self, name: str, score: float = 0.9, *, dark_raises: bool = False) -> Path:
        folder = self.folder / name
        folder.mkdir()
        if dark_raises:
            return tiny_bundle(folder, dark_raises=True).path
        base, follow = base_yolov8()
        model = write_model(folder / "m.onnx", base, (follow * np.float32(score)).astype(np.float32))
        return make_bundle(model, "yolov8", ("cube", "ball"), folder / "bundle").path


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("push"))
    yield made
    for process in made.started:
        process.kill()
        process.wait()
    made.robot.end(signal.SIGKILL)


def idle(console: Console) -> None:
    until(console, lambda m: m.step == "idle", "the end of the change")


def test_a_kept_bundle_ends_with_0_and_the_laptop_remembers_it(desk: Desk) -> None:
    code, out, narrated = desk.run("push", str(desk.bundle("good")), "orin", *QUICK)
    assert (code, out) == (exits.OK, "kept\n"), narrated
    assert "probation" in narrated
    code, out, _ = desk.run("list", "--json")
    known = {one["robot"]: one for one in json.loads(out)}["orin"]
    assert (known["state"]["current"]["origin"], known["state"]["last"]["ended"]) == ("push", "committed")
    assert known["age_s"] >= 0
    code, out, _ = desk.run("list", "orin")
    assert code == exits.OK
    assert "current" in out
    assert out.count("stored") == 2


def test_what_runs_already_ends_with_0_and_what_is_none_of_it_is_said(desk: Desk) -> None:
    folder = desk.bundle("twice")
    first, _, narrated = desk.run("push", str(folder), "orin", *QUICK)
    assert first == exits.OK, narrated
    (folder / "notes.txt").write_text("mine\n")
    code, out, narrated = desk.run("push", str(folder), "orin", *QUICK)
    assert (code, out) == (exits.OK, "runs already\n"), narrated
    assert "does not name it: notes.txt" in narrated
    code, out, _ = desk.run("push", str(folder), "orin", "--json")
    assert (code, json.loads(out)["step"], json.loads(out)["last"]["ended"]) == (exits.OK, "idle", "committed")
    code, out, _ = desk.run("list", "orin")
    assert out.startswith("orin: no change\n"), "whether the robot is idle is another question"
    assert re.search(r"^  last .* is kept \(\d+ s ago\)$", out, re.MULTILINE), out


def test_a_folder_that_is_no_bundle_is_said_without_numbers_of_the_system(desk: Desk) -> None:
    code, _, narrated = desk.run("push", str(desk.folder), "orin")
    assert code == exits.TROUBLE
    assert "is no bundle" in narrated
    assert "Errno" not in narrated


def test_what_can_not_be_removed_says_why_and_what_can(desk: Desk) -> None:
    code, _, narrated = desk.run("push", str(desk.bundle("kept beside")), "orin", *QUICK)
    assert code == exits.OK, narrated
    now = until(desk.watcher, lambda m: m.previous is not None, "the one before")
    assert now.previous is not None
    code, _, narrated = desk.run("remove", "dab1", "orin")
    assert (code, "8 characters or more" in narrated) == (exits.TROUBLE, True), narrated
    code, _, narrated = desk.run("remove", now.previous.digest[:12], "orin")
    assert (code, "is in use (previous): it stays" in narrated) == (exits.REFUSED, True), narrated


def test_a_worse_bundle_ends_with_3_and_stdout_has_the_numbers(desk: Desk, tmp_path: Path) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.jpg"), np.full((48, 64, 3), 30 + number, np.uint8))
    desk.epoch = desk.watcher.take_lease()
    assert desk.watcher.ask(SetSource(f"folder:{tmp_path}?fps=30"), epoch=desk.epoch).error is None
    desk.free()
    code, out, narrated = desk.run("push", str(desk.bundle("worse", dark_raises=True)), "orin", *QUICK)
    assert code == exits.ALARM, narrated
    assert out.startswith("returned: ")
    assert any(letter.isdigit() for letter in out)
    desk.epoch = desk.watcher.take_lease()
    desk.watcher.ask(SetSource("scene:"), epoch=desk.epoch)
    desk.free()


def test_somebody_elses_lease_ends_with_6_before_anything_is_sent(desk: Desk) -> None:
    desk.epoch = desk.watcher.take_lease()
    before = sorted(path.name for path in (desk.robot.home / "bundles").iterdir())
    code, out, narrated = desk.run("push", str(desk.bundle("late", 0.7)), "orin", *QUICK)
    desk.free()
    assert (code, out) == (exits.REFUSED, "")
    assert "--take-over" in narrated
    assert sorted(path.name for path in (desk.robot.home / "bundles").iterdir()) == before


def test_ctrl_c_ends_the_command_and_not_the_change_and_a_second_push_is_refused(desk: Desk) -> None:
    process = desk.start("push", str(desk.bundle("long", 0.6)), "orin", "--probation-frames", "100000", *UNCOMPARED)
    until(desk.watcher, lambda m: m.step == "probation", "probation")
    code, _, narrated = desk.run("push", str(desk.bundle("second", 0.5)), "orin", *QUICK)
    assert code == exits.REFUSED
    assert "under way" in narrated
    desk.epoch = desk.watcher.take_lease()
    code, _, narrated = desk.run("push", str(desk.folder / "second" / "bundle"), "orin", "--take-over", *QUICK)
    assert (code, "under way" in narrated) == (exits.REFUSED, True)
    kept = desk.watcher.ask(RenewLease(), epoch=desk.epoch)
    assert kept.error is None, f"what is refused takes the lease from nobody: {kept.error}"
    desk.free()
    process.send_signal(signal.SIGINT)
    _, narrated = process.communicate(timeout=60)
    assert process.returncode == exits.INTERRUPTED
    assert "goes on by itself" in narrated
    assert models(desk.watcher).step == "probation"
    code, _, narrated = desk.run("cancel", "orin", "--reason", "enough")
    assert code == exits.OK, narrated
    idle(desk.watcher)
    last = models(desk.watcher).last
    assert last is not None
    assert (last.ended, "enough" in last.why) == ("cancelled", True)
