"""Which circumstances failures come with: each group's rate against the rest, corrected for looking at many groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

import msgspec

from console.failures.circumstances import UNKNOWN, Group, HourOf, groups_of, light_name, temp_name
from console.failures.examples import LookOf, folded
from console.failures.exposure import Exposure
from console.failures.rates import Rate, chance_of_difference, rate
from console.failures.rows import FailureRow
from console.fieldtest.many import benjamini_hochberg, holm

Unit = Literal["hours", "frames"]
BEYOND_CHANCE = 0.05
"""A pattern is one where Holm's p lies below this; where only Benjamini and Hochberg's does, it is a hint."""
_UNTESTED = frozenset(("kind", "missing"))
"""These share all of the running time: one kind, or one label that was missed, against the others says nothing."""


class GroupRate(msgspec.Struct, frozen=True, kw_only=True):
    """One group. Rates are of examples, per hour of running or per 1000 frames; None where no running time is known.

    `rest` is everything that was sorted by the same thing and is not in this group. `p` is the chance of such a difference
    where there is none, `p_holm` and `q` after all groups that were looked at; None where it could not be tested.
    """

    by: str
    name: str
    failures: int
    examples: int
    rate: Rate | None
    rest: Rate | None
    p: float | None = None
    p_holm: float | None = None
    q: float | None = None

    @property
    def beyond_chance(self) -> bool:
        """Whether it is a pattern."""
        return self.p_holm is not None and self.p_holm < BEYOND_CHANCE

    @property
    def hint(self) -> bool:
        """Whether it is worth a look though it may be chance."""
        return not self.beyond_chance and self.q is not None and self.q < BEYOND_CHANCE


class Patterns(msgspec.Struct, frozen=True, kw_only=True):
    """Every group, patterns first. `amount` is all running time in the unit; `left_out` counts failures without any, by why."""

    unit: Unit
    failures: int
    examples: int
    amount: float
    looked_at: int
    groups: tuple[GroupRate, ...]
    left_out: dict[str, int] = {}


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """Failures and examples by group. `labelled`: examples with anything detected in the frame."""

    failures: Counter[Group]
    examples: Counter[Group]
    all_failures: int
    all_examples: int
    labelled: int
    left_out: dict[str, int]


def find_patterns(
    rows: Iterable[FailureRow], exposure: Exposure, look_of: LookOf, hour_of: HourOf, unit: Unit = "hours"
) -> Patterns:
    """Test every group against the rest. The rows must come in order of time, forwards or backwards."""
    counted = count_groups(rows, look_of, hour_of)
    groups = _tested(counted, exposure, unit)
    return Patterns(
        unit=unit,
        failures=counted.all_failures,
        examples=counted.all_examples,
        amount=_amount(exposure, None, unit),
        looked_at=sum(1 for one in groups if one.p is not None),
        groups=tuple(sorted(groups, key=_order)),
        left_out=counted.left_out,
    )


def count_groups(rows: Iterable[FailureRow], look_of: LookOf, hour_of: HourOf) -> Counted:
    """Sort the rows into groups. Imported ones are left out: no running time is known for them."""
    failures: Counter[Group] = Counter()
    examples: Counter[Group] = Counter()
    left_out: Counter[str] = Counter()
    all_failures = all_examples = labelled = 0
    for one in folded(_own(rows, left_out), look_of):
        found = _groups(one.row, hour_of)
        times = one.row.times
        failures.update(dict.fromkeys(found, times))
        all_failures += times
        if one.first:
            examples.update(found)
            all_examples += 1
            labelled += bool(one.row.labels)
    return Counted(
        failures=failures,
        examples=examples,
        all_failures=all_failures,
        all_examples=all_examples,
        labelled=labelled,
        left_out=dict(left_out),
    )


def _own(rows: Iterable[FailureRow], left_out: Counter[str]) -> Iterable[FailureRow]:
    for row in rows:
        if row.imported_from:
            left_out["imported from a log"] += 1
        else:
            yield row


def _groups(row: FailureRow, hour_of: HourOf) -> list[Group]:
    found = groups_of(
        robot=row.robot,
        bundle=row.bundle,
        hour=hour_of(row.wall_ns),
        light=light_name(row.light),
        temp=temp_name(row.temp_c),
        conditions=row.conditions,
    )
    found.append(("kind", f"kind {row.kind}"))
    if row.kind == "no_detection" and row.data.get("label"):
        found.append(("missing", f"missing {row.data['label']}"))
    return [*found, *(("label", f"label {label}") for label in row.labels)]


def _tested(counted: Counted, exposure: Exposure, unit: Unit) -> list[GroupRate]:
    given = set(exposure.seconds) | set(counted.failures)
    wholes = _wholes(counted, exposure, unit)
    plain = [_plain(group, counted, exposure, unit, wholes) for group in sorted(given)]
    # Where all running time is in one group there is nothing to compare it with: it does not count as looked at.
    tested = [one for one in plain if one.p is not None]
    strict = holm([one.p for one in tested if one.p is not None])
    mild = benjamini_hochberg([one.p for one in tested if one.p is not None])
    corrected = [msgspec.structs.replace(one, p_holm=p, q=q) for one, p, q in zip(tested, strict, mild, strict=True)]
    return [*corrected, *(one for one in plain if one.p is None)]


def _wholes(counted: Counted, exposure: Exposure, unit: Unit) -> dict[str, tuple[int, float]]:
    """Examples and amount of everything that was sorted by each thing: a condition is not told at all times.

    What is not known of some failures or some time is in no group, so it is not elsewhere either. A label is compared with the
    time in which anything was seen: a failure to see anything can't come with one.
    """
    found: dict[str, tuple[int, float]] = {}
    for group in _known(set(exposure.seconds) | set(counted.examples)):
        examples, amount = found.get(group[0], (0, 0.0))
        found[group[0]] = (examples + counted.examples[group], amount + _amount(exposure, group, unit))
    found["kind"] = found["missing"] = (counted.all_examples, _amount(exposure, None, unit))
    seen = exposure.seen_seconds / 3600 if unit == "hours" else exposure.seen_frames / 1000
    found["label"] = (counted.labelled, seen)
    return found


def _known(groups: Iterable[Group]) -> list[Group]:
    return [group for group in groups if not group[1].endswith(UNKNOWN)]


def _plain(
    group: Group, counted: Counted, exposure: Exposure, unit: Unit, wholes: dict[str, tuple[int, float]]
) -> GroupRate:
    by, name = group
    examples, (all_examples, all_amount) = counted.examples[group], wholes.get(by, (0, 0.0))
    amount = all_amount if by in _UNTESTED else _amount(exposure, group, unit)
    rest, rest_amount = all_examples - examples, max(0.0, all_amount - amount)
    rest_amount = rest_amount if rest_amount > 1e-9 * all_amount else 0.0  # what is left of adding up the same floats
    tested = by not in _UNTESTED and not name.endswith(UNKNOWN)
    return GroupRate(
        by=by,
        name=name,
        failures=counted.failures[group],
        examples=examples,
        rate=rate(examples, amount),
        rest=rate(rest, rest_amount) if tested else None,
        p=chance_of_difference(examples, amount, rest, rest_amount) if tested else None,
    )


def _amount(exposure: Exposure, group: Group | None, unit: Unit) -> float:
    """Hours, or thousands of frames."""
    if unit == "hours":
        return (exposure.all_seconds if group is None else exposure.seconds.get(group, 0.0)) / 3600
    return (exposure.all_frames if group is None else exposure.frames.get(group, 0.0)) / 1000


def _order(one: GroupRate) -> tuple[bool, bool, float, float, str]:
    """Patterns first, and of them those with more failures than elsewhere."""
    rarer = one.rate is not None and one.rest is not None and one.rate.per_unit < one.rest.per_unit
    p_holm, p = (2.0 if value is None else value for value in (one.p_holm, one.p))
    return (not one.beyond_chance, rarer, p_holm, p, one.name)
