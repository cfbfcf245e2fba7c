"""How many trials a question needs, worked out before the first one.

The power of an exact test does not simply rise with n: it falls a little each time one more failure is not yet allowed, and
jumps when it is (the saw-tooth; Chernick and Liu, The American Statistician 56, 2002). A planned n is therefore the smallest
from which on the power holds for every larger n too.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from console.fieldtest.binomial import MOST_TRIALS
from console.fieldtest.criteria import Comparison
from console.fieldtest.refusing import check_confidence, check_share

if TYPE_CHECKING:
    import numpy as np


class Planned(NamedTuple):
    """A plan of a fixed number of trials.

    `n`: from there on the power holds for every n. `first_n`: the smallest n that has the power at all (a tip of the
    saw-tooth). `passes_at`: how many successes of `n` pass (for a rate of mishaps: how many are allowed). `power`: at `n`.
    """

    n: int
    first_n: int
    passes_at: int
    power: float


def power_of(n: int, threshold: float, expected: float, confidence: float, comparison: Comparison = ">=") -> float:
    """The chance that `n` trials pass the exact bound against `threshold` if the true rate is `expected`; both are shares."""
    if not (math.isfinite(n) and n >= 1 and n == int(n)):
        raise ValueError(f"the number of trials must be a whole number above 0, not {n!r}")
    import numpy as np

    _, share, hoped = _upwards(threshold, expected, confidence, comparison)
    return float(_powers(np.array([n]), share, hoped, confidence)[0])


def planned_n(threshold: float, expected: float, power: float, confidence: float, comparison: Comparison = ">=") -> int:
    """The smallest n from which on the exact test passes with `power` if the true rate is `expected` (shares).

    Raises ValueError where `expected` is not on the right side of `threshold`, and where a million trials are too few.
    """
    return plan(threshold, expected, power, confidence, comparison).n


def plan(threshold: float, expected: float, power: float, confidence: float, comparison: Comparison = ">=") -> Planned:
    """The plan of a fixed number of trials; see planned_n for what is raised."""
    import numpy as np

    up, share, hoped = _upwards(threshold, expected, confidence, comparison)
    if not 0.5 < power < 1:
        raise ValueError(f"a power lies between 0.5 and 1, not at {power!r}")
    if hoped <= share:
        side = "above" if up else "below"
        raise ValueError(f"a rate of {expected:g} is not {side} {threshold:g}: no number of trials shows that it is")
    trials = np.arange(1, _reach(share, hoped, power, confidence) + 1)
    enough = _powers(trials, share, hoped, confidence) >= power
    n = int(trials[~enough].max(initial=0)) + 1
    needed = int(fewest_that_pass(np.array([n]), share, confidence)[0])
    return Planned(
        n=n,
        first_n=int(trials[enough.argmax()]),
        passes_at=needed if up else n - needed,
        power=float(_powers(np.array([n]), share, hoped, confidence)[0]),
    )


def _upwards(threshold: float, expected: float, confidence: float, comparison: Comparison) -> tuple[bool, float, float]:
    """Whether the rate must lie above; threshold and expected rate, turned so that it must."""
    check_share("the threshold", threshold)
    check_share("the expected rate", expected)
    check_confidence(confidence)
    if comparison == "==":
        raise ValueError("no number of trials shows that a rate is equal to something")
    up = comparison in (">", ">=")
    return (True, threshold, expected) if up else (False, 1 - threshold, 1 - expected)


def _reach(share: float, hoped: float, power: float, confidence: float) -> int:
    """Far enough to see the last n that has too little power: four times what the normal curve asks for, and 100."""
    from scipy.special import ndtri

    spread = ndtri(confidence) * (share * (1 - share)) ** 0.5 + ndtri(power) * (hoped * (1 - hoped)) ** 0.5
    about = (spread / (hoped - share)) ** 2
    if about > MOST_TRIALS:
        raise ValueError(f"it would take more than {MOST_TRIALS} trials: the expected rate is too near the threshold")
    return int(4 * about + 10 / (1 - share) + 100)


def fewest_that_pass(n: np.ndarray, share: float, confidence: float) -> np.ndarray:
    """The fewest successes of n whose exact lower bound is above `share`; n + 1 where not even n are enough."""
    from scipy.stats import binom

    return binom.ppf(confidence, n, share).astype(int) + 1  # type: ignore[no-any-return]


def _powers(n: np.ndarray, share: float, hoped: float, confidence: float) -> np.ndarray:
    from scipy.special import bdtrc

    needed = fewest_that_pass(n, share, confidence)
    return bdtrc(needed - 1, n, hoped)  # type: ignore[no-any-return]
