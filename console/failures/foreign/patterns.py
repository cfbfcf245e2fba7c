"""Which circumstances the failures of a foreign log come with: every grouping at once.

Without running time a count is no rate. Only where the log has regular lines as well (`Detections: 3 | ...`) do they say how
much the robot ran: then each group's share of failures is tested against the rest.
"""

from __future__ import annotations

from collections import Counter

import msgspec

from console.failures.circumstances import UNKNOWN, Group, hour_name
from console.failures.foreign.counting import Unread
from console.failures.foreign.kept import How, LogCounts
from console.failures.foreign.line import Cell
from console.failures.rates import chance_of_shares
from console.fieldtest.binomial import lower_bound, upper_bound
from console.fieldtest.many import benjamini_hochberg, holm

_SIDE = 0.975  # each side of a two-sided interval of 95 %
_BEYOND_CHANCE = 0.05


class LogGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group of lines. `share` (per cent of its lines that are failures) with its exact interval of 95 % and the p-values are
    None where the log has no regular lines."""

    by: str
    name: str
    failures: int
    lines: int
    share: float | None = None
    lower: float | None = None
    upper: float | None = None
    elsewhere: float | None = None
    p: float | None = None
    p_holm: float | None = None
    q: float | None = None

    @property
    def beyond_chance(self) -> bool:
        """Whether it is a pattern."""
        return self.p_holm is not None and self.p_holm < _BEYOND_CHANCE


class LogPatterns(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a log says: `lines` = `failures` + `regular` + `unread`."""

    path: str
    how: How
    lines: int
    failures: int
    regular: int
    unread: int
    unread_why: dict[str, int]
    unread_shown: tuple[Unread, ...]
    unended: bool
    looked_at: int
    groups: tuple[LogGroup, ...]


def log_patterns(found: LogCounts) -> LogPatterns:
    """Group a counted log by hour, light, both, kind, temperature and every `key=value`; patterns first, then by size."""
    cells = found.counts.cells()
    failures, lines = _grouped(cells)
    all_lines = sum(cells.values())
    all_failures = sum(count for said, count in cells.items() if said.failure)
    regular = all_lines - all_failures
    plain = [LogGroup(by=by, name=name, failures=failures[by, name], lines=lines[by, name]) for by, name in lines]
    groups = _tested(plain, all_failures, all_lines) if regular else plain
    return LogPatterns(
        path=found.path,
        how=found.how,
        lines=found.counts.lines,
        failures=all_failures,
        regular=regular,
        unread=found.counts.not_read,
        unread_why=found.counts.reasons_counted(),
        unread_shown=tuple(found.counts.shown),
        unended=found.unended,
        looked_at=sum(1 for one in groups if one.p is not None),
        groups=tuple(sorted((one for one in groups if one.by != "kind" or one.failures), key=_order)),
    )


def _grouped(cells: dict[Cell, int]) -> tuple[Counter[Group], Counter[Group]]:
    failures: Counter[Group] = Counter()
    lines: Counter[Group] = Counter()
    for said, count in cells.items():
        for group in _groups(said):
            lines[group] += count
            if said.failure:
                failures[group] += count
    return failures, lines


def _groups(said: Cell) -> list[Group]:
    hour = hour_name(said.hour) if said.hour is not None else f"hour {UNKNOWN}"
    found = [("hour", hour), ("kind", f"kind {said.kind}")]
    if said.light:
        found += [("light", said.light), ("hour and light", f"{hour}, {said.light}")]
    if said.temp:
        found.append(("temperature", said.temp))
    return found + [(f"condition {key}", f"{key} {value}") for key, value in said.fields]


def _tested(plain: list[LogGroup], all_failures: int, all_lines: int) -> list[LogGroup]:
    tested = [_shared(one, all_failures, all_lines) for one in plain if one.by != "kind"]
    given = [one for one in tested if one.p is not None]
    p_values = [one.p for one in given if one.p is not None]
    corrected = [
        msgspec.structs.replace(one, p_holm=p, q=q)
        for one, p, q in zip(given, holm(p_values), benjamini_hochberg(p_values), strict=True)
    ]
    return [*corrected, *(one for one in tested if one.p is None), *(one for one in plain if one.by == "kind")]


def _shared(one: LogGroup, all_failures: int, all_lines: int) -> LogGroup:
    rest, rest_lines = all_failures - one.failures, all_lines - one.lines
    return msgspec.structs.replace(
        one,
        share=100 * one.failures / one.lines,
        lower=100 * lower_bound(one.failures, one.lines, _SIDE),
        upper=100 * upper_bound(one.failures, one.lines, _SIDE),
        elsewhere=100 * rest / rest_lines if rest_lines else None,
        p=chance_of_shares(one.failures, one.lines, rest, rest_lines),
    )


def _order(one: LogGroup) -> tuple[float, int, str]:
    return (one.p_holm if one.p_holm is not None else 2.0, -one.failures, one.name)
