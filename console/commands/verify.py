"""`fieldgate verify`: whether a record was changed, who signed it, and what has gone stale since."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from console import exits
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.campaigns.standing_now import Now
    from console.record.rows import Head, RecordLike
    from console.record.verify import Report

_BROKEN = ("record_damaged", "record_file_invalid")
"""Troubles of reading the file itself that mean that it is not what was written."""


@click.command()
@click.argument("record")
@click.option("--roster", "roster", type=click.Path(path_type=Path), help="A roster that you trust, from elsewhere.")
@click.option("--head", "heads", multiple=True, metavar="SEQ:DIGEST", help="A head of this record that you wrote down.")
@click.option("--json", "as_json", is_flag=True, help="One JSON value on stdout.")
def verify(record: str, roster: Path | None, heads: tuple[str, ...], as_json: bool) -> None:
    """Check RECORD: a campaign's name (or its robot's), its folder or record.db, a JSON record, or a report's folder.

    Nothing is written.

    Exit code 0: intact, and everything in it counts. 3: intact, but something is stale, void, overridden or unsigned.
    8: it was changed or is damaged, or a signature is not what it says.
    """
    from console.record.roster import load_roster
    from console.record.verify import verify_record

    trusted = load_roster(roster) if roster is not None else None
    known = [_head(text) for text in heads]
    try:
        with _opened(record) as found:
            report = verify_record(found, trusted, known=known, wall_ns=time.time_ns())
            report = msgspec.structs.replace(report, notes=(*report.notes, *_unchecked(record)))
            now = _now(found, report) if report.intact else None
    except Trouble as trouble:
        if trouble.code not in _BROKEN:
            raise
        _say_broken(trouble, as_json)
        raise click.exceptions.Exit(exits.FORGED) from trouble
    click.echo(_json(report, now) if as_json else _printable(_text(report, now)))
    raise click.exceptions.Exit(_code(report, now))


def _code(report: Report, now: Now | None) -> int:
    if not report.intact:
        return exits.FORGED
    return exits.OK if now is not None and now.counts else exits.ALARM


def _text(report: Report, now: Now | None) -> str:
    from console.record.statements import plain
    from console.record.verify import sentences

    verdict = "INTACT" if report.intact else "FORGED: it is not what its people wrote and signed"
    void = now.void() if now is not None else {}
    about = plain(f"campaign {report.campaign}, robot {report.robot}, bundle {report.bundle[:12]}")
    lines = [f"{verdict}", about, *(f"- {one}" for one in sentences(report, void))]
    if now is not None:
        lines += ["", "Everything in it counts" if now.counts else "Not everything in it counts:"]
        lines += [f"- {plain(one)}" for one in now.sentences]
        lines += ["", "Counts for now, ends:", *(f"- {plain(one)}" for one in now.ends)] if now.ends else []
        lines += ["", *(f"warning: {plain(one)}" for one in now.warnings)] if now.warnings else []
        lines += ["", plain(now.looked)] if now.looked else []
    return "\n".join(lines)


def _json(report: Report, now: Now | None) -> str:
    record = msgspec.to_builtins(report)
    record["head"], record["known"] = report.head._asdict(), [one._asdict() for one in report.known]
    value = {"intact": report.intact, "record": record, "now": now}
    return json.dumps(msgspec.to_builtins(value), indent=2)  # ASCII, whatever the record holds


def _say_broken(trouble: Trouble, as_json: bool) -> None:
    """DAMAGED: it can't be read as a whole; FORGED: it can, and is no record that fieldgate wrote."""
    from console.record.canonical import CURE

    if as_json:
        click.echo(json.dumps({"intact": False, "record": None, "now": None, "broken": trouble.what}))
        return
    verdict = "DAMAGED" if trouble.code == "record_damaged" else "FORGED"
    cure = "restore it from a copy" if trouble.cure == CURE else trouble.cure  # that one names this command
    click.echo(_printable(f"{verdict}: {trouble.what}\n  -> {cure}"))


def _now(found: RecordLike, report: Report) -> Now:
    """How the checklist stands by this record today."""
    from console.campaigns.standing_now import Now, as_of, now_of

    try:
        from console.campaigns.replay import replay

        now = now_of(replay(found, time.time_ns()))
        return msgspec.structs.replace(now, looked=as_of(found.rows(), report.campaign))
    except Trouble as trouble:
        return Now(counts=False, sentences=(f"how its checklist stands can't be said: {trouble.what}",))


def _printable(text: str) -> str:
    """What stdout can't take as escapes: a name in another alphabet must not end the command."""
    encoding = sys.stdout.encoding or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _head(text: str) -> Head:
    from console.record.rows import Head

    seq, _, digest = text.strip().partition(":")
    if not seq.isdecimal() or len(seq) > 18 or len(digest) != 64 or set(digest.lower()) - set("0123456789abcdef"):
        raise click.BadParameter(f"'{text}' is no head: write 42:DIGEST, with all 64 characters", param_hint="--head")
    return Head(int(seq), digest.lower())


@contextmanager
def _opened(given: str) -> Iterator[RecordLike]:
    """The record: a JSON file, or a folder's database, read only."""
    from console.record.export import read_json
    from console.record.record import FILE, Record

    path = _place(given)
    if path.is_dir() and not (path / FILE).exists() and (path / "record.json").exists():
        path = path / "record.json"  # the folder of a report
    if path.is_file() and path.name != FILE:
        yield read_json(path)
        return
    record = Record.open(path.parent if path.name == FILE else path, read_only=True)
    try:
        yield record
    finally:
        record.close()


def _unchecked(given: str) -> Iterator[str]:
    """What lies beside the record and proves nothing."""
    from console.record.record import FILE

    path = _place(given)
    if path.is_dir() and not (path / FILE).exists():
        yield (
            f"only record.json was checked; the pages beside it in {path.name} are for reading: they were made from it and may "
            "have been changed since; compare them with it, or make the report again"
        )


def _place(given: str) -> Path:
    """The folder of the campaign of that name, else the path that was given, else the folder of that robot's campaign.

    A campaign's name goes before a path without a slash. Raises Trouble: `which_campaign`, `record_missing`.
    """
    from console.campaigns.opening import campaign_of_robot, campaigns_dir

    if "/" not in given and (campaigns_dir() / given).is_dir() and given not in (".", ".."):
        return campaigns_dir() / given
    if Path(given).exists():
        return Path(given)
    of_robot = campaign_of_robot(given)
    if of_robot is not None:
        return campaigns_dir() / of_robot
    known = ", ".join(sorted(one.name for one in campaigns_dir().iterdir() if one.is_dir())) or "none"
    what = f"'{given}' is neither a campaign of this laptop nor a file"
    raise Trouble(what, cure=f"give a campaign's name ({known}), its folder or a JSON record", code="record_missing")
