"""Cameras: half a picture taken for a whole one, or a hanging driver that stops the worker, would go unnoticed for long."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from remote.perception.arrays import Pixels
from remote.perception.cameras.base import Frame
from remote.perception.cameras.folder import FolderCamera
from remote.perception.cameras.pace import Pace
from remote.perception.cameras.scene import SceneCamera
from remote.perception.cameras.v4l2 import V4l2Camera
from remote.perception.cameras.video import VideoCamera
from remote.perception.eye import MOST_HANGING, Eye
from remote.perception.faults import BadFrame, CameraGone
from remote.perception.handoff import Gone, Handoff, Note, Opened, Seen, Spoiled
from remote.perception.look import look_at
from remote.perception.picture_files import read_picture
from tests.waiting import wait_until

S = 1_000_000_000
FAST = 240.0


def noise(seed: int = 0, height: int = 48, width: int = 64) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def save(path: Path, image: Pixels) -> bytes:
    cv2.imwrite(str(path), image)
    return path.read_bytes()


def test_a_folder_is_shown_in_the_order_of_names_again_and_again(tmp_path: Path) -> None:
    for number, name in enumerate(("b.PNG", "a.png", "c.png")):
        save(tmp_path / name.lower(), noise(number))
    camera = FolderCamera(tmp_path, fps=FAST)
    camera.open()
    frames = [camera.read() for _ in range(5)]
    assert [frame.label for frame in frames] == ["a.png", "b.png", "c.png", "a.png", "b.png"]
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(frames[0].image, noise(1))
    assert frames[3].capture_mono_ns > frames[0].capture_mono_ns


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_picture_that_is_cut_off_anywhere_is_refused_not_shown_half_grey(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    data = save(path, noise())
    assert read_picture(path).shape == (48, 64, 3)
    for share in (0.0, 0.01, 0.3, 0.7, 0.99):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(BadFrame, match=path.name):
            read_picture(path)


def test_a_cut_off_jpeg_with_a_whole_thumbnail_is_refused(tmp_path: Path) -> None:
    data = save(tmp_path / "x.jpg", noise())
    thumbnail = b"\xff\xe1" + (len(data) + 2).to_bytes(2, "big") + data
    (tmp_path / "x.jpg").write_bytes(data[:2] + thumbnail + data[2:-200])
    with pytest.raises(BadFrame, match="cut off"):
        read_picture(tmp_path / "x.jpg")


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff\xd9", b"GIF89a", b"\x89PNG\r\n\x1a\nIEND"])
def test_a_file_that_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.jpg").write_bytes(content)
    with pytest.raises(BadFrame, match=r"x\.jpg"):
        read_picture(tmp_path / "x.jpg")


def test_after_a_broken_picture_the_next_one_comes(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", noise())
    (tmp_path / "b.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:500])
    camera = FolderCamera(tmp_path, fps=FAST)
    camera.open()
    assert camera.read().label == "a.jpg"
    with pytest.raises(BadFrame) as caught:
        camera.read()
    assert caught.value.subject == "b.jpg"
    assert camera.read().label == "a.jpg"


def test_a_folder_that_goes_away_is_a_camera_that_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    save(folder / "a.png", noise())
    camera = FolderCamera(folder, fps=FAST)
    camera.open()
    (folder / "a.png").unlink()
    folder.rmdir()
    with pytest.raises(CameraGone):
        camera.read()
    with pytest.raises(CameraGone):
        camera.open()


def test_a_video_is_played_and_begins_anew_after_its_end(tmp_path: Path) -> None:
    path = tmp_path / "v.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    for level in (40, 120, 200):
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    camera = VideoCamera(path, fps=FAST)
    camera.open()
    levels = [round(float(camera.read().image.mean()), -1) for _ in range(5)]
    camera.close()
    assert levels == [40, 120, 200, 40, 120]
    assert VideoCamera(path).interval_s == pytest.approx(1 / 25)


def test_a_missing_device_is_gone_with_a_cure_because_it_may_come_back(tmp_path: Path) -> None:
    with pytest.raises(CameraGone, match="plug it in"):
        V4l2Camera(tmp_path / "video9").open()
    (tmp_path / "file").write_text("x")
    with pytest.raises(CameraGone, match="is not a device"):
        V4l2Camera(tmp_path / "file").open()
    with pytest.raises(CameraGone, match="can't be opened"):
        V4l2Camera(Path("/dev/null")).open()


def test_the_same_seed_shows_the_same_scene_and_each_frame_has_its_own_noise() -> None:
    shows = []
    for _ in range(2):
        camera = SceneCamera(5, fps=FAST, width=160, height=120)
        camera.open()
        shows.append([camera.read().image for _ in range(2)])
        camera.close()
    np.testing.assert_array_equal(shows[0][0], shows[1][0])
    assert look_at(shows[0][0]).mark != look_at(shows[0][1]).mark


class Clock:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


def test_the_pace_is_kept_and_a_delay_is_not_made_up_by_a_burst() -> None:
    clock = Clock()
    pace = Pace(10.0, clock=clock)
    pace.end()  # waiting returns at once: what is counted is when the next frame would be due
    pace.wait()
    clock.now = 5 * S
    before = time.monotonic()
    pace.wait()  # 4.9 s late: due at once
    pace._ended.clear()
    pace.wait()  # still one interval behind: due at once as well
    assert time.monotonic() - before < 0.09
    pace.wait()
    assert time.monotonic() - before > 0.09


def test_a_look_tells_black_from_flat_grey_and_equal_frames_from_others() -> None:
    black, grey = look_at(np.zeros((48, 64, 3), np.uint8)), look_at(np.full((48, 64, 3), 90, np.uint8))
    assert (black.mean, black.spread, grey.mean) == (0.0, 0.0, 90.0)
    assert look_at(noise(1)) == look_at(noise(1))
    assert look_at(noise(1)).mark != look_at(noise(2)).mark


# ------------------------------------------------------------ the eye: threads, hanging drivers, reopening


class Driver:
    """A camera with the faults of a real driver: `mode` is what the next reads do; a hanging read hangs until `release`."""

    noisy = True
    interval_s: float | None = None

    def __init__(self) -> None:
        self.mode = "ok"
        self.hangs = 0
        self.opens = 0
        self.release = threading.Event()
        self.index = 0

    def open(self) -> None:
        self.opens += 1
        if self.mode == "gone":
            raise CameraGone("no such device")

    def read(self) -> Frame:
        if self.mode == "hang":
            self.hangs += 1
            self.release.wait(30)
        if self.mode == "gone":
            raise CameraGone("stopped answering")
        if self.mode == "bug":
            raise ZeroDivisionError("driver bug")
        if self.mode == "spoiled":
            self.mode = "ok"
            raise BadFrame("bad", "x.jpg")
        self.index += 1
        time.sleep(0.001)
        return Frame(noise(self.index), time.monotonic_ns(), self.index)

    def wake(self) -> None:
        pass

    def close(self) -> None:
        pass


class Watched:
    """An eye on a Driver, with everything that it noted."""

    def __init__(self) -> None:
        self.driver, self.handoff, self.notes = Driver(), Handoff(), list[Note]()
        self.eye = Eye(lambda: self.driver, self.handoff)

    def noted(self, kind: type) -> list[Note]:
        self.notes += self.handoff.take_notes()
        return [note for note in self.notes if isinstance(note, kind)]

    def next_frame(self, opening: int = 1) -> Seen:
        def taken() -> Seen | None:
            seen = self.handoff.take_frame()
            return seen if seen is not None and seen.opening == opening else None

        seen = wait_until(taken, what=f"a frame of opening {opening}")
        assert seen is not None
        return seen


@pytest.fixture
def watched() -> Watched:
    watched = Watched()
    watched.eye.start()
    return watched


@pytest.mark.parametrize(("mode", "reason"), [("gone", "stopped answering"), ("bug", "ZeroDivisionError: driver bug")])
def test_an_error_of_the_driver_is_told_and_the_camera_opened_again_after_a_pause(
    watched: Watched, mode: str, reason: str
) -> None:
    watched.next_frame()
    watched.driver.mode = mode
    gone = wait_until(lambda: watched.noted(Gone), what="the error")
    assert gone == [Gone(1, reason)]
    watched.driver.mode = "ok"
    now = time.monotonic_ns()
    assert not watched.eye.tick(now, "gone")
    assert not watched.eye.tick(now + S * 4 // 10, "gone")
    assert watched.eye.tick(now + S * 6 // 10, "gone")
    wait_until(lambda: len(watched.noted(Opened)) == 2, what="the second opening")
    assert watched.next_frame(opening=2).opening == 2
    assert watched.eye.stop()


def test_a_hanging_read_is_left_behind_and_what_it_says_later_is_told_apart(watched: Watched) -> None:
    watched.next_frame()
    watched.driver.mode = "hang"
    wait_until(lambda: watched.driver.hangs == 1, what="the read to hang")
    now = time.monotonic_ns()
    watched.eye.tick(now, "stalled")
    assert watched.eye.tick(now + S, "stalled")
    assert watched.eye.hanging == 1
    watched.driver.mode = "ok"
    watched.driver.release.set()
    wait_until(lambda: watched.eye.hanging == 0, what="the hanging read to end")
    watched.next_frame(opening=2)
    assert watched.eye.stop()


def test_a_driver_that_always_hangs_does_not_fill_the_process_with_threads(watched: Watched) -> None:
    watched.driver.mode = "hang"
    now = time.monotonic_ns()
    for step in range(200):
        wait_until(lambda: watched.driver.hangs == watched.eye.opening, what="the read to hang")
        watched.eye.tick(now + step * 11 * S, "stalled")
    assert watched.eye.hanging == MOST_HANGING
    assert watched.eye.opening == MOST_HANGING + 1
    watched.driver.release.set()


def test_a_spoiled_frame_does_not_end_the_camera(watched: Watched) -> None:
    watched.driver.mode = "spoiled"
    assert wait_until(lambda: watched.noted(Spoiled), what="the spoiled frame") == [Spoiled(1, "bad", "x.jpg")]
    watched.next_frame()
    assert watched.eye.stop()


def test_only_the_newest_frame_waits_and_the_others_are_counted() -> None:
    handoff = Handoff()
    for index in range(5):
        handoff.offer(Seen(1, Frame(noise(), 0, index), 0.0, look_at(noise())))
    newest = handoff.take_frame()
    assert newest is not None
    assert newest.frame.index == 4
    assert (handoff.take_dropped(), handoff.take_dropped(), handoff.take_frame()) == (4, 0, None)


def test_the_way_from_thread_to_loop_adds_less_than_five_milliseconds() -> None:
    """The median over 50 frames on a machine that does other things too."""
    handoff, waits = Handoff(), []
    for _ in range(50):
        threading.Timer(
            0.002, lambda: handoff.offer(Seen(1, Frame(noise(), time.monotonic_ns(), 0), 0.0, look_at(noise())))
        ).start()
        handoff.wait(2.0)
        seen = handoff.take_frame()
        assert seen is not None
        waits.append((time.monotonic_ns() - seen.frame.capture_mono_ns) / 1e6)
    assert sorted(waits)[25] < 5.0
