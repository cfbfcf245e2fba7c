"""A camera that died unnoticed looks like an empty room; one that is accused wrongly makes people ignore alarms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.perception.liveness import Backoff, Limits, Liveness, Look

S = 1_000_000_000
LIMITS = Limits()


class Scene:
    """Feeds a Liveness in steps of 0.1 s and collects what it reports."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.now, self.marks, self.told = 0, 0, list[str]()
        self.liveness = Liveness(limits, 0)

    def see(self, count: int, *, mean: float = 100, spread: float = 50, same: bool = False) -> Scene:
        for _ in range(count):
            self.now += S // 10
            self.marks += 0 if same else 1
            self.told += [c.name for c in self.liveness.frame(self.now, Look(mean, spread, self.marks))]
            self.told += [c.name for c in self.liveness.tick(self.now)]
        return self

    def wait(self, seconds: float) -> Scene:
        for _ in range(round(seconds * 10)):
            self.now += S // 10
            self.told += [c.name for c in self.liveness.tick(self.now)]
        return self

    def gone(self) -> Scene:
        self.told += [c.name for c in self.liveness.gone(self.now, "unplugged")]
        return self


def test_a_good_camera_is_ok_from_its_first_frame_and_nothing_is_told() -> None:
    scene = Scene().see(1)
    assert (scene.liveness.phase, scene.see(200).told) == ("ok", [])


@pytest.mark.parametrize(("seconds", "told"), [(1.9, []), (2.2, ["camera_stalled"])])
def test_stalled_begins_after_its_limit_and_is_told_once(seconds: float, told: list[str]) -> None:
    assert Scene().see(5).wait(seconds).told == told
    assert Scene().see(5).wait(seconds + 30).told == ["camera_stalled"]


@pytest.mark.parametrize(("seconds", "phase"), [(4.9, "opening"), (5.2, "stalled")])
def test_a_camera_that_is_being_opened_gets_more_time(seconds: float, phase: str) -> None:
    assert Scene().wait(seconds).liveness.phase == phase


@pytest.mark.parametrize(("count", "told"), [(9, []), (10, ["camera_frozen"])])
def test_equal_frames_are_frozen_from_the_tenth_repeat_on(count: int, told: list[str]) -> None:
    assert Scene().see(5).see(count, same=True).told == told


def test_a_file_that_shows_one_picture_again_and_again_is_not_frozen() -> None:
    limits = Limits.for_camera(noisy=False, interval_s=0.1)
    assert Scene(limits).see(1).see(100, same=True).told == []


@pytest.mark.parametrize(
    ("mean", "spread", "told"),
    [(7.9, 5.9, ["camera_black"]), (8.1, 5.9, []), (7.9, 6.1, [])],
)
def test_black_needs_darkness_and_flatness(mean: float, spread: float, told: list[str]) -> None:
    assert Scene().see(3).see(5, mean=mean, spread=spread).told == told


def test_four_black_frames_are_a_flicker() -> None:
    assert Scene().see(3).see(4, mean=0, spread=0).see(3).told == []


def test_black_is_left_only_when_it_is_clearly_lighter() -> None:
    scene = Scene().see(3).see(5, mean=0, spread=0)
    assert scene.see(20, mean=9, spread=5).liveness.phase == "black"
    assert scene.see(3, mean=12.5, spread=5).told == ["camera_black", "camera_recovered"]


def test_recovery_takes_three_good_frames_in_a_row_and_is_told_once_with_its_length() -> None:
    scene = Scene().see(3).wait(5)
    assert scene.see(2).liveness.phase == "stalled"
    assert scene.see(50).told == ["camera_stalled", "camera_recovered"]
    assert scene.liveness.phase == "ok"


def test_each_fault_of_an_episode_is_told_once_and_the_next_episode_is_told_again() -> None:
    scene = Scene().see(3).wait(3).gone().gone().see(1).gone()
    assert scene.told == ["camera_stalled", "camera_gone"]
    assert scene.see(5).gone().told == ["camera_stalled", "camera_gone", "camera_recovered", "camera_gone"]


def test_a_slow_camera_is_given_three_of_its_intervals() -> None:
    slow = Limits.for_camera(noisy=True, interval_s=10.0)
    assert Scene(slow).see(3).wait(29).told == []
    assert Scene(slow).see(3).wait(31).told == ["camera_stalled"]


@given(st.lists(st.sampled_from(["see", "dark", "same", "gone", "wait", "open"]), max_size=60))
def test_faults_and_recoveries_alternate_whatever_happens(steps: list[str]) -> None:
    scene = Scene()
    for step in steps:
        if step == "see":
            scene.see(4)
        elif step == "dark":
            scene.see(6, mean=0, spread=0)
        elif step == "same":
            scene.see(11, same=True)
        elif step == "gone":
            scene.gone()
        elif step == "wait":
            scene.wait(3)
        else:
            scene.liveness.opening(scene.now)
        assert (scene.liveness.phase in ("ok", "opening")) == (not scene.told or scene.told[-1] == "camera_recovered")
    episodes = " ".join(scene.told).split("camera_recovered")
    for episode in episodes:
        assert len(set(episode.split())) == len(episode.split())
    assert all(episode.strip() for episode in episodes[:-1])


def test_backoff_doubles_to_its_limit_and_begins_anew() -> None:
    backoff = Backoff(0.5, 10.0)
    assert [backoff.next_s() for _ in range(7)] == [0.5, 1, 2, 4, 8, 10, 10]
    backoff.reset()
    assert backoff.next_s() == 0.5
