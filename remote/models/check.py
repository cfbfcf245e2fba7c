"""Checking a bundle on the machine that is to run it: digests, shapes, a run with finite output, the time it takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import msgspec

from remote.errors import Trouble
from remote.models.bundle import AnyBundle, Bundle, load_bundle
from remote.models.provenance import failed_by_maker

if TYPE_CHECKING:
    from remote.perception.detector import Detector

_GREY_LEVELS = (0, 114, 255)


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. Times are the engine's alone, in milliseconds, over `runs` runs on this machine.

    `maker_failed` says what failed where the bundle was made, by its own provenance.
    """

    name: str
    digest: str
    head: str
    labels: int
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    engine: str
    runs: int
    inference_p50_ms: float
    inference_max_ms: float
    model_bytes: int
    maker_failed: tuple[str, ...] = ()


def check_bundle(
    path: Path, *, threads: int = 1, runs: int = 20, clock: Callable[[], int] = time.monotonic_ns
) -> CheckReport:
    """Verify, load and run a bundle.

    Raises:
        Trouble: as load_bundle; `model_unreadable`; `model_mismatch` where model and contract differ in shape, type, name,
            labels or strides; `bad_output` where a plain grey picture gives NaN, infinity or scores outside of [0, 1].
    """
    from remote.perception.detector import Detector
    from remote.perception.preprocess import input_shape

    bundle = load_bundle(path)
    detector = Detector(bundle, threads=threads)
    run_on_greys(detector, path)
    times_ms = []
    for _ in range(max(1, runs)):
        started = clock()
        detector.engine.run()
        times_ms.append((clock() - started) / 1e6)
    report = CheckReport(
        name=bundle.contract.name,
        digest=bundle.digest,
        head=bundle.contract.output.head,
        labels=len(bundle.contract.labels),
        input_shape=input_shape(bundle.contract.input),
        output_shape=tuple(detector.engine.output.shape),
        engine=detector.engine.name,
        runs=len(times_ms),
        inference_p50_ms=median(times_ms),
        inference_max_ms=max(times_ms),
        model_bytes=bundle.model.stat().st_size,
        maker_failed=failed_by_maker(path),
    )
    detector.close()
    return report


def refuse_impossible(bundle: AnyBundle, named: str) -> None:
    """Raise Trouble (`bad_output`, `inference_error`) where a detector gives what can't be on plain pictures.

    `named` is what errors call it: the bundle may not have its place yet.
    """
    from remote.perception.detector import Detector

    if isinstance(bundle, Bundle):
        detector = Detector(bundle)
        try:
            run_on_greys(detector, named)
        finally:
            detector.close()


def run_on_greys(detector: Detector, named: Path | str) -> None:
    """Detect on plain pictures. Raises Trouble (`bad_output`, `inference_error`) where one gives what can't be."""
    for level in _GREY_LEVELS:
        _run_on_grey(detector, level, f"bundle {named}" if isinstance(named, Path) else named)


def _run_on_grey(detector: Detector, level: int, named: str) -> None:
    import numpy as np

    from remote.perception.faults import FrameFault
    from remote.perception.heads import refuse_impossible_scores, refuse_undecoded_boxes

    cure = "Check that --like names the model's family; if it does, export the model again with its sigmoid inside"
    given = detector.contract.input
    try:
        detector.detect(np.full((given.height, given.width, 3), level, np.uint8))
        refuse_impossible_scores(detector.contract.output.head, detector.engine.output)
        refuse_undecoded_boxes(detector.contract.output.head, detector.engine.output)
    except FrameFault as fault:
        raise Trouble(f"{named}: on a grey picture {fault}", cure=cure, code=fault.name) from fault
