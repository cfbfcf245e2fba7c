"""The groups of a foreign log in sentences."""

from __future__ import annotations

from console.failures.foreign.patterns import LogGroup, LogPatterns
from console.failures.pattern_words import number, odds

_MOST = 8
"""So many groups of each grouping are shown where not every one is asked for."""


def log_summary(found: LogPatterns) -> str:
    """How many lines of what, and whether a rate can be told."""
    counts = f"{_many(found.failures, 'failure')}, {found.regular:,} regular, {found.unread:,} not read"
    said = f"{_many(found.lines, 'line')}: {counts}"
    if not found.regular:
        return f"{said}\ncounts only: without regular lines nobody knows how long the robot ran, and a count is no rate"
    patterns = sum(1 for one in found.groups if one.beyond_chance)
    if not patterns:
        return f"{said}\nno pattern beyond chance, {found.looked_at} groups looked at"
    return f"{said}\n{patterns} of {found.looked_at} groups differ from the rest beyond chance"


def shown_groups(found: LogPatterns, *, every: bool) -> list[LogGroup]:
    """What is worth showing: where shares are known the patterns, else the largest groups of each grouping."""
    if every:
        return list(found.groups)
    if found.regular:
        return [one for one in found.groups if one.beyond_chance or one.by == "kind"]
    shown: list[LogGroup] = []
    for by in dict.fromkeys(one.by for one in found.groups):
        shown += [one for one in found.groups if one.by == by][:_MOST]
    return shown


def group_words(one: LogGroup, found: LogPatterns) -> str:
    """`light < 40: 31 % of 1,204 lines [28, 34], elsewhere 2.1; would be chance 1 in 10,000 after looking at 43 groups`."""
    if one.share is None or one.lower is None or one.upper is None:
        share = f" ({100 * one.failures / found.failures:.1f} %)" if found.failures else ""
        return f"{one.name}: {_many(one.failures, 'failure')}{share}"
    said = f"{one.name}: {number(one.share)} % of {_many(one.lines, 'line')} [{number(one.lower)}, {number(one.upper)}]"
    if one.elsewhere is not None:
        said += f", elsewhere {number(one.elsewhere)}"
    if one.p_holm is None:
        return said
    if not one.beyond_chance:
        return f"{said}; may be chance"
    return f"{said}; would be chance {odds(one.p_holm)} after looking at {found.looked_at} groups"


def _many(count: int, one: str) -> str:
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"
