"""The text that a person signs: lines that can be read by people, written in exactly one way, and read back by `verify`.

Each line is a label of up to 13 characters, padded to 14, and its value. A label with nothing to say is left out. Values are
`plain`: whatever could begin a new line, move the cursor or hide is written as an escape, so no text from a pack, a note or a
name can pass for a line of its own. docs/record.md describes the format for other readers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from remote.errors import Trouble
from remote.ready_types import ready

TITLE = "fieldgate statement 1"
_WIDTH = 14
_LIMIT_BYTES = 4_194_304
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_EVIDENCE = re.compile(r"entry ([1-9][0-9]{0,17}), sha256 ([0-9a-f]{64})\Z")


class ItemLines(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement says of one item. `evidence` is `entry N, sha256 D` of what the state rests on; empty: on nothing."""

    item: str
    title: str = ""
    state: str
    because: str = ""
    found: str = ""
    limit: str = ""
    n: str = ""
    evidence: str = ""
    done_by: str = ""
    marks: str = ""
    override: str = ""
    deferral: str = ""

    def rests_on(self) -> tuple[int, str] | None:
        """Number and digest of the entry that it rests on; None where it rests on nothing."""
        found = _EVIDENCE.match(self.evidence)
        return (int(found.group(1)), found.group(2)) if found else None


PHASE, BASIS = "phase ", "basis "
"""How a phase stands among a statement's items (no item's id has a space), and what its mark begins with."""


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A whole statement; every text in it is `plain`. `head` is `entry N, sha256 D` of the record's last entry before it."""

    campaign: str = ""
    robot: str = ""
    bundle: str = ""
    pack: str = ""
    revision: str = ""
    stage: str
    head: str
    meaning: str
    sentence: str
    name: str = ""
    principal: str
    role: str
    key: str
    utc: str
    local: str = ""
    counts: str
    in_force: str = ""
    warnings: str = ""
    items: tuple[ItemLines, ...]

    def head_entry(self) -> tuple[int, str]:
        """Number and digest of the last entry before the statement."""
        found = _EVIDENCE.match(self.head)
        assert found is not None  # `read_statement` and `entry_words` let nothing else pass
        return int(found.group(1)), found.group(2)

    def covers(self) -> dict[str, str]:
        """The digest of the entry that each item rests on; empty for one that rests on nothing."""
        resting = ((one.item, one.rests_on()) for one in self.items)
        return {item: found[1] if found else "" for item, found in resting}

    def phases(self) -> dict[str, str]:
        """The digest of what the verdict of each phase rests on that the gate wants passed."""
        found = ((one.item, one.marks) for one in self.items if one.item.startswith(PHASE))
        return {item.removeprefix(PHASE): marks.removeprefix(BASIS) for item, marks in found}


_LABELS = {
    "campaign": "campaign",
    "robot": "robot",
    "bundle": "bundle",
    "pack": "pack",
    "revision": "revision",
    "stage": "stage",
    "head": "record",
    "meaning": "meaning",
    "sentence": "that is",
    "name": "name",
    "principal": "principal",
    "role": "role",
    "key": "key",
    "utc": "time UTC",
    "local": "time local",
    "counts": "items",
    "in_force": "in force",
    "warnings": "warnings",
}
_ITEM_LABELS = {
    "item": "item",
    "title": "  title",
    "state": "  state",
    "because": "  because",
    "found": "  found",
    "limit": "  limit",
    "n": "  n",
    "evidence": "  evidence",
    "done_by": "  done by",
    "marks": "  marks",
    "override": "  override",
    "deferral": "  deferral",
}
_BLOCKS_AFTER = ("head", "local", "warnings")  # a blank line follows


def plain(text: str) -> str:
    r"""The text on one line: what can't be printed as \uXXXX, a backslash as two; nothing around it."""
    return "".join(map(_plain_character, text.strip()))


def entry_words(seq: int, digest: str) -> str:
    """An entry as statements name it."""
    if seq < 1 or not _DIGEST.match(digest):
        raise Trouble(f"there is no entry {seq} with the digest {digest!r} to sign", code="bad_statement")
    return f"entry {seq}, sha256 {digest}"


def write_statement(statement: Statement) -> bytes:
    """The statement's bytes: the same for the same statement."""
    lines = [TITLE, ""]
    for field, label in _LABELS.items():
        lines.extend(_lines(statement, field, label))
        lines.extend([""] if field in _BLOCKS_AFTER else [])
    for item in statement.items:
        for field, label in _ITEM_LABELS.items():
            lines.extend(_lines(item, field, label))
        lines.append("")
    return ("\n".join([*lines, "end"]) + "\n").encode("utf-8")


def read_statement(data: bytes) -> Statement:
    """Read it back. Trouble `bad_statement` for anything that is not exactly what `write_statement` writes."""
    try:
        text = data[:_LIMIT_BYTES].decode("utf-8")
        statement = _built(list(_pairs(text)))
        if write_statement(statement) == data and _EVIDENCE.match(statement.head):
            return statement
    except (ValueError, msgspec.ValidationError):
        pass
    raise Trouble("the statement is not written as fieldgate writes them", code="bad_statement")


def _plain_character(one: str) -> str:
    if one == "\\":
        return "\\\\"
    if one.isprintable():
        return one
    return f"\\u{ord(one):04x}" if ord(one) < 0x10000 else f"\\U{ord(one):08x}"


def _lines(owner: Statement | ItemLines, field: str, label: str) -> Iterator[str]:
    value = str(getattr(owner, field))
    if not value.isprintable():
        raise ValueError(f"{field} of a statement is not plain: {value!r}")
    if value:
        yield f"{label:<{_WIDTH}}{value}"


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n")[1:]:
        if line and line != "end":
            yield line[:_WIDTH].rstrip(), line[_WIDTH:]


def _built(pairs: list[tuple[str, str]]) -> Statement:
    fields = {label: field for field, label in _LABELS.items()}
    item_fields = {label: field for field, label in _ITEM_LABELS.items()}
    top: dict[str, object] = {}
    items: list[dict[str, str]] = []
    for label, value in pairs:
        if label == "item":
            items.append({})
        if items:
            items[-1][item_fields.get(label, label)] = value
        else:
            top[fields.get(label, label)] = value
    return msgspec.convert({**top, "items": items}, ready(Statement))
