"""The proof on a device: it says what is there, proves what can be proved, and is honest about the rest."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from remote.errors import Trouble
from remote.prove.command import prove
from remote.prove.package import pack, table
from remote.verdicts import Check
from tests.remote.perception.a_site import site


def packed(output: Path) -> dict[str, bytes]:
    with tarfile.open(output) as archive:
        files = {member.name: archive.extractfile(member) for member in archive.getmembers()}
        return {name.removeprefix("proof/"): file.read() for name, file in files.items() if file is not None}


def verdicts(output: Path) -> dict[str, str]:
    return {check["name"]: check["verdict"] for check in json.loads(packed(output)["checks.json"])}


def proved(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], output: Path, *words: str) -> Result:
    """The command in this process; what it starts sees the environment."""
    monkeypatch.setenv("XDG_STATE_HOME", str(output.parent / "state"))  # not the settings of an agent that lives here
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return CliRunner().invoke(prove, ["--output", str(output), *words])


def test_a_machine_with_tensorrt_is_proved_from_build_to_foreign_engines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, environment = tmp_path / "proof.tar.gz", site(tmp_path / "jetson", step_s=0.08)
    ended = proved(monkeypatch, environment, output, "--runs", "5")
    assert ended.exit_code == 0, ended.output
    assert verdicts(output) == {
        "jetson": "skipped",
        "cuda": "pass",
        "tensorrt": "pass",
        "build:tabletop": "pass",
        "latency:tabletop": "pass",
        "parity:tabletop": "pass",
        "called_off": "pass",
        "killed": "pass",
        "foreign": "pass",
        "tests": "skipped",
    }
    files = packed(output)
    assert json.loads(files["probe.json"])["gpu"] == "Orin of the tests"
    measured = json.loads(files["measured-tabletop.json"])
    assert measured["here"]["engine"].startswith("TensorRT 10.3, Orin of the tests (8.7)")
    assert "no CUDA graph: cuStreamBeginCapture_v2 failed: CUDA_ERROR_NOT_SUPPORTED (801)" in measured["here"]["engine"]
    assert measured["largest_difference"] == 0
    assert "a changed engine in the cache: ONNX Runtime" in files["summary.txt"].decode()


def test_a_machine_without_cuda_says_what_it_could_not_prove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "libcuda.so.1").write_bytes(b"no library")  # also where a real one is installed
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_one.py").write_text("def test_one():\n    assert False\n")
    output = tmp_path / "proof.tar.gz"
    ended = CliRunner().invoke(prove, ["--output", str(output), "--runs", "5", "--tests", str(tests)])
    found = verdicts(output)
    assert (found["cuda"], found["tensorrt"], found["build:tabletop"], found["foreign"]) == ("skipped",) * 4
    assert found["latency:tabletop"] == "pass"
    assert found["tests"] == "fail"  # a test that fails on the robot is not hidden
    assert ended.exit_code == 3
    assert b"1 failed" in packed(output)["tests.txt"]


def test_a_tensorrt_that_builds_nothing_is_a_failure_and_the_model_still_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment, output = {**site(tmp_path / "jetson"), "FAKE_FAULT": "memory"}, tmp_path / "proof.tar.gz"
    ended = proved(monkeypatch, environment, output, "--runs", "5")
    assert ended.exit_code == 3, ended.output
    found = verdicts(output)
    assert (found["build:tabletop"], found["parity:tabletop"], found["killed"]) == ("fail", "skipped", "skipped")
    assert "engine_out_of_memory: too little memory to build the engine" in ended.stdout
    assert "ONNX Runtime" in json.loads(packed(output)["measured-tabletop.json"])["here"]["engine"]


def test_the_engines_that_are_proved_are_those_that_the_agent_here_would_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the proof holds for engines that no worker of this robot ever loads."""
    output, home, environment = tmp_path / "proof.tar.gz", tmp_path / "agent", site(tmp_path / "jetson")
    home.mkdir()
    (home / "settings.yaml").write_text("engine: {precision: fp16, workspace_mb: 64}\n")
    ended = proved(monkeypatch, environment, output, "--runs", "5", "--home", str(home))
    said = next(one for one in json.loads(packed(output)["checks.json"]) if one["name"] == "build:tabletop")
    assert "built with precision fp16, workspace_mb 64 in" in said["text"], ended.output
    assert f"as {home / 'settings.yaml'} says: precision fp16" in ended.stderr
    measured = json.loads(packed(output)["measured-tabletop.json"])
    assert measured["here"]["engine"].startswith("TensorRT 10.3")  # found under the same wishes
    short = {**environment, "FAKE_FAULT": "memory"}
    proved(monkeypatch, short, output, "--runs", "5", "--home", str(home))
    assert "it was allowed 64 MB of workspace" in packed(output)["summary.txt"].decode()


def test_settings_that_the_agent_would_refuse_are_not_proved_with_others(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("engine: {precision: int3}\n")
    ended = CliRunner().invoke(prove, ["--output", str(tmp_path / "p.tar.gz"), "--home", str(tmp_path)])
    assert isinstance(ended.exception, Trouble)
    assert ended.exception.code == "bad_settings"
    assert "engine.precision" in ended.exception.what
    assert not (tmp_path / "p.tar.gz").exists()


def test_a_proof_that_can_not_be_written_leaves_nothing_half(tmp_path: Path) -> None:
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / "a.txt").write_text("a")
    with pytest.raises(OSError, match="No such file"):
        pack(tmp_path / "found", tmp_path / "missing" / "proof.tar.gz")
    pack(tmp_path / "found", tmp_path / "proof.tar.gz")
    assert packed(tmp_path / "proof.tar.gz") == {"a.txt": b"a"}


def test_the_summary_counts_what_was_skipped() -> None:
    checks = [Check(name="a", verdict="pass", text="yes"), Check(name="b", verdict="skipped", text="not here")]
    assert table(checks).endswith("overall: pass; 1 of 2 skipped")
