"""`fieldgate failures patterns | import | export`: what failures have in common, and failures from and to other programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import exits
from console.commands.failures_progress import Progress
from console.commands.failures_words import asked, counted, opened, print_json
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.failures.exports.made import Exported
    from console.failures.foreign.importing import ImportResult
    from console.failures.foreign.patterns import LogPatterns
    from console.failures.patterns import Patterns, Unit
    from console.failures.rows import FailureRow

_NO_LINE_CURE = (
    "lines such as `No detections | Light: 43 | Time: 2026-11-21 09:01:02` are read;"
    " docs/failures.md (Logs from elsewhere) has the others"
)
_FILE = click.Path(path_type=Path)
_JSON = click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
_CSV = click.option("--csv", "as_csv", is_flag=True, help="Every group as comma-separated values.")


@click.command()
@click.argument("query", nargs=-1)
@click.option(
    "--log", type=_FILE, help="The groups of this log file instead of the laptop's failures; nothing is imported."
)
@click.option(
    "--per", type=click.Choice(("hours", "frames")), default="hours", help="Rates per hour, or per 1000 frames."
)
@click.option("--utc", is_flag=True, help="Hours of the day by UTC instead of this laptop's clock.")
@click.option("--all", "every", is_flag=True, help="Every group, also those that may be chance.")
@click.option("--anew", is_flag=True, help="With --log: count the file from its beginning.")
@_CSV
@_JSON
def patterns(
    query: tuple[str, ...],
    log: Path | None,
    per: str,
    utc: bool,
    every: bool,
    anew: bool,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Say under which circumstances failures are more frequent than elsewhere, beyond chance.

    Rates are of examples (what is recorded many times counts once) over time of running, with exact 95 % intervals; the odds
    are corrected for looking at many groups. Ends with 7 where no running time is known.
    """
    if as_json and as_csv:
        raise click.UsageError("--csv and --json exclude each other.")
    if log is not None:
        if query:
            raise click.UsageError("--log takes no QUERY: a log is counted as a whole")
        return _log_patterns(log, anew=anew, every=every, as_csv=as_csv, as_json=as_json)
    found = _found_patterns(query, per, utc=utc)
    if as_json or as_csv:
        _print_groups(found, found.groups, as_json=as_json)
    else:
        _print_patterns(found, every=every, utc=utc)
    sys.exit(exits.OK if found.amount > 0 else exits.NO_DATA)


@click.command("import")
@click.argument("file", type=_FILE)
@click.option("--robot", default="", help="Whose failures these are; without it the file's name is taken.")
@click.option("--utc", is_flag=True, help="Times without a zone are UTC; without this they are this laptop's.")
@click.option("--day", type=click.DateTime(("%Y-%m-%d",)), help="The first line's day, where lines tell none.")
@_JSON
def import_log(file: Path, robot: str, utc: bool, day: datetime | None, as_json: bool) -> None:
    """Take the failures of FILE, a text log, over into the laptop's book.

    Lines such as `No detections | Light: 43 | Time: 2026-11-21 09:01:02` are read; docs/failures.md tells which others. Each
    line is taken once, however often the log is imported and however it grows. What can't be read is counted and shown.
    Ends with 7 where no line can be read.
    """
    from console.failures.foreign.importing import import_log as take
    from console.failures.foreign.times import Dated
    from console.places import data_dir

    dated = Dated(timezone.utc if utc else None, day.date() if day else None)
    progress = Progress(f"reading {file.name}, bytes")
    with opened() as book:
        result = take(file, book, data_dir(), robot=robot or file.stem, dated=dated, tell=progress.tell)
    if as_json:
        print_json(result)
    else:
        _print_import(result)
    if robot and robot != result.robot:
        click.echo(
            f"this log is that of '{result.robot}' since it was first imported; --robot changes nothing", err=True
        )
    if result.nothing_read:
        raise Trouble(f"no line of {file} could be read", cure=_NO_LINE_CURE, code="no_data")


def _print_import(result: ImportResult) -> None:
    failures = counted(result.failures, "failure")
    click.echo(f"{counted(result.lines, 'line')}: {failures}, {result.regular:,} regular, {result.unread:,} not read")
    new = "1 failure is new" if result.added == 1 else f"{result.added:,} failures are new"
    were = "line was" if result.before == 1 else "lines were"
    click.echo(new + (f", {result.before:,} {were} here before" if result.before else ""))
    if result.undated:
        have = "failure has" if result.undated == 1 else "failures have"
        click.echo(f"{result.undated:,} {have} no date; --day gives the first one's", err=True)
    if result.unended:
        click.echo("the last line has no end yet and is left for the next time", err=True)
    _print_unread(result.unread_why, result.unread_shown)


@click.command("export")
@click.argument("query", nargs=-1)
@click.option("--format", "form", type=click.Choice(("coco", "csv", "parquet", "mcap")), required=True)
@click.option("-o", "--output", type=_FILE, required=True, help="The file; with coco the folder.")
@click.option("--fold", is_flag=True, help="With coco: pictures that look alike once.")
@_JSON
def export_failures(query: tuple[str, ...], form: str, output: Path, fold: bool, as_json: bool) -> None:
    """Write the failures that match, oldest first, for labelling (coco), tables (csv, parquet) or Foxglove (mcap).

    Nothing is replaced. Pictures may show people; what is missing is listed with the reason.
    """
    if fold and form != "coco":
        raise click.UsageError("--fold goes with --format coco: the other formats keep every failure")
    made = _exported(query, form, output, fold=fold)
    if as_json:
        return print_json(made)
    for words in made.words():
        click.echo(words, err=True)
    return click.echo(made.path)


# ------------------------------------------------------------ patterns


def _found_patterns(query: tuple[str, ...], per: str, *, utc: bool) -> Patterns:
    from console.failures.circumstances import local_hour, utc_hour
    from console.failures.whole import patterns_of
    from console.store.store import Store

    store = Store()
    try:
        with opened() as book:
            hour_of = utc_hour if utc else local_hour
            unit: Unit = "frames" if per == "frames" else "hours"
            progress = Progress("counting, failures")
            return patterns_of(book, store, asked(book, query), hour_of, unit, progress.rows)
    finally:
        store.close()


def _print_patterns(found: Patterns, *, every: bool, utc: bool) -> None:
    from console.failures.pattern_words import sentence, summary

    click.echo(summary(found))
    zone = "UTC" if utc else f"this laptop's clock ({datetime.now().astimezone().tzname()})"
    for one in found.groups:
        if every or one.beyond_chance or one.hint or one.by in ("kind", "missing"):
            click.echo(f"  {sentence(one, found.looked_at, found.unit)}")
    click.echo(f"hours of the day by {zone}", err=True)
    for why, count in found.left_out.items():
        left = "1 failure is" if count == 1 else f"{count:,} failures are"
        click.echo(f"{left} left out, no running time is known for {'it' if count == 1 else 'them'}: {why}", err=True)


def _print_groups(whole: object, groups: tuple[object, ...], *, as_json: bool) -> None:
    if as_json:
        return print_json(whole)
    import msgspec

    from console.store.csv_file import write_csv

    flat = [_flat(msgspec.to_builtins(one)) for one in groups]
    columns = list(dict.fromkeys(name for one in flat for name in one))
    write_csv(sys.stdout, columns, ([one.get(name) for name in columns] for one in flat))  # type: ignore[misc]
    sys.stdout.flush()
    return None


def _flat(one: dict[str, object], before: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in one.items():
        if isinstance(value, dict):
            found.update(_flat(value, f"{before}{name}_"))
        else:
            found[f"{before}{name}"] = value
    return found


# ------------------------------------------------------------ a log


def _log_patterns(path: Path, *, anew: bool, every: bool, as_csv: bool, as_json: bool) -> None:
    from console.failures.foreign.kept import counts_of
    from console.failures.foreign.patterns import log_patterns
    from console.places import cache_dir

    found = log_patterns(counts_of(path, cache_dir() / "logs", anew=anew))
    if as_json or as_csv:
        _print_groups(found, found.groups, as_json=as_json)
    else:
        _print_log(found, every=every)
    if found.lines == found.unread:
        raise Trouble(f"no line of {path} could be read", cure=_NO_LINE_CURE, code="no_data")


def _print_log(found: LogPatterns, *, every: bool) -> None:
    from console.failures.foreign.words import group_words, log_summary, shown_groups

    click.echo(log_summary(found))
    for one in shown_groups(found, every=every):
        click.echo(f"  {group_words(one, found)}")
    if found.how == "changed":
        click.echo("the log is another one than it was: it was counted anew", err=True)
    if found.unended:
        click.echo("the last line has no end yet", err=True)
    _print_unread(found.unread_why, found.unread_shown)


def _print_unread(why: dict[str, int], shown: object) -> None:
    from console.printing import in_line

    for reason, count in sorted(why.items(), key=lambda one: -one[1]):
        click.echo(f"not read: {counted(count, 'line')}, {reason}", err=True)
    for one in shown:  # type: ignore[attr-defined]
        click.echo(f"  line {one.number:,}: {in_line(one.begin)}", err=True)


# ------------------------------------------------------------ export


def _exported(query: tuple[str, ...], form: str, output: Path, *, fold: bool) -> Exported:
    from console.failures.exports.leftovers import tidied
    from console.failures.oldest_first import oldest_first

    if not output.parent.is_dir():
        raise Trouble(f"there is no folder {output.parent}", cure="make it first", code="not_written")
    with opened() as book:
        found = book.find(asked(book, query))
        if not found.count:
            raise Trouble("no failure matches", cure="`fieldgate failures list` shows what there is", code="no_data")
        rows = Progress("exporting, failures").rows(oldest_first(book, found), found.count)
        with tidied(output):
            return _written(rows, form, output, fold=fold)


def _written(rows: Iterator[FailureRow], form: str, output: Path, *, fold: bool) -> Exported:
    from console.failures.exports import coco, csv_table, parquet, recording
    from console.failures.looks import Looks
    from console.places import cache_dir
    from console.store.pictures import Pictures

    if form == "csv":
        return csv_table.export_csv(rows, output)
    if form == "parquet":
        return parquet.export_parquet(rows, output)
    pictures = Pictures()
    if form == "mcap":
        return recording.export_mcap(rows, pictures, output)
    looks = Looks(pictures, cache_dir())
    made = coco.export_coco(rows, pictures, output, fold_by=looks.of if fold else None)
    looks.save()
    return made
