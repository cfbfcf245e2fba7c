"""The store: each entry once, no hole, nothing half, whatever happens to the disk or the file."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.store.identity import Identity
from console.store.pictures import Pictures
from console.store.store import Store, kind_of
from remote.errors import Trouble
from remote.protocol import Entry, Event, raw
from tests.waiting import wait_until


def entry(seq: int, text: str = "x") -> Entry:
    return Entry(seq, "boot", seq * 10, seq * 100, raw(Event(name="test", severity="info", text=text)))


def batch(first: int, last: int) -> list[Entry]:
    return [entry(seq) for seq in range(first, last + 1)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store.db")
    yield made
    made.close()


def seqs(store: Store, journal_id: int) -> list[int]:
    return [found.seq for found in store.entries(journal_id)]


def test_bodies_come_back_byte_for_byte(store: Store) -> None:
    """A body written anew would differ from the robot's, and evidence could not be compared any more."""
    journal = store.journal("orin", "j1")
    odd = Entry(
        1, "boot", 2, 3, msgspec.Raw(b'{"kind":"event", "name":"n","severity":"info","text":"\\u00e4", "new":1.50}')
    )
    store.add(journal.id, [odd])
    assert list(store.entries(journal.id)) == [odd]
    assert kind_of(odd) == "event"


def test_what_comes_twice_is_kept_once(store: Store) -> None:
    journal = store.journal("orin", "j1")
    assert store.add(journal.id, batch(1, 5)) == 5
    assert store.add(journal.id, batch(3, 8)) == 8
    assert store.add(journal.id, batch(2, 4)) == 8
    assert seqs(store, journal.id) == list(range(1, 9))


@pytest.mark.parametrize("wrong", [batch(7, 9), [entry(6), entry(8)], [entry(7), entry(6)], [entry(6), entry(6)]])
def test_a_batch_that_would_leave_a_hole_leaves_nothing(store: Store, wrong: list[Entry]) -> None:
    journal = store.journal("orin", "j1")
    store.add(journal.id, batch(1, 5))
    with pytest.raises(Trouble) as caught:
        store.add(journal.id, wrong)
    assert caught.value.code == "out_of_order"
    assert seqs(store, journal.id) == [1, 2, 3, 4, 5]
    assert store.add(journal.id, batch(6, 7)) == 7


def test_what_the_robot_lost_is_noted_and_the_rest_goes_on(store: Store) -> None:
    journal = store.journal("orin", "j1")
    store.add(journal.id, batch(1, 5))
    assert store.add_lost(journal.id, 4, 20) == 20
    assert store.lost(journal.id) == ((6, 20),)
    assert store.add(journal.id, batch(21, 22)) == 22
    with pytest.raises(Trouble):
        store.add_lost(journal.id, 30, 40)
    assert store.add_lost(journal.id, 1, 2) == 22
    assert store.lost(journal.id) == ((6, 20),)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 8)), max_size=20))
def test_whatever_order_batches_come_in_there_is_no_hole_and_no_double(batches: list[tuple[int, int]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store.db")
        journal = store.journal("orin", "j1")
        for first, count in batches:
            with contextlib.suppress(Trouble):
                store.add(journal.id, batch(first, first + count))
        here = store.last_seq(journal.id)
        assert seqs(store, journal.id) == list(range(1, here + 1))
        store.close()


def test_journals_and_robots_stay_apart(store: Store) -> None:
    one, two, other = store.journal("orin", "j1"), store.journal("orin", "j2"), store.journal("xavier", "j1")
    store.add(one.id, batch(1, 3))
    store.add(two.id, batch(1, 1))
    assert [store.last_seq(j.id) for j in (one, two, other)] == [3, 1, 0]
    assert [j.journal for j in store.journals("orin")] == ["j1", "j2"]
    assert store.journal("orin", "j1").id == one.id


def test_the_newest_of_a_kind_come_oldest_first(store: Store) -> None:
    journal = store.journal("orin", "j1")
    store.add(journal.id, batch(1, 700))
    assert [e.seq for e in store.newest(journal.id, "event", 3)] == [698, 699, 700]
    assert len(list(store.entries(journal.id, "event", after_seq=100))) == 600
    assert list(store.entries(journal.id, "window")) == []


@pytest.mark.parametrize("damage", ["truncated", "overwritten", "no database"])
def test_a_corrupt_store_is_moved_aside_and_said(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "store.db"
    first = Store(path)
    first.add(first.journal("orin", "j1").id, batch(1, 2000))
    first.close()
    data = path.read_bytes()
    path.write_bytes(
        {"truncated": data[:5000], "overwritten": b"\xff" * 4096 + data[4096:], "no database": b"hello" * 99}[damage]
    )
    again = Store(path)
    assert again.moved_aside is not None
    assert again.moved_aside.exists()
    assert again.add(again.journal("orin", "j1").id, batch(1, 1)) == 1
    again.close()


def test_a_store_of_a_newer_fieldgate_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    Store(path).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(Trouble) as caught:
        Store(path)
    assert caught.value.code == "store_newer"
    assert path.read_bytes() == before


def test_a_full_disk_stores_nothing_of_a_batch_and_is_said(store: Store) -> None:
    """Half a batch that was acknowledged is lost for good: the robot may remove it."""
    journal = store.journal("orin", "j1")
    store.add(journal.id, batch(1, 3))
    pages = store._database.execute("PRAGMA page_count").fetchone()[0]
    store._database.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(Trouble) as caught:
        store.add(journal.id, [entry(seq, "y" * 2000) for seq in range(4, 100)])
    assert caught.value.code == "store_full"
    assert seqs(store, journal.id) == [1, 2, 3]
    store._database.execute("PRAGMA max_page_count = 1000000")
    assert store.add(journal.id, batch(4, 5)) == 5


_WRITER = """
import sys
from pathlib import Path
from console.store.store import Store
from tests.console.store.test_store import batch
store = Store(Path(sys.argv[1])); journal = store.journal("orin", "j1"); seq = 0
while True:
    seq = store.add(journal.id, batch(seq + 1, seq + 50))
    print(seq, flush=True)
"""


def test_a_console_killed_while_storing_has_kept_all_that_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    repository = Path(__file__).resolve().parents[3]
    words = [sys.executable, "-c", _WRITER, str(path)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, cwd=repository, text=True)
    assert process.stdout is not None
    acknowledged = 0
    for _ in range(20):
        acknowledged = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    store = Store(path)
    here = seqs(store, store.journal("orin", "j1").id)
    assert here == list(range(1, len(here) + 1))
    assert len(here) >= acknowledged
    assert len(here) % 50 == 0
    store.close()


def test_only_the_owner_may_read_the_store(store: Store) -> None:
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_two_consoles_of_one_laptop_are_told_apart_and_the_first_keeps_its_name(tmp_path: Path) -> None:
    first, second = Identity("s", "orin", tmp_path), Identity("s", "orin", tmp_path)
    other = Identity("s", "xavier", tmp_path)
    assert (first.client_id, other.client_id) == ("s", "s")
    assert second.client_id not in ("s", first.client_id)
    first.close()
    third = Identity("s", "orin", tmp_path)
    assert third.client_id == "s"
    for one in (second, other, third):
        one.close()


def test_a_picture_is_kept_under_its_own_digest_only(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path / "pictures")
    jpeg = os.urandom(1000)
    digest = hashlib.sha256(jpeg).hexdigest()
    path = pictures.keep(digest, jpeg)
    assert path.read_bytes() == jpeg
    assert pictures.path(digest) == path
    with pytest.raises(Trouble) as caught:
        pictures.keep(digest, jpeg + b"x")
    assert caught.value.code == "bad_picture"
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("digest", ["../../etc/passwd", "", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_a_digest_from_a_robot_is_never_a_path(tmp_path: Path, digest: str) -> None:
    pictures = Pictures(tmp_path)
    assert pictures.path(digest) is None
    with pytest.raises(Trouble):
        pictures.keep(digest, b"")


def test_the_store_is_shared_by_processes(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    first, second = Store(path), Store(path)
    journal = first.journal("orin", "j1")
    assert first.store_id == second.store_id
    first.add(journal.id, batch(1, 5))
    assert second.add(journal.id, batch(4, 7)) == 7
    wait_until(lambda: first.last_seq(journal.id) == 7, 2, "the other's entries")
    first.close()
    second.close()
