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
    bad = one.parity.not_finite
    if one.faults:
        text = f"{len(one.faults)} of {one.parity.samples} pictures have no answer; the first: {one.faults[0]}"
        return Check(name="finite", verdict="fail", text=text, value=float(len(one.faults)), n=one.parity.samples)
    verdict: Verdict = "fail" if bad else "pass"
    text = f"{bad} numbers are NaN or infinite" if bad else "all numbers are finite"
    return Check(name="finite", verdict=verdict, text=text, value=float(bad), limit=0.0, n=one.parity.samples)


def parity_check(parity: Parity, least_db: float, *, decides: bool) -> Check:
    """The outputs as they leave the network."""
    reached: Verdict = "pass" if parity.reaches(least_db) else "fail"
    text = f"outputs: {decibels(parity)}, largest difference {parity.max_abs:.3g}"
    if parity.cosine is not None:
        text += f", cosine {parity.cosine:.5f}"
    return Check(
        name="parity",
        verdict=reached if decides else "skipped",
        text=text if decides else f"{text}; told, not judged: what comes out of them is",
        value=parity.snr_db,
        limit=least_db,
        unit="dB",
        n=parity.samples,
    )


def agreement_check(share: Interval, least: float) -> Check:
    """Detections after post-processing, at the contract's thresholds: what the robot would see less of."""
    verdict = judged(share, least)
    text = f"{share.value:.1%} of the first bundle's boxes are found again (95 %: {share.low:.1%} to {share.high:.1%})"
    text += _why(verdict, share, f"{least:.0%}")
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
    text += f"(95 %: {change.low * _POINTS:+.2f} to {change.high * _POINTS:+.2f})"
    text += _why(verdict, change, f"-{loss * _POINTS:g} points")
    return Check(
        name="accuracy", verdict=verdict, text=text, value=change.value, bound=change.low, limit=-loss, n=change.n
    )


def _why(verdict: Verdict, found: Interval, limit: str) -> str:
    if verdict != "inconclusive":
        return ""
    if found.n < LEAST_PICTURES:
        return f"; {found.n} pictures decide nothing, {LEAST_PICTURES} are needed"
    return f"; the limit {limit} lies within: give more pictures"
