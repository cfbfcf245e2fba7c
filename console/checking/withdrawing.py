"""What of a record could still be taken back, as choices for a person."""

from __future__ import annotations

from console.checklist.wording import utc_words
from console.record.entries import Confirmation, Deferral, Entry, Override, Poll, Signature, Withdrawal
from console.record.record import Record
from remote.protocol import Choice

WITHDRAWABLE = ("confirmation", "override", "deferral", "signature", "poll")


def withdrawable(record: Record, item: str, stage: str) -> tuple[Choice, ...]:
    """The words on `item` (empty: the answers and signatures of `stage`) that still count, newest first.

    A choice's value is `#SEQ`. Blocks; raises Trouble where the record can't be read.
    """
    rows = record.rows()
    gone = {
        body.seq
        for row in rows
        if row.kind == "withdrawal" and isinstance(body := record.entry(row.seq).body, Withdrawal)
    }
    about = item or stage
    found = [row.seq for row in rows if row.kind in WITHDRAWABLE and row.item == about and row.seq not in gone]
    return tuple(Choice(f"#{seq}", _words(record.entry(seq))) for seq in reversed(found))


def _words(entry: Entry) -> str:
    body, tail = entry.body, f"by {entry.person}, {utc_words(entry.wall_ns)}"
    if isinstance(body, Confirmation):
        return f"{body.meaning}: {'yes' if body.holds else 'no'} {tail}"
    if isinstance(body, Override):
        return f"override ({body.role}) {tail}: {body.reason}"
    if isinstance(body, Deferral):
        return f"deferral to {body.until_stage} {tail}: {body.reason}"
    if isinstance(body, Poll):
        return f"{'go' if body.go else 'no-go'} ({body.role}) {tail}"
    assert isinstance(body, Signature)
    return f"signature: {body.meaning} by {body.name}, {tail}"
