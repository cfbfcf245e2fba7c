"""The checks that run a detector: loading, parity, times, heat, limits of its boxes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from remote.models.bundle import Bundle
from remote.models.check import run_on_greys
from remote.models.golden import Golden, read_golden
from remote.models.provenance import Tolerance, read_provenance
from remote.models.validation import latency
from remote.models.validation.frames import Named, hostile, of_golden
from remote.models.validation.machine import Machine, slowed_down, thermal
from remote.models.validation.parity import parity
from remote.models.validation.plan import Plan
from remote.models.validation.profiles import Profile
from remote.models.validation.safety import keeps_limits, limits_of
from remote.models.validation.suite import Found, Say
from remote.perception.detector import Detector
from remote.perception.engines.wishes import ONLY_ONNX_RUNTIME
from remote.perception.faults import FrameFault
from remote.protocol import Constraints
from remote.verdicts import Check


class _Times(NamedTuple):
    engine: list[float]
    pipeline: list[float]
    loaded: list[float]
    unloaded_why: str


def check_detector(
    bundle: Bundle,
    plan: Plan,
    real: tuple[Named, ...],
    constraints: Constraints,
    profile: Profile,
    here: Machine,
    say: Say,
    clock: Callable[[], int],
) -> Found:
    """Every check that needs the engine; `real` are recorded pictures. Raises Trouble where the bundle can't be loaded."""
    say("loading the engine")
    golden, provenance = read_golden(bundle.path), read_provenance(bundle.path)
    engines = Path(plan.engines) if plan.engines else None
    detector = Detector(bundle, threads=plan.threads, engine_cache=engines, wishes=plan.wishes)
    try:
        run_on_greys(detector, bundle.path)
        checks = [loads(profile, detector.engine.name, here.words.get("tensorrt", ""))]
        say("comparing with the golden samples")
        checks.append(_parity(detector, golden, provenance.tolerance if provenance else None))
        detector.warm_up(1)  # the golden samples lie where frames of another size leave their padding alone
        size = profile.frame_width_px, profile.frame_height_px
        frames = real or of_golden(golden, bundle.contract.input, *size)
        checks += _timed(detector, frames or tuple(hostile(*size)), plan, profile, here, say, clock)
        say("looking at the limits of its boxes")
        limits = limits_of(bundle.contract, constraints)
        checks.append(keeps_limits("safety_outputs", detector, frames, limits, _words_of(real)))
        checks.append(keeps_limits("safety_hostile", detector, hostile(*size), limits, "hostile pictures"))
        return Found(detector.engine.name, tuple(checks))
    finally:
        detector.close()


def _words_of(real: tuple[Named, ...]) -> str:
    return "recorded pictures" if real else "golden samples (no recorded pictures: --pictures)"


def loads(profile: Profile, engine: str, tensorrt: str) -> Check:
    """The model loaded; on a board that has TensorRT nothing is proved of it by another engine, unless it is made for that
    one.
    """
    if profile.board and tensorrt and not engine.startswith("TensorRT") and ONLY_ONNX_RUNTIME not in engine:
        text = f"TensorRT {tensorrt} is on this board and was not used: {engine}"
        return Check(name="model_loads", verdict="inconclusive", text=text)
    return Check(name="model_loads", verdict="pass", text=f"loaded and finite on {engine}")


def _parity(detector: Detector, golden: Golden | None, tolerance: Tolerance | None) -> Check:
    names = detector.contract.input.name, detector.contract.output.name
    try:
        return parity(golden, tolerance, detector.engine, *names)
    except FrameFault as fault:
        return Check(name="parity", verdict="fail", text=f"on a golden sample {fault}")


def _timed(
    detector: Detector,
    frames: tuple[Named, ...],
    plan: Plan,
    profile: Profile,
    here: Machine,
    say: Say,
    clock: Callable[[], int],
) -> list[Check]:
    before = here.heat()
    try:
        times = _run(detector, frames, plan, profile, say, clock)
    except FrameFault as fault:
        text = f"a picture gives no answer that could be timed: {fault}"
        return [Check(name=name, verdict="fail", text=text) for name in ("latency_engine", "latency_pipeline")] + [
            Check(name="latency_under_load", verdict="skipped", text=text),
            thermal(profile, before, here.heat()),
        ]
    after = here.heat()
    judged = latency.judging(slowed_down(before, after), plan.beside)
    checks = [
        judged("latency_engine", "the engine alone", times.engine, profile.engine_p99_ms),
        judged(
            "latency_pipeline", f"from a frame of {_sizes(frames)} to boxes", times.pipeline, profile.pipeline_p99_ms
        ),
    ]
    if times.loaded:
        what = "the same beside a busy program"
        checks.append(judged("latency_under_load", what, times.loaded, profile.loaded_p99_ms))
    else:
        checks.append(Check(name="latency_under_load", verdict="inconclusive", text=times.unloaded_why))
    return [*checks, thermal(profile, before, after)]


def _sizes(frames: tuple[Named, ...]) -> str:
    """`1280 x 720`, or from the smallest to the largest of several."""
    sizes = sorted(
        {(frame.pixels.shape[1], frame.pixels.shape[0]) for frame in frames}, key=lambda one: one[0] * one[1]
    )
    return " up to ".join(
        f"{width} x {height}" for width, height in (sizes if len(sizes) < 2 else (sizes[0], sizes[-1]))
    )


def _run(
    detector: Detector, frames: tuple[Named, ...], plan: Plan, profile: Profile, say: Say, clock: Callable[[], int]
) -> _Times:
    pixels, warm = [frame.pixels for frame in frames], profile.warm_up_runs
    say(f"timing the whole way, {plan.runs} runs")
    pipeline = latency.time_pipeline(detector, pixels, plan.runs, warm, clock)
    say(f"timing the engine alone, {plan.runs} runs")
    engine = latency.time_engine(detector, plan.runs, warm, clock)
    say(f"timing beside a busy program, {plan.runs} runs")
    try:
        with latency.busy_beside():
            return _Times(engine, pipeline, latency.time_pipeline(detector, pixels, plan.runs, warm, clock), "")
    except OSError as error:
        return _Times(engine, pipeline, [], f"no busy program could be started beside: {error}")
