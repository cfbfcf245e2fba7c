"""Patterns in sentences that say how sure they are."""

from __future__ import annotations

import math

from console.failures.patterns import GroupRate, Patterns, Unit
from console.failures.rates import Rate

_PER: dict[Unit, str] = {"hours": "/h", "frames": " per 1000 frames"}
_OF: dict[Unit, str] = {"hours": "h of running", "frames": "thousand frames"}


def sentence(one: GroupRate, looked_at: int, unit: Unit) -> str:
    """`light < 40: 12.3 failures/h [8.1, 18], elsewhere 1.1; would be chance 1 in 10,000 after looking at 43 groups`."""
    if one.rate is None:
        return f"{one.name}: {counted(one)}, no running time known"
    said = f"{one.name}: {rate_words(one.rate, unit)}"
    if one.rest is None or one.p_holm is None:
        return f"{said} ({counted(one)})"
    said += f", elsewhere {number(one.rest.per_unit)}"
    if one.beyond_chance or one.hint:
        hint = "" if one.beyond_chance else " (a hint only)"
        return f"{said}; would be chance {odds(one.p_holm)} after looking at {looked_at} groups{hint} ({counted(one)})"
    return f"{said}; may be chance ({counted(one)})"


def summary(found: Patterns) -> str:
    """What was looked at, and whether anything is beyond chance."""
    failures = "failure" if found.failures == 1 else "failures"
    counts = f"{found.failures:,} {failures} ({found.examples:,} {'example' if found.examples == 1 else 'examples'})"
    of = f"{counts} in {number(found.amount)} {_OF[found.unit]}"
    patterns = sum(1 for one in found.groups if one.beyond_chance)
    if found.amount <= 0:
        return f"{counts}, but no running time is known: no rates"
    if not patterns:
        return f"no pattern beyond chance: {of}, {found.looked_at} groups looked at"
    return f"{patterns} of {found.looked_at} groups differ from the rest beyond chance: {of}"


def rate_words(rate: Rate, unit: Unit) -> str:
    """The rate with its unit and its exact interval of 95 %."""
    return f"{number(rate.per_unit)} failures{_PER[unit]} [{number(rate.lower)}, {number(rate.upper)}]"


def counted(one: GroupRate) -> str:
    """How many, and how many different ones where that is not the same."""
    said = f"{one.failures:,} {'failure' if one.failures == 1 else 'failures'}"
    if one.examples == one.failures:
        return said
    return f"{said}, {one.examples:,} {'example' if one.examples == 1 else 'examples'}"


def odds(p: float) -> str:
    """`1 in 10,000`, rounded down to one digit so that it never sounds surer than it is."""
    if p >= 0.5:
        return "1 in 1"
    if p < 1e-12:
        return "less than 1 in 1,000,000,000,000"
    inverse = 1 / p
    scale = 10 ** math.floor(math.log10(inverse))
    return f"1 in {math.floor(inverse / scale + 1e-9) * scale:,}"


def number(value: float) -> str:
    """Three digits that count."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
