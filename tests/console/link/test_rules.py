"""The link's rules with made-up time: offsets, snapshots, requests, back-off, intake, pictures, sleep."""

from __future__ import annotations

import hashlib
import tracemalloc
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.link.backoff import LONGEST_S, Backoff
from console.link.history import SnapshotBuilder
from console.link.intake import PAUSE_NS, Intake
from console.link.lease_keeper import LeaseKeeper
from console.link.offset import ClockOffset
from console.link.picture_fetch import PictureFetch
from console.link.requests import Requests
from console.link.snapshot import HISTORY, Link
from console.store.pictures import Pictures
from console.store.store import Store
from remote.errors import Trouble
from remote.protocol import (
    AgentHello,
    AgentState,
    Entry,
    ErrorInfo,
    Event,
    Failure,
    GetState,
    JournalState,
    LeaseState,
    Picture,
    Reply,
    WorkerState,
    raw,
)

S = 1_000_000_000


def hello(boot: str = "b1") -> AgentHello:
    return AgentHello(
        protocol=1, oldest_protocol=1, software="a", robot="r", boot_id=boot, journal="j", mono_ns=0, wall_ns=0
    )


def entry(seq: int, boot: str = "b1", text: str = "t") -> Entry:
    return Entry(seq, boot, seq * S, seq * S, raw(Event(name="e", severity="info", text=text)))


def builder() -> SnapshotBuilder:
    return SnapshotBuilder("orin", Link(phase="up", since_ns=0, transport="local", heard_ns=0))


# ---------------------------------------------------------------- clocks


@given(
    st.lists(st.tuples(st.integers(1, 3 * S), st.floats(0, 1)), min_size=1, max_size=40), st.integers(-(10**15), 10**15)
)
def test_the_offset_is_wrong_by_half_the_shortest_round_trip_at_most(
    pings: list[tuple[int, float]], true_ns: int
) -> None:
    offset, now = ClockOffset(), 10**12
    for trip, share in pings:
        robot = now + int(trip * share) + true_ns
        got = now + trip
        offset.add(sent_ns=now, got_ns=got, got_wall_ns=got, robot_mono_ns=robot, robot_wall_ns=robot)
        now = got + S
    assert offset.mono_offset_ns is not None
    assert abs(offset.mono_offset_ns - true_ns) <= min(trip for trip, _ in pings[-30:]) / 2 + 1


def test_a_robots_clock_that_is_set_is_seen_at_the_next_ping_but_not_through_a_slow_one() -> None:
    offset = ClockOffset()

    def ping(trip_ns: int, ahead_ns: int) -> float | None:
        at = trip_ns // 2
        offset.add(sent_ns=0, got_ns=trip_ns, got_wall_ns=trip_ns, robot_mono_ns=at, robot_wall_ns=at + ahead_ns)
        return offset.wall_offset_ms

    assert ping(1_000_000, 0) == 0
    assert ping(1_000_000, 7 * S) == 7000
    assert ping(3 * S, 0) == 7000


def test_before_any_ping_the_hello_gives_a_rough_offset() -> None:
    offset = ClockOffset()
    offset.rough(5, 6_000_000)
    made = (offset.mono_offset_ns, offset.wall_offset_ms)
    assert made == (5, 6.0)
    assert offset.round_trip_ms is None


# ---------------------------------------------------------------- snapshots


def test_times_of_this_boot_are_the_laptops_and_of_another_unknown() -> None:
    made = builder()
    made.greet(hello())
    made.offset(400)
    made.take_entries([entry(1, "b0"), entry(2, "b1")])
    assert [seen.at_ns for seen in made.build(0).events] == [None, 2 * S - 400]
    made.offset(400 + 5_000_000)
    assert made.build(0).events[1].at_ns == 2 * S - 5_000_400
    made.greet(hello("b2"))
    assert [seen.at_ns for seen in made.build(0).events] == [None, None]


def test_a_snapshot_keeps_the_newest_and_does_not_make_anew_what_did_not_change() -> None:
    made = builder()
    made.greet(hello())
    made.offset(0)
    made.take_entries(entry(seq) for seq in range(1, HISTORY + 51))
    first = made.build(0)
    assert [seen.seq for seen in first.events] == list(range(51, HISTORY + 51))
    assert made.build(1).events is first.events
    made.take_entries([entry(HISTORY + 51)])
    second = made.build(2)
    assert second.events[:-1] == first.events[1:]
    assert second.events[0] is first.events[1]


def test_entries_that_are_not_understood_are_passed_over() -> None:
    made = builder()
    odd = Entry(1, "b1", 1, 1, msgspec.Raw(b'{"kind":"event","name":5}'))
    made.take_entries([odd, Entry(2, "b1", 1, 1, msgspec.Raw(b'{"kind":"later"}')), entry(3)])
    assert [seen.seq for seen in made.build(0).events] == [3]


def test_two_seconds_of_silence_are_said() -> None:
    made = builder()
    assert made.build(2 * S - 1).link.phase == "up"
    silent = made.build(3 * S).link
    assert (silent.phase, silent.since_ns) == ("silent", 2 * S)


def test_a_day_of_entries_takes_no_more_memory_than_an_hour() -> None:
    made = builder()

    def feed(first: int, count: int) -> int:
        for seq in range(first, first + count):
            made.take_entries([entry(seq, text="x" * 200)])
            if seq % 100 == 0:
                made.build(seq)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = feed(1, 1000)
        assert feed(1001, 10000) < before * 1.1 + 50_000
    finally:
        tracemalloc.stop()


# ---------------------------------------------------------------- requests


def asked(requests: Requests, now_ns: int = 0, timeout_s: float = 5.0, boot: str = "b1"):  # type: ignore[no-untyped-def]
    return requests.new(
        GetState(), now_ns=now_ns, timeout_s=timeout_s, boot_id=boot, offset_ns=100, epoch=None, expected=None
    )


def test_a_request_ends_by_its_reply_or_its_deadline_never_both() -> None:
    requests = Requests()
    one, future = asked(requests)
    assert one.deadline_mono_ns == 5 * S + 100
    requests.expired(5 * S - 1)()
    assert not future.done()
    requests.answered(Reply(id=one.id))()
    assert future.result(0).id == one.id
    requests.expired(6 * S)()
    two, late = asked(requests)
    requests.expired(5 * S)()
    assert late.exception(0).code == "unconfirmed"
    requests.answered(Reply(id=two.id))()
    requests.answered(Reply(id="nobody's"))()


def test_a_refusal_keeps_its_code_and_cure() -> None:
    requests = Requests()
    one, future = asked(requests)
    requests.answered(Reply(id=one.id, error=ErrorInfo("lease_held", "anna has it", "ask her")))()
    error = future.exception(0)
    assert (error.code, error.what, error.cure) == ("lease_held", "anna has it", "ask her")


def test_after_a_reconnect_the_same_ids_are_asked_again_unless_the_robot_was_restarted() -> None:
    """A new id would carry the command out twice."""
    requests = Requests()
    one, future = asked(requests)
    again, settle = requests.after_reconnect("b1")
    settle()
    assert [request.id for request in again] == [one.id]
    again, settle = requests.after_reconnect("b2")
    settle()
    assert again == []
    assert future.exception(0).code == "unconfirmed"


def test_two_sessions_never_use_the_same_id() -> None:
    ids = {asked(Requests())[0].id for _ in range(100)}
    assert len(ids) == 100


# ---------------------------------------------------------------- waits, leases


def test_waits_double_up_to_the_longest_and_begin_anew() -> None:
    backoff = Backoff(lambda: 1.0)
    waits = [backoff.next_s() for _ in range(9)]
    assert waits[:3] == pytest.approx([0.2, 0.4, 0.8])
    assert waits[-1] == LONGEST_S
    backoff.reset()
    assert backoff.next_s() == pytest.approx(0.2)
    assert Backoff(lambda: 0.0).next_s() == pytest.approx(0.1)


def state(client_id: str | None, mono_ns: int = 0) -> AgentState:
    lease = LeaseState("x", client_id, 1, mono_ns + 9 * S) if client_id else None
    return AgentState(
        version=1, mono_ns=mono_ns, worker=WorkerState("stopped", 0), source=None, bundle=None, lease=lease, epoch=1,
        journal=JournalState("j", 1, 1, 1),
    )  # fmt: skip


def test_a_lease_is_renewed_in_time_and_never_taken_back_by_itself() -> None:
    """A console that grabs the lease again by itself would fight with the person who took it over."""
    keeper = LeaseKeeper("me")
    assert keeper.due_ns(state("me")) is None
    keeper.taken(state("me"), 0)
    assert keeper.due_ns(state("me")) == 3 * S
    keeper.renewed(3 * S)
    assert keeper.due_ns(state("me")) == 6 * S
    assert keeper.due_ns(state("other")) is None
    assert keeper.due_ns(state("me")) is None


# ---------------------------------------------------------------- intake, pictures


def test_a_hole_is_asked_for_once_and_nothing_is_acknowledged_until_it_is_filled(tmp_path: Path) -> None:
    intake = Intake(Store(tmp_path / "s.db"), "orin")
    intake.begin("j1")
    assert intake.take([entry(1), entry(2)], 0).ack == 2
    assert intake.take([entry(4)], 0).ack is None
    assert intake.ask_again(0)
    assert intake.take([entry(5)], 1).ack is None
    assert not intake.ask_again(2)
    assert intake.take([entry(3), entry(4)], 3).ack == 4
    assert not intake.ask_again(PAUSE_NS * 2)


def test_a_full_disk_stops_taking_and_goes_on_by_itself(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.db")
    intake = Intake(store, "orin")
    intake.begin("j1")
    pages = store._database.execute("PRAGMA page_count").fetchone()[0]
    store._database.execute(f"PRAGMA max_page_count = {pages}")
    big = [entry(seq, text="x" * 4000) for seq in range(1, 20)]
    assert intake.take(big, 0).ack is None
    assert intake.trouble is not None
    assert (intake.trouble.code, intake.stored_seq) == ("store_full", 0)
    assert intake.take(big, 1).ack is None
    store._database.execute("PRAGMA max_page_count = 100000")
    assert not intake.ask_again(PAUSE_NS - 1)
    assert intake.ask_again(PAUSE_NS)
    assert intake.take(big, PAUSE_NS).ack == 19
    assert intake.trouble is None


def test_what_another_console_stored_meanwhile_is_shown_too(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.db")
    first, second = Intake(store, "orin"), Intake(store, "orin")
    first.begin("j1")
    second.begin("j1")
    first.take([entry(1), entry(2)], 0)
    assert [e.seq for e in second.take([entry(1), entry(2), entry(3)], 0).fresh] == [1, 2, 3]
    shown, changed = first.begin("j1")
    assert ([e.seq for e in shown], changed) == ([3], False)
    shown, changed = first.begin("j2")
    assert (shown, changed) == ((), True)
    assert "both are kept" in first.note


def failure(seq: int, digest: str | None) -> Entry:
    return Entry(seq, "b1", 1, 1, raw(Failure(name="bad_frame", text="t", picture=digest)))


def test_pictures_come_one_at_a_time_newest_first_and_each_once(tmp_path: Path) -> None:
    fetch = PictureFetch(Pictures(tmp_path), Store(tmp_path / "store.db"), "orin")
    jpegs = [bytes([n]) * 100 for n in range(2)]
    digests = [hashlib.sha256(jpeg).hexdigest() for jpeg in jpegs]
    fetch.want([failure(1, digests[0]), failure(2, digests[1]), failure(3, digests[1]), failure(4, None), entry(5)])
    assert fetch.next(0) == digests[1]
    assert fetch.next(0) is None
    fetch.came(Trouble("later", code="unconfirmed"), 0)
    assert fetch.next(1) is None
    assert fetch.next(6 * S) == digests[1]
    fetch.came(Reply(id="x", picture=Picture(jpeg=jpegs[1], digest=digests[1], width=1, height=1)), 6 * S)
    assert fetch.next(7 * S) == digests[0]
    fetch.came(Reply(id="x", picture=Picture(jpeg=b"forged", digest=digests[0], width=1, height=1)), 7 * S)
    assert fetch.next(99 * S) is None
    assert Pictures(tmp_path).path(digests[1]) is not None
    assert Pictures(tmp_path).path(digests[0]) is None
