"""`fieldgate export`: what was seen, as CSV. stdout is data, stderr is narration."""

from __future__ import annotations

import sys
from pathlib import Path

import click

_TABLES = ("windows", "events", "failures", "hosts")


@click.command()
@click.argument("table", type=click.Choice(_TABLES))
@click.argument("robot")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values (the only format, and the default).")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of stdout.")
def export(table: str, robot: str, as_csv: bool, output: Path | None) -> None:
    """Write TABLE of ROBOT from this laptop's store: everything that was ever taken from it, oldest first."""
    from console.store.csv_file import whole_file, write_csv
    from console.store.store import Store
    from console.store.tables import COLUMNS, TABLES, rows

    name = next(known for known in TABLES if known == table)
    store = Store()
    try:
        found = rows(store, robot, name)
        if output is None:
            count = write_csv(sys.stdout, COLUMNS[name], found)
            sys.stdout.flush()
        else:
            with whole_file(output) as file:
                count = write_csv(file, COLUMNS[name], found)
    finally:
        store.close()
    click.echo(f"{count} {table} of '{robot}'{f' written to {output}' if output else ''}", err=True)
