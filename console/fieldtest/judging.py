"""A criterion and a measurement give a judgement, in numbers and in words."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec

from console.fieldtest import binomial, quantiles
from console.fieldtest.criteria import (
    QUANTILES,
    Answer,
    Criterion,
    Distribution,
    Estimate,
    Judgement,
    Measurement,
    Number,
    Rate,
    Verdict,
    holds,
)
from console.fieldtest.mtbf import HOURS, clean_hours, is_clean
from remote.errors import Trouble


class _Estimate(NamedTuple):
    """The estimate in the criterion's unit, its one-sided bounds (None: unbounded), and whether it has bounds at all."""

    value: float | None
    lower: float | None
    upper: float | None
    n: int
    bounded: bool


def judge(criterion: Criterion | None, measurement: Measurement) -> Judgement:
    """What `criterion` says of `measurement`; an Answer needs no criterion.

    Raises Trouble (`bad_pack`) where the two don't belong together: other unit, a rate of something that has none.
    """
    if isinstance(measurement, Answer):
        verdict: Verdict = "pass" if measurement.holds else "fail"
        return Judgement(verdict=verdict, n=1, why=measurement.words, meets_letter=measurement.holds)
    if criterion is None:
        raise _mismatch("a measured number needs a criterion")
    found = _estimate(criterion, measurement)
    if found.value is None or not math.isfinite(found.value):
        return Judgement(verdict="inconclusive", n=found.n, why="there is no number to judge", more=criterion.n_min)
    verdict, judged = _verdict(criterion, found)
    more = _more(criterion, measurement, found) if verdict == "inconclusive" else None
    judgement = Judgement(
        verdict=verdict,
        value=found.value,
        lower=found.lower,
        upper=found.upper,
        n=found.n,
        more=more,
        meets_letter=holds(found.value, criterion.comparison, criterion.threshold),
    )
    return msgspec.structs.replace(judgement, why=_why(criterion, measurement, judgement, judged))


# ------------------------------------------------------------ estimates


def _estimate(criterion: Criterion, measurement: Number | Rate | Distribution | Estimate) -> _Estimate:
    if isinstance(measurement, Rate):
        return _rate(criterion, measurement)
    if measurement.unit != criterion.unit:
        raise _mismatch(
            f"{criterion.metric} is in {measurement.unit or 'no unit'}, its limit in {criterion.unit or 'none'}"
        )
    if isinstance(measurement, Number):
        return _Estimate(measurement.value, None, None, measurement.n, False)
    if isinstance(measurement, Estimate):
        return _own_bounds(criterion, measurement)
    return _spread(criterion, measurement)


def _rate(criterion: Criterion, rate: Rate) -> _Estimate:
    if criterion.unit != "%":
        raise _mismatch(f"{criterion.metric} is a rate: its limit must be in %")
    if rate.n == 0:
        return _Estimate(None, None, None, 0, True)
    lower = binomial.lower_bound(rate.successes, rate.n, criterion.confidence)
    upper = binomial.upper_bound(rate.successes, rate.n, criterion.confidence)
    return _Estimate(100 * rate.successes / rate.n, 100 * lower, 100 * upper, rate.n, True)


def _own_bounds(criterion: Criterion, estimate: Estimate) -> _Estimate:
    if estimate.confidence < criterion.confidence:
        bounded, asked = (percent_words(one.confidence) for one in (estimate, criterion))
        said = f"{criterion.metric} was bounded at {bounded}, its limit asks for {asked}"
        raise _mismatch(said)
    return _Estimate(estimate.value, estimate.lower, estimate.upper, estimate.n, True)


def _spread(criterion: Criterion, spread: Distribution) -> _Estimate:
    histogram, statistic = spread.histogram, criterion.statistic
    if not histogram.count:
        return _Estimate(None, None, None, 0, False)
    if statistic in QUANTILES:
        q, confidence = QUANTILES[statistic], criterion.confidence
        lower = quantiles.lower_bound(histogram, q, confidence)
        upper = quantiles.upper_bound(histogram, q, confidence)
        return _Estimate(histogram.quantile(q), lower, upper, histogram.count, True)
    plain = {"max": histogram.maximum, "min": histogram.minimum, "mean": histogram.mean}
    if statistic not in plain:
        raise _mismatch(f"`{statistic}` can't be taken of the distribution of {criterion.metric}")
    return _Estimate(plain[statistic], None, None, histogram.count, False)


def _mismatch(what: str) -> Trouble:
    return Trouble(
        what, cure="correct the item in the pack: `fieldgate checklist lint` names the place", code="bad_pack"
    )


# ------------------------------------------------------------ the verdict


def _verdict(criterion: Criterion, found: _Estimate) -> tuple[Verdict, float | None]:
    """The verdict and the number that it was given on."""
    assert found.value is not None
    comparison, threshold = criterion.comparison, criterion.threshold
    if found.n < criterion.n_min:
        return "inconclusive", None
    if criterion.judge == "point" or not found.bounded or comparison == "==":
        passed = holds(found.value, comparison, threshold)
        return (_passed(criterion, found.value) if passed else "fail"), found.value
    safe, other = (found.lower, found.upper) if comparison in (">", ">=") else (found.upper, found.lower)
    if safe is not None and holds(safe, comparison, threshold):
        return _passed(criterion, safe), safe
    if other is not None and not holds(other, comparison, threshold):
        return "fail", other
    return "inconclusive", safe


def _passed(criterion: Criterion, judged: float) -> Verdict:
    near = criterion.margin > 0 and abs(judged - criterion.threshold) <= criterion.margin
    return "marginal" if near else "pass"


def _more(criterion: Criterion, measurement: Measurement, found: _Estimate) -> int | None:
    missing = max(0, criterion.n_min - found.n)
    if isinstance(measurement, Rate):
        share = criterion.threshold / 100
        upwards = criterion.comparison in (">", ">=")
        further = binomial.further_successes if upwards else binomial.further_failures
        more = further(measurement.successes, measurement.n, share, criterion.confidence) if found.n else missing
        return None if more is None else max(missing, more)
    if isinstance(measurement, Estimate):
        return max(missing, _more_like_these(criterion, measurement)) or None
    if criterion.statistic in QUANTILES and found.bounded:
        needed = quantiles.readings_needed(QUANTILES[criterion.statistic], criterion.confidence)
        missing = max(missing, needed - found.n)
    return missing or None


def _more_like_these(criterion: Criterion, estimate: Estimate) -> int:
    """How many more of what the estimate was computed from bring its bound over the threshold; 0 where that isn't known.

    Hours without another event: bounds of a Poisson count go with the time. Else the distance of the bound shrinks with the
    root of n, as long as the estimate stays.
    """
    upwards, threshold = criterion.comparison in (">", ">="), criterion.threshold
    bound = estimate.lower if upwards else estimate.upper
    if bound is None or criterion.judge == "point" or criterion.comparison == "==":
        return 0
    if estimate.of == HOURS:
        factor = (threshold / bound if upwards else bound / threshold) if bound > 0 and threshold > 0 else 0.0
    else:
        better = estimate.value > threshold if upwards else estimate.value < threshold
        factor = ((estimate.value - bound) / (estimate.value - threshold)) ** 2 if better else 0.0
    return max(0, math.floor(estimate.n * (factor - 1)) + 1) if math.isfinite(factor) else 0


# ------------------------------------------------------------ words


def number_words(value: float | None, unit: str) -> str:
    """A number with its unit, three to four digits: `12.3 ms`, `7.6 %`, `2.5 GB`; `unbounded` for None."""
    if value is None:
        return "unbounded"
    value, unit = _scaled(value) if unit == "B" else (value, unit)
    digits = 0 if abs(value) >= 1000 or value == int(value) else 1 if abs(value) >= 1 else 3
    if 0 < abs(value) < 0.0005:  # a rare event is not none
        digits = 1 - math.floor(math.log10(abs(value)))
    return f"{value:,.{digits}f} {unit_words(unit)}".rstrip()


def unit_words(unit: str) -> str:
    """The unit as people read it: `a day` for `1/d`, `a second` for `1/s`."""
    return {"1/d": "a day", "1/s": "a second"}.get(unit, unit)


def _scaled(value: float) -> tuple[float, str]:
    """Bytes as people read them, in powers of a thousand."""
    for size, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if abs(value) >= size:
            return value / size, unit
    return value, "B"


def limit_words(criterion: Criterion | None) -> str:
    """The criterion in words: `p99 < 500 ms, upper bound at 95 %, n >= 299`; empty for none."""
    if criterion is None:
        return ""
    statistic = "" if criterion.statistic in ("value", "rate") else f"{criterion.statistic} "
    threshold = (
        number_words(criterion.threshold, "B")
        if criterion.unit == "B"
        else f"{criterion.threshold:g} {unit_words(criterion.unit)}"
    )
    words = f"{statistic}{criterion.comparison} {threshold}".rstrip()
    if _is_bounded(criterion):
        side = "lower" if criterion.comparison in (">", ">=") else "upper"
        words += f", {side} bound at {percent_words(criterion.confidence)}"
    return words + (f", n >= {criterion.n_min}" if criterion.n_min > 1 else "")


def _is_bounded(criterion: Criterion) -> bool:
    has_bounds = criterion.statistic == "rate" or criterion.statistic in QUANTILES
    return criterion.judge == "bound" and has_bounds and criterion.comparison != "=="


def percent_words(share: float) -> str:
    """A share of one in per cent: `95 %`, `99.5 %`."""
    return f"{100 * share:.6g} %"


def count_words(n: int, of: str) -> str:
    """`8 hours`, `1 hour`, `less than 1 hour`: a count of what is named in the plural; hours are counted whole."""
    if n == 0 and of == HOURS:
        return "less than 1 hour"
    return f"{n:,} {of.removesuffix('s') if n == 1 else of}"


def measured_words(measurement: Measurement, judgement: Judgement, unit: str) -> str:
    """What was measured, short: `p99 12.3 ms (n 900)`, `2 of 5 = 40 %`, `2.7 h (8 hours)`, `no breakdown in 8 h`, an
    answer's words."""
    if isinstance(measurement, Answer):
        return measurement.words
    if isinstance(measurement, Rate):
        return f"{measurement.successes} of {measurement.n} = {number_words(judgement.value, '%')}"
    if isinstance(measurement, Estimate) and is_clean(measurement):
        return f"no breakdown in {number_words(clean_hours(measurement), 'h')}"
    if isinstance(measurement, Estimate) and measurement.of:
        return f"{number_words(judgement.value, unit)} ({count_words(judgement.n, measurement.of)})"
    count = f" (n {judgement.n})" if judgement.n != 1 else ""
    return f"{number_words(judgement.value, unit)}{count}"


def _why(criterion: Criterion, measurement: Measurement, judgement: Judgement, judged: float | None) -> str:
    head = f"{measured_words(measurement, judgement, criterion.unit)} against {limit_words(criterion)}"
    if judgement.n < criterion.n_min:
        missing = criterion.n_min - judgement.n
        more = (
            count_words(missing, f"more {_what_of(measurement)}")
            if isinstance(measurement, Estimate)
            else f"{missing} more"
        )
        return f"{head}: {more} needed before it is judged"
    parts = [head]
    if judgement.lower is not None or judgement.upper is not None:
        parts.append(_bound_words(criterion, measurement, judgement))
    if judgement.verdict == "marginal":
        parts.append(f"within the margin of {number_words(criterion.margin, criterion.unit)}")
    if judgement.verdict == "inconclusive":
        parts.append(_undecided_words(criterion, measurement, judgement))
    return "; ".join(part for part in parts if part)


def _bound_words(criterion: Criterion, measurement: Measurement, judgement: Judgement) -> str:
    upwards = criterion.comparison in (">", ">=")
    bound, side = (judgement.lower, "lower") if upwards else (judgement.upper, "upper")
    if judgement.verdict == "fail" and criterion.judge == "bound":
        bound, side = (judgement.upper, "upper") if upwards else (judgement.lower, "lower")
    if bound is None:
        return f"too few {_what_of(measurement)} for the {side} bound"
    words = f"the {side} bound is {number_words(bound, criterion.unit)}"
    if isinstance(measurement, Estimate):
        words += f" at {percent_words(measurement.confidence)} ({measurement.method})"
    return words


def _what_of(measurement: Measurement) -> str:
    return (measurement.of if isinstance(measurement, Estimate) else "") or "readings"


def _undecided_words(criterion: Criterion, measurement: Measurement, judgement: Judgement) -> str:
    head = "it meets the letter, but proves nothing yet" if judgement.meets_letter else "not decided"
    if isinstance(measurement, Rate):
        tail = _trials_words(criterion, measurement)
    elif isinstance(measurement, Estimate):
        tail = _estimate_words(measurement, judgement)
    else:
        tail = f"about {judgement.more} more readings would decide" if judgement.more else ""
    return f"{head}: {tail}" if tail else head


def _estimate_words(estimate: Estimate, judgement: Judgement) -> str:
    if not judgement.more:
        return ""
    like = "without another event" if estimate.of == HOURS else "like these"
    return f"about {count_words(judgement.more, f'more {_what_of(estimate)}')} {like} would pass it"


def _trials_words(criterion: Criterion, rate: Rate) -> str:
    """How many more trials would decide: at best, at worst, and at the present rate."""
    share, confidence = criterion.threshold / 100, criterion.confidence
    upwards = criterion.comparison in (">", ">=")
    successes = binomial.further_successes(rate.successes, rate.n, share, confidence)
    failures = binomial.further_failures(rate.successes, rate.n, share, confidence)
    steady = binomial.trials_at_rate(rate.successes, rate.n, share, confidence) if upwards else None
    if upwards:
        ways = [
            f"{successes} more successes in a row would pass it" if successes else "",
            f"{failures} more without one would fail it" if failures else "",
            f"at this rate about {steady} more trials" if steady else "",
        ]
    else:  # what is counted is what must not happen: nobody calls a crash a success
        ways = [
            f"{failures} more clean trial{'s' * (failures != 1)} would pass it" if failures else "",
            f"{successes} more with one would fail it" if successes else "",
        ]
    return ", ".join(way for way in ways if way)
