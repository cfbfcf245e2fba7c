"""Kill -9, full disk and torn writes: no entry that was acknowledged is lost, none is invented, none names a missing file."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.record.chain import check_chain
from console.record.entries import Note
from console.record.export import read_json, write_json
from console.record.record import Record
from remote.errors import Trouble
from tests.console.record.record_samples import append_note, file_bytes, filled, note_text
from tests.killing import KILLED, CannotTrace, ended, forked, killed_at_call, limited


class Acks:
    """A pipe on which a child says which entry is committed; what it said outlives it."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)

    def say(self, number: int) -> None:
        """In the child: entry `number` is committed."""
        os.write(self._write, b"%d\n" % number)

    def last(self, before: int) -> int:
        """The highest number said since the last look, or `before`."""
        try:
            return int(os.read(self._read, 1 << 20).split()[-1])
        except BlockingIOError:
            return before

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


@pytest.fixture
def acks() -> Iterator[Acks]:
    made = Acks()
    yield made
    made.close()


def add(folder: Path, acks: Acks, count: int) -> None:
    """What a program does: open, append `count` entries with a file each, say each, close."""
    record = Record.open(folder, wall_ns=lambda: 1_000)
    for number in range(record.head().seq + 1, record.head().seq + 1 + count):
        append_note(record, number)
        acks.say(number)
    record.close()


def look(folder: Path, acknowledged: int) -> int:
    """Assert that the record holds what was acknowledged and at most the one entry under way; how many it holds."""
    record = Record.open(folder, wall_ns=lambda: 1_000)
    rows = record.rows()
    assert check_chain(rows, record.head()) == []
    assert acknowledged <= len(rows) <= acknowledged + 1
    for row in rows:
        body = record.entry(row.seq).body
        assert isinstance(body, Note)
        assert body.text == note_text(row.seq)
        assert record.attachment(body.attachments[0].digest) == file_bytes(row.seq)
    record.close()
    return len(rows)


def test_a_kill_at_every_system_call_of_an_append_loses_and_invents_nothing(tmp_path: Path, acks: Acks) -> None:
    """Every write, sync, rename and unlink of opening, attaching, committing, folding the log in and closing."""
    folder, held, number, end = tmp_path / "c", 1, 0, KILLED
    filled(folder, 1).close()
    while end == KILLED:
        try:
            end = killed_at_call(lambda: add(folder, acks, 2), number)
        except CannotTrace as reason:
            pytest.skip(str(reason))
        held = look(folder, acks.last(held))
        number += 1
    assert end == 0, "the last round was let through to its end"
    assert number > 60, "opening, two appends and closing make far more calls than this"
    assert held > 10


def test_a_kill_at_every_system_call_of_making_a_record_leaves_one_or_none(tmp_path: Path) -> None:
    number, end = 0, KILLED
    while end == KILLED:
        folder = tmp_path / f"c{number}"
        try:
            end = killed_at_call(lambda folder=folder: Record.create(folder).close(), number)  # type: ignore[misc]
        except CannotTrace as reason:
            pytest.skip(str(reason))
        record = Record.open(folder) if (folder / "record.db").exists() else Record.create(folder)
        assert record.head().seq == 0
        assert record.append("ada", Note(text="x")).entry.seq == 1
        record.close()
        number += 1
    assert end == 0
    assert number > 30


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_kills_at_random_moments_lose_and_invent_nothing(tmp_path: Path, acks: Acks, seed: int) -> None:
    folder, held, chance = tmp_path / "c", 0, random.Random(seed)
    Record.create(folder).close()
    kills, deadline_s = 0, time.monotonic() + 60  # on a busy machine a child may be killed before it has begun
    while kills < 15 or (held <= 15 and time.monotonic() < deadline_s):
        kills += 1
        child = forked(lambda: add(folder, acks, 100_000))
        time.sleep(chance.uniform(0.001, 0.04))  # not to wait for something: the moment is what is drawn
        os.kill(child, signal.SIGKILL)
        assert ended(child) == KILLED
        held = look(folder, acks.last(held))
    assert held > 15


def test_two_writers_of_which_one_is_killed_keep_one_chain(tmp_path: Path, acks: Acks) -> None:
    folder = tmp_path / "c"
    Record.create(folder).close()
    chance = random.Random(7)
    survivor = forked(lambda: append_as(folder, "grace", 60))
    for _ in range(6):
        child = forked(lambda: append_as(folder, "ada", 100_000))
        time.sleep(chance.uniform(0.005, 0.03))  # the moment is drawn
        os.kill(child, signal.SIGKILL)
        assert ended(child) == KILLED
    assert ended(survivor) == 0
    record = Record.open(folder)
    assert check_chain(record.rows(), record.head()) == []
    said = [record.entry(row.seq) for row in record.rows()]
    texts = [one.body.text for one in said if one.person == "grace" and isinstance(one.body, Note)]
    assert texts == [str(number) for number in range(60)]
    record.close()


def append_as(folder: Path, person: str, count: int) -> None:
    for number in range(count):
        record = Record.open(folder)
        record.append(person, Note(text=str(number)))
        record.close()


def sizes(folder: Path, step: int) -> range:
    """From nothing to beyond what the record's files grow to in a round."""
    return range(0, max(path.stat().st_size for path in folder.rglob("*") if path.is_file()) + 40_000, step)


def test_a_write_torn_in_the_middle_by_a_kill_loses_and_invents_nothing(tmp_path: Path, acks: Acks) -> None:
    folder, held, ends = tmp_path / "c", 3, set()
    filled(folder, held).close()
    for size in sizes(folder, 1777):
        ends.add(limited(lambda: add(folder, acks, 2), size, deadly=True))
        held = look(folder, acks.last(held))
    assert ends == {-signal.SIGXFSZ, 0}, "some rounds were killed in a write, some came through"


def expect_full(action: Callable[[], object]) -> None:
    """In a child: 0 where it worked, 3 where it was refused as full; anything else is an error."""
    try:
        action()
    except Trouble as trouble:
        if trouble.code == "record_full" and trouble.cure:
            os._exit(3)
        raise


def test_a_file_size_limit_or_quota_is_told_as_full_and_leaves_nothing_half(tmp_path: Path, acks: Acks) -> None:
    folder, held, ends = tmp_path / "c", 3, set()
    filled(folder, held).close()
    for size in sizes(folder, 1777):
        ends.add(limited(lambda: expect_full(lambda: add(folder, acks, 2)), size, deadly=False))
        held = look(folder, acks.last(held))
        assert not list(folder.rglob("*.tmp"))
    assert ends == {3, 0}


def test_making_a_record_where_there_is_no_room_leaves_none(tmp_path: Path) -> None:
    ends = set()
    for size in range(0, 90_000, 3000):
        folder = tmp_path / f"c{size}"
        end = limited(lambda folder=folder: expect_full(lambda: Record.create(folder)), size, deadly=False)  # type: ignore[misc]
        ends.add(end)
        assert (folder / "record.db").exists() == (end == 0)
        assert not list(folder.glob(".*"))
    assert ends == {3, 0}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_told_and_what_was_acknowledged_is_there(small_disk: Path) -> None:
    folder = small_disk / "c"
    record = Record.create(folder, wall_ns=lambda: 1_000)
    with pytest.raises(Trouble) as caught:
        append_without_end(record)
    held = record.head().seq
    assert held > 5
    assert caught.value.code == "record_full"
    assert str(small_disk) in caught.value.what + caught.value.cure
    (small_disk / "ballast").write_bytes(b"")
    fill(small_disk / "ballast")
    with pytest.raises(Trouble) as caught:
        record.append("ada", Note(text="x" * 20_000))
    assert caught.value.code == "record_full"
    with pytest.raises(Trouble) as caught:
        write_json(record, small_disk / "c.json")
    assert caught.value.code == "record_full"
    assert not (small_disk / "c.json").exists()
    assert record.head().seq == held
    (small_disk / "ballast").unlink()
    assert not list(folder.rglob(".*")), "a file that did not fit is not left there in part"
    assert record.append("ada", Note(text="there is room again")).entry.seq == held + 1
    assert check_chain(record.rows(), record.head()) == []
    record.close()


def append_without_end(record: Record) -> None:
    for number in range(1, 10_000):
        append_note(record, number)
        assert record.head().seq == number


def fill(path: Path) -> None:
    with path.open("ab", buffering=0) as file:
        try:
            while file.write(b"x" * 1024):
                pass
        except OSError:
            return


def test_a_kill_in_an_export_leaves_the_old_file_whole(tmp_path: Path) -> None:
    filled(tmp_path / "c", 2).close()
    path, number, end = tmp_path / "c.json", 0, KILLED
    record = Record.open(tmp_path / "c", read_only=True)
    write_json(record, path)
    record.close()
    old = path.read_bytes()
    append_as(tmp_path / "c", "ada", 1)
    while end == KILLED:
        try:
            end = killed_at_call(lambda: export(tmp_path / "c", path), number)
        except CannotTrace as reason:
            pytest.skip(str(reason))
        assert path.read_bytes() == old or len(read_json(path).rows()) == 3
        assert json.loads(path.read_bytes())
        number += 1
    assert end == 0
    assert len(read_json(path).rows()) == 3


def export(folder: Path, path: Path) -> None:
    record = Record.open(folder, read_only=True)
    write_json(record, path)
    record.close()
