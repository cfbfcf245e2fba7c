"""The fold of a record on disk, of its export, and of one that somebody has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.checklist.folding.fold import fold
from console.record.canonical import entry_of
from console.record.export import read_json, write_json
from console.record.record import Record
from console.record.rows import Row
from remote.errors import Trouble
from tests.console.checklist.fold_book import SECOND_NS, START_NS, Book, checklist, confirmed, sensed


def written() -> Book:
    at = Book(checklist(sensed("a"), sensed("b", latched=True), confirmed("c")))
    at.see(engine="one")
    at.look("a", fingerprints={"engine": "one"})
    at.look("b", "fail")
    at.say("c")
    return at


def test_a_record_on_disk_its_export_and_memory_fold_alike(tmp_path: Path) -> None:
    at, clock = written(), iter(range(START_NS + SECOND_NS, START_NS + 99 * SECOND_NS, SECOND_NS))
    record = Record.create(tmp_path / "kitchen", wall_ns=lambda: next(clock))
    paper = record.attach(b"pack", "paper.pdf", "application/pdf")
    at.lines[0] = at.lines[0]._replace(line=at.lines[0].line.replace(b"e" * 64, paper.digest.encode()))
    for row in at.lines:
        entry = entry_of(row.line, "")
        record.append(entry.person, entry.body)
    write_json(record, tmp_path / "kitchen.json")
    on_disk = fold(record, at.checklist, at.now_ns)
    assert fold(read_json(tmp_path / "kitchen.json"), at.checklist, at.now_ns) == on_disk
    assert [(one.item.id, one.state) for one in on_disk.items()] == [("a", "pass"), ("b", "fail"), ("c", "pass")]
    assert (on_disk.entries, on_disk.head) == record.head()
    record.close()


@pytest.mark.parametrize("place", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("how", ["cut", "no entry", "another's"])
def test_a_changed_line_that_decides_is_told_and_never_folded(place: int, how: str) -> None:
    at = written()
    row = at.lines[place]
    changed = {
        "cut": row.line[:-9],
        "no entry": b'{"seq":1}',
        "another's": at.lines[(place + 1) % len(at.lines)].line,
    }
    at.lines[place] = row._replace(line=changed[how])
    with pytest.raises(Trouble) as caught:
        at.state()
    assert caught.value.code == "record_damaged"
    assert str(row.seq) in caught.value.what


def test_a_line_that_is_sorted_under_another_item_is_told() -> None:
    """Else a tick could be moved to the item that needs one, without touching a digest."""
    at = written()
    row = at.lines[2]
    at.lines[2] = Row(row.seq, row.kind, "b", row.digest, row.line)
    at.lines[3] = at.lines[3]._replace(item="a")
    with pytest.raises(Trouble) as caught:
        at.state()
    assert caught.value.code == "record_damaged"
