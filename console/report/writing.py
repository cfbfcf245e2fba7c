"""The folder that a sign-off leaves behind: report, printable page, and what OpenSSH needs to check the signatures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from console.checklist.pack import Checklist
from console.checklist.states import ChecklistState
from console.fieldwork.figures import Figure
from console.record.canonical import entry_of
from console.record.entries import Attachment, Entry, Signature
from console.record.rows import RecordLike
from console.report.failures_sheet import FailuresSheet
from console.report.field_sheet import field_sheet
from console.report.first_words import first_words
from console.report.gap_sheet import GapSheet
from console.report.pages import report_html, signoff_html
from console.report.sheet import Sheet, sheet_of
from remote.atomic import write_atomically
from remote.errors import Trouble

REPORT = "report.html"
SIGNOFF = "signoff.html"
ALLOWED_SIGNERS = "allowed_signers"
RECORD = "record.json"
_OWN = re.compile(r"report\.html|signoff\.html|allowed_signers|record\.json|statement-\d{1,9}\.txt(\.sig)?")


def sheet_of_record(
    state: ChecklistState,
    checklist: Checklist,
    record: RecordLike,
    *,
    allowed_signers: str,
    checks: Sequence[str] = (),
    figures: Sequence[Figure] = (),
    failures: FailuresSheet | None = None,
    gap: GapSheet | None = None,
) -> Sheet:
    """The report's content from a record; raises Trouble where the record can't be read (`fieldgate verify` says more)."""
    entries = [(entry_of(row.line, f"entry {row.seq}"), row.digest) for row in record.rows()]
    files = _files(record, entries)
    return sheet_of(
        state,
        checklist,
        entries,
        files,
        allowed_signers=allowed_signers,
        checks=checks,
        first_words=first_words(state.field, figures),
        field=field_sheet(state.field, figures),
        failures=failures,
        gap=gap,
    )


def own_files(folder: Path, *, force: bool = False) -> int:
    """How many files of an earlier report lie in `folder` and will be replaced; 0 where it is empty or not there.

    Raises Trouble (`foreign_folder`) where other things lie in it, unless `force`: nobody looks for a report between
    somebody's own files, nor wants these replaced.
    """
    try:
        names = [path.name for path in folder.iterdir()] if folder.exists() else []
    except OSError as error:
        what = f"the report can't be written to {folder}: {error.strerror}"
        raise Trouble(what, cure="choose another folder with -o", code="report_unwritten") from error
    foreign = sorted(name for name in names if not _OWN.fullmatch(name))
    if foreign and not force:
        what = f"{folder} holds files that are no part of a report: {', '.join(foreign[:3])}"
        raise Trouble(what, cure="choose another folder with -o, or add --force", code="foreign_folder")
    return len(names) - len(foreign)


def write_pages(sheet: Sheet, folder: Path) -> tuple[Path, ...]:
    """Write the pages, each statement with its signature, and allowed_signers into `folder`; returns the files."""
    pages = {
        REPORT: report_html(sheet),
        SIGNOFF: signoff_html(sheet),
        ALLOWED_SIGNERS: sheet.allowed_signers,
    }
    for stage in sheet.stages:
        for one in stage.signatures:
            pages[f"statement-{one.seq}.txt"] = one.statement
            pages[f"statement-{one.seq}.txt.sig"] = one.armored
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, text in pages.items():
            write_atomically(folder / name, text.encode())
    except OSError as error:
        what = f"the report can't be written to {folder}: {error.strerror}"
        raise Trouble(what, cure="free space or choose another folder with -o", code="report_unwritten") from error
    return tuple(folder / name for name in pages)


def _files(record: RecordLike, entries: Sequence[tuple[Entry, str]]) -> dict[str, bytes]:
    """The bytes of every attachment that the pages show."""
    wanted: dict[str, Attachment] = {}
    for entry, _ in entries:
        body = entry.body
        found = getattr(body, "attachments", ()) or getattr(getattr(body, "evidence", None), "attachments", ())
        for one in (*found, *((body.statement,) if isinstance(body, Signature) else ())):
            wanted[one.digest] = one
    return {digest: record.attachment(digest) for digest in wanted}
