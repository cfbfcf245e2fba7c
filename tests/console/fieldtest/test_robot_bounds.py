"""The robot's bounds, made without SciPy, are the laptop's: a pass there must be a pass here."""

from __future__ import annotations

import math

import pytest

from console.fieldtest import binomial, quantiles
from remote.models.validation.bounds import percentile, rate_lower, rate_upper, readings_needed, upper_rank


def test_the_bounds_are_those_of_scipy() -> None:
    for n in (1, 59, 298, 299, 1000, 4321):
        assert upper_rank(0.99, n, 0.95) == quantiles.upper_rank(0.99, n, 0.95)
        found = percentile([float(i) for i in range(1, n + 1)], 0.99, 0.95)
        assert found.lower == quantiles.lower_rank(0.99, n, 0.95)
        assert found.value == math.ceil(0.99 * n)
    assert readings_needed(0.99, 0.95) == 299
    for k, n in ((0, 5), (1, 7), (35, 50), (50, 50), (299, 300)):
        assert rate_lower(k, n, 0.95) == pytest.approx(binomial.lower_bound(k, n, 0.95), abs=1e-9)
        assert rate_upper(k, n, 0.95) == pytest.approx(binomial.upper_bound(k, n, 0.95), abs=1e-9)
