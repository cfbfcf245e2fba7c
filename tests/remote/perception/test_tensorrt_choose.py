"""Which engine a robot runs: TensorRT where it built one itself, else ONNX Runtime with the reason; and how it is built."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from remote.agent.engine_build import build_engine
from remote.errors import Trouble
from remote.model_states import Progress
from remote.models.bundle import Bundle
from remote.models.make import write_any_bundle
from remote.models.provenance import Provenance
from remote.perception import worker
from remote.perception.detector import Detector
from remote.perception.engines import choose
from remote.perception.engines.build_process import Builder
from remote.perception.engines.choose import open_engine, why_not_tensorrt
from remote.perception.engines.wishes import ONLY_ONNX_RUNTIME, Wishes, words_of
from remote.perception.faults import EngineLost
from remote.perception.messages import WorkerConfig
from tests.killing import ended, forked
from tests.remote.perception.a_kit import Machine, machine
from tests.remote.perception.a_site import site
from tests.tiny_models import tiny_bundle

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return tiny_bundle(tmp_path_factory.mktemp("bundle"))


def made_for(made: Machine, bundle: Bundle, cache: Path, *, off: bool = False) -> tuple[str, list[Progress]]:
    said: list[Progress] = []
    return Builder(made.kit, said.append, lambda: off).make(bundle.path, cache, 1, Wishes()), said


# ------------------------------------------------------------ which engine


def test_a_machine_without_cuda_runs_on_onnx_runtime_as_before(
    bundle: Bundle, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "fieldgate.engines"):
        engine = open_engine(bundle.model, bundle.contract, threads=1, cache=tmp_path, open_kit=lambda: "no CUDA here")
    assert engine.name.startswith("ONNX Runtime")
    assert "TensorRT" not in engine.name
    assert "TensorRT is not used: no CUDA here" in caplog.text
    assert not list(tmp_path.iterdir())


def test_a_robot_that_has_built_nothing_yet_runs_on_onnx_runtime_and_says_why(bundle: Bundle, tmp_path: Path) -> None:
    made = machine(tmp_path)
    engine = open_engine(bundle.model, bundle.contract, threads=1, cache=tmp_path / "e", open_kit=lambda: made.kit)
    assert engine.name.startswith("ONNX Runtime")
    assert engine.name.endswith("; not TensorRT: no engine was built on this robot for this model yet")
    assert made.seen.built == 0


def test_an_engine_of_this_robot_is_used_and_gives_the_boxes(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, cache = machine(tmp_path), tmp_path / "e"
    made_for(made, bundle, cache)
    monkeypatch.setattr(choose, "this_kit", lambda: made.kit)
    ours, peer = Detector(bundle, engine_cache=cache), Detector(bundle)
    assert ours.engine.name.startswith("TensorRT 10.3")
    assert peer.engine.name.startswith("ONNX Runtime")
    ours.warm_up()
    for level in (255, 90):
        frame = np.full((48, 64, 3), level, np.uint8)
        assert ours.detect(frame).boxes.detections() == peer.detect(frame).boxes.detections()
    ours.close()


def test_an_engine_that_can_not_be_loaded_leaves_the_robot_seeing(bundle: Bundle, tmp_path: Path) -> None:
    made, cache = machine(tmp_path), tmp_path / "e"
    made_for(made, bundle, cache)
    made.seen.fault = "no_context"
    engine = open_engine(bundle.model, bundle.contract, threads=1, cache=cache, open_kit=lambda: made.kit)
    assert engine.name.startswith("ONNX Runtime")
    assert "not TensorRT: too little GPU memory" in engine.name


@pytest.mark.parametrize(
    ("step", "form", "why"),
    [
        ("int8", "onnxruntime", "its INT8 is in the form for CPUs"),
        ("dynamic", "", "it is quantised dynamically"),
        ("int8", "tensorrt", ""),
        ("fp16", "", ""),
    ],
    ids=["cpu-int8", "dynamic", "tensorrt-int8", "fp16"],
)
def test_a_bundle_for_onnx_runtime_alone_is_never_given_to_tensorrt(
    bundle: Bundle, tmp_path: Path, step: str, form: str, why: str
) -> None:
    provenance = Provenance(step=step, source="a test", opset=13, settings={"form": form} if form else {})
    extra = {"provenance.json": msgspec.json.encode(provenance)}
    made, cache = machine(tmp_path), tmp_path / "e"
    meant = write_any_bundle(bundle.model, bundle.contract, tmp_path / "meant", extra)
    assert isinstance(meant, Bundle)
    name, said = made_for(made, meant, cache)
    engine = open_engine(meant.model, meant.contract, threads=1, cache=cache, open_kit=lambda: made.kit)
    assert made.seen.built == (0 if why else 1)
    assert engine.name.startswith("ONNX Runtime" if why else "TensorRT")
    assert name == engine.name
    if why:
        assert f"; not TensorRT: {ONLY_ONNX_RUNTIME}: {why}" in name
        assert said == []
    engine.close()


def test_other_wishes_are_another_engine(bundle: Bundle, tmp_path: Path) -> None:
    made, cache = machine(tmp_path), tmp_path / "e"
    for wishes in (Wishes(), Wishes(workspace_mb=64), Wishes("fp16"), Wishes()):
        Builder(made.kit, lambda _: None, lambda: False).make(bundle.path, cache, 1, wishes)
    assert made.seen.built == 3
    found = open_engine(
        bundle.model, bundle.contract, threads=1, cache=cache, wishes=Wishes("fp16"), open_kit=lambda: made.kit
    )
    assert found.name.startswith("TensorRT")


# ------------------------------------------------------------ building it


def test_an_engine_is_built_once_and_then_found(bundle: Bundle, tmp_path: Path) -> None:
    made, cache = machine(tmp_path), tmp_path / "e"
    name, said = made_for(made, bundle, cache)
    assert name.startswith("TensorRT 10.3")
    assert said[-1].text == "trying the engine"
    again, nothing = made_for(made, bundle, cache)
    assert (again, nothing, made.seen.built) == (name, [], 1)


def test_a_foreign_engine_is_built_again(bundle: Bundle, tmp_path: Path) -> None:
    cache = tmp_path / "e"
    made_for(machine(tmp_path / "one", serial="1424100000001"), bundle, cache)
    other = machine(tmp_path / "two", serial="1424100000002")
    made_for(other, bundle, cache)
    assert other.seen.built == 1


def test_an_engine_that_does_not_run_is_not_kept(bundle: Bundle, tmp_path: Path) -> None:
    made, cache = machine(tmp_path, graphs=False), tmp_path / "e"
    made.seen.fault = "run"
    with pytest.raises(Trouble, match="did not start the inference") as refused:
        made_for(made, bundle, cache)
    assert refused.value.code == "engine_unusable"
    assert not list(cache.glob("*.plan"))


def test_an_engine_that_kills_whoever_loads_it_is_not_kept(bundle: Bundle, tmp_path: Path) -> None:
    """The worker would find it at its next start, and at each start after that: outside of a probation nobody counts those."""
    made, cache = machine(tmp_path), tmp_path / "e"
    deadly = dataclasses.replace(made, kit=dataclasses.replace(made.kit, open_memory=lambda: os._exit(11)))
    assert ended(forked(lambda: made_for(deadly, bundle, cache))) == 11
    engine = open_engine(bundle.model, bundle.contract, threads=1, cache=cache, open_kit=lambda: made.kit)
    assert engine.name.endswith("; not TensorRT: no engine was built on this robot for this model yet")
    engine.close()


def test_a_build_that_was_called_off_leaves_nothing(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(Trouble) as refused:
        made_for(machine(tmp_path), bundle, tmp_path / "e", off=True)
    assert refused.value.code == "build_cancelled"
    assert not (tmp_path / "e").exists()


# ------------------------------------------------------------ the child of the agent

CHILD = """
import json, os, signal, sys, time
def say(**what): print(json.dumps(what), flush=True)
mode = sys.argv[1]
say(progress={"done": 1, "whole": 4, "unit": "%", "text": "Building Engine"})
if mode == "works": print("noise"); say(engine="TensorRT 10.3")
if mode == "refuses": say(error={"code": "engine_layer", "what": "no NonZero", "cure": "simplify"})
if mode == "dies": print("cudaMalloc", file=sys.stderr, flush=True); os.kill(os.getpid(), signal.SIGKILL)
if mode == "silent": sys.exit(0)
if mode == "waits":
    os.read(0, 1)
    open(sys.argv[2] + "/tidy", "w").close()
if mode == "hangs": time.sleep(60)
"""


def child_that(mode: str) -> tuple[str, ...]:
    return (sys.executable, "-c", CHILD, mode)


async def built_by(mode: str, folder: Path, said: list[Progress], limit_s: float = 20) -> str:
    return await build_engine(
        folder, folder, 1, said.append, command=child_that(mode), worth_it=lambda: True, limit_s=limit_s
    )


async def test_progress_and_the_engines_name_come_through(tmp_path: Path) -> None:
    said: list[Progress] = []
    assert await built_by("works", tmp_path, said) == "TensorRT 10.3"
    assert said == [Progress(done=1, whole=4, unit="%", text="Building Engine")]


@pytest.mark.parametrize(
    ("mode", "limit_s", "code", "says"),
    [
        ("refuses", 20, "engine_layer", "no NonZero"),
        ("dies", 20, "build_killed", "killed by SIGKILL; it last said: cudaMalloc"),
        ("silent", 20, "build_killed", "exit status 0"),
        ("hangs", 0.5, "build_timeout", "did not end within 0.5 s"),
    ],
)
async def test_a_build_without_an_engine_says_why(
    mode: str, limit_s: float, code: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(Trouble) as refused:
        await built_by(mode, tmp_path, [], limit_s)
    assert refused.value.code == code
    assert says in refused.value.what
    assert refused.value.cure


async def test_a_build_that_can_not_be_started_says_so(tmp_path: Path) -> None:
    with pytest.raises(Trouble) as refused:
        await build_engine(tmp_path, tmp_path, 1, lambda _: None, command=("/no/such/python",), worth_it=lambda: True)
    assert refused.value.code == "no_build"


async def test_calling_off_lets_the_child_end_by_itself(tmp_path: Path) -> None:
    up = asyncio.Event()
    task = asyncio.ensure_future(
        build_engine(tmp_path, tmp_path, 1, lambda _: up.set(), command=child_that("waits"), worth_it=lambda: True)
    )
    await asyncio.wait_for(up.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (tmp_path / "tidy").exists()


async def test_without_tensorrt_nothing_is_started(tmp_path: Path) -> None:
    command = ("/no/such/python",)
    name = await build_engine(tmp_path, tmp_path, 1, lambda _: None, command=command, worth_it=lambda: False)
    assert name.startswith("ONNX Runtime ")


def test_the_real_child_names_the_engine_of_this_machine_and_loads_no_tensorrt_in_vain(
    bundle: Bundle, tmp_path: Path
) -> None:
    code = (
        "import sys; from remote.perception.engines.build_process import main; main(sys.argv[1:]); "
        "from remote.perception.engines.choose import why_not_tensorrt as why; said = why(); "
        "assert not said or 'tensorrt' not in sys.modules or 'CUDA' not in said, said; print(said)"
    )
    command = [sys.executable, "-c", code, str(bundle.path), str(tmp_path), "1"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as started:
        assert started.stdout is not None
        assert started.stderr is not None
        answer, words = started.stdout.read(), started.stderr.read().decode()
    assert started.returncode == 0, words
    assert set(json.loads(answer.splitlines()[-1])) == {"engine"}
    assert words.splitlines()[-1] == why_not_tensorrt()  # the child's own stdout is for its answers alone


# ------------------------------------------------------------ the whole, through real processes and the real ctypes


def test_the_worker_runs_the_engine_that_the_child_built(bundle: Bundle, tmp_path: Path) -> None:
    environment, cache = site(tmp_path / "jetson"), tmp_path / "engines"
    wishes = Wishes("fp16", 64)
    command = [sys.executable, "-m", "remote.perception.engines.build_process", str(bundle.path), str(cache), "1"]
    command.append(words_of(wishes))
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as builder:
        assert builder.stdout is not None
        name = json.loads(builder.stdout.read().splitlines()[-1]).get("engine", "")
    assert name.startswith("TensorRT 10.3, Orin of the tests (8.7)")
    config = WorkerConfig(
        run=1, source="scene:", bundle=str(bundle.path), pictures=str(tmp_path), engines=str(cache), wishes=wishes
    )
    command = [sys.executable, "-m", "remote.perception.worker"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as started:
        assert started.stdin is not None
        assert started.stdout is not None
        started.stdin.write(msgspec.json.encode(config) + b"\n")
        started.stdin.flush()
        ready = json.loads(started.stdout.readline())
        started.stdin.close()
        started.stdout.read()
        assert started.wait(20) == 0
    assert (ready["type"], ready["engine"]) == ("ready", name)


def test_a_worker_whose_gpu_is_gone_ends_with_a_sentence_so_that_a_new_one_is_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lost(*_: object) -> None:
        raise EngineLost("the engine failed: CUDA_ERROR_ILLEGAL_ADDRESS; 3 frames failed one after the other")

    monkeypatch.setattr(worker, "claim_stdout", lambda: None)
    monkeypatch.setattr(worker, "_end_on_sigterm", list)
    monkeypatch.setattr(worker, "_work", lost)
    assert worker.main() == worker.EXIT_LOST
    assert capsys.readouterr().err.splitlines() == [
        "the engine failed: CUDA_ERROR_ILLEGAL_ADDRESS; 3 frames failed one after the other"
    ]
