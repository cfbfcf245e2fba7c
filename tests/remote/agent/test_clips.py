"""What came before and after a failure: pictures of the wrong seconds explain nothing, and too many fill memory and disk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.agent.clips import (
    AFTER_S,
    BEFORE_S,
    GRACE_S,
    MOST_OPEN,
    RING_MOST,
    Allowance,
    OpenClip,
    OpenClips,
    Ring,
)
from remote.agent.errands import Errands
from remote.perception.messages import Moment

S = 1_000_000_000


def moment(at_s: float, size: int = 10) -> Moment:
    return Moment(mono_ns=round(at_s * S), frame=0, width=64, height=48, light=100.0, jpeg=b"x" * size)


def ring_of(*moments: Moment, most_bytes: int = 10**6) -> Ring:
    ring = Ring(most_bytes=most_bytes)
    for one in moments:
        ring.add(one)
    return ring


def test_five_seconds_before_and_not_the_moment_itself() -> None:
    ring = ring_of(*(moment(n / 2) for n in range(21)))
    before = [one.mono_ns / S for one in ring.before(10 * S)]
    assert (before[0], before[-1], len(before)) == (5.0, 9.5, 10)
    assert ring.before(10 * S + 1)[0].mono_ns == 5.5 * S


def test_a_failure_after_a_pause_has_nothing_of_long_ago() -> None:
    ring = ring_of(moment(1), moment(2))
    assert ring.before(round((2 + BEFORE_S) * S)) == (moment(2),)
    assert ring.before(round((2 + BEFORE_S) * S) + 1) == ()
    ring.clear()
    assert (ring.before(3 * S), ring.bytes) == ((), 0)


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 400)), max_size=80), st.integers(1, 1000))
def test_the_ring_keeps_its_bounds_and_the_newest(steps: list[tuple[float, int]], most_bytes: int) -> None:
    ring, now_s, given_all = Ring(most_bytes=most_bytes), 0.0, []
    for step_s, size in steps:
        now_s += step_s
        given_all.append(moment(now_s, size))
        ring.add(given_all[-1])
        held = ring.before(2**62) if now_s > 1e9 else ring.before(given_all[-1].mono_ns + 1)
        assert ring.bytes <= most_bytes
        assert sum(len(one.jpeg) for one in held) <= ring.bytes
        assert len(held) <= RING_MOST
        assert list(held) == given_all[len(given_all) - len(held) :]


@pytest.mark.parametrize(
    ("whole", "at_s", "wanted", "done"),
    [
        (True, 10.0, False, False),
        (True, 10.001, True, False),
        (True, 14.999, True, False),
        (True, 15.0, True, True),
        (True, 15.001, False, True),
        (False, 10.999, False, False),
        (False, 11.0, False, True),
        (False, 11.001, True, True),
        (False, 15.0, True, True),
        (False, 15.001, False, True),
    ],
)
def test_which_moments_belong_to_a_clip(whole: bool, at_s: float, wanted: bool, done: bool) -> None:
    clip = OpenClip("f", 10 * S, whole)
    assert (clip.wants(moment(at_s)), clip.is_done_by(moment(at_s))) == (wanted, done)


def test_a_clip_that_gets_no_pictures_ends_all_the_same() -> None:
    clips, due_ns = OpenClips(), round((AFTER_S + GRACE_S) * S)
    assert clips.open(OpenClip("f", 0, True))
    assert clips.overdue(due_ns) == []
    assert [one.failure for one in clips.overdue(due_ns + 1)] == ["f"]
    assert clips.overdue(due_ns + 2) == clips.all() == []


def test_no_more_clips_are_open_than_memory_allows() -> None:
    clips = OpenClips()
    assert [clips.open(OpenClip(str(n), 0, True)) for n in range(MOST_OPEN + 1)] == [True] * MOST_OPEN + [False]
    assert len(clips.all()) == MOST_OPEN


def test_a_night_of_failures_can_not_fill_the_disk() -> None:
    allowance = Allowance(0, per_hour=3600, at_once=10)
    assert sum(allowance.take(0) for _ in range(50)) == 10
    assert not allowance.take(S - 1000)
    assert allowance.take(S)
    assert not allowance.take(S)
    assert sum(allowance.take(3600 * S) for _ in range(50)) == 10
    assert not allowance.take(0)  # a clock that goes back gives nothing


def test_errands_are_done_in_order_a_failed_one_stops_none_and_too_many_are_refused() -> None:
    done: list[int] = []
    errands = Errands("test", most=3)

    def fail() -> None:
        raise RuntimeError("meant")

    assert errands.give(fail)
    for number in range(3):
        errands.give(lambda number=number: done.append(number))  # type: ignore[misc]
    assert errands.finish()
    assert done == sorted(done)
    assert done
    idle = Errands("idle", most=1)
    import threading

    gate = threading.Event()
    began = threading.Event()

    def wait() -> None:
        began.set()
        gate.wait(60)

    assert idle.give(wait)
    assert began.wait(60)
    assert idle.give(lambda: None)
    assert not idle.give(lambda: None)
    gate.set()
    assert idle.finish()
