"""Bootstrap over pictures: how far a share or a difference may be from what was measured on these pictures.

Pictures are drawn, not boxes: boxes of one picture go right or wrong together.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from remote.verdicts import Verdict

LEAST_PICTURES = 50
"""With fewer the bootstrap's interval is too narrow to decide anything."""
DRAWS = 400
CONFIDENCE = 0.95
Weights = NDArray[np.int64]


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """A measured value and its two-sided 95 % interval; `n` pictures.

    Of a share of things that were counted, `hits` of `of` are the counts; None of anything else.
    """

    value: float
    low: float
    high: float
    n: int
    hits: int | None = None
    of: int | None = None


def resampled(measure: Callable[[Weights], float], pictures: int, *, seed: int = 0, draws: int = DRAWS) -> Interval:
    """`measure` of how often each picture counts: once each for the value, and as drawn for the interval."""
    value = measure(np.ones(pictures, np.int64))
    random = np.random.default_rng(seed)
    counts = random.multinomial(pictures, np.full(pictures, 1 / pictures), size=draws)
    found = np.array([measure(row) for row in counts])
    known = found[np.isfinite(found)]  # a draw may hold nothing that could be measured
    if not known.size:
        return Interval(value=value, low=value, high=value, n=pictures)
    low, high = np.quantile(known, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(value=value, low=float(low), high=float(high), n=pictures)


def judged(found: Interval, least: float) -> Verdict:
    """Pass where the whole interval is at or above `least`, fail where it is below, else and on few pictures inconclusive."""
    if found.n < LEAST_PICTURES:
        return "inconclusive"
    if found.low >= least:
        return "pass"
    return "fail" if found.high < least else "inconclusive"
