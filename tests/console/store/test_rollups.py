"""Roll-ups: percentiles of weeks at once. One that adds a window twice, or drops one at an edge, is a false figure."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.store.rolled import Rolled
from console.store.rolling import roll, rolled_through
from console.store.rollups import rolled_between, spread
from console.store.running import running_between
from console.store.store import Store, kind_of
from console.store.timeline import stretches
from remote.errors import Trouble
from remote.histogram import Histogram
from remote.protocol import Entry, Window, body_of
from tests.console.store.journals import START_NS, Robot, S, stored

LONG_S = 4000


@pytest.fixture(scope="module")
def robot() -> Robot:
    """More than an hour: a rollup of each level, a gap, two bundles, frames that differ."""
    made = Robot(now_ns=3_000 * S + 123_456_789)
    made.work(1500, frames=3, ms=10.0)
    made.idle(90.5)
    made.work(1500, frames=4, ms=30.0, bundle="c")
    made.work(1000, frames=2, ms=200.0)
    return made


@pytest.fixture(scope="module")
def store(robot: Robot) -> Iterator[Store]:
    with tempfile.TemporaryDirectory() as folder:
        made = Store(Path(folder) / "store.db")
        stored(made, robot)
        roll(made, made.journals("orin")[0].id)
        yield made
        made.close()


def by_hand(robot: Robot, from_ns: int, to_ns: int) -> Histogram:
    """The same from the windows themselves."""
    found = [body_of(entry) for entry in robot.entries if from_ns <= entry.mono_ns < to_ns]
    return Histogram.merge(body.stages_ms["end_to_end"] for body in found if isinstance(body, Window))


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_any_span_is_exact_at_its_edges(store: Store, robot: Robot, one: float, other: float) -> None:
    whole_ns = robot.now_ns + 100 * S
    first, end = sorted((round(one * whole_ns), round(other * whole_ns)))
    ours = spread(store, "orin", "end_to_end_ms", START_NS + first, START_NS + end)
    exact = by_hand(robot, first, end)
    assert (ours.count, ours.minimum, ours.maximum) == (exact.count, exact.minimum, exact.maximum)
    assert (ours.buckets, ours.counts) == (exact.buckets, exact.counts)
    assert ours.total == pytest.approx(exact.total)


def test_roll_ups_and_windows_say_the_same_of_everything(store: Store, robot: Robot, tmp_path: Path) -> None:
    """Uptime, frames, host metrics: the quick way must not be another answer."""
    fresh = Store(tmp_path / "store.db")
    stored(fresh, robot)
    span = (robot.entries[0].mono_ns + 7 * S // 3, robot.entries[0].mono_ns + 1700 * S)
    rolled, read = (rolled_between(one, stretches(one, "orin")[0], *span) for one in (store, fresh))
    assert rolled_through(fresh, 1) == 0  # too short to be worth it
    assert set(rolled.numbers) == set(read.numbers)
    for name, number in read.numbers.items():
        same = rolled.numbers[name]
        assert (same.minimum, same.maximum) == (number.minimum, number.maximum) or name == "up_s"
        assert same.total == pytest.approx(number.total), name
        assert same.count == number.count or name == "up_s"
    fresh.close()


def test_a_long_span_rolls_by_itself_and_later_entries_join(tmp_path: Path, robot: Robot) -> None:
    store = Store(tmp_path / "store.db")
    journal = store.journal("orin", "j1").id
    for first in range(0, len(robot.entries), 1100):
        store.add(journal, robot.entries[first : first + 1100])
        count = spread(store, "orin", "end_to_end_ms", 0, START_NS * 2).count
        assert count == by_hand(Robot(entries=robot.entries[: first + 1100]), 0, START_NS).count
    assert rolled_through(store, journal) > 0
    store.close()


def test_two_programs_that_roll_at_once_add_nothing_twice(tmp_path: Path, robot: Robot) -> None:
    stores = [Store(tmp_path / "store.db") for _ in range(2)]
    stored(stores[0], robot)
    threads = [threading.Thread(target=roll, args=(one, 1)) for one in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = rolled_between(stores[0], stretches(stores[0], "orin")[0], 0, robot.now_ns + 1)
    assert found.spread("end_to_end_ms").histogram().count == by_hand(robot, 0, robot.now_ns + 1).count
    for one in stores:
        one.close()


def test_a_number_that_can_be_none_spoils_no_sum() -> None:
    """One sensor that says 1e308 must not make the mean of a month infinite."""
    found = Rolled()
    for value in (1.0, 1e308, float("nan"), 3.0):
        found.number("cpu_percent").add(1, value, value, value)
    assert (found.numbers["cpu_percent"].count, found.numbers["cpu_percent"].mean) == (2, 2.0)


def test_a_hostile_histogram_is_left_out_of_the_roll_up(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    robot = Robot()
    robot.work(3)
    good = bytes(robot.entries[1].body)
    for spoiled in (b"[1,1.0,1.0,1.0,[99999],[1]]", b"[2,1.0,1.0,1.0,[1],[1]]", b"[0,1.0,1.0,1.0,[1,2],[1,-1]]", b"[]"):
        begin = good.index(b'"end_to_end":') + len(b'"end_to_end":')
        body = good[:begin] + spoiled + good[good.index(b"}", begin) :]
        robot.now_ns += S
        robot.entries.append(Entry(len(robot.entries) + 1, "boot-1", robot.now_ns, START_NS, msgspec.Raw(body)))
    stored(store, robot)
    roll(store, 1)
    assert spread(store, "orin", "end_to_end_ms", 0, START_NS * 2).count == 30
    store.close()


def test_a_store_of_the_first_format_is_taken_over(tmp_path: Path, robot: Robot) -> None:
    """Who updates fieldgate must not lose what the laptop has seen, and an older fieldgate must not write into the new."""
    path = tmp_path / "store.db"
    with sqlite3.connect(path) as old:
        old.executescript(FORMAT_1)
        old.execute("INSERT INTO journals VALUES (1, 'orin', 'j1', 0, 200)")
        rows = [(1, e.seq, e.boot_id, e.mono_ns, e.wall_ns, kind_of(e), bytes(e.body)) for e in robot.entries[:200]]
        old.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    old.close()
    store = Store(path)
    journal = store.journal("orin", "j1")
    assert (journal.id, journal.last_seq) == (1, 200)
    store.add(1, robot.entries[:400])
    assert running_between(store, "orin", 0, START_NS * 2).running.known_s == pytest.approx(200)
    assert store.select("PRAGMA user_version")[0][0] == 2
    store.close()


def test_a_store_of_a_format_to_come_is_left_alone(tmp_path: Path) -> None:
    Store(tmp_path / "store.db").close()
    with sqlite3.connect(tmp_path / "store.db") as newer:
        newer.execute("PRAGMA user_version = 3")
    newer.close()
    with pytest.raises(Trouble) as caught:
        Store(tmp_path / "store.db")
    assert caught.value.code == "store_newer"


FORMAT_1 = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE robots (name TEXT PRIMARY KEY, address TEXT NOT NULL, seen_wall_ns INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE journals (
    id INTEGER PRIMARY KEY, robot TEXT NOT NULL, journal TEXT NOT NULL, first_seen_wall_ns INTEGER NOT NULL,
    last_seq INTEGER NOT NULL DEFAULT 0, UNIQUE (robot, journal));
CREATE TABLE entries (
    journal_id INTEGER NOT NULL REFERENCES journals (id), seq INTEGER NOT NULL, boot_id TEXT NOT NULL,
    mono_ns INTEGER NOT NULL, wall_ns INTEGER NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (journal_id, seq));
CREATE INDEX entries_by_kind ON entries (journal_id, kind, seq);
CREATE TABLE lost (
    journal_id INTEGER NOT NULL REFERENCES journals (id), first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
    PRIMARY KEY (journal_id, first_seq));
PRAGMA user_version = 1;
"""
