"""Whether two runs of one model give the same: every element within a tolerance, and where the worst one lies if not."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remote.errors import Trouble
from remote.models.golden import Arrays
from remote.models.provenance import Tolerance
from remote.verdicts import Check

USUAL = Tolerance(absolute=1e-3, relative=1e-3)
"""Single precision, sums in another order: box sides are in pixels, scores in [0, 1]."""


@dataclass(frozen=True)
class Worst:
    """The element that is furthest beyond (or nearest to) its tolerance, and how many of `elements` are beyond."""

    tensor: str
    sample: int
    place: tuple[int, ...]
    golden: float
    found: float
    allowed: float
    beyond: int
    elements: int

    @property
    def difference(self) -> float:
        """Absolute, in the output's own unit."""
        return abs(self.found - self.golden)

    def __str__(self) -> str:
        where = f"{self.tensor}[{', '.join(map(str, self.place))}] of sample {self.sample}"
        return f"{where}: {self.found:.6g} instead of {self.golden:.6g} (allowed +-{self.allowed:.2g})"


def worst_of(golden: Arrays, found: Arrays, tolerance: Tolerance) -> Worst:
    """Compare outputs by name; the first axis of each array numbers the samples.

    Raises:
        Trouble: `parity_failed` for other names or shapes, `bad_output` for NaN or infinity in either.
    """
    if {name: one.shape for name, one in golden.items()} != {name: one.shape for name, one in found.items()}:
        what = f"the outputs are {_shapes(found)}, they should be {_shapes(golden)}"
        raise Trouble(what, cure="Export the model again", code="parity_failed")
    refuse_not_finite(golden, "where it was trained")
    refuse_not_finite(found, "as it was exported")
    return max((_worst(name, golden[name], found[name], tolerance) for name in golden), key=_excess)


OTHER_WAY = "Export it another way (--exporter, --opset), or say with --atol and --rtol what may differ"
MORE_ROOM = "Say with --atol and --rtol what may differ"
"""Where the file was an ONNX file before: there is no other way to write it."""


def parity(
    golden: Arrays, found: Arrays, tolerance: Tolerance, *, name: str, against: str, cure: str = OTHER_WAY
) -> Check:
    """A passed check with the greatest difference as its value; `cure` is told where it does not pass.

    Raises:
        Trouble: as `worst_of`; `parity_failed` with the numbers where more elements are beyond than the tolerance lets.
    """
    worst = worst_of(golden, found, tolerance)
    samples = len(next(iter(golden.values())))
    if worst.beyond > tolerance.wrong_share * worst.elements:
        what = (
            f"the exported model differs from {against} in {worst.beyond} of {worst.elements} values "
            f"on {samples} samples; worst {worst}"
        )
        raise Trouble(what, cure=cure, code="parity_failed")
    clear_db = signal_to_difference_db(golden, found)
    if tolerance.snr_db is not None and clear_db < tolerance.snr_db:
        what = f"the exported model is {clear_db:.1f} dB clear of its difference from {against}, not {tolerance.snr_db:g} dB"
        raise Trouble(what, cure="Make the model again, or look at its worst layer", code="parity_failed")
    most = max(float(np.abs(_wide(golden[one]) - _wide(found[one])).max()) for one in golden)
    text = f"as {against}: largest difference {most:.2g}; nearest to its limit {worst}"
    return Check(name=name, verdict="pass", text=text, value=most, limit=tolerance.absolute, n=samples)


def signal_to_difference_db(golden: Arrays, found: Arrays) -> float:
    """10 log10 of the golden outputs' energy over the difference's, all outputs together; infinite where they are equal."""
    signal = sum(float((_wide(one) ** 2).sum()) for one in golden.values())
    apart = sum(float(((_wide(one) - _wide(found[name])) ** 2).sum()) for name, one in golden.items())
    return math.inf if apart == 0 else 10 * math.log10(max(signal, sys.float_info.min) / apart)


def refuse_not_finite(outputs: Arrays, when: str) -> None:
    """Raise Trouble `bad_output` where a value is NaN or infinite, with its place."""
    for name, array in outputs.items():
        wrong = np.argwhere(~np.isfinite(_wide(array)))
        if len(wrong):
            sample, *place = (int(one) for one in wrong[0])
            first = f"{name}{place} of sample {sample}"
            what = f"the model gives {len(wrong)} values that are NaN or infinite {when}, first {first}"
            raise Trouble(what, cure="Look at the training: such a model steers nothing", code="bad_output")


def _worst(name: str, golden: NDArray[Any], found: NDArray[Any], tolerance: Tolerance) -> Worst:
    right, given = _wide(golden), _wide(found)
    allowed = tolerance.absolute + tolerance.relative * np.abs(right)
    apart = np.abs(right - given)
    share = apart / np.maximum(allowed, np.finfo(np.float64).tiny)
    sample, *place = (int(one) for one in np.unravel_index(int(share.argmax()), share.shape))
    at = (sample, *place)
    beyond = int((apart > allowed).sum())
    return Worst(
        name, sample, tuple(place), float(right[at]), float(given[at]), float(allowed[at]), beyond, int(right.size)
    )


def _excess(worst: Worst) -> tuple[bool, float]:
    return worst.beyond > 0, worst.difference / max(worst.allowed, np.finfo(np.float64).tiny)


def _wide(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(np.float64)


def _shapes(arrays: Arrays) -> str:
    return ", ".join(f"{name} {list(one.shape[1:])} x {one.shape[0]}" for name, one in sorted(arrays.items()))
