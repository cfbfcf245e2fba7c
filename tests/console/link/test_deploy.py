"""Deploying to a real sshd with a home of its own: what is put there, what a cut leaves, what a second run does."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.link.bundle_send import put_bundle
from console.link.deploy import carry_out, plan_for
from console.link.deploy_plan import Plan, make_plan
from console.link.opening import transport_of
from console.link.probe import Facts, Python, probe
from console.link.transport import Transport
from console.robots import Robot, Settings
from remote.errors import Trouble
from tests.console.link.conftest import Opened
from tests.sshd import SSHD, Laptop, Sshd, running
from tests.waiting import wait_until

REPOSITORY = Path(__file__).resolve().parents[3]


class Stage:
    """One bare robot and one laptop for the whole module, as a deploy takes its time."""

    def __init__(self, folder: Path) -> None:
        self.server = Sshd(folder / "robot")
        self.laptop = Laptop(folder / "laptop")
        self.server.allow(self.laptop.key)
        self.laptop.knows(self.server)
        self.robot = Robot(name="orin", address=f"127.0.0.1:{self.server.port}", settings=Settings())
        self.root = self.server.home / ".local/share/fieldgate"

    def transport(self) -> Transport:
        return transport_of(self.robot)

    def files(self) -> dict[str, int]:
        """Everything below the root with its time of change."""
        return {str(path): path.lstat().st_mtime_ns for path in self.root.rglob("*") if "__pycache__" not in str(path)}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    if SSHD is None:
        pytest.skip("no sshd here (install openssh-server)")
    made = Stage(tmp_path_factory.mktemp("deploy"))
    patch = pytest.MonkeyPatch()
    made.laptop.use(patch)
    with running(made.server):
        yield made
        agent = made.root / "current/bin/fieldgate-agent"
        if agent.exists():
            made.server.end_agents(agent)
    patch.undo()


def planned(stage: Stage, *, offline: bool = False) -> Plan:
    try:
        return plan_for(stage.robot, stage.transport(), offline=offline)
    except Trouble as trouble:
        if trouble.code == "wheels_missing" and not offline:
            pytest.skip(f"the robot's wheels can't be had here: {trouble.what}")
        raise


def deployed(stage: Stage) -> Plan:
    """A robot that carries the present version."""
    plan = planned(stage)
    carry_out(plan, stage.transport())
    return plan


def test_a_plan_changes_nothing_and_names_every_step(stage: Stage) -> None:
    plan = planned(stage)
    text = "\n".join(plan.lines())
    assert all(word in text for word in ("upload", "install", "switch", "start", "verify", plan.version))
    assert not stage.root.exists()


def test_without_internet_the_missing_wheels_are_listed(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path))
    with pytest.raises(Trouble) as caught:
        planned(stage, offline=True)
    assert caught.value.code == "wheels_missing"
    assert "onnxruntime" in caught.value.what
    assert "numpy" in caught.value.what


class Cut(Exception):
    """The cable was pulled."""


def test_a_deploy_cut_off_while_uploading_goes_on_and_ends_right(stage: Stage) -> None:
    """Who starts again from zero over a field's radio link never finishes."""
    plan = planned(stage)
    biggest = max(plan.wheels, key=lambda wheel: wheel.size)

    def tick(name: str, done: int, whole: int) -> None:
        if name == biggest.path.name and done > whole // 2:
            raise Cut

    with pytest.raises(Cut):
        carry_out(plan, stage.transport(), tick=tick)
    assert not (stage.root / "current").exists()
    begun: dict[str, int] = {}

    def note(name: str, done: int, whole: int) -> None:
        begun.setdefault(name, done)

    plan = planned(stage)
    report = carry_out(plan, stage.transport(), tick=note)
    assert begun[biggest.path.name] > biggest.size // 4
    assert (stage.root / "current").resolve().name == plan.version == report.version
    assert report.agent.software.endswith("0.1.0")
    assert report.agent_memory_bytes is not None
    assert 5e6 < report.agent_memory_bytes < 200e6
    assert not list(stage.root.rglob(".part-*"))


def test_a_second_run_changes_nothing(stage: Stage) -> None:
    deployed(stage)
    before = stage.files()
    lock = (stage.server.home / ".local/state/fieldgate-agent/agent.lock").read_text()
    plan = planned(stage, offline=True)
    assert plan.nothing_to_do
    carry_out(plan, stage.transport())
    assert stage.files() == before
    assert (stage.server.home / ".local/state/fieldgate-agent/agent.lock").read_text() == lock


def test_an_install_cut_off_is_done_again(stage: Stage) -> None:
    plan = deployed(stage)
    version = stage.root / "versions" / plan.version
    (version / "complete").unlink()
    shutil.rmtree(version / "bin")
    again = planned(stage, offline=True)
    assert again.install
    carry_out(again, stage.transport())
    assert (version / "complete").exists()
    assert planned(stage, offline=True).nothing_to_do


def test_the_deployed_agent_is_seen_by_a_session(stage: Stage, opened: Opened) -> None:
    deployed(stage)
    session = opened(stage.robot)
    wait_until(lambda: session.snapshot.hosts, 20, "the agent's first host entry")


def test_an_agent_that_does_not_come_up_gives_way_to_the_previous_one(stage: Stage) -> None:
    """Otherwise a bad version leaves a robot in the field without any agent."""
    good = deployed(stage)
    bad = stage.root / "versions" / "0.1.0-badbad00"
    shutil.copytree(stage.root / "versions" / good.version, bad, symlinks=True)
    program = bad / "bin/fieldgate-agent"
    program.write_text("#!/bin/sh\necho 'fieldgate-agent: broken on purpose' >&2; exit 1\n")
    facts = probe(stage.robot, stage.transport(), __import__("time").time)
    plan = Plan(
        robot=stage.robot,
        facts=facts,
        python=good.python,
        version=bad.name,
        wheels=good.wheels,
        requirements=good.requirements,
        install=False,
        switch=True,
        restart=True,
    )
    with pytest.raises(Trouble) as caught:
        carry_out(plan, stage.transport())
    assert good.version in caught.value.what
    assert (stage.root / "current").resolve().name == good.version
    assert f"/versions/{good.version}/" in probe(stage.robot, stage.transport(), __import__("time").time).agent


def test_a_bundle_arrives_whole_under_its_digest(stage: Stage) -> None:
    folder = REPOSITORY / "remote/bundles/tabletop"
    names: list[str] = []
    digest = put_bundle(stage.robot, folder, tick=lambda name, done, whole: names.append(name))
    there = stage.server.home / ".local/state/fieldgate-agent/bundles" / digest
    listed = {path.name: path.read_bytes() for path in there.iterdir()}
    assert listed["model.onnx"] == (folder / "model.onnx").read_bytes()
    assert listed["manifest.json"] == (folder / "manifest.json").read_bytes()
    names.clear()
    assert put_bundle(stage.robot, folder, tick=lambda name, done, whole: names.append(name)) == digest
    assert names == []
    with (there / "model.onnx").open("r+b") as file:  # the robot's disk rots
        file.write(b"rot")
    there.chmod(0o555)
    put_bundle(stage.robot, folder, tick=lambda name, done, whole: names.append(name))
    assert "model.onnx" in names
    assert (there / "model.onnx").read_bytes() == (folder / "model.onnx").read_bytes()


def test_a_bundle_that_was_changed_is_not_sent(stage: Stage, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(REPOSITORY / "remote/bundles/tabletop", folder)
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(Trouble) as caught:
        put_bundle(stage.robot, folder)
    assert caught.value.code == "bundle_changed"


def test_a_full_disk_on_the_robot_is_said(stage: Stage, tmp_path: Path) -> None:
    from console.link.upload import upload
    from console.link.wheelhouse import Wheel

    source = tmp_path / "file"
    source.write_bytes(os.urandom(4096))
    with pytest.raises(Trouble) as caught:
        upload(stage.transport(), source, "/dev/full/x", Wheel.of(source).sha256)
    assert caught.value.cure


def facts_with(**changes: object) -> Facts:
    fields: dict[str, object] = {
        "user": "nvidia",
        "os": "Ubuntu 22.04",
        "machine": "aarch64",
        "glibc_minor": 35,
        "root": "/home/nvidia/.local/share/fieldgate",
        "pythons": (Python("3.10.12", "/usr/bin/python3", True),),
        "disk_free_bytes": 10**10,
        "writable": True,
        "clock_offset_s": 0.0,
        **changes,
    }
    return Facts(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"pythons": ()}, "no Python"),
        ({"pythons": (Python("3.8.10", "/usr/bin/python3", True),)}, "3.8.10"),
        ({"pythons": (Python("3.10.12", "/usr/bin/python3", False),)}, "python3.10-venv"),
    ],
)
def test_a_robot_that_cannot_run_the_agent_is_told_what_to_install(changes: dict[str, object], word: str) -> None:
    with pytest.raises(Trouble) as caught:
        make_plan(Robot(name="orin", address="nvidia@orin"), facts_with(**changes), offline=True)
    assert word in str(caught.value)


@pytest.mark.parametrize(("change", "word"), [({"disk_free_bytes": 10**6}, "free"), ({"writable": False}, "written")])
def test_too_little_space_or_right_is_said_before_anything_is_sent(
    change: dict[str, object], word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console.link import deploy_plan

    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path))
    monkeypatch.setattr(deploy_plan, "gather", lambda *given, **named: ())
    monkeypatch.setattr(deploy_plan, "chosen", lambda *given: ())
    with pytest.raises(Trouble) as caught:
        make_plan(Robot(name="orin", address="nvidia@orin"), facts_with(**change))
    assert word in caught.value.what
    assert make_plan(Robot(name="orin", address="nvidia@orin"), facts_with()).install


def test_the_wheel_is_one_that_pip_takes(tmp_path: Path) -> None:
    import sys

    from console.link.robot_wheel import robot_wheel

    first = robot_wheel(tmp_path)
    data = first.read_bytes()
    assert robot_wheel(tmp_path / "other").read_bytes() == data
    target = tmp_path / "target"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--no-compile",
        "--target",
        str(target),
        str(first),
    ]
    subprocess.run(command, check=True)
    assert (target / "remote/bundles/tabletop/model.onnx").exists()
    assert not (target / "console").exists()
