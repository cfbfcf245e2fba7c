"""`fieldgate failures mark`, `note` and `pin`: what people say of failures, and what the robot shall keep."""

from __future__ import annotations

import click

from console.commands.failures_words import asked, opened, print_json
from remote.errors import Trouble

_WORDS = ("seen", "real", "false_alarm", "to_label", "none")
_JSON = click.option("--json", "as_json", is_flag=True, help="What was done as JSON on stdout.")


@click.command()
@click.argument("word", type=click.Choice(_WORDS))
@click.argument("ids", nargs=-1, metavar="[ID...]")
@click.option("--find", multiple=True, help="Mark everything that this query matches, instead of naming it.")
@click.option("--as", "person", help="Who says so; else as `fieldgate check` finds.")
@_JSON
def mark(word: str, ids: tuple[str, ...], find: tuple[str, ...], person: str | None, as_json: bool) -> None:
    """Say of failures what they are; `none` takes back what was said. Marks stay when the book is made anew."""
    from console.failures.rows import MARK_WORDS
    from console.people import who

    if bool(ids) == bool(find):
        raise click.UsageError("Name failures, or give --find with a query.")
    with opened() as book:
        named = [book.failure(id).id for id in ids] or [row.id for row in book.all_rows(book.find(asked(book, find)))]
        book.mark(named, next((one for one in MARK_WORDS if one == word), ""), who(person))
    if as_json:
        print_json({"mark": word, "ids": named})
    click.echo(f"{len(named):,} marked {word}", err=True)


@click.command()
@click.argument("id")
@click.argument("text")
@click.option("--as", "person", help="Who writes.")
@_JSON
def note(id: str, text: str, person: str | None, as_json: bool) -> None:
    """Write TEXT on the failure ID."""
    from console.people import who

    if not text.strip():
        raise click.UsageError("A note needs words.")
    with opened() as book:
        row = book.failure(id)
        book.note(row.id, text.strip(), who(person))
    if as_json:
        print_json({"id": row.id, "note": text.strip()})
    click.echo(f"noted on {row.id}", err=True)


@click.command()
@click.argument("id")
@click.option("--off", is_flag=True, help="Let them go like others again.")
@click.option("--accept-new", is_flag=True, help="Trust a host key seen for the first time; never a changed one.")
@_JSON
def pin(id: str, off: bool, accept_new: bool, as_json: bool) -> None:
    """Keep the pictures of the failure ID on its robot when space is short there."""
    from console.link.asking import asker_for_terminal
    from console.link.opening import open_session
    from console.visiting import confirmed, visiting
    from remote.protocol import Pin

    with opened() as book:
        row = book.failure(id)
    if not row.failure:
        what = f"{row.id} has no name on a robot, so its pictures can't be kept there"
        raise Trouble(what, cure="pull them: `fieldgate failures pull ROBOT`", code="not_pinned")
    session = open_session(row.robot, asker=asker_for_terminal(accept_new=accept_new))
    with visiting(session) as visit:
        visit.arrive()
        confirmed(visit.session.request(Pin(failure=row.failure, pinned=not off)), 10.0)
    if as_json:
        print_json({"id": row.id, "robot": row.robot, "pinned": not off})
    click.echo(f"'{row.robot}' {'lets its pictures go like others' if off else 'keeps its pictures'}", err=True)
