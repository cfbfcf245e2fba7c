"""Columns of a table of boxes that a tolerance would not miss: scores of at most 1 beside coordinates in pixels.

A tolerance of 6 pixels lets every score be 0, and the few that are above it are within the share that may be wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from remote.models.provenance import Tolerance

LEAST_PEAK = 0.3
"""Columns whose largest golden number is smaller show nothing: a class that is in none of the pictures."""
LEAST_ENERGY = 0.1
"""Of the golden sum of squares: with less nothing that matters of the column is left, wherever in it that may stand."""


def columns_gone(golden: NDArray[Any], found: NDArray[Any], tolerance: Tolerance) -> tuple[int, ...]:
    """The columns by number that are gone although the tolerance does not say so; none of what is no table [n, a, b].

    Looked at are those that could all be 0 within the tolerance. The shorter of both axes counts columns.
    """
    if golden.ndim != 3 or golden.shape != found.shape:
        return ()
    others = (0, 2) if golden.shape[1] <= golden.shape[2] else (0, 1)
    wanted, given = golden.astype(np.float64), found.astype(np.float64)
    size = np.abs(wanted)
    missed = (size > tolerance.absolute + tolerance.relative * size).sum(axis=others)
    order = np.argsort(missed, kind="stable")
    unseen = order[np.cumsum(missed[order]) <= tolerance.wrong_share * wanted.size]
    shown = size.max(axis=others) >= LEAST_PEAK
    gone = np.square(given).sum(axis=others) < LEAST_ENERGY * np.square(wanted).sum(axis=others)
    return tuple(sorted(int(column) for column in unseen if shown[column] and gone[column]))


def gone_words(columns: tuple[int, ...]) -> str:
    """`columns 4, 5 are gone`."""
    named = ", ".join(map(str, columns[:8])) + (", ..." if len(columns) > 8 else "")
    return f"column{'s' * (len(columns) > 1)} {named} {'are' if len(columns) > 1 else 'is'} gone"
