"""`fieldgate failures list` and `show`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from console.commands.failures_words import FORMAT, asked, counted, opened

if TYPE_CHECKING:
    from console.failures.book import FailureBook
    from console.failures.query import Query

_PAGE = 500


@click.command("list")
@click.argument("query", nargs=-1)
@click.option("--by", help="Count instead: by kind, label, hour, light, place, robot, marked, or a condition's name.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Rows at most.")
@click.option("--count", "only_count", is_flag=True, help="Print only how many there are.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_failures(query: tuple[str, ...], by: str | None, limit: int, only_count: bool, as_json: bool) -> None:
    """The failures that match QUERY, newest first; all without one. Times are UTC; a terminal gets the columns' names."""
    with opened() as book:
        wanted = asked(book, query)
        if by is not None:
            _print_groups(book, wanted, by, as_json)
            return
        found = book.find(wanted)
        if only_count:
            click.echo(found.count)
            return
        _print_rows(book, found.rows[:limit].tolist(), as_json)
    left = found.count - limit
    told = (
        counted(found.count, "failure")
        if found.count
        else "no failure matches"
        if query
        else "no failure is known here"
    )
    click.echo(told + (f"; --limit {found.count} shows the other {left}" if left > 0 else ""), err=True)


@click.command()
@click.argument("id")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(id: str, as_json: bool) -> None:
    """The failure ID (as `list` names it, or the beginning of its source) in full."""
    import msgspec

    from console.failures.telling import lines_of
    from console.store.pictures import Pictures

    with opened() as book:
        row = book.failure(id)
        if as_json:
            click.echo(msgspec.json.encode({"format": FORMAT, **msgspec.to_builtins(row)}).decode())
            return
        click.echo("\n".join(lines_of(row, Pictures())))


def _print_groups(book: FailureBook, query: Query, by: str, as_json: bool) -> None:
    import msgspec

    from console.failures.groups import check_by
    from console.printing import in_line

    check_by(by, book.conditions())
    for group in book.groups(query, by):
        if as_json:
            click.echo(msgspec.json.encode({"format": FORMAT, "by": by, **msgspec.to_builtins(group)}).decode())
        else:
            click.echo(f"{group.count:>9}  {in_line(group.name)}")


def _print_rows(book: FailureBook, numbers: list[int], as_json: bool) -> None:
    import msgspec

    from console.failures.telling import table_of

    for at in range(0, len(numbers), _PAGE):
        rows = book.rows(numbers[at : at + _PAGE])
        if as_json:
            for row in rows:
                click.echo(msgspec.json.encode({"format": FORMAT, **msgspec.to_builtins(row)}).decode())
            continue
        for line in table_of(rows, header=at == 0 and sys.stdout.isatty()):
            click.echo(line)
