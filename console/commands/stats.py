"""`fieldgate stats`: what counts prove, at a prompt: rates, plans, comparisons, time between breakdowns, transfer."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
import msgspec

from console import exits
from console.commands.campaign_words import print_json

if TYPE_CHECKING:
    from console.fieldtest.criteria import Comparison, Criterion, Judgement, Measurement, Rate, Statistic

FORMAT = 1
"""Of every `fieldgate stats ... --json`."""
_SLOW_S = 2.0
_COUNTS = re.compile(r"(\d{1,9})/(\d{1,9})")
_LIMIT = re.compile(r"(<=|>=|<|>) ?(\d{1,9}(?:\.\d{1,9})?) ?%?")


class _Number(click.FloatRange):
    """A number between two others, both left out; NaN is none."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__(low, high, min_open=True, max_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; a usage error where it is none or lies outside."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{number} is no number", param, ctx)
        return number


_PERCENT = _Number(0, 100)
_CONFIDENCE = click.option(
    "--confidence", type=_Number(50, 100), default=95.0, show_default=True, help="In per cent, of each bound by itself."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")


class _Counts(click.ParamType["Rate"]):
    """`41/43` as a Rate."""

    name = "k/n"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Rate:
        """The rate; a usage error where it is none."""
        from console.fieldtest.criteria import Rate

        found = _COUNTS.fullmatch(str(value))
        if not found or int(found[1]) > int(found[2]) or int(found[2]) == 0:
            self.fail(f"{str(value)!r} is not successes/trials, like 41/43", param, ctx)
        return Rate(int(found[1]), int(found[2]))


class _Limit(click.ParamType["tuple[Comparison, float]"]):
    """`>= 95` as a comparison and a number."""

    name = "limit"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Comparison, float]:
        """The comparison and its threshold; a usage error where it is none."""
        found = _LIMIT.fullmatch(str(value).strip())
        if not found:
            self.fail(f"{str(value)!r} is not a comparison and a number, like '>= 95'", param, ctx)
        comparison: Comparison = (
            ">=" if found[1] == ">=" else "<=" if found[1] == "<=" else ">" if found[1] == ">" else "<"
        )
        return comparison, float(found[2])


@click.group()
def stats() -> None:
    """What counts prove and what not yet. docs/statistics.md says how each figure comes about.

    Rates are in per cent. With --against a command ends with 0 where it is shown, 3 where the opposite is, 7 where nothing
    is decided.
    """


@stats.command()
@click.argument("counts", type=_Counts())
@click.option("--against", type=_Limit(), help="A limit in per cent: '>= 95', '< 1'.")
@_CONFIDENCE
@_JSON
def rate(counts: Rate, against: tuple[Comparison, float] | None, confidence: float, as_json: bool) -> None:
    """The rate of COUNTS (successes/trials, 41/43) with its exact bounds and Wilson's interval."""
    from console.fieldtest import binomial
    from console.fieldtest.intervals import wilson

    share, k, n = confidence / 100, counts.successes, counts.n
    bounds = binomial.lower_bound(k, n, share), binomial.upper_bound(k, n, share)
    drawn = wilson(k, n, share)
    judgement = _judged(_criterion("rate", against, "%", share), counts) if against else None
    if as_json:
        _print(judgement, successes=k, n=n, percent=100 * k / n, confidence=share, lower=100 * bounds[0],
               upper=100 * bounds[1], wilson=[100 * drawn[0], 100 * drawn[1]])  # fmt: skip
    else:
        click.echo(f"{k} of {n} = {100 * k / n:.1f} %")
        click.echo(f"exact bounds, {confidence:g} % each: {100 * bounds[0]:.1f} %, {100 * bounds[1]:.1f} %")
        click.echo(f"Wilson's interval, {confidence:g} %: {100 * drawn[0]:.1f} % to {100 * drawn[1]:.1f} %")
    _end(judgement, as_json)


@stats.command()
@click.option("--threshold", type=_PERCENT, required=True, help="The rate that must be shown, in per cent.")
@click.option("--expected", type=_PERCENT, required=True, help="The rate that you hope for, in per cent.")
@click.option(
    "--power", type=_Number(0.5, 1), default=0.8, show_default=True,
    help="The chance to pass if the rate is as expected.",
)  # fmt: skip
@_CONFIDENCE
@_JSON
def plan(threshold: float, expected: float, power: float, confidence: float, as_json: bool) -> None:
    """How many trials it takes; an --expected below --threshold plans for a rate that must stay below it."""
    from console.fieldtest.planning import plan as plan_fixed

    if threshold == expected:
        raise click.UsageError("--expected equals --threshold: no number of trials tells them apart.")
    if threshold < expected <= 1:
        meant = f"--threshold {100 * threshold:g} --expected {100 * expected:g}"
        raise click.UsageError(f"rates are in per cent: {expected:g} % would be hoped for. Did you mean {meant}?")
    up: Comparison = ">=" if expected > threshold else "<="
    asked = (threshold / 100, expected / 100, power, confidence / 100, up)
    with _patience():
        try:
            fixed = plan_fixed(*asked)
        except ValueError as error:
            raise click.UsageError(f"{error}.") from error
        looked = _looked_at(*asked)
    if as_json:
        return print_json({"format": FORMAT, **fixed._asdict(), "comparison": up, "sequential_n": looked and looked[0],
                           "sequential_median_n": looked and looked[1]})  # fmt: skip
    rule = f"{fixed.passes_at} successes pass" if up == ">=" else f"up to {fixed.passes_at} of them may go wrong"
    click.echo(f"judged once: {fixed.n} trials, {rule} (power {100 * fixed.power:.0f} %)")
    if fixed.first_n < fixed.n:
        why = "the power falls where one more failure is not yet allowed"
        click.echo(f"  {fixed.first_n} have that power too, but not every number between: {why}")
    half = f"{looked[0]} trials at most, half of such robots need {looked[1]}" if looked else "more than 4000 trials"
    return click.echo(f"looked at after every trial: {half}")


@contextmanager
def _patience() -> Iterator[None]:
    """Says on stderr what goes on, once it has taken _SLOW_S."""
    said = "the two rates lie close together: following every path of the trials, up to half a minute"
    timer = threading.Timer(_SLOW_S, lambda: click.echo(said, err=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _looked_at(
    threshold: float, expected: float, power: float, confidence: float, comparison: Comparison
) -> tuple[int, int] | None:
    """The sequential plan and the median of the trials that it takes; None where it takes more than is followed."""
    from console.fieldtest.sequential import SequentialTest
    from console.fieldtest.stopping import chances_of, sequential_n

    try:
        most = sequential_n(threshold, expected, power, confidence, comparison)
    except ValueError:  # too near the threshold
        return None
    test = SequentialTest(threshold, 1 - confidence, ">" if comparison == ">=" else "<")
    return most, int((chances_of(test, expected, most).stopped() >= 0.5).argmax())


@stats.command()
@click.argument("first", type=_Counts())
@click.argument("second", type=_Counts())
@_CONFIDENCE
@_JSON
def compare(first: Rate, second: Rate, confidence: float, as_json: bool) -> None:
    """Whether the rates FIRST and SECOND (87/100 80/100) differ, and by how much. The trials must be separate ones."""
    from console.fieldtest.comparing import compare_rates

    found = compare_rates(first, second, confidence / 100)
    if as_json:
        return print_json({"format": FORMAT, **msgspec.to_builtins(found)})
    return click.echo(found.words)


@stats.command()
@click.option("--hours", type=_Number(1e-3, 1e7), required=True, help="Hours of running.")
@click.option("--failures", type=click.IntRange(0, 10**9), required=True, help="Breakdowns in them.")
@click.option("--against", type=_Limit(), help="A limit in hours: '> 24'.")
@_CONFIDENCE
@_JSON
def mtbf(
    hours: float, failures: int, against: tuple[Comparison, float] | None, confidence: float, as_json: bool
) -> None:
    """The mean time between breakdowns with chi-square bounds, and breakdowns a day with exact ones."""
    from console.fieldtest.mtbf import a_day_words, mtbf_words, rate_per_day
    from console.fieldtest.mtbf import mtbf as mtbf_of

    share = confidence / 100
    between, daily = mtbf_of(hours, failures, share), rate_per_day(failures, hours / 24, share)
    judgement = _judged(_criterion("mtbf_h", against, "h", share), between) if against else None
    if as_json:
        _print(judgement, mtbf_h=between, per_day=daily)
    else:
        click.echo(f"MTBF {mtbf_words(between)}")
        click.echo(f"breakdowns {a_day_words(daily)}")
    _end(judgement, as_json)


@stats.command()
@click.argument("sim", type=_Counts())
@click.argument("real", type=_Counts())
@click.option("--against", type=_Limit(), help="A limit of the ratio: '>= 0.7'.")
@_CONFIDENCE
@_JSON
def transfer(sim: Rate, real: Rate, against: tuple[Comparison, float] | None, confidence: float, as_json: bool) -> None:
    """How much of the success in SIM (87/100) arrives in REAL (4/5): ratio and difference, with bounds.

    SIM comes first, as in `fieldgate gap`.
    """
    from console.fieldtest.transfer import success_drop, transfer_ratio

    share = confidence / 100
    try:
        ratio, drop = transfer_ratio(real, sim, share), success_drop(real, sim, share)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error
    judgement = _judged(_criterion("transfer_ratio", against, "", share), ratio) if against else None
    if as_json:
        _print(judgement, sim=_counted(sim), real=_counted(real), transfer_ratio=ratio, success_drop=drop)
    else:
        click.echo(f"simulated {sim.successes} of {sim.n}, real {real.successes} of {real.n}")
        click.echo(
            f"transfer ratio {ratio.value:.2f}; bounds, {confidence:g} % each: {ratio.lower:.2f}, {ratio.upper:.2f}"
        )
        click.echo(f"drop {drop.value:.1f} points; bounds, {confidence:g} % each: {drop.lower:.1f}, {drop.upper:.1f}")
    _end(judgement, as_json)


# ------------------------------------------------------------ judged


def _criterion(metric: str, against: tuple[Comparison, float], unit: str, confidence: float) -> Criterion:
    from console.fieldtest.criteria import Criterion

    statistic: Statistic = "rate" if metric == "rate" else "value"
    return Criterion(
        metric=metric,
        statistic=statistic,
        comparison=against[0],
        threshold=against[1],
        unit=unit,
        confidence=confidence,
    )


def _judged(criterion: Criterion, measurement: Measurement) -> Judgement:
    from console.fieldtest.judging import judge

    return judge(criterion, measurement)


def _print(judgement: Judgement | None, **fields: object) -> None:
    print_json({"format": FORMAT, **fields, "judgement": judgement})


def _counted(rate: Rate) -> dict[str, int]:
    return {"successes": rate.successes, "n": rate.n}


def _end(judgement: Judgement | None, as_json: bool) -> None:
    """Say the verdict and end with its code."""
    if judgement is None:
        return
    if not as_json:
        word = "not yet decided" if judgement.verdict == "inconclusive" else judgement.verdict
        click.echo(f"{word}: {judgement.why}")
    if judgement.verdict == "fail":
        raise click.exceptions.Exit(exits.ALARM)
    if judgement.verdict == "inconclusive":
        raise click.exceptions.Exit(exits.NO_DATA)
