"""Each question of a comparison as a Check: what was measured, its bound, its limit, how many it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remote.models.comparing.parity import Parity, decibels
from remote.models.comparing.resampling import LEAST_PICTURES, Interval, judged
from remote.verdicts import Check, Verdict

if TYPE_CHECKING:
    from remote.models.comparing.compare import Accuracy, Measured

_POINTS = 100


def finite_check(one: Measured) -> Check:
    """Fails where the model gives NaN, infinity or an impossible box that the first does not."""
    bad, samples = one.parity.not_finite, one.parity.samples
    if one.impossible:
        return Check(name="finite", verdict="fail", text=one.impossible, n=samples)
    if one.faults:
        text = f"{len(one.faults)} of {samples} pictures have no answer; the first: {one.faults[0]}"
        return Check(name="finite", verdict="fail", text=text, value=float(len(one.faults)), n=samples)
    verdict: Verdict = "fail" if bad else "pass"
    text = f"{bad} numbers are NaN or infinite" if bad else "all numbers are finite"
    return Check(name="finite", verdict=verdict, text=text, value=float(bad), limit=0.0, n=samples)


def parity_check(parity: Parity, least_db: float, *, decides: bool, needs_pictures: bool) -> Check:
    """The outputs as they leave the network. Of a detector they may fail, but never pass: a model may lose every box at 37
    dB.
    """
    reached = parity.reaches(least_db)
    text = f"outputs: {decibels(parity)}, largest difference {parity.max_abs:.3g}"
    if parity.cosine is not None:
        text += f", cosine {parity.cosine:.5f}"
    verdict: Verdict = "skipped"
    if not decides:
        text += "; not judged, because what the outputs become is: see below"
    elif not reached:
        verdict, text = "fail", f"{text}; at least {least_db:g} dB is wanted (--snr)"
    elif needs_pictures:
        verdict = "inconclusive"
        text += "; this proves nothing of its boxes: give --images with pictures in which there is something"
    else:
        verdict = "pass"
    return Check(
        name="parity", verdict=verdict, text=text, value=parity.snr_db, limit=least_db, unit="dB", n=parity.samples
    )


def agreement_check(share: Interval, least: float) -> Check:
    """Detections after post-processing, at the contract's thresholds: what the robot would see less of."""
    verdict = judged(share, least)
    text = f"{share.hits} of {share.of} of the first bundle's boxes are found again on {share.n} pictures"
    text += f": {_percent(share.value)} (95 %: {_percent(share.low)} to {_percent(share.high)})"
    text += _why(verdict, share, f"at least {least * 100:g} % is wanted (--agreement)")
    return Check(
        name="agreement",
        verdict=verdict,
        text=text,
        value=share.value,
        bound=share.low,
        limit=least,
        n=share.n,
    )


def accuracy_check(accuracy: Accuracy, loss: float) -> Check:
    """AP@[.50:.95] against the first bundle's, on the same pictures."""
    change = accuracy.change
    verdict = judged(change, -loss)
    text = f"AP@[.50:.95] {accuracy.map:.4f}, {change.value * _POINTS:+.2f} points "
    if change.low == change.high:
        text += f"(the same whichever of the {change.n} pictures are drawn)"
    else:
        text += f"(95 %: {change.low * _POINTS:+.2f} to {change.high * _POINTS:+.2f} points)"
    text += f", AP50 {accuracy.ap50:.4f}; {accuracy.boxes} labelled boxes on {accuracy.pictures} pictures"
    text += _why(verdict, change, f"a loss of {loss * _POINTS:g} points at most is wanted (--budget)")
    return Check(
        name="accuracy", verdict=verdict, text=text, value=change.value, bound=change.low, limit=-loss, n=change.n
    )


def _why(verdict: Verdict, found: Interval, wanted: str) -> str:
    if verdict == "pass":
        return ""
    if verdict == "fail":
        return f"; {wanted}"
    if found.n < LEAST_PICTURES:
        return f"; {found.n} pictures decide nothing, {LEAST_PICTURES} are needed"
    return f"; {wanted}, and that lies within: give more pictures"


def _percent(share: float) -> str:
    """Rounded so that only all is 100 % and only none is 0 %."""
    percent = 100 * share
    if 0 < percent < 0.1:
        return "< 0.1 %"
    return "> 99.9 %" if 99.9 < percent < 100 else f"{percent:.1f} %".replace(".0 %", " %")
