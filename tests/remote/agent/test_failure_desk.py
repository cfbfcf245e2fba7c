"""A failure on its way into the journal: whatever disk, worker or haste do to its pictures, the failure itself is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from remote.agent.clips import MOST_OPEN, PICTURES_AT_ONCE
from remote.agent.clock import Clock
from remote.agent.errands import Errands
from remote.agent.failure_desk import FailureDesk
from remote.agent.failure_log import FailureLog
from remote.agent.picture_book import PictureBook
from remote.perception.messages import Moment
from remote.perception.picture_folder import PictureFolder
from remote.protocol import Clip, Failure

S = 1_000_000_000
PICTURE = "a" * 64


class AtOnce(Errands):
    """Does each errand at once; `busy` refuses it, as a disk that hangs does in the end."""

    def __init__(self) -> None:
        self.busy = False

    def give(self, errand: Callable[[], None]) -> bool:
        if not self.busy:
            errand()
        return not self.busy

    def finish(self, patience_s: float = 2.0) -> bool:
        return True


class World:
    """A desk at a clock that the test turns."""

    def __init__(self, home: Path) -> None:
        self.home, self.now_ns = home, 100 * S
        (home / "pictures").mkdir()
        clock = Clock("boot", lambda: self.now_ns, lambda: self.now_ns)
        self.book = PictureBook(home / "pictures", home / "pictures.jsonl", home / "pins.json")
        self.errands = AtOnce()
        self.bodies: list[Failure | Clip] = []
        self.desk = FailureDesk(
            PictureFolder(home / "pictures"),
            self.book,
            FailureLog(home / "failures.log"),
            self.errands,
            clock,
            lambda body, mono_ns: self.bodies.append(body),
            new_id=iter(f"id{n}" for n in range(10_000)).__next__,
        )

    def see(self, seconds: float) -> None:
        """The worker sends two moments a second."""
        for _ in range(round(seconds * 2)):
            self.now_ns += S // 2
            jpeg = str(self.now_ns).encode()
            self.desk.moment(Moment(mono_ns=self.now_ns, frame=7, width=64, height=48, light=90.0, jpeg=jpeg))

    @property
    def failures(self) -> list[Failure]:
        return [body for body in self.bodies if isinstance(body, Failure)]

    @property
    def clips(self) -> list[Clip]:
        return [body for body in self.bodies if isinstance(body, Clip)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def mark(picture: str | None = PICTURE) -> Failure:
    return Failure(name="operator_mark", text="look", picture=picture)


def miss() -> Failure:
    return Failure(name="no_detection", text="cube missing for 5 frames", picture=PICTURE)


def test_the_failure_is_told_at_once_and_its_clip_when_it_is_whole(world: World) -> None:
    world.desk.conditions = {"place": "bench"}
    world.see(8)
    world.desk.failure(mark(), world.now_ns)
    assert [(one.id, one.conditions) for one in world.failures] == [("id0", {"place": "bench"})]
    assert world.clips == []
    world.see(4.5)
    assert world.clips == []
    world.see(0.5)
    (clip,) = world.clips
    assert [frame.offset_ms for frame in clip.frames] == [500.0 * n for n in range(-10, 11)]
    assert (clip.failure, clip.reason) == ("id0", "")
    assert world.book.pictures_of("id0")[:2] == (clip.frames[0].picture, PICTURE)
    assert set(world.book.pictures_of("id0")) == {frame.picture for frame in clip.frames}


def test_an_id_and_conditions_that_the_worker_gave_stay(world: World) -> None:
    world.desk.conditions = {"place": "now"}
    world.desk.failure(Failure(name="bad_frame", text="", id="worker's", conditions={"place": "then"}))
    assert [(one.id, one.conditions) for one in world.failures] == [("worker's", {"place": "then"})]


def test_a_full_disk_costs_pictures_and_says_so_but_no_failure(world: World) -> None:
    (world.home / "pictures").rmdir()  # nothing can be written there
    world.see(6)
    world.desk.failure(miss(), world.now_ns)
    world.see(2)
    assert world.failures[0].before is None
    (clip,) = world.clips
    assert "the picture was not kept: No such file" in clip.reason
    assert [frame.picture for frame in clip.frames] == [PICTURE]  # which the worker kept before


def test_a_disk_that_hangs_costs_pictures_but_no_failure(world: World) -> None:
    world.errands.busy = True
    world.desk.failure(miss(), world.now_ns)
    assert [one.text for one in world.failures] == ["cube missing for 5 frames"]


def test_a_camera_that_is_gone_has_a_picture_from_before_and_a_clip_that_says_why_it_is_short(world: World) -> None:
    world.see(6)
    world.desk.failure(Failure(name="camera_gone", text="unplugged"), world.now_ns)
    world.now_ns += 6 * S
    world.desk.tick()
    assert world.clips == []
    world.now_ns += 1
    world.desk.tick()
    assert (len(world.clips[0].frames), world.clips[0].reason) == (1, "no picture came any more")
    assert world.failures[0].before == world.clips[0].frames[0].picture


def test_a_crash_shows_the_last_that_was_seen_or_says_why_not(world: World) -> None:
    world.see(6)
    world.now_ns += S // 4
    world.desk.failure(Failure(name="worker_crash", text="killed by SIGSEGV"))
    world.desk.worker_ended("killed by SIGSEGV")
    crash = world.failures[0]
    assert crash.data["picture_age_ms"] == 250.0
    assert (crash.frame, crash.width, crash.light) == (7, 64, 90.0)
    assert [frame.offset_ms for frame in world.clips[0].frames] == [-4750.0, -250.0]
    assert [frame.picture for frame in world.clips[0].frames] == [crash.before, crash.picture]
    world.desk.failure(Failure(name="worker_hang", text="again"))  # of another run that showed nothing
    assert world.failures[1].picture is None
    assert world.failures[1].data["no_picture_because"] == "the worker gave none in its last 5 s"


def test_what_is_open_is_ended_with_worker_and_agent(world: World) -> None:
    world.see(1)
    world.desk.failure(mark(), world.now_ns)
    world.desk.worker_ended("exit status 0")
    world.desk.failure(mark(), world.now_ns)
    world.desk.close()
    assert [clip.reason for clip in world.clips] == ["the worker ended (exit status 0)", "the agent ended"]


def test_repeats_that_are_only_counted_have_no_clip(world: World) -> None:
    world.see(6)
    world.desk.failure(Failure(name="no_detection", text="", data={"repeats": 4, "only_repeats": True}))
    world.see(6)
    assert (len(world.failures), world.clips) == (1, [])


def test_a_flood_of_failures_is_told_but_takes_no_more_pictures_than_allowed(world: World) -> None:
    world.see(6)
    for _ in range(3 * PICTURES_AT_ONCE):
        world.desk.failure(mark(), world.now_ns)
    assert len(world.failures) == 3 * PICTURES_AT_ONCE
    assert sum("too many clips were open" in clip.reason for clip in world.clips) == 3 * PICTURES_AT_ONCE - MOST_OPEN
    world.see(5)
    assert len(world.clips) == len(world.failures)
    taken = sum(frame.picture != PICTURE for clip in world.clips for frame in clip.frames)
    assert PICTURES_AT_ONCE <= taken <= PICTURES_AT_ONCE + 10
    assert "are used up" in world.clips[-1].reason
