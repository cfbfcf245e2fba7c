"""A record as one JSON file: its lines exactly as they are, and the attachments that they name (docs/record.md)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, NamedTuple

import msgspec

from console.record.attachments import checked, missing
from console.record.canonical import outline_of
from console.record.database import trouble_of
from console.record.rows import Head, RecordLike, Row
from remote.atomic import replacing
from remote.errors import Trouble
from remote.ready_types import ready

FORMAT = 1
KIND = "fieldgate record"
LIMIT_FILE_BYTES = 512 * 1024 * 1024
"""The largest file that is written and read; a record with more is handed over as its folder."""
_CURE_FILE = "get it again; the campaign's folder can be verified too"
_ESCAPE_LENGTH = 6  # of \uXXXX
_Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", max_length=64)]


class Exported(NamedTuple):
    """What a JSON file holds. `troubles` say which attachments are missing in it because they are missing or damaged here."""

    entries: int
    attachments: int
    troubles: tuple[Trouble, ...]


class _End(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seq: Annotated[int, msgspec.Meta(ge=0)]
    digest: _Digest


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    base64: str


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: Literal[1]
    kind: Literal["fieldgate record"]
    campaign: str
    head: _End
    lines: list[str]
    attachments: dict[_Digest, _Kept]


class RecordFile:
    """A record read from a JSON file: read-only, and not checked; a line that is no entry is among its rows."""

    def __init__(self, document: _Document, path: Path) -> None:
        self.path = path
        self.campaign = document.campaign
        self._head = Head(document.head.seq, document.head.digest)
        self._rows = list(_rows_of(document.lines))
        self._kept = document.attachments

    def rows(self) -> list[Row]:
        """Every line in the file's order. Kind, item and number are taken from the line as far as it can be read."""
        return list(self._rows)

    def head(self) -> Head:
        """What the file says its last entry is."""
        return self._head

    def attachment(self, digest: str) -> bytes:
        """The bytes with this SHA-256. Raises Trouble `attachment_missing` or `attachment_damaged`."""
        kept = self._kept.get(digest)
        if kept is None:
            raise missing(digest, str(self.path), "the file does not hold it")
        try:
            data = base64.b64decode(kept.base64, validate=True)
        except (binascii.Error, ValueError) as error:
            what = f"the attachment {digest} in {self.path} is no base64: {error}"
            raise Trouble(what, cure=_CURE_FILE, code="attachment_damaged") from error
        return checked(data, digest, f"{digest} in {self.path}")


def write_json(record: RecordLike, path: Path) -> Exported:
    """Write `record` to `path` (0600), whole or not at all; a file that is there is replaced.

    Raises Trouble: `record_too_large`, `record_full`, `record_unusable` and what reading the record raises.
    """
    rows = record.rows()
    head = Head(rows[-1].seq, rows[-1].digest) if rows else record.head()
    troubles: list[Trouble] = []
    try:
        with replacing(path) as file:
            _write_lines(file, _campaign_of(rows), head, rows)
            count = _write_attachments(file, record, _named_in(rows), troubles)
            _check_size(file)
    except OSError as error:
        raise trouble_of(path, error) from error
    return Exported(len(rows), count, tuple(troubles))


def read_json(path: Path) -> RecordFile:
    """Read a JSON record.

    Raises Trouble: `record_missing`, `record_too_large`, `record_newer`; `record_damaged` where the file ends in the middle or
    is no JSON, with the byte; `record_file_invalid` with the place, where it names a key twice or is another file. What its
    lines and attachments say is not checked.
    """
    return RecordFile(_document(_content(path), path), path)


def _content(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise Trouble(f"{path} is no file", cure="name a JSON record or a campaign", code="record_missing")
        with path.open("rb") as file:
            data = file.read(LIMIT_FILE_BYTES + 1)
    except OSError as error:
        cure = "check the path and its permissions"
        raise Trouble(f"{path} can't be read: {error.strerror}", cure=cure, code="record_missing") from error
    if len(data) > LIMIT_FILE_BYTES:
        raise _too_large(str(path))
    return data


def _document(data: bytes, path: Path) -> _Document:
    try:
        loaded = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refused)
        newer = _newer(loaded)
        if newer:
            what = f"{path} was written by a newer fieldgate (format {newer}, this one knows {FORMAT})"
            raise Trouble(what, cure="update fieldgate on this machine", code="record_newer")
        return msgspec.convert(loaded, ready(_Document))
    except RecursionError as error:
        what = f"{path} is no record: it is nested too deeply"
        raise Trouble(what, cure=_CURE_FILE, code="record_file_invalid") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Trouble(f"{path}: {_damage(data, error)}", cure=_CURE_FILE, code="record_damaged") from error
    except (ValueError, msgspec.ValidationError) as error:
        what = f"{path} is no record: {error}"
        raise Trouble(what, cure=_CURE_FILE, code="record_file_invalid") from error


def _damage(data: bytes, error: UnicodeDecodeError | json.JSONDecodeError) -> str:
    """Where the file ends too early, else where it stops being JSON; bytes count from 0."""
    if isinstance(error, UnicodeDecodeError):
        short, at = error.end >= len(data), error.start
    else:
        left = len(error.doc.rstrip()) - error.pos
        escape = error.msg.startswith("Invalid \\") and left <= _ESCAPE_LENGTH
        short, at = left <= 0 or escape or error.msg.startswith("Unterminated"), len(error.doc[: error.pos].encode())
    return f"the file ends in the middle, at byte {len(data):,}" if short else f"it is damaged at byte {at:,}"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers may take a different one of two equal keys: such a file says two things."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} stands in it twice")
        found[key] = value
    return found


def _refused(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def _newer(loaded: object) -> int:
    found = loaded.get("format") if isinstance(loaded, dict) and loaded.get("kind") == KIND else None
    return found if isinstance(found, int) and found > FORMAT else 0


def _rows_of(lines: Sequence[str]) -> Iterator[Row]:
    last = 0
    for text in lines:
        line = _bytes_of(text)
        outline = outline_of(line)
        digest = hashlib.sha256(line).hexdigest()
        last = outline.seq if outline else last + 1
        yield Row(last, outline.kind if outline else "", outline.item if outline else "", digest, line)


def _text_of(line: bytes) -> str:
    """A damaged line that is no UTF-8 still travels exactly: its bytes as lone surrogates, which no sound line can hold."""
    return line.decode("utf-8", "surrogateescape")


def _bytes_of(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _campaign_of(rows: Sequence[Row]) -> str:
    try:
        body = msgspec.json.decode(rows[0].line)["body"]
        return str(body["campaign"])
    except (IndexError, KeyError, TypeError, msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _named_in(rows: Sequence[Row]) -> list[str]:
    """The digests of the attachments that the lines name, in order, also those of kinds that this fieldgate does not know."""
    found: dict[str, None] = {}
    for row in rows:
        try:
            _collect(msgspec.json.decode(row.line), found)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue  # verify reports the line; what it named can't be known
    return list(found)


def _collect(value: object, found: dict[str, None]) -> None:
    if isinstance(value, dict):
        if value.keys() == {"bytes", "digest", "media", "name"}:
            found[str(value["digest"])] = None
        for one in value.values():
            _collect(one, found)
    elif isinstance(value, list):
        for one in value:
            _collect(one, found)


def _write_lines(file: BinaryIO, campaign: str, head: Head, rows: Sequence[Row]) -> None:
    about = {"format": FORMAT, "kind": KIND, "campaign": campaign, "head": {"seq": head.seq, "digest": head.digest}}
    file.write(json.dumps(about)[:-1].encode() + b', "lines": [')
    for number, row in enumerate(rows):
        file.write((b",\n" if number else b"\n") + json.dumps(_text_of(row.line)).encode())
    file.write(b'\n], "attachments": {')


def _write_attachments(file: BinaryIO, record: RecordLike, digests: list[str], troubles: list[Trouble]) -> int:
    written = 0
    for digest in digests:
        try:
            data = record.attachment(digest)
        except Trouble as trouble:
            troubles.append(trouble)
            continue
        kept = json.dumps(digest).encode() + b': {"base64": "' + base64.b64encode(data) + b'"}'
        file.write((b",\n" if written else b"\n") + kept)
        _check_size(file)
        written += 1
    file.write(b"\n}}\n")
    return written


def _check_size(file: BinaryIO) -> None:
    if file.tell() > LIMIT_FILE_BYTES:
        raise _too_large("this record as JSON")


def _too_large(what: str) -> Trouble:
    told = f"{what} has more than {LIMIT_FILE_BYTES // 2**20} MiB, the most that is written or read"
    return Trouble(told, cure="hand over the campaign's folder instead", code="record_too_large")
