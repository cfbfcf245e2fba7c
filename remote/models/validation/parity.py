"""Whether a bundle still gives here what it gave where it was made: its golden inputs against its golden outputs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional

import numpy as np
from numpy.typing import NDArray

from remote.models.columns_gone import columns_gone, gone_words
from remote.models.provenance import Tolerance
from remote.verdicts import Check

if TYPE_CHECKING:
    from remote.models.golden import Golden
    from remote.perception.engines.base import Engine


@dataclass(frozen=True)
class Differences:
    """`wrong` of `elements` are further away than allowed; `largest` is the greatest difference (infinite: not finite).

    `snr_db` is the golden signal over the difference in decibels, None where they are equal. `gone` are columns of a table of
    which nothing is left although each number is near enough.
    """

    wrong: int
    elements: int
    largest: float
    snr_db: Optional[float]
    gone: tuple[int, ...] = ()


def differences(golden: NDArray[Any], found: NDArray[Any], tolerance: Tolerance) -> Differences:
    """Compare arrays of one shape. What is not finite is wrong, whatever the golden value is."""
    wants, has = golden.astype(np.float64), found.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        away = np.abs(has - wants)
        right = away <= tolerance.absolute + tolerance.relative * np.abs(wants)
        noise, signal = float(np.square(away).sum()), float(np.square(wants).sum())
    largest = float(away.max()) if away.size else 0.0
    ratio = (
        None if noise == 0 else 10 * math.log10(signal / noise) if signal > 0 and math.isfinite(noise) else -math.inf
    )
    wrong = int(away.size - np.count_nonzero(right))
    gone = columns_gone(wants, has, tolerance)
    return Differences(wrong, int(away.size), largest if math.isfinite(largest) else math.inf, ratio, gone)


def judged(found: Differences, tolerance: Tolerance, samples: int) -> Check:
    """The check of what differs. What is not finite fails, whatever share of the elements the tolerance lets be wrong."""
    share, limit = found.wrong / max(1, found.elements), tolerance.wrong_share
    text = f"{100 * share:.4g} % of {found.elements} outputs further away than allowed, at most {100 * limit:.4g} %"
    text += (
        f"; largest difference {found.largest:.3g}" if math.isfinite(found.largest) else "; some are NaN or infinite"
    )
    quiet = tolerance.snr_db is None or found.snr_db is None or found.snr_db >= tolerance.snr_db
    if tolerance.snr_db is not None:
        ratio = "no difference" if found.snr_db is None else f"{found.snr_db:.1f} dB"
        text += f"; parity {ratio}, at least {tolerance.snr_db:.1f} dB"
    text += f"; {gone_words(found.gone)}, which the tolerance alone lets pass" if found.gone else ""
    right = share <= limit and quiet and math.isfinite(found.largest) and not found.gone
    return Check(
        name="parity",
        verdict="pass" if right else "fail",
        text=text,
        value=100 * share,
        limit=100 * limit,
        unit="%",
        n=samples,
    )


def parity(
    golden: Golden | None, tolerance: Tolerance | None, engine: Engine, input_name: str, output_name: str
) -> Check:
    """Run every golden input. Raises InferenceError as the engine does."""
    if golden is None:
        return Check(name="parity", verdict="skipped", text="the bundle carries no golden samples (golden.npz)")
    if tolerance is None:
        text = "the bundle's provenance.json names no tolerance for its golden samples"
        return Check(name="parity", verdict="inconclusive", text=text, n=golden.samples)
    given, wanted = golden.inputs.get(input_name), golden.outputs.get(output_name)
    if (
        given is None
        or wanted is None
        or given.shape[1:] != engine.input.shape[1:]
        or wanted.shape[1:] != engine.output.shape[1:]
    ):
        text = f"golden.npz holds no {input_name} and {output_name} of this model's shapes"
        return Check(name="parity", verdict="fail", text=text, n=golden.samples)
    found = np.empty(wanted.shape, engine.output.dtype)
    for index in range(golden.samples):
        engine.input[...] = given[index : index + 1]
        engine.run()
        found[index] = engine.output[0]
    return judged(differences(wanted, found, tolerance), tolerance, golden.samples)
