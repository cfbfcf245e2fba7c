"""The worker as the agent sees it: a real process over pipes, real faults, real kills."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import cv2
import msgspec
import numpy as np
import pytest

from remote.models.bundle import load_bundle
from remote.models.make import write_bundle
from remote.perception.messages import (
    AskFrame,
    Beat,
    Cause,
    FrameAnswer,
    FromWorker,
    Journalled,
    Live,
    MarkFrame,
    Moment,
    Quit,
    Ready,
    SampleRate,
    Unable,
    WatchFor,
    WorkerConfig,
)
from remote.protocol import STAGES, Event, Expectation, Failure, Watch, Window, line
from tests.tiny_models import tiny_bundle
from tests.waiting import wait_until

DECODER = msgspec.json.Decoder(FromWorker)
ROOT = Path(__file__).resolve().parents[3]
T = TypeVar("T")


class Worker:
    """One worker process; everything that it says is kept in `said`."""

    def __init__(
        self,
        folder: Path,
        source: str,
        *,
        drills: bool = False,
        samples_per_s: float = 30.0,
    ) -> None:
        self.pictures = folder / "pictures"
        config = WorkerConfig(
            run=1,
            source=source,
            bundle=str(folder / "bundle"),
            pictures=str(self.pictures),
            samples_per_s=samples_per_s,
            drills=drills,
        )
        self.said: list[FromWorker] = []
        command = [sys.executable, "-m", "remote.perception.worker"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        self.send(config)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for data in self.process.stdout:
            self.said.append(DECODER.decode(data))

    def send(self, message: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line(message))
        self.process.stdin.flush()

    def end_of_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def bodies(self, kind: type[T]) -> list[T]:
        return [m.body for m in list(self.said) if isinstance(m, Journalled) and isinstance(m.body, kind)]

    def messages(self, kind: type[T]) -> list[T]:
        return [m for m in list(self.said) if isinstance(m, kind)]

    def failures(self, name: str) -> list[Failure]:
        return [failure for failure in self.bodies(Failure) if failure.name == name]

    def events(self, name: str) -> list[Event]:
        return [event for event in self.bodies(Event) if event.name == name]

    def wait(self, predicate: Callable[[], T], what: str) -> T:
        return wait_until(predicate, 60.0, what)

    def silent_for(self, span_s: float) -> bool:
        """Whether nothing is said in so many seconds from now on."""
        before = len(self.said)
        time.sleep(span_s)
        return len(self.said) == before

    def status(self, timeout_s: float = 60.0) -> int:
        status = self.process.wait(timeout_s)
        self._thread.join(5)
        return status


def save(path: Path, level: int, seed: int = 0) -> None:
    noise = np.random.default_rng(seed).integers(-9, 10, (48, 64, 3))
    cv2.imwrite(str(path), np.clip(noise + level, 0, 255).astype(np.uint8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle, and a folder of four light pictures."""
    tiny_bundle(tmp_path)
    (tmp_path / "seen").mkdir()
    for number in range(4):
        save(tmp_path / "seen" / f"{number}.jpg", 240, number)
    return tmp_path


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., Worker]]:
    workers: list[Worker] = []

    def started(source: str | None = None, **options: object) -> Worker:
        workers.append(Worker(folder, source or f"folder:{folder}/seen?fps=60", **options))  # type: ignore[arg-type]
        return workers[-1]

    yield started
    for worker in workers:
        worker.process.kill()
        worker.process.wait()


Start = Callable[..., Worker]


def test_ready_then_windows_that_add_up_then_a_clean_end_with_the_partial_window(start: Start) -> None:
    worker = start()
    worker.wait(lambda: len(worker.bodies(Window)) >= 2, "two windows")
    worker.send(Quit())
    assert worker.status() == 0
    assert isinstance(worker.said[0], Ready)
    assert worker.said[0].bundle.labels == ("cube", "ball")
    windows = worker.bodies(Window)
    assert [window.window for window in windows] == list(range(len(windows)))
    assert windows[-1].span_ms < 1000
    for before, after in itertools.pairwise(windows):
        assert after.start_mono_ns == before.start_mono_ns + round(before.span_ms * 1e6)
    for window in windows:
        assert {name: stage.count for name, stage in window.stages_ms.items()} == dict.fromkeys(STAGES, window.frames)
        assert window.labels.get("cube") is None or window.labels["cube"].count == window.frames
    assert sum(window.frames for window in windows) > 20
    assert windows[1].camera.phase == "ok"
    assert 200 < (windows[1].camera.brightness or 0) < 256
    assert worker.messages(Beat)
    sample = worker.messages(Live)[0].sample
    assert (sample.width, sample.height, set(sample.stages_ms)) == (64, 48, set(STAGES))
    assert {d.label_index for d in sample.detections} == {0, 1}


def test_the_end_of_input_ends_the_worker_as_quit_does(start: Start) -> None:
    worker = start()
    worker.wait(lambda: worker.messages(Live), "a sample")
    worker.end_of_input()
    assert worker.status() == 0
    assert worker.bodies(Window)


def test_sigterm_ends_it_cleanly_too(start: Start) -> None:
    worker = start()
    worker.wait(lambda: worker.messages(Live), "a sample")
    worker.process.send_signal(signal.SIGTERM)
    assert worker.status() == 0
    assert worker.bodies(Window)


def test_a_corrupt_picture_is_told_by_name_and_the_others_go_on(start: Start, folder: Path) -> None:
    whole = (folder / "seen" / "1.jpg").read_bytes()
    (folder / "seen" / "1.jpg").write_bytes(whole[: len(whole) // 2])
    worker = start()
    worker.wait(lambda: len(worker.failures("bad_frame")) >= 2, "the corrupt picture, twice")
    first, second = worker.failures("bad_frame")[:2]
    assert "1.jpg is cut off" in first.text
    assert first.data["label"] == "1.jpg"
    assert int(second.data["repeats"] or 0) > 1  # told once a second, counted all the same
    worker.wait(lambda: worker.bodies(Window), "a window")
    assert worker.bodies(Window)[0].failed > 0
    assert worker.bodies(Window)[0].frames > 0


@pytest.mark.parametrize(
    ("name", "says", "model"),
    [
        ("bad_output", "NaN", lambda folder: tiny_bundle(folder, dark_is_nan=True)),
        ("inference_error", "the engine failed", lambda folder: tiny_bundle(folder, dark_raises=True)),
    ],
)
def test_a_frame_without_an_answer_is_a_failure_with_its_picture_never_an_empty_answer(
    start: Start, folder: Path, name: str, says: str, model: Callable[[Path], object]
) -> None:
    shutil.rmtree(folder / "bundle")
    model(folder)
    save(folder / "seen" / "2.jpg", 30)
    worker = start()
    worker.wait(lambda: bool(worker.failures(name) and worker.bodies(Window)), "the failure and a window")
    failure = worker.failures(name)[0]
    assert says in failure.text
    assert failure.data["label"] == "2.jpg"
    picture = (worker.pictures / f"{failure.picture}.jpg").read_bytes()
    assert hashlib.sha256(picture).hexdigest() == failure.picture
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    assert abs(float(image.mean()) - 30) < 5
    assert worker.bodies(Window)[0].failed > 0
    assert all(live.sample.detections for live in worker.messages(Live))


def _mark_until_killed(worker: Worker, least: int) -> None:
    worker.wait(lambda: worker.messages(Live), "a sample")
    for number in range(40):
        worker.send(MarkFrame(number, "x"))
    worker.wait(lambda: len(worker.failures("operator_mark")) >= least, "marks")
    worker.process.kill()
    worker.status()


def test_kill_9_leaves_no_torn_picture(start: Start, folder: Path) -> None:
    for least in (1, 4, 7):
        worker = start()
        _mark_until_killed(worker, least)
        kept = [path for path in worker.pictures.iterdir() if path.suffix == ".jpg"]
        assert kept
        assert [p for p in kept if hashlib.sha256(p.read_bytes()).hexdigest() != p.stem] == []


def test_a_mark_and_a_question_are_answered_with_the_newest_frame(start: Start) -> None:
    worker = start()
    worker.wait(lambda: worker.messages(Live), "a sample")
    worker.send(MarkFrame(7, "gripper slipped"))
    worker.send(AskFrame(8, 32))
    worker.wait(lambda: len(worker.messages(FrameAnswer)) == 2, "both answers")
    mark, asked = sorted(worker.messages(FrameAnswer), key=lambda answer: answer.id)
    assert (mark.id, asked.id) == (7, 8)
    assert mark.picture is not None
    assert asked.picture is not None
    small = cv2.imdecode(np.frombuffer(asked.picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert small is not None
    assert small.shape == (24, 32, 3)
    assert (asked.picture.width, asked.picture.height, len(asked.picture.detections)) == (64, 48, 2)
    failure = worker.failures("operator_mark")[0]
    assert failure.text == "gripper slipped"
    assert (worker.pictures / f"{failure.picture}.jpg").is_file()


def test_a_full_disk_costs_the_picture_not_the_failure(start: Start) -> None:
    worker = start()
    resource.prlimit(worker.process.pid, resource.RLIMIT_FSIZE, (200, 200))  # the kernel takes no more
    worker.wait(lambda: worker.messages(Live), "a sample")
    worker.send(MarkFrame(1, "look"))
    failure = worker.wait(lambda: worker.failures("operator_mark"), "the mark")[0]
    assert failure.picture is None
    assert failure.text == "look (the picture was not kept: File too large)"
    assert list(worker.pictures.iterdir()) == []
    worker.wait(lambda: worker.bodies(Window), "work that goes on")


def test_samples_come_only_as_often_as_they_are_wanted(start: Start) -> None:
    worker = start(samples_per_s=0.0)
    worker.wait(lambda: worker.bodies(Window), "a window")
    assert worker.messages(Live) == []
    worker.send(SampleRate(5))
    worker.wait(lambda: len(worker.bodies(Window)) == 3, "two more windows")
    assert 4 <= len(worker.messages(Live)) <= 14


def wrong_width(folder: Path) -> None:
    """The same model with a contract that fits another one, and a manifest that fits that contract."""
    made = load_bundle(folder / "bundle")
    given = msgspec.structs.replace(made.contract.input, width=96)
    write_bundle(made.model, msgspec.structs.replace(made.contract, input=given), folder / "wrong")
    shutil.rmtree(folder / "bundle")
    (folder / "wrong").rename(folder / "bundle")


@pytest.mark.parametrize(
    ("damage", "source", "code", "says"),
    [
        (lambda f: (f / "bundle" / "model.onnx").write_bytes(b"x"), None, "bundle_incomplete", "model.onnx"),
        (wrong_width, None, "model_mismatch", "the model takes [1, 3, 64, 64]"),
        (None, "folder:/nowhere", "bad_source", "/nowhere"),
        (None, "webcam:0", "bad_source", "webcam"),
        (lambda f: (f / "pictures").write_text("a file"), None, "pictures_unusable", "pictures"),
    ],
)
def test_what_can_never_work_is_told_with_its_cure_and_status_3(
    start: Start, folder: Path, damage: Callable[[Path], object] | None, source: str | None, code: str, says: str
) -> None:
    if damage is not None:
        damage(folder)
    worker = start(source)
    assert worker.status() == 3
    (unable,) = worker.said
    assert isinstance(unable, Unable)
    assert (unable.code, bool(unable.cure)) == (code, True)
    assert says in unable.what


@pytest.mark.parametrize("data", [b"", b"\n", b"{}\n", b"\xff\n", b"[" * 5000 + b"\n"])
def test_a_configuration_that_is_none_is_told(data: bytes) -> None:
    command = [sys.executable, "-m", "remote.perception.worker"]
    run = subprocess.run(command, input=data, capture_output=True, cwd=ROOT, check=False, timeout=20)
    assert run.returncode == 3
    assert json.loads(run.stdout)["code"] == "config_invalid"


def test_an_unplugged_camera_is_told_waited_for_and_found_again(start: Start) -> None:
    worker = start(drills=True)
    worker.wait(lambda: worker.messages(Live), "a sample")
    worker.send(Cause("camera_unplugged", 0.4))
    worker.wait(lambda: worker.events("camera_recovered"), "recovery")
    assert [failure.text for failure in worker.failures("camera_gone")] == ["the camera was unplugged (drill)"]
    assert worker.events("camera_reopened")[0].data["reopened"] == 1
    assert float(worker.events("camera_recovered")[0].data["away_s"] or 0) > 0.3
    worker.wait(lambda: worker.events("drill_over"), "the end of the drill")
    worker.wait(lambda: any(window.camera.reopened == 1 for window in worker.bodies(Window)), "a window that counts it")


def test_a_read_that_hangs_for_ever_is_noticed_while_the_beats_go_on(start: Start, folder: Path) -> None:
    os.mkfifo(folder / "seen" / "9.jpg")  # nobody ever writes into it: opening it blocks, as a dead driver does
    worker = start()
    stalled = worker.wait(lambda: worker.failures("camera_stalled"), "the stall")[0]
    assert "no frame for 2." in stalled.text
    beats = len(worker.messages(Beat))
    worker.wait(lambda: worker.events("camera_recovered"), "the camera opened again, in a new thread")
    assert len(worker.messages(Beat)) > beats
    assert any(window.frames == 0 for window in worker.bodies(Window))  # windows go on as well
    worker.send(Quit())
    assert worker.status() == 0


def test_black_pictures_are_a_failure_with_a_picture_and_light_ends_it(start: Start, folder: Path) -> None:
    for number in range(4, 24):
        cv2.imwrite(str(folder / "seen" / f"z{number:02}.jpg"), np.zeros((48, 64, 3), np.uint8))
    worker = start()
    worker.wait(lambda: worker.events("camera_recovered"), "the light")
    black = worker.failures("camera_black")[0]
    assert "mean grey level 0.0 of 255" in black.text
    assert (worker.pictures / f"{black.picture}.jpg").is_file()


def test_slow_inference_is_felt_in_its_stage_only(start: Start) -> None:
    worker = start(drills=True)
    worker.wait(lambda: worker.messages(Live), "a sample")
    worker.send(Cause("slow_inference", 1.5))

    def slow() -> list[Live]:
        return [live for live in worker.messages(Live) if live.sample.stages_ms["inference"] >= 120]

    worker.wait(slow, "a slow sample")
    assert slow()[0].sample.stages_ms["preprocess"] < 100
    worker.wait(lambda: any(window.dropped for window in worker.bodies(Window)), "frames that had to be dropped")


def test_a_hang_stops_the_beats_and_a_vanished_agent_ends_even_that(start: Start) -> None:
    worker = start(drills=True)
    worker.wait(lambda: bool(worker.messages(Beat) and worker.messages(Live)), "a beat")
    worker.send(Cause("worker_hang", 60))
    worker.wait(lambda: worker.events("drill_began"), "the drill")
    worker.wait(lambda: worker.silent_for(1.2), "silence: a beat comes at least once a second")
    worker.end_of_input()
    assert worker.status() == 4


def test_a_model_that_went_blind_misses_what_is_known_to_be_there_and_only_that(start: Start) -> None:
    watch = Watch(expected=(Expectation(label="cube"),), complete=True, conditions={"place": "bench"}, miss_frames=5)
    worker = start(drills=True)
    worker.wait(lambda: worker.bodies(Window), "a window")
    worker.send(WatchFor(watch))
    worker.wait(lambda: any(w.scored and w.scored.found > 5 for w in worker.bodies(Window)), "objects that were found")
    assert worker.failures("no_detection") == []
    worker.send(Cause("blind", 1.5))
    missed = worker.wait(lambda: worker.failures("no_detection"), "the miss")[0]
    assert (missed.text, missed.detections, missed.conditions) == ("cube missing for 5 frames", (), {"place": "bench"})
    assert (missed.width, missed.height, len(missed.id)) == (64, 48, 16)
    assert missed.light == pytest.approx(240, abs=5)
    assert (worker.pictures / f"{missed.picture}.jpg").is_file()
    worker.wait(lambda: any(w.scored and w.scored.missed > 5 for w in worker.bodies(Window)), "a window that counts it")
    scored = [window.scored for window in worker.bodies(Window) if window.scored]
    assert all(one.found + one.missed == one.frames for one in scored)
    assert scored[0].extra == scored[0].found  # the ball was said not to be there
    windows = worker.bodies(Window)
    assert [window.conditions for window in windows] == sorted((w.conditions for w in windows), key=len)
    assert windows[0].scored is None


def test_moments_come_now_and_then_and_small(start: Start) -> None:
    worker = start()
    worker.wait(lambda: len(worker.bodies(Window)) >= 3, "three windows")
    moments = worker.messages(Moment)
    assert 2 <= len(moments) <= 8
    image = cv2.imdecode(np.frombuffer(moments[0].jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert (image.shape, moments[0].width, moments[0].height) == ((48, 64, 3), 64, 48)
    assert moments[0].light == pytest.approx(240, abs=5)


def test_drills_are_refused_where_they_were_not_allowed(start: Start) -> None:
    worker = start()
    worker.send(Cause("worker_hang", 60))
    worker.wait(
        lambda: bool(worker.events("drill_refused") and worker.bodies(Window)), "the refusal, and work that goes on"
    )


def test_garbage_from_the_agent_is_told_and_survived(start: Start) -> None:
    worker = start()
    assert worker.process.stdin is not None
    worker.process.stdin.write(b'{"type":"nonsense"}\n\xff\xfe\n' + b"[" * 3000 + b"\n")
    worker.process.stdin.flush()
    worker.wait(lambda: len(worker.events("message_refused")) == 3 and worker.bodies(Window), "three refusals")


def test_a_closed_stdout_ends_the_worker_without_a_traceback(folder: Path) -> None:
    command = [sys.executable, "-m", "remote.perception.worker"]
    bundle, pictures = str(folder / "bundle"), str(folder / "pictures")
    config = WorkerConfig(run=1, source=f"folder:{folder}/seen", bundle=bundle, pictures=pictures)
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as run:
        assert run.stdin is not None
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdin.write(line(config))
        run.stdin.flush()
        run.stdout.readline()
        run.stdout.close()
        assert run.wait(15) == 0
        assert b"Traceback" not in run.stderr.read()


def test_what_libraries_print_does_not_spoil_the_protocol(folder: Path) -> None:
    code = "import os; from remote.perception.wire import claim_stdout; from remote.perception.messages import Beat\n"
    code += "out = claim_stdout(); print('python'); os.write(1, b'native\\n'); out.send(Beat(1))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=True)
    assert run.stdout == b'{"type":"beat","frame":1}\n'
    assert b"native" in run.stderr
    assert b"python" in run.stderr
