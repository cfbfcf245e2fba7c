"""Whether simulation ranks several models as reality does: Spearman's rank correlation and mean maximum rank violation.

MMRV: Li et al., Evaluating Real-World Robot Manipulation Policies in Simulation (SIMPLER), CoRL 2024, equation 1: a pair that
simulation orders wrongly violates by its difference IN REALITY; the worst violation of each model, averaged. The two sides do
not play the same part, so both are keyword-only.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

FEWEST_MODELS = 3


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    """`srcc` in [-1, 1], None where one side ranks all alike; `p_value` of no correlation (exact by permutation up to 7
    models).

    `mmrv` in the unit of the real success rates (per cent): how much success a wrong ranking can cost. `worst` names the pair
    that costs most: (the one simulation prefers, the better one in reality); None where no pair is wrong.
    """

    models: int
    srcc: float | None
    p_value: float | None
    mmrv: float
    worst: tuple[str, str] | None


def ranking(*, names: Sequence[str], simulated: Sequence[float], real: Sequence[float]) -> Ranking:
    """Compare success rates (per cent) of the same models in simulation and in reality.

    Raises ValueError for fewer than 3 models, for lists of different length, or for numbers that are not finite.
    """
    _check(names, simulated, real)
    srcc, p_value = _srcc(simulated=simulated, real=real)
    violations = [
        [
            abs(real[i] - real[j]) if (simulated[i] < simulated[j]) != (real[i] < real[j]) else 0.0
            for j in range(len(names))
        ]
        for i in range(len(names))
    ]
    worst_of_each = [max(row) for row in violations]
    most = max(worst_of_each)
    pair = next(((i, j) for i, row in enumerate(violations) for j, one in enumerate(row) if one == most), None)
    worst = None
    if pair is not None and most > 0:
        better, other = sorted(pair, key=lambda k: -real[k])
        worst = (names[other], names[better])
    return Ranking(models=len(names), srcc=srcc, p_value=p_value, mmrv=sum(worst_of_each) / len(names), worst=worst)


def _check(names: Sequence[str], simulated: Sequence[float], real: Sequence[float]) -> None:
    import math

    if not len(names) == len(simulated) == len(real):
        raise ValueError("each model needs one simulated and one real success rate")
    if len(names) < FEWEST_MODELS:
        raise ValueError(f"{len(names)} models have no ranking to speak of; at least {FEWEST_MODELS} are needed")
    if not all(math.isfinite(value) for value in (*simulated, *real)):
        raise ValueError("success rates must be finite numbers")


def _srcc(*, simulated: Sequence[float], real: Sequence[float]) -> tuple[float | None, float | None]:
    if len(set(simulated)) == 1 or len(set(real)) == 1:
        return None, None
    from scipy import stats

    srcc = float(stats.spearmanr(simulated, real).statistic)
    if len(real) > 7:
        return srcc, float(stats.spearmanr(simulated, real).pvalue)
    every = stats.permutation_test(
        (list(simulated),),
        lambda order: stats.spearmanr(order, real).statistic,
        permutation_type="pairings",
        n_resamples=10_000,
        alternative="two-sided",
    )
    return srcc, float(every.pvalue)
