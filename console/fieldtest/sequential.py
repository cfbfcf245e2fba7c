"""A test of a rate that may be looked at after every trial, decided at the first crossing.

Looking at a fixed-size test after every trial and stopping at the first success is cheating: a 5 % test becomes a 15.7 % one.
Here the evidence is an e-process: the likelihood of what was seen, averaged over all rates that are better than the
threshold (uniformly: a Beta(1, 1) cut off at the threshold), divided by the likelihood at the threshold. Where the true rate
is no better than the threshold, it is a supermartingale that starts at 1, so that it ever reaches 1 / alpha with a probability
of alpha at most (Ville 1939; Robbins, Annals of Mathematical Statistics 41, 1970; Ramdas, Gruenwald, Vovk and Shafer,
Statistical Science 38, 2023).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from console.fieldtest.binomial import smallest
from console.fieldtest.refusing import check_counts, check_share

if TYPE_CHECKING:
    import numpy as np

Direction = Literal[">", "<"]
Decision = Literal["pass", "fail"]
_LARGEST_LOG = 700.0
"""exp() of more overflows."""
_HALVINGS = 50


class Decided(NamedTuple):
    """What the trials decided, and after how many of them."""

    verdict: Decision
    n: int


class SequentialTest(msgspec.Struct, frozen=True):
    """Passes where the rate is shown to lie on the wanted side of `threshold`, fails where it is shown to lie on the other.

    `threshold` is a share in (0, 1), `alpha` the chance of a wrong pass (and as much of a wrong fail) however often one looks;
    `direction` ">": the rate of successes must lie above, "<": the rate of mishaps must lie below. Raises ValueError for
    anything else.
    """

    threshold: float
    alpha: float = 0.05
    direction: Direction = ">"

    def __post_init__(self) -> None:
        check_share("the threshold", self.threshold)
        if not 0 < self.alpha < 0.5:
            raise ValueError(f"alpha lies between 0 and 0.5, not at {self.alpha!r}")
        if self.direction not in (">", "<"):
            raise ValueError(f"the direction is > or <, not {self.direction!r}")

    def e_value(self, successes: int, n: int) -> float:
        """The evidence for a pass after `successes` of `n` trials; a pass from 1 / alpha on. 1 where there is no trial yet."""
        return self._evidence(successes, n, above=self.direction == ">")

    def e_value_against(self, successes: int, n: int) -> float:
        """The evidence for a fail; a fail from 1 / alpha on."""
        return self._evidence(successes, n, above=self.direction == "<")

    def decided_at(self, outcomes: Sequence[bool]) -> Decided | None:
        """The first crossing in `outcomes` (in the order of the trials), None where there was none yet.

        Trials after it change nothing.
        """
        import numpy as np

        if not len(outcomes):
            return None
        hits = np.cumsum(np.asarray(outcomes, dtype=bool))
        trials = np.arange(1, len(hits) + 1)
        wall = -math.log(self.alpha)
        up = log_evidence_above(hits, trials, self.threshold) >= wall
        down = log_evidence_above(trials - hits, trials, 1 - self.threshold) >= wall
        crossed = up | down
        if not crossed.any():
            return None
        first = int(crossed.argmax())
        return Decided("pass" if bool(up[first]) == (self.direction == ">") else "fail", first + 1)

    def decided(self, outcomes: Sequence[bool]) -> Decision | None:
        """What the first crossing decided: pass, fail, or None (not yet decided)."""
        found = self.decided_at(outcomes)
        return found.verdict if found else None

    def bounds(self, successes: int, n: int) -> tuple[float, float]:
        """The rates (lower, upper) in [0, 1] that are not refuted now: each side wrong with `alpha` at most over all looks.

        They belong to the test: the lower one is above the threshold exactly where the evidence is over 1 / alpha.
        """
        if n == 0:
            return 0.0, 1.0
        check_counts(successes, n)
        return _lower(successes, n, self.alpha), 1 - _lower(n - successes, n, self.alpha)

    def bounds_of(self, successes: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`bounds` for many counts at once, each of one trial or more."""
        lower = _lower_bounds(successes, n, self.alpha)
        upper: np.ndarray = 1 - _lower_bounds(n - successes, n, self.alpha)
        return lower, upper

    def running_bounds(self, outcomes: Sequence[bool]) -> tuple[float, float]:
        """The bounds after all of `outcomes`, where what was once refuted stays refuted: the intersection over the looks."""
        import numpy as np

        if not len(outcomes):
            return 0.0, 1.0
        hits = np.cumsum(np.asarray(outcomes, dtype=bool))
        trials = np.arange(1, len(hits) + 1)
        lower = max(0.0, float(_lower_bounds(hits, trials, self.alpha).max()))
        return lower, 1 - max(0.0, float(_lower_bounds(trials - hits, trials, self.alpha).max()))

    def further(self, successes: int, n: int) -> int | None:
        """How many more trials decide with a chance of one half if the rate is what it was so far; 0: decided, None: never.

        Takes some hundredths of a second. Right at the threshold nothing ever decides.
        """
        from console.fieldtest.stopping import further_trials

        return further_trials(self, successes, n)

    def mean_path(self, successes: int, n: int) -> int | None:
        """After how many more trials the path of the mean is decided; most robots with this rate need fewer. Quick."""
        if n == 0:
            return None
        check_counts(successes, n)
        share = successes / n
        return smallest(lambda more: self.crossed(successes + share * more, n + more))

    def further_in_a_row(self, successes: int, n: int, kind: bool) -> int | None:
        """How many more trials decide if all of them are successes (`kind` True) or none is; 0 where it is decided."""
        if n:
            check_counts(successes, n)
        return smallest(lambda more: self.crossed(successes + more * kind, n + more))

    def crossed(self, successes: float, n: float) -> bool:
        """Whether these counts are over either wall; they need not be whole (a path of the mean)."""
        wall = -math.log(self.alpha)
        up = log_evidence_above(successes, n, self.threshold)
        down = log_evidence_above(n - successes, n, 1 - self.threshold)
        return bool(max(float(up), float(down)) >= wall)

    def _evidence(self, successes: int, n: int, *, above: bool) -> float:
        if n:
            check_counts(successes, n)
        elif successes:
            raise ValueError(f"{successes} of {n} trials can't be")
        hits, threshold = (successes, self.threshold) if above else (n - successes, 1 - self.threshold)
        return math.exp(min(float(log_evidence_above(hits, n, threshold)), _LARGEST_LOG))


def log_evidence_above(successes: Any, n: Any, threshold: Any) -> np.ndarray:
    """The natural logarithm of the evidence that the rate lies above `threshold`; numbers or arrays that go together.

    log of (integral over q from threshold to 1 of q^k (1-q)^(n-k) dq / (1 - threshold)) / (threshold^k (1-threshold)^(n-k)).
    """
    import numpy as np
    from scipy.special import betainc, betaln

    k, m = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    t = np.asarray(threshold, dtype=float)
    with np.errstate(divide="ignore"):  # a tail that vanishes is no evidence: log 0
        tail = np.log(betainc(m - k + 1, k + 1, 1 - t))
    found: np.ndarray = tail + betaln(k + 1, m - k + 1) - np.log1p(-t) - k * np.log(t) - (m - k) * np.log1p(-t)
    return found


@lru_cache(maxsize=4096)
def _lower(successes: int, n: int, alpha: float) -> float:
    import numpy as np

    return float(_lower_bounds(np.array([successes]), np.array([n]), alpha)[0])


def _lower_bounds(successes: np.ndarray, n: np.ndarray, alpha: float) -> np.ndarray:
    """The largest thresholds that the evidence refutes, by halving between 0 and the rate; 0 where none is."""
    import numpy as np

    low, high, wall = np.zeros(len(n)), successes / n, -math.log(alpha)
    for _ in range(_HALVINGS):
        middle = np.clip((low + high) / 2, 1e-300, 1 - 1e-15)
        refuted = log_evidence_above(successes, n, middle) >= wall
        low, high = np.where(refuted, middle, low), np.where(refuted, high, middle)
    return low


def further_words(more: int | None) -> str:
    """What an undecided test says: `not yet decided: about 12 more trials`."""
    if more is None:
        return "not yet decided: no number of trials like these would"
    return f"not yet decided: about {more} more trial{'s' * (more != 1)}" if more else "decided"
