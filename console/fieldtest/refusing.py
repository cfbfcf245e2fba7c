"""What no statistic can be made of is refused in words: one place, so that every function refuses alike."""

from __future__ import annotations

import math


def check_counts(successes: float, n: float) -> None:
    """Raise ValueError unless 0 <= successes <= n, both whole, and there is at least one trial."""
    sane = math.isfinite(successes) and math.isfinite(n) and 0 <= successes <= n and n >= 1
    if not sane or successes != int(successes) or n != int(n):
        raise ValueError(f"{successes} of {n} trials can't be")


def check_confidence(confidence: float) -> None:
    """Raise ValueError unless 0.5 < confidence < 1: at 0.5 a bound is a coin's toss, at 1 it says nothing."""
    if not 0.5 < confidence < 1:
        raise ValueError(f"a confidence lies between 0.5 and 1, not at {confidence!r}")


def check_share(name: str, share: float) -> None:
    """Raise ValueError unless 0 < share < 1; 85 per cent is 0.85 here."""
    if not 0 < share < 1:
        raise ValueError(f"{name} is a share between 0 and 1, not {share!r}")


def check_positive(name: str, value: float) -> None:
    """Raise ValueError unless value is a finite number above 0."""
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be a number above 0, not {value!r}")


def check_count(name: str, count: float) -> None:
    """Raise ValueError unless count is a whole number, 0 or more."""
    if not (math.isfinite(count) and count >= 0 and count == int(count)):
        raise ValueError(f"{name} must be a whole number, 0 or more, not {count!r}")
