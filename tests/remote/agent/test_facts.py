"""Facts: what evidence rests on. Where they are wrong, a green tick outlives the model or the robot it was won on."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from remote.agent.bundles import BundleStore
from remote.agent.clock import system_clock
from remote.agent.facts import FILE_LIMIT_BYTES, Used, calibration_digest, contract_digest, engine_by_files, gather
from remote.agent.places import places_for
from remote.models.bundle import load_bundle
from remote.monitor.identity import Identity
from remote.perception.engines.onnx_runtime import OnnxRuntimeEngine
from remote.protocol import Facts, GetFacts, SetBundle, SetSource, Start
from tests.remote.agent.robot import Console, Robot
from tests.tiny_models import tiny_bundle

WHO = Identity("1420000000000", "device-tree", {"model": "Orin"})


def facts_of(console: Console) -> Facts:
    reply = console.ask(GetFacts())
    assert reply.error is None, reply.error
    assert reply.facts is not None
    return reply.facts


def put_bundle(home: Path, folder: Path) -> str:
    """A bundle in the robot's store; its digest."""
    folder.mkdir(exist_ok=True)
    made = tiny_bundle(folder)
    place = home / "bundles" / made.digest
    place.parent.mkdir(mode=0o700, exist_ok=True, parents=True)
    made.path.rename(place)
    return made.digest


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# ------------------------------------------------------------ a real agent


def test_a_watcher_without_the_lease_is_told_what_the_robot_is(idle: Robot) -> None:
    found = facts_of(idle.console())
    assert (found.serial, found.serial_source) != ("", "") or not Path("/etc/machine-id").read_text().strip()
    assert found.source == "scene:"
    assert len(found.bundle) == len(found.contract) == 64
    assert found.words["kernel"] == os.uname().release
    assert found.engine.startswith("ONNX Runtime ")
    assert found.mono_ns > 0


def test_facts_are_looked_up_afresh_each_time(robot: Robot, tmp_path: Path) -> None:
    digest = put_bundle(robot.home, tmp_path / "made")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "one.jpg").write_bytes(b"x")
    console = robot.console()
    before = facts_of(console)
    epoch = console.take_lease()
    assert console.ask(SetBundle(digest), epoch=epoch).error is None
    assert console.ask(SetSource(f"folder:{pictures}"), epoch=epoch).error is None
    (pictures / "calibration.yaml").write_text("fx: 610.2\n")
    after = facts_of(console)
    assert after.bundle == digest != before.bundle
    assert after.contract == sha256(robot.home / "bundles" / digest / "contract.yaml") != before.contract
    assert (before.calibration, after.calibration) == ("", sha256(pictures / "calibration.yaml"))
    assert after.source == f"folder:{pictures}"


def test_the_workers_own_word_for_its_engine_counts_once_it_has_run_this_bundle(robot: Robot) -> None:
    console = robot.console()
    epoch = console.take_lease()
    told = facts_of(console).engine
    assert console.ask(Start(), epoch=epoch).error is None
    assert facts_of(console).engine == "small engine" != told


def test_the_chosen_bundle_stays_a_fact_where_it_is_broken(robot: Robot, tmp_path: Path) -> None:
    """Otherwise a robot with a tampered bundle says `no bundle chosen`, and the check that would find it is not made."""
    digest = put_bundle(robot.home, tmp_path / "made")
    console = robot.console()
    assert console.ask(SetBundle(digest), epoch=console.take_lease()).error is None
    robot.end()
    with (robot.home / "bundles" / digest / "model.onnx").open("ab") as file:
        file.write(b"!")
    console = robot.start().console()
    assert console.state.bundle is None
    assert facts_of(console).bundle == digest


def test_facts_do_not_keep_the_agent_from_ending(make_robot: Callable[..., Robot]) -> None:
    robot = make_robot()
    console = robot.console()
    assert robot.process is not None
    console.send(b'{"type":"request","id":"x","command":{"do":"get_facts"}}\n')
    robot.process.send_signal(signal.SIGTERM)
    assert robot.process.wait(60) == 0


# ------------------------------------------------------------ the parts


def test_every_fact_lands_in_its_own_field(tmp_path: Path) -> None:
    home = places_for(tmp_path / "home").prepare()
    digest = put_bundle(home.state, tmp_path / "made")
    (home.state / "calibration.yaml").write_text("fx: 1\n")
    used = Used(home.state, "scene:3", digest, "the worker's word", 1, "15W")
    found = gather(used, BundleStore(home), system_clock(), lambda: WHO)
    assert (found.serial, found.serial_source, found.words) == (WHO.serial, WHO.serial_source, WHO.words)
    assert (found.bundle, found.source, found.power_mode) == (digest, "scene:3", "15W")
    assert found.engine == "the worker's word"
    assert found.contract == sha256(home.bundles / digest / "contract.yaml")
    assert found.calibration == sha256(home.state / "calibration.yaml")


def test_a_changed_contract_is_another_contract_and_a_missing_bundle_has_none(tmp_path: Path) -> None:
    home = places_for(tmp_path / "home").prepare()
    store, digest = BundleStore(home), put_bundle(home.state, tmp_path / "made")
    before = contract_digest(store, digest)
    with (home.bundles / digest / "contract.yaml").open("a") as file:
        file.write("# one more line\n")
    assert contract_digest(store, digest) != before
    assert contract_digest(store, "0" * 64) == ""
    assert contract_digest(store, "") == ""


def test_calibration_beside_the_source_goes_before_that_of_the_home(tmp_path: Path) -> None:
    home, beside = tmp_path / "home", tmp_path / "pictures"
    for folder in (home, beside):
        folder.mkdir()
        (folder / "calibration.yaml").write_text(f"of: {folder.name}\n")
    own, other = sha256(home / "calibration.yaml"), sha256(beside / "calibration.yaml")
    assert calibration_digest("scene:", home) == own
    assert calibration_digest("v4l2:/dev/video0", home) == own
    assert calibration_digest("no source at all", home) == own
    assert calibration_digest(f"folder:{beside}", home) == other
    assert calibration_digest(f"video:{beside}/drive.mp4", home) == other
    (beside / "calibration.yaml").unlink()
    assert calibration_digest(f"folder:{beside}", home) == own


def test_what_is_no_calibration_file_has_no_digest(tmp_path: Path) -> None:
    assert calibration_digest("scene:", tmp_path) == ""
    (tmp_path / "calibration.yaml").mkdir()
    assert calibration_digest("scene:", tmp_path) == ""
    (tmp_path / "calibration.yaml").rmdir()
    os.mkfifo(tmp_path / "calibration.yaml")  # a pipe would keep its reader for ever
    assert calibration_digest("scene:", tmp_path) == ""
    (tmp_path / "calibration.yaml").unlink()
    with (tmp_path / "calibration.yaml").open("wb") as file:
        file.truncate(FILE_LIMIT_BYTES + 1)
    assert calibration_digest("scene:", tmp_path) == ""
    os.truncate(tmp_path / "calibration.yaml", FILE_LIMIT_BYTES)
    assert calibration_digest("scene:", tmp_path) != ""


@pytest.mark.parametrize("threads", [1, 2])
def test_the_engine_is_called_the_same_before_and_after_the_worker_has_run(tmp_path: Path, threads: int) -> None:
    """If the words differed, starting the worker would make all evidence stale."""
    bundle = load_bundle(tiny_bundle(tmp_path).path)
    assert engine_by_files(threads) == OnnxRuntimeEngine(bundle.model, bundle.contract, threads=threads).name


def test_an_engine_with_cuda_is_another_engine(tmp_path: Path) -> None:
    def version(package: str) -> str:
        return "1.23.2" if package == "onnxruntime-gpu" else ""

    assert engine_by_files(1, version, tmp_path) == "ONNX Runtime 1.23.2, CPU, 1 thread"
    library = tmp_path / "onnxruntime" / "capi" / "libonnxruntime_providers_cuda.so"
    library.parent.mkdir(parents=True)
    library.write_bytes(b"")
    assert engine_by_files(1, version, tmp_path) == "ONNX Runtime 1.23.2, CUDA, 1 thread"
    assert engine_by_files(1, lambda package: "", tmp_path) == ""
