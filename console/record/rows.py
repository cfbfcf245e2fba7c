"""What is read of a record without decoding it, from a campaign's folder and from a JSON file alike."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from console.record.canonical import FIRST_PREV
from console.record.entries import Entry


class Row(NamedTuple):
    """One entry as stored. `line` is its JSON, `digest` what is said to be the line's SHA-256; check_chain compares them.

    `kind` is the body's tag, `item` the body's item or stage, or empty.
    """

    seq: int
    kind: str
    item: str
    digest: str
    line: bytes


class Head(NamedTuple):
    """The last entry's number and digest; of an empty record 0 and FIRST_PREV."""

    seq: int = 0
    digest: str = FIRST_PREV


class Stored(NamedTuple):
    """An entry as it was written, with the digest of its line."""

    entry: Entry
    digest: str


class RecordLike(Protocol):
    """A record that can be folded and verified."""

    def rows(self) -> list[Row]:
        """Every entry, in order, not decoded."""

    def attachment(self, digest: str) -> bytes:
        """The bytes with this SHA-256. Raises Trouble `attachment_missing` or `attachment_damaged`."""

    def head(self) -> Head:
        """The last entry's number and digest, as the record says."""
