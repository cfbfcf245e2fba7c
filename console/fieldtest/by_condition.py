"""Success by condition: which light, place or object the robot is bad at, and whether that is more than chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal, Protocol

import msgspec

from console.fieldtest.comparing import exact_p
from console.fieldtest.criteria import Rate
from console.fieldtest.intervals import exact
from console.fieldtest.many import benjamini_hochberg, holm
from console.fieldtest.refusing import check_counts


class TrialLike(Protocol):
    """What is asked of a trial here: console.phases.states.TrialState has it."""

    @property
    def outcome(self) -> str:
        """success, failure or aborted."""

    @property
    def conditions(self) -> Mapping[str, str]:
        """What was written down with it."""

    @property
    def counts(self) -> bool:
        """Whether it is in the numbers."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The trials of one value of a condition (`value` is empty for those without it).

    `share`, `lower`, `upper`: success in per cent and its two-sided exact interval at the confidence asked for. `p_value`:
    of this group being like all others together (1 where there are no others); `p_adjusted`: the same, made up for looking
    at so many groups.
    """

    value: str
    rate: Rate
    share: float
    lower: float
    upper: float
    p_value: float
    p_adjusted: float


def success_by(
    trials: Iterable[TrialLike],
    condition: str,
    *,
    confidence: float = 0.95,
    aborted: Literal["failure", "excluded"] = "failure",
    correction: Literal["holm", "benjamini_hochberg"] = "holm",
) -> tuple[Group, ...]:
    """Success for each value of `condition` over the trials that count, worst group first.

    `aborted` says whether broken-off trials are failures or left out, as the phase does.
    """
    taken = [one for one in trials if one.counts and not (aborted == "excluded" and one.outcome == "aborted")]
    everyone = Counter(one.conditions.get(condition, "") for one in taken)
    good = Counter(one.conditions.get(condition, "") for one in taken if one.outcome == "success")
    return groups_of({value: Rate(good[value], n) for value, n in everyone.items()}, confidence, correction)


def groups_of(
    rates: Mapping[str, Rate],
    confidence: float = 0.95,
    correction: Literal["holm", "benjamini_hochberg"] = "holm",
) -> tuple[Group, ...]:
    """Groups from counts that are there already; worst first, equals by name. Raises ValueError for counts that can't be."""
    names = sorted(rates)
    for rate in rates.values():
        check_counts(rate.successes, rate.n)
    p_values = [_against_the_rest(name, rates) for name in names]
    adjusted = (holm if correction == "holm" else benjamini_hochberg)(p_values)
    groups = [
        _group(name, rates[name], confidence, p, of_many)
        for name, p, of_many in zip(names, p_values, adjusted, strict=True)
    ]
    return tuple(sorted(groups, key=lambda group: group.share))


def _group(name: str, rate: Rate, confidence: float, p_value: float, p_adjusted: float) -> Group:
    lower, upper = exact(rate.successes, rate.n, confidence)
    return Group(
        value=name,
        rate=rate,
        share=100 * rate.successes / rate.n,
        lower=100 * lower,
        upper=100 * upper,
        p_value=p_value,
        p_adjusted=p_adjusted,
    )


def _against_the_rest(name: str, rates: Mapping[str, Rate]) -> float:
    mine = rates[name]
    others = [rate for other, rate in rates.items() if other != name]
    rest = Rate(sum(one.successes for one in others), sum(one.n for one in others))
    return exact_p(mine, rest)[0] if rest.n else 1.0
