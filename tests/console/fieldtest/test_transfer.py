"""What arrives of the success in simulation: with five real trials hardly anything is known, and the bounds must say so."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import betainc, betaincinv
from scipy.stats import binom

from console.fieldtest.criteria import Criterion, Rate
from console.fieldtest.judging import judge
from console.fieldtest.transfer import difference, ratio_bounds, success_drop, transfer_ratio


def jeffreys(real: Rate, sim: Rate, quantile: float) -> float:
    """The quantile of the ratio of two rates under Jeffreys' priors, by averaging over the simulated one."""
    spread = betaincinv(sim.successes + 0.5, sim.n - sim.successes + 0.5, (np.arange(2000) + 0.5) / 2000)

    def off(log_ratio: float) -> float:
        share = np.clip(math.exp(log_ratio) * spread, 0, 1)
        return float(betainc(real.successes + 0.5, real.n - real.successes + 0.5, share).mean() - quantile)

    return math.exp(brentq(off, -15, 15))


def test_four_of_five_against_87_of_100_proves_hardly_anything() -> None:
    """.90 [.43, 1.15] is the Bayesian figure (median under Jeffreys' priors). Ours is the plain ratio with score bounds: its
    lower bound, on which gates open, is the same; it was chosen as it covers better (next test)."""
    real, sim = Rate(4, 5), Rate(87, 100)
    assert [round(jeffreys(real, sim, q), 2) for q in (0.5, 0.025, 0.975)] == [0.90, 0.43, 1.15]
    found = transfer_ratio(real, sim, 0.975)
    assert (found.value, found.lower, found.upper) == pytest.approx((0.92, 0.43, 1.14), abs=0.005)
    assert (found.n, found.of) == (5, "trials")


def test_the_score_bound_covers_where_the_bayesian_one_does_not() -> None:
    """All outcomes of 5 real and 100 simulated trials, simulation at 97 %, ratio .7: 95 % is asked for."""
    chances = binom.pmf(np.arange(6), 5, 0.97 * 0.7)
    sims = binom.pmf(np.arange(101), 100, 0.97)
    score = bayes = 0.0
    for k, p in enumerate(chances):
        for m in range(88, 101):
            score += p * sims[m] * (ratio_bounds(Rate(k, 5), Rate(m, 100), 0.95)[0] <= 0.7)
            bayes += p * sims[m] * (jeffreys(Rate(k, 5), Rate(m, 100), 0.05) <= 0.7)
    assert score >= 0.95
    assert bayes < 0.90


def test_the_ratio_has_the_published_bounds() -> None:
    """Koopman, Biometrics 40 (1984): 36 of 40 against 16 of 80, 95 % two-sided."""
    assert ratio_bounds(Rate(36, 40), Rate(16, 80), 0.975) == pytest.approx((2.94, 7.15), abs=0.005)


@pytest.mark.parametrize("ratio", [0.5, 0.7, 0.9])
def test_the_bound_covers_as_often_as_it_says(ratio: float) -> None:
    """Over all outcomes of 20 and 60 trials: within a point and a half of 95 %, as score bounds are."""
    chances, sims = binom.pmf(np.arange(21), 20, 0.9 * ratio), binom.pmf(np.arange(61), 60, 0.9)
    covered = sum(
        p * q * (ratio_bounds(Rate(k, 20), Rate(m, 60), 0.95)[0] <= ratio)
        for k, p in enumerate(chances)
        for m, q in enumerate(sims)
        if m and p * q > 1e-5
    )
    assert covered >= 0.935


@settings(max_examples=60)
@given(st.integers(1, 60), st.integers(1, 200), st.data(), st.sampled_from([0.8, 0.95]))
def test_bounds_hold_the_estimate_and_turn_over_with_the_rates(
    n: int, m: int, data: st.DataObject, confidence: float
) -> None:
    real, sim = Rate(data.draw(st.integers(0, n)), n), Rate(data.draw(st.integers(1, m)), m)
    found, drop = transfer_ratio(real, sim, confidence), success_drop(real, sim, confidence)
    assert found.lower is not None
    assert found.upper is not None
    assert 0 <= found.lower <= found.value * (1 + 1e-9) + 1e-9
    assert found.value <= found.upper * (1 + 1e-9)
    assert drop.lower is not None
    assert drop.upper is not None
    assert -100 <= drop.lower <= drop.value + 1e-9
    assert drop.value - 1e-9 <= drop.upper <= 100
    if real.successes:
        back = transfer_ratio(sim, real, confidence)
        assert back.upper == pytest.approx(1 / found.lower, rel=1e-6)
    other = success_drop(sim, real, confidence)
    assert (other.lower, other.upper) == pytest.approx((-drop.upper, -drop.lower), abs=1e-9)
    surer = transfer_ratio(real, sim, (1 + confidence) / 2)
    assert surer.lower is not None
    assert surer.lower <= found.lower


@pytest.mark.parametrize(
    ("real", "verdict"), [(Rate(4, 5), "inconclusive"), (Rate(40, 50), "pass"), (Rate(1, 5), "fail")]
)
def test_a_gate_of_seven_tenths(real: Rate, verdict: str) -> None:
    asked = Criterion(metric="transfer_ratio", comparison=">=", threshold=0.7)
    assert judge(asked, transfer_ratio(real, Rate(87, 100), 0.95)).verdict == verdict


def test_a_ratio_to_nothing_is_no_number() -> None:
    with pytest.raises(ValueError, match="nothing succeeded in simulation"):
        transfer_ratio(Rate(4, 5), Rate(0, 100), 0.95)
    assert transfer_ratio(Rate(4, 5), Rate(1, 100), 0.95).value == pytest.approx(80)
    assert ratio_bounds(Rate(4, 5), Rate(0, 100), 0.95)[1] is None
    assert transfer_ratio(Rate(0, 5), Rate(87, 100), 0.95).lower == 0


@pytest.mark.parametrize("bad", [Rate(0, 0), Rate(-1, 5), Rate(6, 5)])
def test_counts_that_can_not_be_are_refused(bad: Rate) -> None:
    for asked in (transfer_ratio, success_drop):
        for real, sim in ((bad, Rate(1, 2)), (Rate(1, 2), bad)):
            with pytest.raises(ValueError, match="can't be"):
                asked(real, sim, 0.95)


@pytest.mark.parametrize("confidence", [0.0, 0.5, 1.0, math.nan])
def test_a_confidence_that_says_nothing_is_refused(confidence: Any) -> None:
    for asked in (transfer_ratio, success_drop):
        with pytest.raises(ValueError, match="confidence"):
            asked(Rate(1, 2), Rate(1, 2), confidence)
    for both in (0.0, 1.0, math.nan):
        with pytest.raises(ValueError, match="confidence"):
            difference(Rate(1, 2), Rate(1, 2), both)
