"""Looking at many groups finds something by chance; these make up for it."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's adjusted p-values, in the order given (Scandinavian Journal of Statistics 6, 1979).

    What is below .05 then is wrong anywhere in the whole family with 5 % at most. Raises ValueError for what is no p-value.
    """
    order = _ascending(p_values)
    adjusted, highest = [0.0] * len(order), 0.0
    for rank, at in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p_values[at]))
        adjusted[at] = highest
    return tuple(adjusted)


def benjamini_hochberg(p_values: Sequence[float]) -> tuple[float, ...]:
    """Benjamini and Hochberg's adjusted p-values, in the order given (Journal of the Royal Statistical Society B 57, 1995).

    Of all that are below .05 then, 5 % are expected to be wrong. Milder than Holm's: for hints, not for gates. Raises
    ValueError for what is no p-value.
    """
    order = _ascending(p_values)
    adjusted, lowest = [0.0] * len(order), 1.0
    for rank in range(len(order) - 1, -1, -1):
        at = order[rank]
        lowest = min(lowest, p_values[at] * (len(order) / (rank + 1)))
        adjusted[at] = lowest
    return tuple(adjusted)


def _ascending(p_values: Sequence[float]) -> list[int]:
    for value in p_values:
        if not 0 <= value <= 1:
            raise ValueError(f"a p-value lies between 0 and 1, not at {value!r}")
    return sorted(range(len(p_values)), key=lambda at: p_values[at])
