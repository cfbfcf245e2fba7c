"""The files that entries name, kept under their SHA-256 beside the record."""

from __future__ import annotations

import errno
import hashlib
import mimetypes
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from console.record.canonical import CURE
from console.record.entries import Attachment, Body
from remote.atomic import sync, write_atomically
from remote.errors import Trouble

LIMIT_BYTES = 64 * 1024 * 1024
_HEX = re.compile(r"[0-9a-f]{64}\Z")
_TYPES = mimetypes.MimeTypes(filenames=())  # the built-in table: the same name gets the same type on every machine
for _suffix, _media in (
    (".yaml", "application/yaml"),
    (".yml", "application/yaml"),
    (".parquet", "application/vnd.apache.parquet"),
):
    _TYPES.add_type(_media, _suffix)


class Attachments:
    """The folder `attachments` of a campaign; a file in it is written once, whole, and synced before it is named anywhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes, name: str, media: str = "") -> Attachment:
        """Keep `data`; without `media` the type follows from the name.

        Raises Trouble: `attachment_too_large`, `record_full`, `attachment_damaged` (another file lies in its place).
        """
        if len(data) > LIMIT_BYTES:
            raise too_large(name, len(data))
        digest = hashlib.sha256(data).hexdigest()
        path = self.folder / digest
        if path.exists():
            self.get(digest)
            sync(self.folder)  # whoever wrote it may have been killed before its name was on the disk
        else:
            self._write(path, data)
        return Attachment(digest=digest, name=_plain(name), media=media or media_of(name), bytes=len(data))

    def put_file(self, path: Path) -> Attachment:
        """Keep a file's content. Raises Trouble as `put` does, and `attachment_unreadable`."""
        try:
            if path.exists() and not path.is_file():
                raise Trouble(f"{path} is no file", cure="attach a file", code="attachment_unreadable")
            with path.open("rb") as file:
                data = file.read(LIMIT_BYTES + 1)
        except OSError as error:
            what = f"{path} can't be attached: {error.strerror}"
            raise Trouble(what, cure="check the path and its permissions", code="attachment_unreadable") from error
        if len(data) > LIMIT_BYTES:
            raise too_large(str(path), path.stat().st_size)
        return self.put(data, path.name)

    def get(self, digest: str) -> bytes:
        """The bytes with this SHA-256. Raises Trouble `attachment_missing` or `attachment_damaged`."""
        path = self._path(digest)
        try:
            if path.exists() and not path.is_file():  # a pipe would keep its reader waiting
                raise missing(digest, str(self.folder), "what lies there is no file")
            with path.open("rb") as file:
                data = file.read(LIMIT_BYTES + 1)
        except OSError as error:
            raise missing(digest, str(self.folder), error.strerror or "") from error
        return checked(data, digest, str(self.folder / digest))

    def has(self, attachment: Attachment) -> bool:
        """Whether a file of this digest and size lies here; its content is looked at by `get`."""
        try:
            return self._path(attachment.digest).stat().st_size == attachment.bytes
        except (OSError, Trouble):
            return False

    def _path(self, digest: str) -> Path:
        if not _HEX.match(digest):  # it may come from a forged entry: never a path
            raise missing(digest, str(self.folder), "this is no SHA-256")
        return self.folder / digest

    def _write(self, path: Path, data: bytes) -> None:
        try:
            if not self.folder.exists():
                self.folder.mkdir(mode=0o700, exist_ok=True)
                sync(self.folder.parent)
            write_atomically(path, data)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                cure = f"free space on the file system of {self.folder}, then do it again"
                what = f"the disk is full: {self.folder} has no room for {len(data):,} bytes"
                raise Trouble(what, cure=cure, code="record_full") from error
            what = f"{self.folder} can't be written: {error.strerror}"
            raise Trouble(what, cure="check the folder's permissions", code="record_unusable") from error


def attachments_of(body: Body) -> Iterator[Attachment]:
    """Every attachment that a body names, in the order of its fields."""
    return _within(body)


def _within(value: object) -> Iterator[Attachment]:
    if isinstance(value, Attachment):
        yield value
    elif isinstance(value, msgspec.Struct):
        for field in _leading_there(type(value)):
            yield from _within(getattr(value, field))
    elif isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
        for one in value:
            yield from _within(one)


@cache
def _leading_there(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields of a struct in which an attachment may stand, by their types: most hold none, and there are many entries."""
    hints = get_type_hints(kind)
    return tuple(name for name in kind.__struct_fields__ if _may_hold(hints[name]))


def _may_hold(hint: Any) -> bool:
    if hint is Attachment:
        return True
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return bool(_leading_there(hint))
    return any(map(_may_hold, get_args(hint)))


def media_of(name: str) -> str:
    """The media type that a file's name stands for."""
    return _TYPES.guess_type(_plain(name))[0] or "application/octet-stream"


def checked(data: bytes, digest: str, where: str) -> bytes:
    """`data`, if that is what `digest` stands for; else Trouble `attachment_damaged`."""
    if hashlib.sha256(data).hexdigest() != digest:
        what = f"the attachment {where} is not the file that was attached: its SHA-256 differs from its name"
        raise Trouble(what, cure=CURE, code="attachment_damaged")
    return data


def missing(digest: str, where: str, why: str) -> Trouble:
    """An attachment that an entry names is not there."""
    return Trouble(f"the attachment {digest} is not in {where}: {why}", cure=CURE, code="attachment_missing")


def too_large(name: str, size: int) -> Trouble:
    """A file beyond the limit."""
    what = f"{name} has {size / 2**20:.1f} MiB, a record takes files of up to {LIMIT_BYTES // 2**20} MiB"
    return Trouble(what, cure="attach an extract, or its digest in a note", code="attachment_too_large")


def _plain(name: str) -> str:
    """The last part of a name, without what a terminal or a file system would take as a command."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(one if one.isprintable() else "?" for one in last)[:255] or "attachment"
