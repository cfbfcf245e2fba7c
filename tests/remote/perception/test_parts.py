"""The worker's small parts: counts that do not add up, pictures that are torn, failures that flood or vanish."""

from __future__ import annotations

import hashlib
import io
import resource
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, cast

import cv2
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.perception.darkroom import MOST_WAITING, Darkroom
from remote.perception.failure_gate import FailureGate
from remote.perception.jpeg import PictureStore, encode
from remote.perception.messages import Beat, FromWorker, Journalled
from remote.perception.sampler import Sampler
from remote.perception.shown import Sight
from remote.perception.tally import Tally
from remote.perception.wire import Outbox, ParentGone
from remote.protocol import STAGES, CameraHealth, Detection, Failure, LabelCount

S = 1_000_000_000
IMAGE = np.random.default_rng(0).integers(0, 256, (48, 64, 3)).astype(np.uint8)


def test_a_window_counts_what_happened_in_it_and_the_next_begins_at_zero() -> None:
    tally = Tally(run=3, source="scene:", bundle="d" * 64, labels=("cube", "ball"), now_ns=S)
    stages = dict.fromkeys(STAGES, 2.0)
    tally.frame(stages, (Detection(1, 0.5, 0, 0, 1, 1), Detection(1, 0.9, 0, 0, 1, 1)))
    tally.frame(stages, (Detection(1, 0.4, 0, 0, 1, 1),))
    tally.frame(stages, ())
    tally.failed()
    window = tally.fold(3 * S, camera=CameraHealth("ok"), dropped=4)
    assert (window.run, window.window, window.frames, window.failed, window.dropped) == (3, 0, 3, 1, 4)
    assert (window.frames_with_detections, window.span_ms, window.fps) == (2, 2000.0, 1.5)
    assert window.labels == {"ball": LabelCount(3, 2, 0.5 + 0.9 + 0.4, 0.4, 0.9)}
    assert {stage: h.count for stage, h in window.stages_ms.items()} == dict.fromkeys(STAGES, 3)
    after = tally.fold(4 * S, camera=CameraHealth("gone"), dropped=0)
    assert (after.window, after.start_mono_ns, after.frames, after.labels) == (1, 3 * S, 0, {})


def test_a_repeated_failure_is_told_once_a_second_with_its_count() -> None:
    gate, key = FailureGate(), ("bad_output", "")
    assert gate.admit(key, "a", 0) == 0
    assert [gate.admit(key, "b", S // 10 * n) for n in range(1, 10)] == [None] * 9
    assert gate.admit(("bad_frame", "x.jpg"), "c", S // 2) == 0
    assert gate.admit(key, "d", S) == 9
    assert gate.admit(key, "e", S + 1) is None
    assert gate.overdue(S + 2) == []
    assert [(r.name, r.text, r.count) for r in gate.overdue(3 * S)] == [("bad_output", "e", 1)]
    assert gate.overdue(9 * S, everything=True) == []


def told_in(gate: FailureGate, start_s: float, seconds: float) -> int:
    """How many of 10 failures a second are told."""
    return sum(
        gate.admit(("a", ""), "x", round((start_s + n / 10) * S)) is not None for n in range(round(seconds * 10))
    )


def test_a_fault_that_lasts_a_night_is_told_ever_more_seldom_and_a_new_one_at_once() -> None:
    gate = FailureGate()
    assert told_in(gate, 0, 60) == 6  # at 0, 1, 3, 7, 15, 31 s
    assert 8 <= told_in(gate, 60, 600) <= 12  # one a minute
    gate.overdue(800 * S)
    gate.overdue(900 * S)  # it stayed away: forgotten
    assert told_in(gate, 901, 2.5) == 2


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, S)), max_size=60))
def test_no_failure_is_ever_lost_from_the_count(steps: list[tuple[str, int]]) -> None:
    gate, now, told = FailureGate(), 0, 0
    for subject, step in steps:
        now += step
        admitted = gate.admit(("bad_frame", subject), "x", now)
        told += 0 if admitted is None else 1 + admitted
        told += sum(repeats.count for repeats in gate.overdue(now))
    told += sum(repeats.count for repeats in gate.overdue(now, everything=True))
    assert told == len(steps)


@pytest.mark.parametrize(("per_s", "sent"), [(0.0, 0), (-3.0, 0), (1.0, 10), (7.0, 70), (10.0, 100), (1000.0, 300)])
def test_samples_keep_the_rate_that_was_asked_for(per_s: float, sent: int) -> None:
    sampler = Sampler(per_s, 0)
    taken = sum(sampler.take(frame * S // 60) for frame in range(600))  # ten seconds at 60 frames a second
    assert taken == pytest.approx(sent, rel=0.15)


def test_after_a_pause_samples_do_not_catch_up() -> None:
    sampler = Sampler(10.0, 0)
    assert sampler.take(0)
    assert [sampler.take(60 * S + n) for n in range(4)] == [True, True, False, False]


def test_a_kept_picture_is_named_by_its_digest_and_decodes(tmp_path: Path) -> None:
    store = PictureStore(tmp_path / "pictures")
    store.prepare()
    kept = store.keep(IMAGE)
    data = (tmp_path / "pictures" / f"{kept.digest}.jpg").read_bytes()
    assert hashlib.sha256(data).hexdigest() == kept.digest
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape == (48, 64, 3)  # type: ignore[union-attr]
    assert store.keep(IMAGE) == kept
    assert len(list((tmp_path / "pictures").iterdir())) == 1


def test_what_a_killed_worker_left_half_written_is_swept_away(tmp_path: Path) -> None:
    (tmp_path / ".abc.jpg.12.tmp").write_bytes(b"half")
    (tmp_path / "kept.jpg").write_bytes(b"whole")
    PictureStore(tmp_path).prepare()
    assert [path.name for path in tmp_path.iterdir()] == ["kept.jpg"]


FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from remote.perception.jpeg import PictureStore
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))  # the kernel itself refuses to write more
print(PictureStore(Path(sys.argv[1])).keep(np.zeros((48, 64, 3), np.uint8)))
"""


def test_a_disk_that_takes_no_more_is_a_reason_and_leaves_no_torn_file(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "Kept(digest=None, reason='the picture was not kept: File too large')" in run.stdout
    assert list(tmp_path.iterdir()) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 100


@pytest.mark.parametrize(("max_width", "size"), [(None, (48, 64)), (640, (48, 64)), (32, (24, 32)), (1, (1, 1))])
def test_a_live_picture_is_made_smaller_never_larger(max_width: int | None, size: tuple[int, int]) -> None:
    image = cv2.imdecode(np.frombuffer(encode(IMAGE, max_width=max_width), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape[:2] == size


class _Pipe(io.RawIOBase):
    """Takes what is written; `gone` breaks it."""

    def __init__(self) -> None:
        self.data, self.gone = b"", False

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if self.gone:
            raise BrokenPipeError
        self.data += bytes(data)
        return len(data)


def _told(pipe: _Pipe) -> list[Failure]:
    messages = [msgspec.json.decode(one, type=FromWorker) for one in pipe.data.splitlines()]
    return [one.body for one in messages if isinstance(one, Journalled) and isinstance(one.body, Failure)]


def _sight(image: Any = IMAGE) -> Sight:
    return Sight(image, 7, 0, 100.0)


def test_no_picture_that_fails_or_waits_costs_a_failure(tmp_path: Path) -> None:
    pipe, answered = _Pipe(), []
    darkroom = Darkroom(Outbox(cast(IO[bytes], pipe)), PictureStore(tmp_path))
    spoiled = np.zeros((0, 5, 3), np.uint8)  # nothing that can be encoded
    darkroom.tell(Failure(name="bad_frame", text="first"), 1, _sight(spoiled), lambda: answered.append(1))
    darkroom.seen(_sight(spoiled))
    for number in range(MOST_WAITING + 3):  # nobody works yet: the last ones find no room
        darkroom.tell(Failure(name="bad_output", text=str(number)), 2, _sight())
    early = [failure.text for failure in _told(pipe)]
    assert early == [f"{n} (the picture was not kept: the disk is too slow)" for n in range(7, 11)]
    darkroom.start()
    assert darkroom.finish()
    told = {failure.text[:5]: failure for failure in _told(pipe)}
    assert len(_told(pipe)) == MOST_WAITING + 4
    assert answered == [1]
    assert told["first"].picture is None
    assert "the picture was not kept" in str(told["first"].data["picture_error"])
    assert (tmp_path / f"{told['0'].picture}.jpg").is_file()


def test_a_darkroom_whose_agent_has_gone_ends(tmp_path: Path) -> None:
    pipe = _Pipe()
    pipe.gone = True
    darkroom = Darkroom(Outbox(cast(IO[bytes], pipe)), PictureStore(tmp_path))
    darkroom.start()
    darkroom.tell(Failure(name="bad_frame", text=""), 1, _sight())
    assert darkroom.finish()
    with pytest.raises(ParentGone):
        Outbox(cast(IO[bytes], pipe)).send(Beat(1))
