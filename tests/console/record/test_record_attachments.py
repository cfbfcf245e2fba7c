"""Photos and files of a record: whole, under their digest, and found out when replaced."""

from __future__ import annotations

import hashlib
import os
import typing
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from console.record import attachments
from console.record.attachments import LIMIT_BYTES, attachments_of, media_of
from console.record.entries import Attachment, Body
from console.record.record import FOLDER, Record
from remote.errors import Trouble
from tests.console.record.record_samples import A_FILE, B_FILE, SAMPLES


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    made = Record.create(tmp_path / "kitchen")
    yield made
    made.close()


def code_of(action: Callable[[], object]) -> str:
    with pytest.raises(Trouble) as caught:
        action()
    assert caught.value.cure, "a person must be told what to do"
    return caught.value.code


def test_a_file_is_kept_under_its_sha256_and_comes_back(record: Record, tmp_path: Path) -> None:
    (tmp_path / "grip.jpg").write_bytes(b"\xff\xd8picture")
    kept = record.attach_file(tmp_path / "grip.jpg")
    digest = hashlib.sha256(b"\xff\xd8picture").hexdigest()
    assert kept == Attachment(digest=digest, name="grip.jpg", media="image/jpeg", bytes=9)
    assert record.attachment(digest) == b"\xff\xd8picture"
    assert (record.folder / FOLDER / digest).read_bytes() == b"\xff\xd8picture"


def test_the_same_file_twice_is_kept_once(record: Record) -> None:
    assert record.attach(b"x", "a.txt").digest == record.attach(b"x", "b.txt").digest
    assert len(list((record.folder / FOLDER).iterdir())) == 1


@pytest.mark.parametrize(
    ("name", "media"),
    [
        ("a.yaml", "application/yaml"),
        ("a.PNG", "image/png"),
        ("a.json", "application/json"),
        ("a.csv", "text/csv"),
        ("a.parquet", "application/vnd.apache.parquet"),
        ("a.qqq", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_the_media_type_follows_from_the_name_alike_on_every_machine(name: str, media: str) -> None:
    assert media_of(name) == media


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\grip.jpg", "grip.jpg"),
        ("a\x1b[2Jb\n.txt", "a?[2Jb?.txt"),
        ("", "attachment"),
    ],
)
def test_a_hostile_name_becomes_a_plain_one(record: Record, name: str, kept: str) -> None:
    assert record.attach(b"x", name).name == kept


@pytest.mark.parametrize(("size", "code"), [(8, ""), (9, "attachment_too_large")])
def test_a_file_has_a_size_limit(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, code: str
) -> None:
    assert LIMIT_BYTES == 64 * 2**20
    monkeypatch.setattr(attachments, "LIMIT_BYTES", 8)
    (tmp_path / "long.bin").write_bytes(b"x" * size)
    attempts: list[Callable[[], Attachment]] = [
        lambda: record.attach_file(tmp_path / "long.bin"),
        lambda: record.attach(b"x" * size, "long.bin"),
    ]
    for attach in attempts:
        try:
            attach()
            found = ""
        except Trouble as trouble:
            found = trouble.code
        assert found == code
    assert (record.folder / FOLDER).exists() == (code == "")


def test_what_is_no_readable_file_is_named(record: Record, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for ever
    for path in (tmp_path, tmp_path / "gone.jpg", tmp_path / "pipe"):
        assert code_of(partial(record.attach_file, path)) == "attachment_unreadable"


def test_a_replaced_attachment_is_found_and_not_written_over(record: Record) -> None:
    kept = record.attach(b"the truth", "a.txt")
    path = record.folder / FOLDER / kept.digest
    path.write_bytes(b"a forgery")
    assert code_of(lambda: record.attachment(kept.digest)) == "attachment_damaged"
    assert code_of(lambda: record.attach(b"the truth", "a.txt")) == "attachment_damaged"
    assert path.read_bytes() == b"a forgery"


@pytest.mark.parametrize("digest", ["0" * 64, "", "../record.db", "A" * 64, "0" * 64 + "\n"])
def test_a_forged_name_of_an_attachment_reads_no_other_file(record: Record, digest: str) -> None:
    record.attach(b"x", "a")
    assert code_of(lambda: record.attachment(digest)) == "attachment_missing"


def test_every_attachment_of_every_kind_of_entry_is_found() -> None:
    """One that is overlooked would be left out of the export and of verify."""
    named = {type(body).__name__: list(attachments_of(body)) for body in SAMPLES}
    assert named["Opened"] == [A_FILE, B_FILE]
    assert named["Revised"] == [A_FILE, B_FILE]
    assert named["Attempt"] == named["Confirmation"] == [B_FILE]
    assert named["Note"] == [A_FILE, B_FILE]
    assert named["Signature"] == [A_FILE]
    with_fields = {kind.__name__ for kind in typing.get_args(Body) if _can_hold(kind)}
    assert {name for name, found in named.items() if found} == with_fields


def _can_hold(kind: object) -> bool:
    if kind is Attachment:
        return True
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return any(_can_hold(hint) for hint in typing.get_type_hints(kind).values())
    return any(_can_hold(part) for part in typing.get_args(kind))
