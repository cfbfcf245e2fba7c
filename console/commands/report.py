"""`fieldgate report`: what a campaign proves, as pages for people and as a JSON record for machines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import exits
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.report.failures_sheet import FailuresSheet


@click.command()
@click.argument("campaign")
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="The folder; default CAMPAIGN-report here."
)
def report(campaign: str, output: Path | None) -> None:
    """Write the report of CAMPAIGN: HTML, a printable sign-off page, the JSON record, statements with their signatures.

    Prints the files. Ends with 8, and writes nothing, where the record is not intact.
    """
    from console.campaigns.opening import open_campaign
    from console.fieldwork.figures import figures
    from console.record.export import write_json
    from console.record.roster import allowed_signers
    from console.record.verify import sentences, verify_record
    from console.report.writing import RECORD, sheet_of_record, write_pages

    opened = open_campaign(campaign)
    try:
        found = verify_record(opened.record)
        if not found.intact:
            click.echo(f"fieldgate: {_broken(opened.name)}", err=True)
            raise click.exceptions.Exit(exits.FORGED)
        folder = output or Path(f"{opened.name}-report")
        sheet = sheet_of_record(
            opened.state(),
            opened.checklist,
            opened.record,
            allowed_signers=allowed_signers(opened.roster),
            checks=sentences(found),
            figures=figures(opened),
            failures=_failures(opened.robot, opened.bundle),
        )
        written = write_pages(sheet, folder)
        write_json(opened.record, folder / RECORD)
    finally:
        opened.close()
    for path in (*written, folder / RECORD):
        click.echo(str(path))


def _failures(robot: str, bundle: str) -> FailuresSheet:
    from console.failures.book import FailureBook
    from console.report.failures_sheet import failures_sheet
    from console.store.store import Store

    store, book = Store(), FailureBook()
    try:
        return failures_sheet(book, store, robot, bundle)
    finally:
        book.close()
        store.close()


def _broken(name: str) -> Trouble:
    return Trouble(
        f"the record of '{name}' is not what its people wrote and signed; no report was written",
        cure=f"see `fieldgate verify {name}`",
    )
