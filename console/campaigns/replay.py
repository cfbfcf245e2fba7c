"""How a checklist stands by a record alone, be it a campaign's folder or one JSON file: the record brings pack and overlays."""

from __future__ import annotations

from console.campaigns.in_force import folded
from console.checklist.folding.fold import fold
from console.checklist.packs.loading import parse_checklist
from console.checklist.states import ChecklistState
from console.record.canonical import entry_of
from console.record.entries import Attachment, Body
from console.record.rows import RecordLike
from remote.errors import Trouble


def replay(record: RecordLike, wall_ns: int) -> ChecklistState:
    """The state at that time, from the record's own entries and texts.

    Raises:
        Trouble: `record_damaged`, `record_newer`, `attachment_...`, `bad_pack` - or `not_replayable` for what a record that
            fieldgate wrote can't hold.
    """
    try:
        bodies = [(row.seq, _body(row.line, row.seq)) for row in record.rows() if row.kind in ("opened", "revised")]
        opened = folded(bodies).opened
        sources = [(one.name, _text(record, one)) for one in (opened.pack, *opened.overlays)]
        return fold(record, parse_checklist(sources), wall_ns)
    except (ValueError, ArithmeticError, LookupError, TypeError, AssertionError, RecursionError) as error:
        what = f"what the record says can't be computed ({type(error).__name__}: {error})"
        raise Trouble(
            what, cure="it may have been made by something else than fieldgate", code="not_replayable"
        ) from error


def _body(line: bytes, seq: int) -> Body:
    return entry_of(line, f"entry {seq}").body


def _text(record: RecordLike, attachment: Attachment) -> str:
    return record.attachment(attachment.digest).decode("utf-8")
