"""The rows of what was found, oldest first, read a page at a time: memory does not grow with the book."""

from __future__ import annotations

from collections.abc import Iterator

from console.failures.book import FailureBook
from console.failures.rows import FailureRow
from console.failures.searching import Found

_PAGE = 500


def oldest_first(book: FailureBook, found: Found) -> Iterator[FailureRow]:
    """Every row of `found`, which lists them newest first."""
    for end in range(found.count, 0, -_PAGE):
        begin = max(0, end - _PAGE)
        yield from reversed(book.rows(found.rows[begin:end]))
