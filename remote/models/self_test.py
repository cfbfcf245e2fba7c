"""Whether a bundle does on this machine what it did where it was made: the self-test before a model is switched."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from remote.errors import Trouble
from remote.model_states import Progress
from remote.models.bundle import load_bundle
from remote.models.check import run_on_greys
from remote.perception.engines.wishes import Wishes
from remote.verdicts import Check, Verdict

if TYPE_CHECKING:
    from remote.models.golden import Golden
    from remote.models.provenance import Tolerance
    from remote.perception.arrays import Tensor
    from remote.perception.detector import Detector

RUNS = 20
Say = Callable[[Progress], None]


def self_test(
    folder: Path,
    say: Say,
    *,
    threads: int = 1,
    engines: Path | None = None,
    wishes: Wishes | None = None,
    runs: int = RUNS,
    clock: Callable[[], int] = time.monotonic_ns,
) -> tuple[Check, ...]:
    """Verify, load and run the bundle in `folder`: grey pictures, golden samples, the engine's time.

    `engines` is the folder of engines that this robot built; None: ONNX Runtime. `wishes` is how they were built.

    The time is told, not judged: probation judges it under the robot's own load. Raises Trouble where the bundle can't be
    loaded at all: what load_bundle, the engine, read_golden and read_provenance refuse.
    """
    from remote.models.golden import read_golden
    from remote.models.provenance import read_provenance
    from remote.perception.detector import Detector

    say(Progress(done=0.0, text="verifying and loading"))
    bundle = load_bundle(folder)
    golden, provenance = read_golden(folder), read_provenance(folder)
    detector = Detector(bundle, threads=threads, engine_cache=engines, wishes=wishes)
    try:
        checks = [Check(name="loads", verdict="pass", text=f"verified and loaded on {detector.engine.name}")]
        checks.append(_plausible(detector, folder))
        if checks[-1].verdict == "pass":
            checks.append(_golden_check(detector, golden, provenance.tolerance if provenance else None, say))
            checks.append(_time(detector, runs, clock))
    finally:
        detector.close()
    return tuple(checks)


def _plausible(detector: Detector, folder: Path) -> Check:
    try:
        run_on_greys(detector, folder)
    except Trouble as trouble:
        return Check(name="plausible", verdict="fail", text=trouble.what)
    return Check(name="plausible", verdict="pass", text="finite and possible on black, grey and white pictures", n=3)


def _golden_check(detector: Detector, golden: Golden | None, tolerance: Tolerance | None, say: Say) -> Check:
    if golden is None:
        return _golden_skipped("the bundle brings no golden samples")
    name, given = detector.contract.output.name, detector.contract.input.name
    if given not in golden.inputs or name not in golden.outputs:
        return Check(name="golden", verdict="fail", text=f"golden.npz has no samples of {given!r} and {name!r}")
    worst: list[Check] = []
    for sample in range(golden.samples):
        say(Progress(done=float(sample), whole=float(golden.samples), unit="samples", text="golden samples"))
        worst.append(_one(detector, golden.inputs[given][sample], golden.outputs[name][sample], tolerance))
        if worst[-1].verdict == "fail":
            return worst[-1]
    proved = [check for check in worst if check.verdict == "pass"]
    return max(proved or worst, key=lambda check: check.value or 0.0)


def _golden_skipped(why: str) -> Check:
    return Check(name="golden", verdict="skipped", text=why)


def _one(detector: Detector, given: Tensor, wanted: Tensor, tolerance: Tolerance | None) -> Check:
    from remote.perception.faults import FrameFault

    engine = detector.engine
    if given.size != engine.input.size or wanted.size != engine.output.size:
        sizes = f"{engine.input.size} and {engine.output.size}"
        what = f"golden samples have {given.size} and {wanted.size} numbers, the model {sizes}"
        return Check(name="golden", verdict="fail", text=what)
    engine.input[...] = given.reshape(engine.input.shape)
    try:
        engine.run()
    except FrameFault as fault:
        return Check(name="golden", verdict="fail", text=f"on a golden sample {fault}")
    return compared(engine.output, wanted.reshape(engine.output.shape), tolerance)


def compared(got: Tensor, wanted: Tensor, tolerance: Tolerance | None) -> Check:
    """One sample's outputs against the golden ones: `value` is the share of elements beyond the tolerance.

    Without a tolerance only that all numbers are finite is judged, and the check is `skipped` where they are.
    """
    import numpy as np

    from remote.models.columns_gone import columns_gone, gone_words

    found, golden = got.astype(np.float64), wanted.astype(np.float64)
    if not bool(np.isfinite(found).all()):
        return Check(name="golden", verdict="fail", text="a golden sample gives NaN or infinity")
    if tolerance is None:
        return _golden_skipped("the bundle records no tolerance for its golden samples; all numbers are finite")
    away = _away(found, golden, tolerance)
    text = (
        f"outputs beside the golden ones: largest difference {away.largest:.3g}, {away.ratio_db:.0f} dB; "
        f"{away.share:.2%} further away than allowed ({_allowed(tolerance)})"
    )
    verdict: Verdict = "pass" if away.within(tolerance) else "fail"
    if verdict == "pass" and golden.any() and _away(np.zeros_like(golden), golden, tolerance).within(tolerance):
        verdict, text = "skipped", f"{text}; that proves nothing: nothing but zeros would be near enough as well"
    elif verdict == "pass" and (gone := columns_gone(golden, found, tolerance)):
        verdict, text = "fail", f"{text}; {gone_words(gone)}, which the tolerance alone lets pass"
    return Check(
        name="golden", verdict=verdict, text=text, value=away.share, limit=tolerance.wrong_share, n=int(found.size)
    )


class _Away(NamedTuple):
    """How far outputs are from the golden ones: the share beyond the tolerance, the signal over the difference."""

    share: float
    ratio_db: float
    largest: float

    def within(self, tolerance: Tolerance) -> bool:
        loud = tolerance.snr_db is None or self.ratio_db >= tolerance.snr_db
        return self.share <= tolerance.wrong_share and loud


def _away(found: Tensor, golden: Tensor, tolerance: Tolerance) -> _Away:
    import numpy as np

    difference = np.abs(found - golden)
    share = float((difference > tolerance.absolute + tolerance.relative * np.abs(golden)).mean())
    return _Away(share, _ratio_db(float((golden**2).sum()), float((difference**2).sum())), float(difference.max()))


def _allowed(tolerance: Tolerance) -> str:
    """What the bundle asks for, in words."""
    words = f"{tolerance.absolute:.3g} + {tolerance.relative:.3g} of the golden value, for all but {tolerance.wrong_share:.2%}"
    return words if tolerance.snr_db is None else f"{words}, at least {tolerance.snr_db:.0f} dB"


def _ratio_db(signal: float, noise: float) -> float:
    """The signal's power over the noise's, in decibels; infinite without noise."""
    return math.inf if noise == 0 else 10 * math.log10(signal / noise) if signal > 0 else -math.inf


def _time(detector: Detector, runs: int, clock: Callable[[], int]) -> Check:
    detector.warm_up()
    times_ms = []
    for _ in range(runs):
        started = clock()
        detector.engine.run()
        times_ms.append((clock() - started) / 1e6)
    text = f"the engine alone: median {median(times_ms):.1f} ms, longest {max(times_ms):.1f} ms"
    return Check(name="time", verdict="pass", text=text, value=median(times_ms), unit="ms", n=runs)
