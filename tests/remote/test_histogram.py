"""Percentiles from histograms: an engineer reads 12.3 ms and may believe it to half a percent."""

from __future__ import annotations

import itertools
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.histogram import RELATIVE_ERROR, Histogram

VALUES = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=200)


def exact(values: list[float], q: float) -> float:
    """Nearest rank, by definition."""
    return sorted(values)[max(1, math.ceil(q * len(values))) - 1]


@given(VALUES, st.floats(0, 1))
def test_a_quantile_is_within_the_promised_error_of_the_exact_one(values: list[float], q: float) -> None:
    got = Histogram.of(values).quantile(q)
    assert got is not None
    assert got == pytest.approx(exact(values, q), rel=RELATIVE_ERROR * 1.0001)


@given(VALUES)
def test_count_sum_minimum_and_maximum_are_exact(values: list[float]) -> None:
    histogram = Histogram.of(values)
    assert (histogram.count, histogram.minimum, histogram.maximum) == (len(values), min(values), max(values))
    assert histogram.total == pytest.approx(sum(values))
    assert histogram.mean == pytest.approx(sum(values) / len(values))


@given(st.lists(VALUES, max_size=5))
def test_an_hour_from_its_seconds_is_the_hour(parts: list[list[float]]) -> None:
    merged, whole = Histogram.merge(map(Histogram.of, parts)), Histogram.of(itertools.chain(*parts))
    assert merged.total == pytest.approx(whole.total)
    assert msgspec.structs.replace(merged, total=0.0) == msgspec.structs.replace(whole, total=0.0)


def test_of_nothing_there_is_no_quantile_and_no_mean() -> None:
    for empty in (Histogram(), Histogram.of([]), Histogram.merge([]), Histogram.merge([Histogram()])):
        assert empty == Histogram()
        assert empty.quantile(0.5) is None
        assert empty.mean is None


def test_zero_is_a_value_too() -> None:
    histogram = Histogram.of([0.0, 0.0, 5.0])
    assert (histogram.count, histogram.minimum) == (3, 0.0)
    assert histogram.quantile(0.5) == pytest.approx(0.0, abs=2e-6)
    assert histogram.quantile(1.0) == pytest.approx(5.0, rel=RELATIVE_ERROR)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.001])
def test_what_is_no_duration_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite non-negative"):
        Histogram.of([1.0, value])


@pytest.mark.parametrize("q", [-0.01, 1.01, math.nan])
def test_a_quantile_outside_of_0_to_1_is_refused(q: float) -> None:
    with pytest.raises(ValueError, match="quantile"):
        Histogram.of([1.0]).quantile(q)


@pytest.mark.parametrize(
    "wire",
    [
        "[1,1.0,1,1,[0],[]]",
        "[2,1.0,1,1,[0],[1]]",
        "[2,1.0,1,1,[3,3],[1,1]]",
        "[2,1.0,1,1,[4,3],[1,1]]",
        "[0,0,0,0,[1,2],[1,-1]]",
    ],
    ids=["counts missing", "sum wrong", "bucket twice", "descending", "negative count"],
)
def test_a_histogram_that_can_not_be_is_refused_on_the_wire(wire: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(wire, type=Histogram)
    assert msgspec.json.decode("[2,3.0,1,2,[3,4],[1,1]]", type=Histogram).count == 2


@given(VALUES)
def test_the_wire_carries_it_unchanged(values: list[float]) -> None:
    histogram = Histogram.of(values)
    assert msgspec.json.decode(msgspec.json.encode(histogram), type=Histogram) == histogram


@given(VALUES)
def test_the_ends_are_exact(values: list[float]) -> None:
    histogram = Histogram.of(values)
    assert histogram.quantile(0.0) == min(values)
    assert histogram.quantile(1.0) == max(values)


def test_the_slowest_is_not_averaged_with_its_bucket() -> None:
    """The bucket's representative lies between the two."""
    histogram = Histogram.of([100.6, 101.4])
    assert len(histogram.buckets) == 1
    assert (histogram.quantile(0.0), histogram.quantile(1.0)) == (100.6, 101.4)
