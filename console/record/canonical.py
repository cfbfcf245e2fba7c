"""The bytes of an entry and their digest: one form, so that the same entry has the same digest wherever it is written.

Canonical JSON here is: UTF-8, keys sorted, no white space, every field written, characters escaped only where JSON must.
Whoever checks a record takes the stored bytes as they are and never writes them again: only the writer depends on this form.
"""

from __future__ import annotations

import hashlib
from typing import get_args

import msgspec

from console.record.entries import Body, Entry
from remote.errors import Trouble

FIRST_PREV = "0" * 64
"""What stands as `prev` in the first entry."""
LINE_LIMIT_BYTES = 4 * 1024 * 1024
"""The longest line that is taken; a histogram of millions of readings has some thousand bytes."""


def kinds_of(*bodies: type[msgspec.Struct]) -> frozenset[str]:
    """The tags that stand for these bodies in a line."""
    return frozenset(str(body.__struct_config__.tag) for body in bodies)


KINDS = kinds_of(*get_args(Body))
"""The tags of all bodies that this fieldgate knows."""
CURE = "restore it from a copy; `fieldgate verify` says what still holds"
_CURE_INVALID = "enter it again without it; nothing was written"
_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(Entry)


class _Tag(msgspec.Struct, frozen=True):
    type: str
    item: str = ""
    stage: str = ""


class Outline(msgspec.Struct, frozen=True):
    """What of a line is needed to chain and to sort it, without decoding the rest. `kind` is the body's tag."""

    seq: int
    prev: str
    wall_ns: int
    body: _Tag

    @property
    def kind(self) -> str:
        """The body's tag."""
        return self.body.type

    @property
    def item(self) -> str:
        """The body's item, else its stage, else empty."""
        return self.body.item or self.body.stage


_outliner = msgspec.json.Decoder(Outline)


def line_of(entry: Entry) -> bytes:
    """The entry's canonical JSON, without a newline. Raises Trouble for what JSON can't hold or what would not come back.

    A whole number in a field for decimals is written as a decimal, so that writing, reading and writing again is one form.
    """
    try:
        line = _encoder.encode(_decoder.decode(_encoder.encode(entry)))
        same = _decoder.decode(line) == entry
    except (msgspec.ValidationError, UnicodeEncodeError, TypeError, OverflowError) as error:
        what = f"a record can't hold this entry: {error}"
        raise Trouble(what, cure=_CURE_INVALID, code="entry_invalid") from error
    if not same:
        what = "a record can't hold this entry: a number in it is not finite"
        raise Trouble(what, cure=_CURE_INVALID, code="entry_invalid")
    if len(line) > LINE_LIMIT_BYTES:
        what = f"this entry has {len(line):,} bytes, a record takes {LINE_LIMIT_BYTES:,}"
        raise Trouble(what, cure="attach the long part as a file", code="entry_too_large")
    return line


def digest_of(line: bytes) -> str:
    """The SHA-256 of a line, in lower-case hex."""
    return hashlib.sha256(line).hexdigest()


def outline_of(line: bytes) -> Outline | None:
    """The outline of a line, or None where it is no entry."""
    try:
        return _outliner.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def is_canonical(line: bytes) -> bool:
    """Whether `line` is spelt as `line_of` spells: no spaces, no other escapes, no other form of a number.

    Readers that look at bytes before they decode rely on it. It holds for kinds of entries that this version does not know too.
    """
    try:
        return msgspec.json.encode(msgspec.json.decode(line), order="sorted") == line
    except (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError):
        return False


def entry_of(line: bytes, where: str) -> Entry:
    """Decode a line; `where` names its place ("entry 17 of orin/record.db") in what is raised.

    Raises Trouble: `record_newer` for a kind of entry that this fieldgate does not know, `record_damaged` for anything else.
    """
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        outline = outline_of(line)
        if outline is not None and outline.kind not in KINDS:
            what = f"{where} is a {outline.kind!r}, which this fieldgate does not know"
            raise Trouble(what, cure="update fieldgate on this machine", code="record_newer") from error
        raise Trouble(f"{where} can't be read: {error}", cure=CURE, code="record_damaged") from error


def kind_of(body: Body) -> str:
    """The body's tag."""
    return str(type(body).__struct_config__.tag)


def item_of(body: Body) -> str:
    """The body's item, else its stage, else empty."""
    return str(getattr(body, "item", "") or getattr(body, "stage", ""))
