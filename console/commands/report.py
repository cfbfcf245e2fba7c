"""`fieldgate report`: what a campaign proves, as pages for people and as a JSON record for machines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import exits
from remote.errors import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable

    from console.phases.states import TrialState
    from console.report.failures_sheet import FailuresSheet
    from console.report.gap_sheet import GapSheet
    from console.tables.reading import Table

_FILE = click.Path(path_type=Path)
_LIMIT_BYTES = 512 * 1024 * 1024


@click.command()
@click.argument("campaign")
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="The folder; default CAMPAIGN-report here."
)
@click.option("--sim", type=_FILE, help="A table of simulated episodes: adds the section on simulation and reality.")
@click.option("--real", type=_FILE, help="A table of real ones to compare --sim with; else the campaign's trials.")
@click.option("--force", is_flag=True, help="Write even into a folder that holds other files.")
def report(campaign: str, output: Path | None, sim: Path | None, real: Path | None, force: bool) -> None:
    """Write the report of CAMPAIGN: HTML, a printable sign-off page, the JSON record, statements with their signatures.

    Prints the files. An earlier report in the folder is replaced. Ends with 8, and writes nothing, where the record is not
    intact.
    """
    from console.campaigns.opening import open_campaign
    from console.fieldwork.figures import figures, with_reasons
    from console.record.export import write_json
    from console.record.roster import allowed_signers
    from console.record.verify import sentences, verify_record
    from console.report.writing import RECORD, own_files, sheet_of_record, write_pages
    from console.store.reasons import robot_reasons

    if real is not None and sim is None:
        raise click.UsageError("--real needs --sim: the two are compared.")
    opened = open_campaign(campaign)
    try:
        found = verify_record(opened.record)
        if not found.intact:
            click.echo(f"fieldgate: {_broken(opened.name)}", err=True)
            raise click.exceptions.Exit(exits.FORGED)
        folder = output or Path(f"{opened.name}-report")
        replaced = own_files(folder, force=force)
        state = opened.state()
        sheet = sheet_of_record(
            state,
            opened.checklist,
            opened.record,
            allowed_signers=allowed_signers(opened.roster),
            checks=sentences(found),
            figures=with_reasons(figures(opened), robot_reasons(opened.robot)),
            failures=_failures(opened.robot, opened.bundle),
            gap=_gap(sim, real, opened.name, state.field.trials) if sim is not None else None,
        )
        written = write_pages(sheet, folder)
        write_json(opened.record, folder / RECORD)
    finally:
        opened.close()
    if replaced:
        click.echo(f"replaced the report that was in {folder}", err=True)
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


def _gap(sim: Path, real: Path | None, campaign: str, trials: Iterable[TrialState]) -> GapSheet:
    from console.gap.episodes import episodes_of, episodes_of_trials
    from console.report.gap_sheet import gap_sheet

    simulated = episodes_of(_table(sim), {})._replace(name=str(sim))
    if real is not None:
        return gap_sheet(simulated, episodes_of(_table(real), {})._replace(name=str(real)))
    return gap_sheet(simulated, episodes_of_trials(f"trials of {campaign}", trials))


def _table(path: Path) -> Table:
    from console.tables.held import hold
    from console.tables.reading import CODE, read_table

    file = hold(Path.cwd(), str(path.expanduser().absolute()), code=CODE, what="table", limit_bytes=_LIMIT_BYTES)
    table = read_table(file)
    for warning in table.warnings:
        click.echo(f"{path}: {warning}", err=True)
    return table


def _broken(name: str) -> Trouble:
    return Trouble(
        f"the record of '{name}' is not what its people wrote and signed; no report was written",
        cure=f"see `fieldgate verify {name}`",
    )
