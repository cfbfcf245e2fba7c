"""Bounds for many counts at once are those that are asked for one by one."""

from __future__ import annotations

import numpy as np
import pytest

from console.fieldtest.sequential import SequentialTest


def test_many_at_once_are_the_same_as_one_by_one() -> None:
    """A plot whose band is another than the verdict's would show a pass that is none."""
    test = SequentialTest(0.8)
    hits, trials = np.array([0, 1, 7, 41, 43]), np.array([1, 1, 9, 43, 43])
    lower, upper = test.bounds_of(hits, trials)
    for k, n, low, high in zip(hits, trials, lower, upper, strict=True):
        assert (low, high) == pytest.approx(test.bounds(int(k), int(n)))
