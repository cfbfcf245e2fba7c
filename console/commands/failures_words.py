"""What the commands of `fieldgate failures` share: the book brought up to date, and a query given as words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from console.failures.book import FailureBook
    from console.failures.query import Query


@contextmanager
def opened() -> Iterator[FailureBook]:
    """The laptop's book, with everything that its store has; what was lost or damaged is said on stderr."""
    from console.failures.book import FailureBook
    from console.store.store import Store

    book = FailureBook()
    try:
        _say_damage(book)
        store = Store()
        try:
            book.refresh(store)
        finally:
            store.close()
        yield book
    finally:
        book.close()


def asked(book: FailureBook, words: tuple[str, ...]) -> Query:
    """The query that words of the command line make together. Raises Trouble `bad_query`."""
    from console.failures.query import parse

    return parse(" ".join(words), book.conditions())


def _say_damage(book: FailureBook) -> None:
    if book.moved_aside is None:
        return
    click.echo(f"the book of failures was damaged; it was moved to {book.moved_aside} and is made again", err=True)
    for one in book.imports():
        click.echo(f"import again: {one.file} ({one.rows} failures)", err=True)
