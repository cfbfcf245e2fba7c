"""Criteria: what is measured, against which limit, with which confidence. One class serves checklist items, phases and KPIs.

A criterion is judged on a measurement by `console.fieldtest.judging.judge`. Rates and their thresholds are in per cent.
"""

from __future__ import annotations

from typing import Annotated, Literal, Union

import msgspec

from remote.histogram import Histogram

Verdict = Literal["pass", "marginal", "fail", "inconclusive"]
Comparison = Literal["<", "<=", ">", ">=", "=="]
Statistic = Literal["value", "rate", "p50", "p95", "p99", "max", "min", "mean"]
_METRIC = "name: a small letter, then small letters, digits and _, 48 at most"
QUANTILES: dict[str, float] = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


class Criterion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Passed when `statistic` of `metric` `comparison` `threshold` (in `unit`) holds.

    `judge: bound` wants it of the one-sided confidence bound, so that few or scattered measurements can't pass by luck;
    `judge: point` of the estimate alone (the bound is shown all the same). Fewer than `n_min` measurements decide nothing.
    A pass whose judged number lies within `margin` (same unit) of the threshold is marginal: passed, and marked.
    """

    metric: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,47}$", description=_METRIC)]
    statistic: Statistic = "value"
    comparison: Comparison
    threshold: float
    unit: Annotated[str, msgspec.Meta(max_length=16)] = ""
    margin: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    n_min: Annotated[int, msgspec.Meta(ge=1)] = 1
    confidence: Annotated[float, msgspec.Meta(gt=0.5, lt=1)] = 0.95
    judge: Literal["bound", "point"] = "bound"


class Number(msgspec.Struct, frozen=True, tag="number"):
    """One number that was read or entered; `n` says how many readings it stands for."""

    value: float
    unit: str = ""
    n: int = 1


class Rate(msgspec.Struct, frozen=True, tag="rate"):
    """`successes` of `n` independent trials."""

    successes: int
    n: int


class Distribution(msgspec.Struct, frozen=True, tag="distribution"):
    """Many readings, in `unit`, as a mergeable histogram."""

    histogram: Histogram
    unit: str


class Estimate(msgspec.Struct, frozen=True, tag="estimate", kw_only=True):
    """A figure whose one-sided bounds were computed by `method` at `confidence`; None: unbounded on that side.

    `n` is what it was computed from (`of` says of what: frames, hours, trials).
    """

    value: float
    lower: float | None
    upper: float | None
    confidence: float
    method: str
    unit: str = ""
    n: int = 0
    of: str = ""


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """A question that has no number: whether it holds, and in words what was seen."""

    holds: bool
    words: str


Measurement = Union[Number, Rate, Distribution, Estimate, Answer]


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What a criterion says of a measurement.

    `value` is the estimate in the criterion's unit, `lower` and `upper` its one-sided bounds at the criterion's confidence
    (None: unbounded or not applicable). `why` is one sentence with the numbers. `more` is how many further trials or readings
    would decide if all went as well as they must (inconclusive only; None: not known). `meets_letter` says that the estimate
    alone would pass, whatever its bound says.
    """

    verdict: Verdict
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    n: int = 0
    why: str = ""
    more: int | None = None
    meets_letter: bool | None = None


def holds(value: float, comparison: Comparison, threshold: float) -> bool:
    """Whether `value comparison threshold`; a NaN holds nothing."""
    if comparison == "<":
        return value < threshold
    if comparison == "<=":
        return value <= threshold
    if comparison == ">":
        return value > threshold
    return value >= threshold if comparison == ">=" else value == threshold
