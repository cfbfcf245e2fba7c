"""Bounds of a share of things that come in clusters: boxes in frames, frames in episodes.

Things of one cluster go wrong together, so whole clusters are drawn again, with replacement (Davison and Hinkley, Bootstrap
Methods and their Application, 3.8), and the bounds are corrected for bias and skew (BCa: Efron, Journal of the American
Statistical Association 82, 1987). Where hardly any cluster differs from perfection, the bootstrap knows nothing of what it
has not seen and would shrink to a point: there the exact binomial bound with the clusters as the trials is taken instead. The
share of a cluster scatters at most as a trial that succeeds or not, so that bound errs on the safe side where clusters weigh
alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from console.fieldtest.criteria import Estimate
from console.fieldtest.refusing import check_confidence

if TYPE_CHECKING:
    import numpy as np

DRAWS = 4000
"""Bootstrap samples. The bound's own scatter at 95 % is then about a thirtieth of the interval's half width."""
FEWEST_IMPERFECT = 10
"""With fewer clusters than this that differ from 100 % (or from 0 %), the exact bound decides."""
_CHUNK = 2_000_000
"""Numbers drawn at a time."""


def ratio_of_sums(
    numerators: Sequence[float] | np.ndarray,
    denominators: Sequence[float] | np.ndarray,
    confidence: float,
    rng: np.random.Generator,
    *,
    unit: Literal["%", ""] = "%",
    of: str = "frames",
) -> Estimate:
    """sum(numerators) / sum(denominators) over clusters, with one-sided bounds; `n` counts clusters with something to count.

    Each numerator lies between 0 and its denominator; clusters whose denominator is 0 (nothing was there) are left out. `rng`
    is the only chance in it: the same seed and the same clusters give the same bounds. Raises ValueError where the numbers
    can't be, and where no cluster is left.
    """
    import numpy as np

    check_confidence(confidence)
    top, bottom = _checked(np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float))
    share, n = float(top.sum() / bottom.sum()), len(top)
    lower, upper = _exact(share, n, confidence)
    imperfect, not_none = int((top < bottom).sum()), int((top > 0).sum())
    if min(imperfect, not_none) >= FEWEST_IMPERFECT:
        lower, upper = _bca(top, bottom, confidence, rng)
        method = f"BCa bootstrap over {n} {of}"
    else:
        few, what = (imperfect, "100 %") if imperfect <= not_none else (not_none, "0 %")
        method = f"exact bound with {n} {of} as the trials: {few} of them differ from {what}, too few for a bootstrap"
    scale = 100 if unit == "%" else 1
    return Estimate(
        value=scale * share,
        lower=scale * min(lower, share),
        upper=scale * max(upper, share),
        confidence=confidence,
        method=method,
        unit=unit,
        n=n,
        of=of,
    )


def _checked(top: np.ndarray, bottom: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    if top.ndim != 1 or top.shape != bottom.shape:
        raise ValueError("each cluster has one numerator and one denominator")
    if not (np.isfinite(top).all() and np.isfinite(bottom).all() and (top >= 0).all() and (top <= bottom).all()):
        raise ValueError("a cluster's numerator lies between 0 and its denominator, and both are numbers")
    held = bottom > 0
    if not held.any():
        raise ValueError("no cluster has anything to count")
    return top[held], bottom[held]


def _exact(share: float, n: int, confidence: float) -> tuple[float, float]:
    """Clopper and Pearson's bounds for `share` x `n` of `n` clusters, that product need not be whole."""
    from scipy.special import betaincinv

    good = share * n
    lower = float(betaincinv(good, n - good + 1, 1 - confidence)) if good > 0 else 0.0
    upper = float(betaincinv(good + 1, n - good, confidence)) if good < n else 1.0
    return lower, upper


def _bca(top: np.ndarray, bottom: np.ndarray, confidence: float, rng: np.random.Generator) -> tuple[float, float]:
    import numpy as np
    from scipy.special import ndtr, ndtri

    drawn = np.sort(_drawn_ratios(top, bottom, rng))
    share = top.sum() / bottom.sum()
    below = ((drawn < share).sum() + 0.5 * (drawn == share).sum()) / len(drawn)
    bias = float(ndtri(min(max(below, 1 / len(drawn)), 1 - 1 / len(drawn))))
    skew = _acceleration(top, bottom)

    def level(z: float) -> float:
        return float(ndtr(bias + (bias + z) / (1 - skew * (bias + z))))

    z = float(ndtri(confidence))
    return float(np.quantile(drawn, level(-z))), float(np.quantile(drawn, level(z)))


def _acceleration(top: np.ndarray, bottom: np.ndarray) -> float:
    """How fast the standard error changes with the share, from leaving out one cluster at a time."""
    without = (top.sum() - top) / (bottom.sum() - bottom)
    off = without.mean() - without
    spread = float((off**2).sum()) ** 1.5
    return float((off**3).sum()) / (6 * spread) if spread > 0 else 0.0


def _drawn_ratios(top: np.ndarray, bottom: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The ratio of `DRAWS` bootstrap samples. Clusters that look alike are drawn together: counts of few kinds are quick."""
    import numpy as np

    kinds, alike = np.unique(np.stack([top, bottom], axis=1), axis=0, return_counts=True)
    n, per_chunk = len(top), max(1, _CHUNK // len(kinds))
    parts = []
    for begin in range(0, DRAWS, per_chunk):
        counts = rng.multinomial(n, alike / n, size=min(per_chunk, DRAWS - begin))
        sums = counts @ kinds
        parts.append(sums[:, 0] / sums[:, 1])
    return np.concatenate(parts)


def effective_n(n: int, correlation: float) -> float:
    """How many independent readings `n` in a row weigh whose neighbours correlate so: n (1 - r) / (1 + r).

    9000 frames at .95 weigh as 231. Of a first-order autoregression; raises ValueError unless -1 < correlation < 1.
    """
    if not (math.isfinite(n) and n > 0) or not -1 < correlation < 1:
        raise ValueError(f"{n} readings with a correlation of {correlation!r} can't be")
    return n * (1 - correlation) / (1 + correlation)
