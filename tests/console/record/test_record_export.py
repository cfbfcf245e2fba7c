"""The JSON record: the same evidence on another machine, and no file from anywhere is believed."""

from __future__ import annotations

import base64
import json
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.record import export
from console.record.canonical import FIRST_PREV
from console.record.chain import check_chain
from console.record.entries import Note, Opened
from console.record.export import read_json, write_json
from console.record.record import FOLDER, Head, Record
from remote.errors import Trouble
from tests.console.record.record_samples import file_bytes, filled, forge


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    record = filled(tmp_path / "c")
    write_json(record, tmp_path / "c.json")
    record.close()
    return tmp_path / "c.json"


def trouble_of(path: Path) -> Trouble:
    with pytest.raises(Trouble) as caught:
        read_json(path)
    assert str(path) in caught.value.what
    assert caught.value.cure
    return caught.value


def test_a_record_file_says_what_the_record_says(tmp_path: Path) -> None:
    record = Record.create(tmp_path / "c")
    pack = record.attach("items: é".encode(), "pack.yaml")
    opened = Opened(
        campaign="kitchen", robot="r", bundle="b", bundle_name="n", pack_name="p", revision="v", pack=pack, software="1"
    )
    record.append("ada", opened)
    record.append("ada", Note(text='quotes " and \\ and é and \u2028 and \U0001f916', attachments=(pack,)))
    done = write_json(record, tmp_path / "out.json")
    assert (done.entries, done.attachments, done.troubles) == (2, 1, ())
    assert stat.S_IMODE((tmp_path / "out.json").stat().st_mode) == 0o600
    found = read_json(tmp_path / "out.json")
    assert found.campaign == "kitchen"
    assert found.rows() == record.rows()
    assert found.head() == record.head()
    assert found.attachment(pack.digest) == "items: é".encode()
    write_json(found, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "out.json").read_bytes()
    record.close()


def test_an_empty_record_can_be_handed_over(tmp_path: Path) -> None:
    record = Record.create(tmp_path / "c")
    write_json(record, tmp_path / "c.json")
    found = read_json(tmp_path / "c.json")
    assert (found.rows(), found.head(), found.campaign) == ([], Head(0, FIRST_PREV), "")
    record.close()


def test_what_is_missing_or_replaced_in_the_folder_is_told_and_stays_missing(tmp_path: Path) -> None:
    record = filled(tmp_path / "c", 3)
    first, second, _ = [json.loads(row.line)["body"]["attachments"][0]["digest"] for row in record.rows()]
    (record.folder / FOLDER / first).unlink()
    (record.folder / FOLDER / second).write_bytes(b"forged")
    done = write_json(record, tmp_path / "c.json")
    assert [trouble.code for trouble in done.troubles] == ["attachment_missing", "attachment_damaged"]
    found = read_json(tmp_path / "c.json")
    for digest in (first, second):
        with pytest.raises(Trouble, match="does not hold it"):
            found.attachment(digest)
    record.close()


def test_a_damaged_line_travels_byte_for_byte_so_that_verify_reports_it(tmp_path: Path) -> None:
    filled(tmp_path / "c").close()
    forge(tmp_path / "c", "UPDATE entries SET line = ? WHERE seq = 3", b"\xff\xfe not json \xed\xa0\x80")
    record = Record.open(tmp_path / "c")
    write_json(record, tmp_path / "c.json")
    found = read_json(tmp_path / "c.json")
    assert [row.line for row in found.rows()] == [row.line for row in record.rows()]
    assert {one.seq for one in check_chain(found.rows(), found.head())} == {3, 4}
    record.close()


def change(path: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))
    return path


def test_a_line_that_is_no_entry_is_given_to_verify(exported: Path) -> None:
    change(exported, lambda document: document["lines"].__setitem__(1, "no entry"))
    rows = read_json(exported).rows()
    assert (rows[1].seq, rows[1].kind, rows[1].line) == (2, "", b"no entry")
    assert "the line is no entry" in {one.what for one in check_chain(rows)}


@pytest.mark.parametrize("number", range(5))
def test_each_dropped_line_of_a_file_is_found(exported: Path, number: int) -> None:
    change(exported, lambda document: document["lines"].pop(number))
    found = read_json(exported)
    assert check_chain(found.rows(), found.head())


def test_a_replaced_attachment_of_a_file_is_found(exported: Path) -> None:
    digest = next(iter(json.loads(exported.read_text())["attachments"]))
    for content in (base64.b64encode(b"forged").decode(), "no base64 !", "é", ""):
        change(exported, lambda document, text=content: document["attachments"][digest].update(base64=text))  # type: ignore[misc]
        with pytest.raises(Trouble) as caught:
            read_json(exported).attachment(digest)
        assert caught.value.code == "attachment_damaged"
    assert read_json(exported).rows()


@pytest.mark.parametrize(
    "edit",
    [
        lambda document: document.pop("head"),
        lambda document: document.update(kind="invoice"),
        lambda document: document.update(format=0),
        lambda document: document.update(format="1"),
        lambda document: document.update(extra=1),
        lambda document: document.update(lines={"a": 1}),
        lambda document: document["lines"].append(7),
        lambda document: document["lines"].append(None),
        lambda document: document["head"].update(digest="xyz"),
        lambda document: document["head"].update(seq=-1),
        lambda document: document["attachments"].update({"../../etc/passwd": {"base64": ""}}),
        lambda document: document["attachments"].update({"0" * 64 + "\n": {"base64": ""}}),
        lambda document: document["attachments"].update({"0" * 64: "x"}),
    ],
)
def test_another_structure_is_refused_with_its_place(exported: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    assert trouble_of(change(exported, edit)).code == "record_file_invalid"


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"null",
        b"7",
        b"[" * 200_000,
        b'{"format":' + b"9" * 10_000 + b"}",
        b'{"format": NaN}',
        b'{"format":1,"kind":"fieldgate record","kind":"fieldgate record"}',
    ],
)
def test_what_is_no_record_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    assert trouble_of(tmp_path / "x.json").code == "record_file_invalid"


@pytest.mark.parametrize(
    ("content", "at"), [(b"\xff\xfe{}", 0), (b"no record", 0), (b'{"format": 1, kind}', 14), (b'["\\q", "and on"]', 2)]
)
def test_what_is_no_json_is_damaged_at_a_byte_and_not_cut_short(tmp_path: Path, content: bytes, at: int) -> None:
    (tmp_path / "x.json").write_bytes(content)
    assert trouble_of(tmp_path / "x.json").what == f"{tmp_path / 'x.json'}: it is damaged at byte {at}"


def test_a_key_given_twice_is_refused_wherever_it_stands(exported: Path) -> None:
    """One reader would take the first, another the last: both would call their record the real one."""
    text = exported.read_text()
    for once, twice in (('"lines": [', '"lines": [], "lines": ['), ('{"seq": 5', '{"seq": 4, "seq": 5')):
        assert once in text
        exported.write_text(text.replace(once, twice, 1))
        assert "twice" in trouble_of(exported).what


@settings(max_examples=60, deadline=None)  # each example writes a record
@given(data=st.data())
def test_a_file_cut_short_is_never_read_as_a_shorter_record(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    record = filled(folder / "c", 2)
    write_json(record, folder / "c.json")
    record.close()
    whole = (folder / "c.json").read_bytes().rstrip()
    (folder / "c.json").write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    found = trouble_of(folder / "c.json")
    size = (folder / "c.json").stat().st_size
    assert (found.code, found.what) == (
        "record_damaged",
        f"{folder / 'c.json'}: the file ends in the middle, at byte {size:,}",
    )
    shutil.rmtree(folder)


def test_a_format_of_tomorrow_asks_for_an_update(exported: Path) -> None:
    change(exported, lambda document: document.update(format=2, new_part=[]))
    assert trouble_of(exported).code == "record_newer"


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    assert trouble_of(tmp_path / "gone.json").code == "record_missing"
    assert trouble_of(tmp_path).code == "record_missing"


@pytest.mark.parametrize(("spare", "code"), [(0, ""), (-1, "record_too_large")])
def test_a_file_has_a_size_limit_for_writer_and_reader(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spare: int, code: str
) -> None:
    monkeypatch.setattr(export, "LIMIT_FILE_BYTES", exported.stat().st_size + spare)
    record = Record.open(tmp_path / "c")
    for action in (lambda: read_json(exported), lambda: write_json(record, tmp_path / "new.json")):
        try:
            action()
            found = ""
        except Trouble as trouble:
            found = trouble.code
        assert found == code
    assert (tmp_path / "new.json").exists() == (code == "")
    record.close()


def test_nothing_half_is_left_where_it_cannot_be_written(tmp_path: Path) -> None:
    record = filled(tmp_path / "c", 2)
    with pytest.raises(Trouble) as caught:
        write_json(record, tmp_path / "no" / "such" / "c.json")
    assert caught.value.code == "record_unusable"
    record.close()


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed here")
def test_other_tools_find_the_digests_that_the_record_says(exported: Path, tmp_path: Path) -> None:
    """An auditor needs no fieldgate: jq and sha256sum are enough."""
    script = "jq -j '.lines[-1]' c.json | sha256sum | cut -d' ' -f1; jq -r .head.digest c.json"
    told = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True).stdout.split()
    assert told[0] == told[1]
    first = "jq -r '[.attachments[]][0].base64' c.json | base64 -d"
    data = subprocess.run(["sh", "-c", first], cwd=tmp_path, capture_output=True, check=True).stdout
    assert data == file_bytes(1)
