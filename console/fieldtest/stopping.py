"""When a sequential test stops and with which verdict, worked out exactly: the chances of all paths, trial by trial."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from console.fieldtest.binomial import smallest
from console.fieldtest.criteria import Comparison
from console.fieldtest.refusing import check_confidence, check_counts, check_share
from console.fieldtest.sequential import SequentialTest, log_evidence_above

if TYPE_CHECKING:
    import numpy as np

MOST_FOLLOWED = 4000
"""Plans are followed over so many trials at most."""
_MOST_FOLLOWED_AHEAD = 1000
"""Asked after every trial it must be quick: beyond so many more trials the path of the mean tells."""


class Chances(NamedTuple):
    """The chance to have passed and to have failed by each further trial: entry 0 is before the first of them."""

    passed: np.ndarray
    failed: np.ndarray

    def stopped(self) -> np.ndarray:
        """The chance to be decided by each further trial."""
        both: np.ndarray = self.passed + self.failed
        return both


def chances(rate: float, pass_at: np.ndarray, fail_at: np.ndarray, successes: int = 0, n: int = 0) -> Chances:
    """Chances of any rule that stops at counts of successes, at the true `rate`, from `successes` of `n` trials on.

    After each further trial i = 0, 1, ... it passes with `pass_at[i]` successes or more, fails with `fail_at[i]` or fewer
    (counts over all n + i + 1 trials).
    """
    import numpy as np

    if n:
        check_counts(successes, n)
    steps = len(pass_at)
    here, counts = np.zeros(steps + 1), successes + np.arange(steps + 1)
    here[0] = 1.0
    passed, failed = np.zeros(steps + 1), np.zeros(steps + 1)
    for step in range(steps):
        here[1:] = here[1:] * (1 - rate) + here[:-1] * rate
        here[0] *= 1 - rate
        up, down = counts >= pass_at[step], counts <= fail_at[step]
        passed[step + 1], failed[step + 1] = passed[step] + here[up].sum(), failed[step] + here[down].sum()
        here[up | down] = 0.0
    return Chances(passed, failed)


def walls(test: SequentialTest, n: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """After each of the trials n + 1 .. n + steps: from how many hits the upper wall is crossed, up to how many the lower one.

    The upper wall is the pass of a test with direction ">", and the fail of one with "<".
    """
    import numpy as np

    trials = np.arange(n + 1, n + steps + 1)
    up = _fewest(trials, test.threshold, test.alpha)
    return up, trials - _fewest(trials, 1 - test.threshold, test.alpha)


def chances_of(test: SequentialTest, rate: float, steps: int, successes: int = 0, n: int = 0) -> Chances:
    """Chances of a sequential test over the next `steps` trials where the true rate is `rate`."""
    found = chances(rate, *walls(test, n, steps), successes, n)
    return found if test.direction == ">" else Chances(found.failed, found.passed)


@lru_cache(maxsize=4096)  # a record is read anew after every trial, and most of its questions stand where they stood
def further_trials(test: SequentialTest, successes: int, n: int) -> int | None:
    """How many more trials decide with a chance of one half if the rate is what it was so far; 0: decided, None: never."""
    if n == 0:
        return None
    about = test.mean_path(successes, n)
    if not about or about > _MOST_FOLLOWED_AHEAD:
        return about
    for steps in (about, 2 * about):
        stopped = chances_of(test, successes / n, steps, successes, n).stopped()
        if stopped[-1] >= 0.5:
            return int((stopped >= 0.5).argmax())
    return about


def sequential_n(
    threshold: float, expected: float, power: float, confidence: float, comparison: Comparison = ">="
) -> int:
    """After how many trials the sequential test has passed with the chance `power` if the true rate is `expected` (shares).

    It has no saw-tooth: a longer plan never passes less. Raises ValueError where `expected` is not on the right side of
    `threshold`, where the test is one of equality, and where more than 4000 trials are needed.
    """
    check_share("the threshold", threshold)
    check_share("the expected rate", expected)
    check_confidence(confidence)
    if not 0.5 < power < 1:
        raise ValueError(f"a power lies between 0.5 and 1, not at {power!r}")
    if comparison == "==":
        raise ValueError("no number of trials shows that a rate is equal to something")
    up = comparison in (">", ">=")
    if (expected <= threshold) if up else (expected >= threshold):
        raise ValueError(f"a rate of {expected:g} is not {'above' if up else 'below'} {threshold:g}")
    test = SequentialTest(threshold, 1 - confidence, ">" if up else "<")
    about = smallest(lambda n: test.crossed(expected * n, n))
    steps = MOST_FOLLOWED if about is None or about > MOST_FOLLOWED else min(MOST_FOLLOWED, 4 * about + 50)
    passed = chances_of(test, expected, steps).passed
    if passed[-1] < power:
        raise ValueError(f"it would take more than {steps} trials: the expected rate is too near the threshold")
    return int((passed >= power).argmax())


def _fewest(trials: np.ndarray, threshold: float, alpha: float) -> np.ndarray:
    """The fewest successes of each number of trials whose evidence is over the wall; one more than all where none is."""
    import numpy as np

    low, high = np.full(len(trials), -1), trials + 1
    while (high - low > 1).any():
        middle = (low + high) // 2
        crossed = log_evidence_above(np.minimum(middle, trials), trials, threshold) >= -np.log(alpha)
        low, high = np.where(crossed, low, middle), np.where(crossed, middle, high)
    return high
