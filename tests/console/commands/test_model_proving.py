"""`fieldgate model validate` and `shadow` as a person types them: here, on a real robot, and into a campaign's record."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.campaigns.opening import new_campaign, open_campaign
from console.robots import Robot, Robots
from remote.model_states import ShadowState
from remote.protocol import ReleaseLease, SetBundle, TakeLease
from tests.console.checklist.campaign_world import World
from tests.console.commands.program import HEEDS_CTRL_C, Fieldgate
from tests.remote.agent.robot import Console
from tests.remote.agent.robot import Robot as Agent
from tests.remote.models.proved_bundles import proved_bundle

LIMITS = {
    "frame_width_px": 64,
    "frame_height_px": 64,
    "engine_p99_ms": 60e3,
    "pipeline_p99_ms": 60e3,
    "loaded_p99_ms": 60e3,
}
"""Small frames, and so much time that no busy machine fails a test of what is said."""
FAST = [word for name, value in LIMITS.items() for word in ("--limit", f"{name}={value:g}")]
PACK = """\
format: 1
name: proving
title: What a model must show
version: "1"
roles: {engineer: brings it}
stages:
  - id: bench
    title: On the bench
    items:
      - id: validated
        title: It passes the suite
        kind: sensed
        probe:
          name: model_validation
          parameters:
            profile: x86
            limits:
              {frame_width_px: 64, frame_height_px: 64, engine_p99_ms: 9999, pipeline_p99_ms: 9999, loaded_p99_ms: 9999}
            require: [parity]
        rests_on: [bundle, engine, robot]
"""


@pytest.fixture
def home(tmp_path: Path, world: World) -> Iterator[Path]:
    """The home of a real agent with the real worker, known here as `bench`."""
    Robots().add(Robot(name="bench", transport="local", home=str(tmp_path / "home")))
    agent = Agent(tmp_path / "home", "real").start()
    yield tmp_path / "home"
    agent.end(signal.SIGKILL)


def test_here_the_tables_are_read_by_the_laptop_and_the_code_is_the_verdicts(
    fieldgate: Fieldgate, tmp_path: Path
) -> None:
    bundle = proved_bundle(tmp_path / "b")
    table, junit = tmp_path / "sim.jsonl", tmp_path / "junit.xml"
    table.write_text("\n".join(json.dumps({"success": number < 10}) for number in range(60)))
    done = fieldgate(
        "model", "validate", str(bundle.path), "--runs", "2", *FAST, "--hil", str(table), "--junit", str(junit)
    )
    assert done.code == 3, done
    assert "FAIL          hil_success          10 of 60 succeeded" in done.out
    assert "PASS          parity" in done.out
    assert 'failures="1"' in junit.read_text()
    told = fieldgate("model", "validate", str(bundle.path), "--runs", "2", *FAST, "--json")
    assert (told.code, json.loads(told.out)["verdict"]) == (7, "inconclusive")
    assert (json.loads(told.out)["profile"], "profile x86: this machine's own" in told.err) == ("x86", True)
    lost = fieldgate("model", "validate", str(bundle.path), "--junit", str(tmp_path / "no" / "such.xml"))
    assert (lost.code, "reading every file" in lost.err) == (1, False)
    missing = fieldgate("model", "validate", str(tmp_path / "nothing"))
    assert missing.code == 1
    assert "does not exist" in missing.err


def test_on_a_robot_the_bundle_is_sent_validated_and_shadowed_beside_the_worker(
    fieldgate: Fieldgate, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = proved_bundle(tmp_path / "b")
    done = fieldgate("model", "validate", str(bundle.path), "--on", "bench", *FAST, "--json")
    report = json.loads(done.out)
    assert (report["profile"], "profile x86: the robot's own" in done.err) == ("x86", True)
    assert (done.code, report["verdict"], report["digest"]) == (0, "pass", bundle.digest), done
    assert (home / "bundles" / bundle.digest / "model.onnx").is_file()
    assert fieldgate("model", "validate", bundle.digest[:12], "--on", "bench", "--limit", "engine=3").code == 2
    words = ("--profile", "jetson", "--runs", "1", *FAST)
    jetson = fieldgate("model", "validate", bundle.digest[:12], "--on", "bench", *words)
    assert jetson.code == 7
    assert "this is no Jetson" in jetson.out
    assert fieldgate("start", "bench", "--source", "scene:").code == 0
    shadow = fieldgate("model", "shadow", bundle.digest[:12], "bench", "--seconds", "1", "--json")
    assert shadow.code == 0, shadow
    state = json.loads(shadow.out)
    assert state["ended"] == "its time was over"
    assert 1 <= state["frames"] <= 3
    assert set(state) == set(ShadowState.__struct_fields__)


def test_in_a_campaign_what_was_found_is_recorded_as_evidence(
    fieldgate: Fieldgate, home: Path, tmp_path: Path, world: World
) -> None:
    bundle, pack = proved_bundle(tmp_path / "b"), tmp_path / "pack.yaml"
    pack.write_text(PACK)
    new_campaign("bench", bundle.digest, "tiny", pack, name="bring-up", person="anna").close()
    sent = fieldgate("model", "validate", str(bundle.path), "--on", "bench", "--profile", "x86", "--runs", "1", *FAST)
    assert sent.code == 7
    other = fieldgate("model", "validate", "0" * 64, "--campaign", "bring-up")
    assert (other.code, "the campaign is about" in other.err) == (1, True)
    console = Console(home, "ben", "ben")
    chosen = console.ask(SetBundle(bundle.digest), epoch=console.take_lease())
    assert chosen.error is None
    console.close()
    done = fieldgate("model", "validate", bundle.digest, "--campaign", "bring-up")
    assert done.code == 0, done
    campaign = open_campaign("bring-up")
    try:
        states = {state.item.id: state for state in campaign.state().items()}
    finally:
        campaign.close()
    assert {name: state.state for name, state in states.items()} == {"validated": "pass"}
    basis = states["validated"].basis
    assert basis is not None
    assert basis.evidence is not None
    assert basis.evidence.fingerprints["bundle"] == bundle.digest
    assert {"engine", "contract", "robot"} <= set(basis.evidence.fingerprints)
    assert basis.evidence.details["parity"] == "pass"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--campaign", "x", "--profile", "x86"), "the pack's item says"),
        (("--on", "bench", "--pictures", "."), "--pictures is for validating here"),
    ],
    ids=["campaign", "pictures"],
)
def test_words_that_exclude_each_other_are_refused(fieldgate: Fieldgate, words: tuple[str, ...], said: str) -> None:
    done = fieldgate("model", "validate", "0" * 64, *words)
    assert done.code == 2
    assert said in done.err


def test_a_shadow_leaves_the_robot_to_others_and_ctrl_c_ends_it(
    fieldgate: Fieldgate, home: Path, tmp_path: Path
) -> None:
    """A lease that is held for as long as a candidate runs beside would keep everybody from stopping the robot."""
    bundle = proved_bundle(tmp_path / "b")
    console = Console(home, "ben", "ben")
    (home / "bundles").mkdir(mode=0o700, exist_ok=True)
    bundle.path.rename(home / "bundles" / bundle.digest)
    words = ["model", "shadow", bundle.digest, "bench", "--seconds", "600", "--json"]
    command = [sys.executable, "-c", HEEDS_CTRL_C, *words]
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)
    assert child.stderr is not None
    assert "runs beside" in child.stderr.readline()
    assert console.ask(TakeLease()).error is None
    console.ask(ReleaseLease(), epoch=console.state.epoch)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode in (0, 7), err
    assert json.loads(out)["ended"].endswith("ended it")
    console.close()
