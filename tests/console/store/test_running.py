"""Uptime, crashes and reboots as a journal shows them: a wrong count here is a wrong verdict on a robot."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.fieldtest.running import Measured, Running, together
from console.store.running import running_between
from console.store.store import Store
from remote.protocol import Entry
from tests.console.store.journals import START_NS, Robot, S, stored


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store.db")
    yield made
    made.close()


@contextmanager
def new_store() -> Iterator[Store]:
    """A store for one example of many."""
    with tempfile.TemporaryDirectory() as folder:
        made = Store(Path(folder) / "store.db")
        yield made
        made.close()


def between(store: Store, from_s: float, to_s: float) -> Running:
    """What is counted from `from_s` to `to_s` after the first boot."""
    return running_between(store, "orin", START_NS + round(from_s * S), START_NS + round(to_s * S)).running


def test_a_clean_minute_is_up_and_all_of_it_known(store: Store) -> None:
    robot = Robot()
    robot.event("agent_started")
    robot.work(60)
    stored(store, robot)
    found = between(store, 0, 60)
    assert (found.wanted_s, found.known_s, found.up_s) == (60, 60, 60)
    assert (found.frames, found.breakdowns, found.agent_restarts) == (590, 0, 0)  # the last window ends with the span


def test_what_has_not_come_yet_is_unknown_and_afterwards_exact(store: Store) -> None:
    """The link is gone for an hour: no claim is made of that hour until its entries come, and none is counted twice."""
    robot = Robot()
    robot.work(100)
    here = list(robot.entries)
    robot.failure("worker_crash")
    robot.work(50)
    journal = store.journal("orin", "j1")
    store.add(journal.id, here)
    first = between(store, 0, 150)
    assert (first.known_s, first.up_s, first.unknown_s, first.crashes) == (100, 100, 50, 0)
    store.add(journal.id, robot.entries)  # sent again from the start, as after a cut
    then = between(store, 0, 151)
    assert (then.known_s, then.up_s, then.crashes, then.frames) == (150, 150, 1, 1500)


def test_a_worker_that_crashed_hung_or_lost_its_camera_is_not_up(store: Store) -> None:
    robot = Robot()
    robot.work(10)
    robot.failure("worker_crash")
    robot.idle(3)
    robot.event("worker_started")
    robot.work(10)
    robot.failure("worker_hang")
    robot.idle(7)
    robot.event("worker_started")
    robot.failure("camera_stalled")
    robot.failure("camera_gone")
    robot.work(5, camera="gone", frames=0)
    robot.event("camera_recovered")
    robot.work(5)
    robot.failure("camera_black")
    robot.work(5, camera="black")
    robot.write_end()
    stored(store, robot)
    found = between(store, 0, 46)
    assert (found.up_s, found.crashes, found.hangs, found.camera_faults) == (25, 1, 1, 2)
    assert found.known_s == 45  # from the first window's beginning to the last entry
    assert (found.breakdowns, found.reboots, found.agent_restarts) == (2, 0, 0)


def test_a_window_longer_than_a_hang_is_not_up(store: Store) -> None:
    """A worker that stood still for minutes and then sent one window did not process frames all that time."""
    robot = Robot()
    robot.work(2)
    robot.idle(8)
    robot.window(span_s=8.0)
    robot.window(span_s=4.0)
    robot.write_end()
    stored(store, robot)
    assert between(store, 0, 100).up_s == 6


def test_a_killed_agent_is_a_restart_and_time_that_is_known_and_not_up(store: Store) -> None:
    robot = Robot()
    robot.event("agent_started")
    robot.work(10)
    robot.idle(30)
    robot.event("agent_started", killed_pid=77)
    robot.work(10)
    stored(store, robot)
    found = between(store, 0, 50)
    assert (found.agent_restarts, found.reboots, found.known_s, found.up_s) == (1, 0, 50, 20)


def test_a_reboot_counts_and_its_downtime_is_known(store: Store) -> None:
    robot = Robot()
    robot.work(100)
    robot.reboot(off_s=40)
    robot.work(100)
    stored(store, robot)
    found = between(store, 0, 260)
    assert (found.reboots, found.agent_restarts, found.breakdowns) == (1, 0, 1)
    assert (found.known_s, found.up_s) == (260, 200)


def test_a_boot_in_the_past_is_unknown_until_its_clock_is_set(store: Store) -> None:
    """A robot without a clock battery: its time must not be counted at 1970, nor its downtime be made up."""
    robot = Robot()
    robot.work(100)
    robot.reboot(off_s=40, wall_error_s=-1e9)
    robot.work(50)
    stored(store, robot)
    before = between(store, 0, 300)
    assert (before.known_s, before.up_s, before.reboots) == (100, 100, 0)
    robot.wall_error_s = 0
    robot.event("clock_stepped")
    robot.work(50)
    stored(store, robot)
    after = between(store, 0, 300)
    assert (after.known_s, after.up_s, after.reboots) == (260, 200, 1)


def test_a_boot_in_the_future_makes_no_downtime_up(tmp_path: Path) -> None:
    """Its clock is hours ahead: those hours would be taken for a robot that was off."""
    robot = Robot()
    robot.work(100)
    robot.reboot(off_s=40, wall_error_s=7200.0)
    robot.work(50)
    with opened(tmp_path / "store.db", lambda: START_NS + 300 * S) as store:
        stored(store, robot)
        found = between(store, 0, 3600)
    assert (found.known_s, found.up_s) == (100, 100)


def test_entries_that_came_live_place_a_boot_whose_clock_is_wrong(tmp_path: Path) -> None:
    """What the laptop saw itself is worth more than what a robot's clock says."""
    robot = Robot(wall_error_s=-1e9)
    robot.work(60)
    with opened(tmp_path / "live.db", lambda: now[0]) as store:
        now = [0]
        journal = store.journal("orin", "j1")
        for entry in robot.entries:
            now[0] = START_NS + entry.mono_ns
            store.add(journal.id, [entry])
        assert (between(store, 0, 60).known_s, between(store, 0, 60).up_s) == (60, 60)
    with opened(tmp_path / "bulk.db", lambda: START_NS + 100 * S) as store:
        stored(store, robot)
        assert between(store, 0, 60).known_s == 0


@contextmanager
def opened(path: Path, wall_ns: Callable[[], int]) -> Iterator[Store]:
    """A store with a clock of its own."""
    made = Store(path, wall_ns=wall_ns)
    yield made
    made.close()


@pytest.mark.parametrize("jump_s", [-7200.0, 7200.0, 1e9])
def test_a_clock_jump_within_a_boot_changes_nothing(tmp_path: Path, jump_s: float) -> None:
    """Hours would appear or vanish when somebody sets the robot's clock in the middle of a session."""
    robot = Robot()
    now = [0]
    with opened(tmp_path / "store.db", lambda: now[0]) as store:
        robot.work(30)
        robot.wall_error_s = jump_s
        robot.work(30)
        robot.failure("worker_crash")
        journal = store.journal("orin", "j1")
        for entry in robot.entries:
            now[0] = START_NS + entry.mono_ns
            store.add(journal.id, [entry])
        found = between(store, 0, 61)
    assert (found.known_s, found.up_s, found.crashes) == (60, 60, 1)


def test_what_the_robot_let_go_is_unknown(store: Store) -> None:
    robot = Robot()
    robot.work(100)
    journal = store.journal("orin", "j1")
    store.add(journal.id, robot.entries[:80])
    store.add_lost(journal.id, 81, 120)
    store.add(journal.id, robot.entries[120:])
    measured = running_between(store, "orin", START_NS, START_NS + 100 * S)
    assert measured.running.up_s == 80
    assert measured.running.known_s == 100 - 20  # from the window that ends at 40 s to the one that begins at 60 s
    assert [(span.first_seq, span.last_seq) for span in measured.spans] == [(1, 80), (121, 198)]


def test_a_boot_after_lost_entries_leaves_the_time_between_unknown(store: Store) -> None:
    """Whether it was off all that time nobody can say: the lost entries may tell of work."""
    robot = Robot()
    robot.work(50)
    kept = len(robot.entries)
    robot.work(10)
    robot.reboot(off_s=40)
    robot.work(50)
    journal = store.journal("orin", "j1")
    store.add(journal.id, robot.entries[:kept])
    store.add_lost(journal.id, kept + 1, kept + 20)
    store.add(journal.id, robot.entries[kept + 20 :])
    found = between(store, 0, 200)
    assert (found.known_s, found.up_s, found.reboots) == (50 + 50, 100, 1)


def test_entries_that_a_full_disk_refused_are_unknown_time(store: Store) -> None:
    robot = Robot()
    robot.work(20)
    robot.idle(60)
    robot.work(10)
    robot.event("journal_blocked", not_journalled=0)
    stored(store, robot)
    assert between(store, 0, 95).known_s == 90
    robot.event("journal_blocked", not_journalled=118)
    stored(store, robot)
    assert between(store, 0, 95).known_s == 90 - 60


def test_two_journals_of_one_time_are_not_counted_twice(store: Store) -> None:
    """A journal that was replaced goes on in the same boot; time never adds up to more than there was."""
    robot = Robot()
    robot.work(50)
    other = Robot(now_ns=60 * S)
    other.event("journal_replaced")
    other.event("agent_started")
    other.work(40)
    stored(store, robot)
    stored(store, other, journal="j2")
    found = between(store, 0, 200)
    assert (found.known_s, found.up_s, found.agent_restarts, found.reboots) == (50 + 40, 90, 1, 0)


def test_two_computers_under_one_name_give_no_time_twice_and_no_reboot(store: Store) -> None:
    """A robot's name that was given to another computer: what ran at the same time is counted as time once."""
    one, other = Robot(), Robot(boot="another", now_ns=40 * S)
    one.work(50)
    one.reboot(off_s=30)
    one.work(20)
    other.event("agent_started")
    other.work(30)
    stored(store, one)
    stored(store, other, journal="j2")
    found = between(store, 0, 200)
    assert (found.known_s, found.up_s, found.reboots, found.agent_restarts) == (120, 50 + 20 + 20, 1, 0)


def test_a_power_cut_that_damaged_the_journal_is_a_reboot(store: Store) -> None:
    robot, after = Robot(), Robot(boot="boot-2", booted_ns=START_NS + 60 * S, now_ns=20 * S)
    robot.work(50)
    after.event("journal_replaced")
    after.event("agent_started")
    after.work(10)
    stored(store, robot)
    stored(store, after, journal="j2")
    found = between(store, 0, 200)
    assert (found.known_s, found.reboots, found.agent_restarts) == (60, 1, 0)


def test_a_span_can_be_checked_by_whoever_has_the_journal(store: Store) -> None:
    robot = Robot()
    robot.work(10)
    stored(store, robot)
    (span,) = running_between(store, "orin", START_NS + 2 * S, START_NS + 5 * S).spans
    bodies = b"".join(bytes(one.body) + b"\n" for one in robot.entries if 2 * S <= one.mono_ns < 5 * S)
    assert (span.journal, span.digest) == ("j1", hashlib.sha256(bodies).hexdigest())


def test_host_metrics_and_times_come_with_their_numbers(store: Store) -> None:
    robot = Robot()
    robot.work(10)
    stored(store, robot)
    found = running_between(store, "orin", START_NS, START_NS + 11 * S, interventions=3)
    assert (found.means["cpu_percent"], found.highest["cpu_percent"], found.readings["cpu_percent"]) == (24.5, 29.0, 10)
    assert found.spreads["end_to_end_ms"].count == 100
    assert (found.running.interventions, found.running.throttled_s) == (3, None)


def test_seconds_of_throttling_are_known_only_where_samples_tell(store: Store) -> None:
    robot = Robot()
    robot.work(5, throttled=0.0)
    robot.work(7, throttled=1.0)
    robot.work(5, throttled=0.0)
    stored(store, robot)
    assert between(store, 0, 60).throttled_s == 7
    assert between(store, 8, 10).throttled_s == 2


@pytest.mark.parametrize(
    "body",
    [
        b'{"kind":"window"}',
        b'{"kind":"window","start_mono_ns":0,"span_ms":1e300,"frames":1,"camera":{"phase":"ok"}}',
        b'{"kind":"window","start_mono_ns":0,"span_ms":1000,"frames":1,"camera":{"phase":"ok"},'
        b'"stages_ms":{"end_to_end":[2,1.0,1.0,1.0,[1,2],[1]]}}',
        b'{"kind":"event","name":7}',
        b'{"kind":"host","values":{"cpu_percent":"hot"}}',
        b"{",
    ],
)
def test_an_entry_of_nonsense_is_passed_over(store: Store, body: bytes) -> None:
    robot = Robot()
    robot.work(5)
    robot.entries.append(Entry(len(robot.entries) + 1, "boot-1", 5 * S, START_NS, msgspec.Raw(body)))
    robot.work(5)
    stored(store, robot)
    measured = running_between(store, "orin", START_NS, START_NS + 20 * S)
    assert (measured.running.known_s, measured.spreads["end_to_end_ms"].count) == (10, 100)


def test_of_a_robot_without_a_journal_nothing_is_known(store: Store) -> None:
    found = between(store, 0, 60)
    assert (found.wanted_s, found.known_s, found.up_s, found.throttled_s) == (60, 0, 0, None)


_STEPS = st.lists(
    st.sampled_from(["work", "dark", "crash", "hang", "camera", "recovered", "agent", "reboot", "jump"]),
    min_size=1,
    max_size=12,
)


def _lived(steps: list[str]) -> Robot:
    robot = Robot()
    robot.event("agent_started")
    for number, step in enumerate(steps):
        if step == "work":
            robot.work(5 + number)
        elif step == "dark":
            robot.work(3, camera="black")
        elif step in ("crash", "hang"):
            robot.failure(f"worker_{step}")
            robot.idle(2.5)
            robot.event("worker_started")
        elif step == "camera":
            robot.failure("camera_gone")
        elif step == "recovered":
            robot.event("camera_recovered")
        elif step == "agent":
            robot.idle(4)
            robot.event("agent_started")
        elif step == "reboot":
            robot.reboot(off_s=30)
        else:
            robot.wall_error_s += 3600 * (-1) ** number
            robot.work(1)
    robot.wall_error_s = 0
    robot.write_end()
    return robot


@settings(max_examples=25, deadline=None)
@given(_STEPS, st.floats(0, 1))
def test_the_parts_of_a_span_add_up_to_the_whole(steps: list[str], share: float) -> None:
    """A session that is cut into two must not lose a crash at the cut, nor count it twice."""
    robot = _lived(steps)
    end_ns = robot.booted_ns + robot.now_ns + S
    cut_ns = START_NS + round((end_ns - START_NS) * share)
    with new_store() as store:
        stored(store, robot)
        whole = running_between(store, "orin", START_NS, end_ns)
        parts = [running_between(store, "orin", START_NS, cut_ns), running_between(store, "orin", cut_ns, end_ns)]
    assert _rounded(together(part.running for part in parts)) == _rounded(whole.running)
    assert sum(part.readings.get("cpu_percent", 0) for part in parts) == whole.readings.get("cpu_percent", 0)
    counts = [_count(part) for part in parts]
    assert sum(counts) == _count(whole)
    assert whole.running.up_s <= whole.running.known_s <= whole.running.wanted_s


@settings(max_examples=15, deadline=None)
@given(_STEPS, st.lists(st.integers(1, 60), min_size=1, max_size=6))
def test_how_entries_arrive_changes_nothing(steps: list[str], batches: list[int]) -> None:
    """Cut links and repeated batches: the same journal gives the same counts."""
    robot = _lived(steps)
    end_ns = robot.booted_ns + robot.now_ns
    with new_store() as one, new_store() as other:
        stored(one, robot)
        journal = other.journal("orin", "j1")
        at = 0
        while at < len(robot.entries):
            size = batches[at % len(batches)]
            other.add(journal.id, robot.entries[max(0, at - size // 3) : at + size])
            running_between(other, "orin", START_NS, end_ns)  # asking meanwhile must not spoil what comes later
            at += size
        assert running_between(other, "orin", START_NS, end_ns) == running_between(one, "orin", START_NS, end_ns)


def _rounded(found: Running) -> dict[str, float | None]:
    values = {name: getattr(found, name) for name in Running.__struct_fields__}
    return {name: None if value is None else round(value, 5) for name, value in values.items()}


def _count(found: Measured) -> int:
    return found.spreads["end_to_end_ms"].count if "end_to_end_ms" in found.spreads else 0


def test_no_more_time_is_up_than_is_known_however_the_parts_round() -> None:
    """A share of time up above 100 % would pass or fail a limit by an error of rounding."""
    from console.store.running import _Counts, _measured

    counts = _Counts(known_ns=60 * S)
    counts.rolled.number("up_s").add(1, 60.0000004, 60.0000004, 60.0000004)
    found = _measured(counts, 60 * S, 0).running
    assert (found.known_s, found.up_s) == (60, 60)
