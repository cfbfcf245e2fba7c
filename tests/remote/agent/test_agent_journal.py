"""The journal: numbers without holes, nothing lost that was committed, bounded, and never a damaged file deleted."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from remote.agent.clock import Clock, StepWatch
from remote.agent.journal import Journal, JournalDamaged, JournalFull, JournalReader, draft
from remote.agent.recovery import open_journal
from remote.agent.retention import taken_through, trim
from remote.agent.settings import Limits
from remote.agent.writer import JournalWriter
from remote.protocol import Body, Entry, Event, body_of
from tests.remote.agent.robot import ROOT, environment
from tests.waiting import wait_until

CLOCK = Clock("boot-1")
MiB = 1024 * 1024
PLENTY = 10**15


def event(text: str = "x", size: int = 0) -> Event:
    return Event(name="mark", severity="info", text=text + "." * size)


def fill(journal: Journal, count: int, size: int = 1000) -> None:
    for start in range(0, count, 100):
        journal.append([draft(event(str(start + i), size), CLOCK) for i in range(min(100, count - start))])


def everything(path: Path) -> list[Entry]:
    reader = JournalReader(path)
    entries: list[Entry] = []
    while more := reader.after(entries[-1].seq if entries else 0):
        entries += more
    reader.close()
    return entries


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    made = Journal(path, CLOCK.boot_id, synchronous="OFF")
    yield made
    made.close()


def test_entries_are_numbered_from_one_and_a_reader_sees_the_same_bytes(journal: Journal, path: Path) -> None:
    assert journal.append([draft(event("a"), CLOCK)]) == range(1, 2)
    assert journal.append([draft(event("b"), CLOCK), draft(event("c"), CLOCK)]) == range(2, 4)
    entries = everything(path)
    assert [(e.seq, body_of(e).text, e.boot_id) for e in entries] == [  # type: ignore[union-attr]
        (1, "a", "boot-1"),
        (2, "b", "boot-1"),
        (3, "c", "boot-1"),
    ]


def test_numbers_and_id_go_on_after_a_restart_and_each_entry_keeps_its_boot(path: Path) -> None:
    first = Journal(path, "boot-1")
    first.append([draft(event(), CLOCK)])
    first.close()
    second = Journal(path, "boot-2")
    assert second.append([draft(event(), CLOCK)]) == range(2, 3)
    assert second.id == first.id
    assert [entry.boot_id for entry in everything(path)] == ["boot-1", "boot-2"]
    second.close()


def test_the_order_is_the_numbers_even_where_the_wall_clock_is_set_back(journal: Journal, path: Path) -> None:
    for wall in (2_000, 1_000, 3_000):
        journal.append([draft(event(str(wall)), Clock("boot-1", lambda: 5, lambda wall=wall: wall))])  # type: ignore[misc]
    assert [entry.wall_ns for entry in everything(path)] == [2_000, 1_000, 3_000]


def test_a_chunk_is_bounded_by_bytes_but_never_empty(journal: Journal, path: Path) -> None:
    journal.append([draft(event(size=5000), CLOCK) for _ in range(10)])
    reader = JournalReader(path)
    assert len(reader.after(0, limit_bytes=12_000)) == 2
    assert len(reader.after(0, limit_bytes=10)) == 1
    assert len(reader.after(0, limit=4)) == 4
    assert reader.after(10) == ()
    reader.close()


@pytest.mark.parametrize("seed", range(20))
def test_kill_9_at_any_moment_loses_nothing_committed(tmp_path: Path, seed: int) -> None:
    draw, path = random.Random(seed), tmp_path / "journal.db"
    script = str(Path(__file__).with_name("journalling_child.py"))
    said = tmp_path / "said"
    with said.open("wb") as sink:
        child = subprocess.Popen(
            [sys.executable, script, str(path), str(seed)], stdout=sink, env=environment(), cwd=ROOT
        )
        wait_until(lambda: said.stat().st_size > 0, 15, "the first commit")
        time.sleep(draw.uniform(0, 0.12))  # the random moment is what is tested
        child.send_signal(signal.SIGKILL)
        child.wait()
    committed = int(said.read_bytes().rsplit(b"\n", 2)[-2])
    journal, replaced = open_journal(path, CLOCK)
    entries = everything(path)
    assert replaced is None
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert len(entries) >= committed
    assert all(body_of(entry).data["seq"] == entry.seq for entry in entries)  # type: ignore[union-attr]
    journal.close()


# ------------------------------------------------------------ damage


def damaged_names(path: Path) -> list[Path]:
    return sorted(path.parent.glob("journal.damaged-*.db"))


def test_a_file_that_is_no_database_is_moved_aside_and_named(path: Path) -> None:
    path.write_bytes(b"this is no database, but a person's notes\n" * 500)
    journal, replaced = open_journal(path, CLOCK)
    assert replaced is not None
    assert replaced.kept_as.read_bytes().startswith(b"this is no database")
    body = body_of(everything(path)[0])
    assert isinstance(body, Event)
    assert (body.name, body.data["kept_as"]) == ("journal_replaced", str(replaced.kept_as))
    journal.close()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_journal_is_moved_aside_and_a_new_one_begins(path: Path, share: float) -> None:
    journal = Journal(path, CLOCK.boot_id)
    old_id = journal.id
    fill(journal, 500)
    journal.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    again, replaced = open_journal(path, CLOCK)
    assert replaced is not None
    assert again.id != old_id
    assert again.last_seq == 1
    assert damaged_names(path) == [replaced.kept_as]
    again.close()


def test_overwritten_pages_are_noticed(path: Path) -> None:
    journal = Journal(path, CLOCK.boot_id)
    fill(journal, 500)
    journal.close()
    data = bytearray(path.read_bytes())
    data[8192:40960] = b"\xa5" * 32768
    path.write_bytes(data)
    again, replaced = open_journal(path, CLOCK)
    assert replaced is not None
    again.close()


def test_a_whole_journal_is_not_taken_for_damaged(path: Path) -> None:
    journal = Journal(path, CLOCK.boot_id)
    fill(journal, 500)
    journal.close()
    again, replaced = open_journal(path, CLOCK)
    assert replaced is None
    assert again.last_seq == 500
    again.close()


def test_a_database_of_something_else_is_not_written_into(path: Path) -> None:
    import sqlite3

    other = sqlite3.connect(path)
    other.execute("CREATE TABLE precious (x)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(JournalDamaged):
        Journal(path, CLOCK.boot_id)
    assert path.read_bytes() == before


# ------------------------------------------------------------ retention

LIMITS = Limits(keep_bytes=1 * MiB, max_bytes=3 * MiB, disk_free_floor_bytes=0)


def lost_event(path: Path) -> Event | None:
    bodies = [body_of(entry) for entry in everything(path)]
    return next((body for body in bodies if isinstance(body, Event) and body.name == "journal_lost"), None)


def cut(journal: Journal, limits: Limits = LIMITS, free: int = PLENTY) -> int:
    return trim(journal, limits, CLOCK, lambda _: free)


def test_what_every_console_has_taken_goes_first_and_quietly(journal: Journal, path: Path) -> None:
    fill(journal, 2000)
    journal.record_acks([("a", "anna", 1800), ("b", "ben", 1500)])
    assert cut(journal) > 0
    assert journal.content_bytes() <= LIMITS.keep_bytes
    assert journal.first_seq <= 1501
    assert everything(path)[0].seq == journal.first_seq
    assert lost_event(path) is None


def test_what_one_console_has_not_taken_stays(journal: Journal) -> None:
    fill(journal, 2000)
    journal.record_acks([("a", "anna", 1800), ("b", "ben", 100)])
    cut(journal)
    assert journal.first_seq == 101


def test_while_nobody_ever_took_anything_only_the_hard_limit_cuts(journal: Journal, path: Path) -> None:
    fill(journal, 2000)
    assert cut(journal) == 0
    fill(journal, 2000)
    gone = cut(journal)
    assert gone > 0
    assert journal.content_bytes() <= LIMITS.max_bytes
    event = lost_event(path)
    assert event is not None
    assert event.data == {"first_seq": 1, "last_seq": gone, "count": gone}
    assert event.severity == "error"
    numbers = [entry.seq for entry in everything(path)]
    assert numbers == list(range(gone + 1, 4002))


def test_the_lost_event_counts_only_what_was_not_taken(journal: Journal, path: Path) -> None:
    fill(journal, 4000)
    journal.record_acks([("a", "anna", 200)])
    cut(journal)
    event = lost_event(path)
    assert event is not None
    assert event.data["first_seq"] == 201


def test_a_disk_that_fills_up_cuts_too_but_leaves_the_newest(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remote.agent.retention.LEAST_BYTES", 128 * 1024)
    fill(journal, 1500)
    limits = Limits(disk_free_floor_bytes=100 * MiB)
    assert cut(journal, limits, free=100 * MiB) == 0
    assert cut(journal, limits, free=99 * MiB) > 0
    assert lost_event(path) is not None
    cut(journal, limits, free=0)
    cut(journal, limits, free=0)
    assert 64 * 1024 < journal.content_bytes() <= 128 * 1024
    assert everything(path)[-1].seq == journal.last_seq


def test_the_file_shrinks_so_that_the_disk_gets_its_space_back(journal: Journal, path: Path) -> None:
    fill(journal, 4000)
    journal.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    before = path.stat().st_size
    cut(journal)
    assert path.stat().st_size < before


def test_the_newest_entry_stays_so_that_numbers_never_start_anew(journal: Journal, path: Path) -> None:
    fill(journal, 3)
    journal.remove_through(10**6)
    assert [entry.seq for entry in everything(path)] == [3]
    journal.close()
    again = Journal(path, CLOCK.boot_id)
    assert again.append([draft(event(), CLOCK)]) == range(4, 5)
    again.close()


def test_age_counts_while_the_agent_runs_so_that_a_stepped_clock_deletes_nothing(journal: Journal) -> None:
    limits = Limits(keep_running_days=1.0, disk_free_floor_bytes=0)
    fill(journal, 100)
    journal.record_acks([("a", "anna", 100)])
    journal.grow_older(3600, ["a"])
    fill(journal, 100)
    journal.record_acks([("a", "anna", 200)])
    assert cut(journal, limits) == 0
    for _ in range(25):
        journal.grow_older(3600, ["a"])
    assert cut(journal, limits) >= 100
    assert journal.first_seq > 100


def test_a_console_not_seen_for_two_weeks_holds_nothing_back(journal: Journal) -> None:
    fill(journal, 10)
    journal.record_acks([("a", "anna", 2), ("b", "ben", 9)])
    assert taken_through(journal.acks()) == 2
    journal.grow_older(13 * 86400, ["b"])
    assert taken_through(journal.acks()) == 2
    journal.grow_older(2 * 86400, ["b"])
    assert taken_through(journal.acks()) == 9
    journal.grow_older(20 * 86400, [])
    assert taken_through(journal.acks()) == 9
    journal.record_acks([("a", "anna", 1)])
    assert taken_through(journal.acks()) == 2  # an ack never goes back, and anna counts again


def test_an_ack_beyond_the_journal_frees_nothing_that_is_still_to_come(journal: Journal) -> None:
    fill(journal, 5)
    journal.record_acks([("a", "anna", 10**9)])
    assert taken_through(journal.acks()) == 5
    assert taken_through([]) == 0


# ------------------------------------------------------------ the writer


def writer_for(journal: Journal, limits: Limits = LIMITS, **more: float) -> JournalWriter:
    return JournalWriter(journal, CLOCK, limits, group_s=0.005, housekeeping_s=more.get("housekeeping_s", 60.0))


def named(path: Path, name: str) -> list[Body]:
    return [body for body in map(body_of, everything(path)) if isinstance(body, Event) and body.name == name]


def test_the_writer_commits_in_the_order_given(path: Path) -> None:
    writer = writer_for(Journal(path, CLOCK.boot_id))
    for i in range(200):
        writer.append(event(str(i)))
    assert writer.flush()
    writer.close()
    assert [body_of(entry).text for entry in everything(path)] == [str(i) for i in range(200)]  # type: ignore[union-attr]


def test_a_full_disk_is_survived_and_told_with_a_count(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remote.agent.writer.WAITING_LIMIT", 50)
    monkeypatch.setattr("remote.agent.writer.RETRY_S", 0.05)
    journal = Journal(path, CLOCK.boot_id)
    fill(journal, 100)
    pages = journal.connection.execute("PRAGMA page_count").fetchone()[0]
    journal.connection.execute(f"PRAGMA max_page_count={pages}")  # SQLite's own way to meet a full disk
    with pytest.raises(JournalFull):
        fill(journal, 1000)
    room = journal.last_seq
    writer = writer_for(journal)
    for i in range(300):
        writer.append(event(str(i), size=4000))
    wait_until(lambda: writer.trouble, 5, "the trouble to be seen")
    assert "full" in writer.state().trouble
    for i in range(300, 400):
        writer.append(event(str(i), size=4000))
    journal.connection.execute("PRAGMA max_page_count=1000000")
    wait_until(lambda: not writer.trouble, 5, "the end of the trouble")
    assert writer.flush()
    writer.close()
    entries = everything(path)
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    told = named(path, "journal_blocked")
    assert len(told) == 1
    assert isinstance(told[0], Event)
    missing = told[0].data["not_journalled"]
    assert isinstance(missing, int)
    assert missing > 0
    assert missing + len(entries) - room - 1 == 400


def test_a_journal_that_breaks_while_in_use_is_replaced_and_told(path: Path) -> None:
    journal = Journal(path, CLOCK.boot_id)
    old_id = journal.id
    fill(journal, 300)
    journal.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    journal.connection.execute("PRAGMA cache_size=0")
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)
    replaced: list[bool] = []
    writer = JournalWriter(journal, CLOCK, LIMITS, group_s=0.005, on_replaced=lambda: replaced.append(True))
    writer.append(event("after"))
    wait_until(lambda: replaced, 5, "the replacement")
    assert writer.flush()
    writer.close()
    assert writer.journal_id != old_id
    assert [body_of(entry).text for entry in everything(path)][-1] == "after"  # type: ignore[union-attr]
    assert named(path, "journal_replaced")
    assert damaged_names(path)


def test_the_writer_keeps_the_limits_by_itself(path: Path) -> None:
    limits = Limits(max_bytes=512 * 1024, disk_free_floor_bytes=0)
    writer = writer_for(Journal(path, CLOCK.boot_id), limits, housekeeping_s=0.02)
    for i in range(2000):
        writer.append(event(str(i), size=1000))
    wait_until(lambda: named(path, "journal_lost"), 10, "journal_lost")
    wait_until(lambda: writer.state().bytes < 5 * MiB, 5, "a smaller file")
    writer.close()


def test_acks_are_kept_over_a_restart(path: Path) -> None:
    writer = writer_for(Journal(path, CLOCK.boot_id))
    writer.append(event())
    writer.flush()
    writer.ack("a", "anna", 1)
    writer.close()
    again = Journal(path, CLOCK.boot_id)
    assert [(ack.client_id, ack.seq) for ack in again.acks()] == [("a", 1)]
    again.close()


# ------------------------------------------------------------ clocks


class Hands:
    """A clock whose hands a test turns."""

    def __init__(self) -> None:
        self.mono_ns, self.wall_ns = 10**12, 10**18

    def clock(self) -> Clock:
        return Clock("boot", lambda: self.mono_ns, lambda: self.wall_ns)

    def pass_(self, seconds: float, wall_s: float | None = None) -> None:
        self.mono_ns += int(seconds * 1e9)
        self.wall_ns += int((seconds if wall_s is None else wall_s) * 1e9)


@pytest.mark.parametrize(
    ("wall_s", "step_s"), [(1.0, None), (2.9, None), (3.5, 2.5), (-9.0, -10.0), (86401.0, 86400.0)]
)
def test_a_set_clock_is_noticed_and_a_slewed_one_is_not(wall_s: float, step_s: float | None) -> None:
    hands = Hands()
    watch = StepWatch(hands.clock())
    hands.pass_(1.0, wall_s)
    assert watch.look() == (None if step_s is None else pytest.approx(step_s, abs=0.001))
    hands.pass_(1.0)
    assert watch.look() is None


def test_wall_times_of_past_moments_follow_the_monotonic_clock() -> None:
    hands = Hands()
    moment, wall = hands.mono_ns, hands.wall_ns
    hands.pass_(5.0)
    assert hands.clock().wall_at(moment) == wall
