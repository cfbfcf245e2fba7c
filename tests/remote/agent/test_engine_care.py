"""A robot without an engine for the bundle in use gets one in the background: once, and never in anybody's way."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from remote.agent import settings as settings_file
from remote.agent.engine_care import MOST_BUILDS, READY, EngineCare, Say
from remote.errors import Trouble
from remote.model_states import Progress
from remote.models.bundle import load_bundle
from remote.perception.engines.build_process import Builder
from remote.perception.engines.choose import open_engine
from remote.perception.engines.wishes import NOT_TENSORRT, NOTHING_BUILT, ONLY_ONNX_RUNTIME, Wishes
from remote.protocol import Scalar, Severity
from tests.remote.perception.a_kit import Machine, machine
from tests.tiny_models import tiny_bundle

WITHOUT = f"ONNX Runtime 1.31, CPU, 1 thread{NOT_TENSORRT}{NOTHING_BUILT}"


@dataclass
class Ground:
    """The real builder on the runtime of the tests; `tells` are the journal's events."""

    machine: Machine
    folder: Path
    cache: Path
    busy: bool = False
    refuses: bool = False
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0
    cancelled: int = 0
    tells: list[tuple[str, str]] = field(default_factory=list)

    def digest(self) -> str | None:
        return "d" * 64

    def occupied(self) -> bool:
        return self.busy

    async def build(self, digest: str, say: Say) -> str:
        self.asked += 1
        if self.refuses:
            raise Trouble("TensorRT does not take node 3", cure="export it again", code="engine_layer")
        try:
            await self.hold.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return Builder(self.machine.kit, say, lambda: False).make(self.folder, self.cache, 1, Wishes())

    def tell(self, name: str, severity: Severity, text: str, **data: Scalar) -> None:
        assert not data.get("digest") or data["digest"] == self.digest()
        self.tells.append((name, text))


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    made = Ground(machine(tmp_path), tiny_bundle(tmp_path).path, tmp_path / "engines")
    made.hold.set()
    return made


async def settle(care: EngineCare, ticks: int = 3) -> None:
    for _ in range(ticks):
        care.tick()
        for _ in range(4):
            await asyncio.sleep(0)


async def test_a_fresh_robot_gets_its_engine_once_and_the_next_start_of_the_worker_uses_it(ground: Ground) -> None:
    care = EngineCare(ground, lambda: True)
    care.look()
    await settle(care)
    assert {name for name, _ in ground.tells[:-1]} == {"engine_building"}
    told = len(ground.tells)
    assert ground.tells[-1] == ("engine_ready", READY)
    care.look()
    await settle(care)
    assert (ground.machine.seen.built, len(ground.tells)) == (1, told)  # it is there: nobody is told again
    bundle = load_bundle(ground.folder)
    kit = ground.machine.kit
    engine = open_engine(bundle.model, bundle.contract, threads=1, cache=ground.cache, open_kit=lambda: kit)
    assert engine.name.startswith("TensorRT")


async def test_a_worker_that_finds_no_engine_asks_for_one_at_each_start_but_not_for_ever(ground: Ground) -> None:
    care = EngineCare(ground, lambda: True)
    for run in range(1, MOST_BUILDS + 3):
        for path in ground.cache.glob("*"):  # as after a change of the power mode: it is another engine's name
            path.unlink()
        care.worker_runs(run, WITHOUT)
        care.worker_runs(run, WITHOUT)
        await settle(care)
    assert ground.machine.seen.built == MOST_BUILDS


@pytest.mark.parametrize(
    "engine",
    ["TensorRT 10.3, Orin", "ONNX Runtime 1.31, CPU, 1 thread", f"ONNX Runtime{NOT_TENSORRT}{ONLY_ONNX_RUNTIME}"],
    ids=["engine", "no-gpu", "only-onnx-runtime"],
)
async def test_a_worker_that_needs_none_asks_for_none(ground: Ground, engine: str) -> None:
    care = EngineCare(ground, lambda: True)
    care.worker_runs(1, engine)
    await settle(care)
    assert ground.asked == 0


async def test_where_there_is_no_tensorrt_nothing_happens_and_nothing_is_said(ground: Ground) -> None:
    care = EngineCare(ground, lambda: False)
    for run in range(1, 4):
        care.look()
        care.worker_runs(run, WITHOUT)
        await settle(care)
    assert (ground.asked, ground.tells) == (0, [])


async def test_a_build_that_fails_is_told_once_and_not_tried_again(ground: Ground) -> None:
    ground.refuses = True
    care = EngineCare(ground, lambda: True)
    for run in range(1, 4):
        care.worker_runs(run, WITHOUT)
        await settle(care)
    assert ground.asked == 1
    assert ground.tells == [
        ("engine_not_built", "no engine for the bundle in use: TensorRT does not take node 3; it runs on ONNX Runtime")
    ]


async def test_a_change_of_models_goes_first_and_the_build_comes_after_it(ground: Ground) -> None:
    ground.hold.clear()
    care = EngineCare(ground, lambda: True)
    care.look()
    await settle(care)
    assert ground.asked == 1
    ground.busy = True
    await settle(care)
    assert ground.cancelled == 1
    ground.hold.set()
    await settle(care)
    assert (ground.asked, ground.tells) == (1, [])
    ground.busy = False
    await settle(care)
    assert (ground.asked, ground.tells[-1]) == (2, ("engine_ready", READY))


async def test_the_agents_end_calls_a_build_off(ground: Ground) -> None:
    ground.hold.clear()
    care = EngineCare(ground, lambda: True)
    care.look()
    await settle(care)
    await care.end()
    assert ground.cancelled == 1
    await settle(care)
    assert ground.asked == 1


async def test_progress_is_told_at_its_quarters(ground: Ground) -> None:
    async def slowly(digest: str, say: Say) -> str:
        for done in range(0, 101, 5):
            say(Progress(done=float(done), whole=100.0, unit="%", text="Building Engine"))
        return "TensorRT 10.3"

    ground.build = slowly  # type: ignore[method-assign]
    care = EngineCare(ground, lambda: True)
    care.look()
    await settle(care)
    assert [text for name, text in ground.tells if name == "engine_building"][1:] == [
        f"the engine for the bundle in use: {share} %" for share in (25, 50, 75)
    ]


def test_settings_say_how_engines_are_built_and_nothing_that_can_not_be_meant(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("engine: {precision: fp16, workspace_mb: 256}\n")
    assert settings_file.load(path).engine == Wishes("fp16", 256)
    settings_file.save(path, settings_file.load(path))
    assert settings_file.load(path).engine == Wishes("fp16", 256)
    for wrong in ("{precision: fp32}", "{workspace_mb: 8}", "{workspace: 256}"):
        path.write_text(f"engine: {wrong}\n")
        with pytest.raises(Trouble) as refused:
            settings_file.load(path)
        assert refused.value.code == "bad_settings"
