"""How near two arrays are: signal to noise, cosine, largest differences; added up over samples."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

_TINY = 1e-12


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """What was found over `elements` numbers of `samples` samples.

    `snr_db` is 10 log10(sum of the reference's squares / sum of the differences' squares); None where all are equal, or
    where nothing can be said: the reference is all zero and the other is not, or one is not finite. `max_rel` is the largest
    difference as a share of the reference's largest number. `not_finite` counts numbers that are NaN or infinite in the
    second and finite in the first.
    """

    snr_db: float | None
    cosine: float | None
    max_abs: float
    max_rel: float
    not_finite: int
    elements: int
    samples: int

    @property
    def equal(self) -> bool:
        """Whether every number was the same."""
        return self.max_abs == 0 and self.not_finite == 0

    def reaches(self, least_db: float) -> bool:
        """Whether all numbers are finite and the signal is at least that far above the difference."""
        return self.equal or (self.not_finite == 0 and self.snr_db is not None and self.snr_db >= least_db)


class Tally:
    """Adds up pairs of arrays of one tensor, in double precision."""

    def __init__(self) -> None:
        self._signal = self._other = self._noise = self._dot = 0.0
        self._max_abs = self._largest = 0.0
        self._not_finite = self._elements = self._samples = 0

    def add(self, reference: NDArray[Any], other: NDArray[Any]) -> None:
        """One sample; both arrays hold the same number of numbers. Where the reference is not finite nothing is compared."""
        ours, theirs = reference.astype(np.float64).reshape(-1), other.astype(np.float64).reshape(-1)
        known, whole = np.isfinite(ours), np.isfinite(theirs)
        self._not_finite += int((known & ~whole).sum())
        self._elements += int(ours.size)
        self._samples += 1
        both = known & whole
        ours, theirs = ours[both], theirs[both]
        if not ours.size:
            return
        away = np.abs(ours - theirs)
        self._signal += float(ours @ ours)
        self._other += float(theirs @ theirs)
        self._noise += float(away @ away)
        self._dot += float(ours @ theirs)
        self._max_abs = max(self._max_abs, float(away.max()))
        self._largest = max(self._largest, float(np.abs(ours).max()))

    def parity(self) -> Parity:
        """What was found so far."""
        lengths = math.sqrt(self._signal * self._other)
        known = self._noise > 0 and self._signal > 0 and not self._not_finite
        return Parity(
            snr_db=10 * math.log10(self._signal / self._noise) if known else None,
            cosine=self._dot / lengths if lengths > _TINY else None,
            max_abs=self._max_abs,
            max_rel=self._max_abs / max(self._largest, _TINY),
            not_finite=self._not_finite,
            elements=self._elements,
            samples=self._samples,
        )


def decibels(parity: Parity) -> str:
    """`equal`, `42.9 dB`, or `NaN` for people."""
    if parity.not_finite:
        return "NaN"
    if parity.equal:
        return "equal"
    return "no signal" if parity.snr_db is None else f"{parity.snr_db:.1f} dB"
