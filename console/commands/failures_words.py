"""What the commands of `fieldgate failures` share: the book brought up to date, and a query given as words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from console.commands.failures_progress import Progress

if TYPE_CHECKING:
    from console.failures.book import FailureBook
    from console.failures.query import Query

FORMAT = 1
"""Of what `--json` prints; docs/failures.md lists the fields."""


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
            book.refresh(store, Progress("new in the store, failures").tell)
        finally:
            store.close()
        yield book
    finally:
        book.close()


def asked(book: FailureBook, words: tuple[str, ...]) -> Query:
    """The query that words of the command line make together. Raises Trouble `bad_query`."""
    from console.failures.query import parse

    return parse(" ".join(words), book.conditions())


def counted(count: int, one: str, many: str = "") -> str:
    """`1 failure`, `2,000 failures`; `many` where it is not `one` with an s."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def print_json(value: object) -> None:
    """An object with `"format": 1` in front, on stdout."""
    import msgspec

    made: dict[str, object] = {"format": FORMAT, **msgspec.to_builtins(value)}
    click.echo(msgspec.json.format(msgspec.json.encode(made)).decode())


def _say_damage(book: FailureBook) -> None:
    if book.moved_aside is None:
        return
    click.echo(f"the book of failures was damaged; it was moved to {book.moved_aside} and is made again", err=True)
    for one in book.imports():
        click.echo(f"import again: {one.file} ({counted(one.rows, 'failure')})", err=True)
