"""What probation rests on: every window counts for the bundle that made it, and for no other."""

from __future__ import annotations

import msgspec

from remote.activation.probation import judge
from remote.agent.seen import BEFORE_S, Seeing
from remote.histogram import Histogram
from remote.model_states import Probation
from remote.protocol import CameraHealth, Failure, Host, LabelCount, Scored, Window

OLD, NEW = "a" * 64, "b" * 64
S_NS = 1_000_000_000


def window(bundle: str, frames: int = 10, failed: int = 0, ms: float = 5.0, scored: Scored | None = None) -> Window:
    return Window(
        run=1,
        window=0,
        start_mono_ns=0,
        span_ms=1000.0,
        frames=frames,
        failed=failed,
        stages_ms={"end_to_end": Histogram.of([ms] * frames)},
        camera=CameraHealth("ok"),
        source="scene:",
        bundle=bundle,
        scored=scored,
    )


def host(temp_c: float, memory_bytes: float) -> Host:
    return Host(values={"temp_max_c": temp_c}, series={"process_memory_bytes": {"worker": memory_bytes, "agent": 1e12}})


def test_since_counts_only_the_candidate_and_adds_up_its_attempts() -> None:
    seeing = Seeing()
    seeing.take(window(NEW), 0)
    seeing.begin(NEW)
    seeing.take(window(OLD, failed=9), S_NS)
    seeing.take(window(NEW, frames=3, failed=1, ms=7.0), S_NS)
    seeing.begin(NEW)  # its worker is started again
    seeing.take(window(NEW, frames=4), 2 * S_NS)
    found = seeing.since()
    assert (found.frames, found.failed, found.seconds) == (7, 1, 2.0)
    assert (found.end_to_end_ms.count, found.end_to_end_ms.maximum) == (7, 7.0)
    seeing.end()
    assert seeing.since().frames == 0


def test_what_a_disturbed_worker_did_is_nothing_to_compare_with() -> None:
    """A slow model would pass beside one that a validation slowed down; the candidate's own windows count all the same."""
    seeing = Seeing()
    seeing.take(window(OLD, frames=4), 0)
    seeing.take(window(OLD, frames=90, ms=400.0), S_NS, disturbed=True)
    assert (seeing.before(OLD).frames, seeing.before(OLD).end_to_end_ms.maximum) == (4, 5.0)
    seeing.begin(NEW)
    seeing.take(window(NEW, frames=3), 2 * S_NS, disturbed=True)
    assert seeing.since().frames == 3


def test_a_withheld_failure_counts_as_often_as_it_happened() -> None:
    seeing = Seeing()
    seeing.begin(NEW)
    seeing.take(Failure(name="bad_output", text="", bundle=NEW), 0)
    seeing.take(Failure(name="bad_output", text="", bundle=NEW, data={"repeats": 4}), 0)
    seeing.take(Failure(name="bad_output", text="", bundle=NEW, data={"repeats": 6, "only_repeats": True}), 0)
    seeing.take(Failure(name="bad_output", text="", bundle=OLD), 0)
    assert seeing.since().failures == {"bad_output": 1 + 5 + 6}


def test_the_worst_heat_and_memory_count_and_nothing_measured_is_none() -> None:
    seeing = Seeing()
    seeing.begin(NEW)
    assert (seeing.since().hottest_c, seeing.since().memory_mb) == (None, None)
    for temp_c, memory in ((50.0, 2e8), (71.0, 1e8), (60.0, 1.5e8)):
        seeing.take(host(temp_c, memory), 0)
    assert (seeing.since().hottest_c, seeing.since().memory_mb) == (71.0, 200.0)


def test_before_looks_back_some_minutes_at_one_bundle() -> None:
    seeing = Seeing()
    seeing.take(window(OLD, frames=100), 0)
    late_ns = int((BEFORE_S + 1) * S_NS)
    seeing.take(host(99.0, 1.0), late_ns - S_NS)
    seeing.take(window(NEW), late_ns)
    seeing.take(host(88.0, 1.0), late_ns)
    seeing.take(window(OLD, frames=2), late_ns)
    seeing.take(host(40.0, 1e6), late_ns)
    found = seeing.before(OLD)
    assert (found.frames, found.hottest_c) == (2, 40.0)


def test_what_was_seen_on_another_source_is_not_compared_with() -> None:
    """Pictures of cones before the push, an empty table after it: a good model would be called blind."""
    seeing = Seeing()
    seeing.take(window(OLD, frames=500), 0)
    seeing.take(msgspec.structs.replace(window(OLD, frames=7), source="v4l2:/dev/video0"), S_NS)
    assert (seeing.before(OLD, "scene:").frames, seeing.before(OLD, "v4l2:/dev/video0").frames) == (500, 7)
    seeing.begin(NEW, "scene:")
    seeing.take(window(NEW), 2 * S_NS)
    seeing.begin(NEW, "scene:")
    assert (seeing.since().frames, seeing.since().source) == (10, "scene:")
    seeing.begin(NEW, "v4l2:/dev/video0")
    assert (seeing.since().frames, seeing.since().source) == (0, "v4l2:/dev/video0")


def test_frames_just_after_a_disturbance_are_nothing_to_compare_with_and_those_before_it_stay() -> None:
    """An engine is built for minutes on the one GPU: a model twice as slow would look as fast as the one that ran then."""
    seeing = Seeing()
    for second in range(1, 1011):
        building = 100 < second <= 1000
        if second <= 1000:  # ends 0.9 s before anybody looks again
            seeing.take(host(60.0, 1e6), second * S_NS, disturbed=building)
        seeing.take(window(OLD, frames=3, ms=50.0 if 100 < second <= 1002 else 5.0), second * S_NS, disturbed=building)
        if second == 1000:
            before = seeing.before(OLD)
            assert (before.frames, before.end_to_end_ms.maximum) == (300, 5.0), "it makes nothing forgotten"
    before = seeing.before(OLD)
    assert (before.frames, before.end_to_end_ms.maximum) == (3 * 8, 5.0)


def test_a_worker_that_stood_still_for_a_night_is_still_compared_with() -> None:
    """A release waits until nobody uses the worker: then a model that finds nothing must not be kept for want of a past."""
    seeing = Seeing()
    seeing.take(host(30.0, 1e6), 0)
    seen = msgspec.structs.replace(window(OLD, frames=300), labels={"cube": LabelCount(600, 300, 540.0, 0.9, 0.9)})
    seeing.take(seen, S_NS)
    for second in range(1, 40_000, 10):
        seeing.take(host(50.0 + second / 1000, 1e6), second * S_NS)
    before = seeing.before(OLD)
    assert (before.frames, before.boxes) == (300, 600)
    assert before.hottest_c is not None
    assert before.hottest_c < 51.0, "heat of the night is not the model's"
    seeing.begin(NEW)
    for second in range(40):
        seeing.take(window(NEW, frames=100), (40_000 + second) * S_NS)
    verdict, checks = judge(Probation(), before, seeing.since())
    assert verdict == "fail"
    assert [check.name for check in checks if check.verdict == "fail"] == ["boxes"]


def test_objects_are_added_and_unknown_extras_stay_unknown() -> None:
    seeing = Seeing()
    seeing.begin(NEW)
    seeing.take(window(NEW, scored=Scored(5, 4, 1, 2)), 0)
    seeing.take(window(NEW), 0)
    assert seeing.since().scored == Scored(5, 4, 1, 2)
    seeing.take(window(NEW, scored=Scored(5, 5, 0, None)), 0)
    assert seeing.since().scored == Scored(10, 9, 1, None)
