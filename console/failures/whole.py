"""Patterns of everything that a query finds on this laptop: book, running time and pictures brought together."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from console.failures.book import FailureBook
from console.failures.circumstances import HourOf
from console.failures.exposure import exposure_of
from console.failures.looks import Looks
from console.failures.oldest_first import oldest_first
from console.failures.patterns import Patterns, Unit, find_patterns
from console.failures.query import Query
from console.failures.rows import FailureRow
from console.places import cache_dir
from console.store.pictures import Pictures
from console.store.store import Store

Watched = Callable[[Iterator[FailureRow], int], Iterator[FailureRow]]
"""Passes rows on, of which there are so many."""


def patterns_of(
    book: FailureBook,
    store: Store,
    query: Query,
    hour_of: HourOf,
    unit: Unit = "hours",
    watched: Watched = lambda rows, count: rows,
) -> Patterns:
    """Test every group of what the query finds against the rest, by the running time that the store knows."""
    exposure = exposure_of(store, query, hour_of, cache_dir())
    looks = Looks(Pictures(), cache_dir())
    matching = book.find(query)
    rows = watched(oldest_first(book, matching), matching.count)
    found = find_patterns(rows, exposure, looks.of, hour_of, unit)
    looks.save()
    return found
