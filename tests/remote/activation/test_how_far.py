"""How far a probation is: whoever waits for it sees what is still missing, and no count that a crash has made void."""

from __future__ import annotations

import pytest

from remote.activation.ground import Seen
from remote.activation.how_far import how_far
from remote.activation.probation import Looks
from remote.activation.slots import Slots
from remote.model_states import Probation, Progress

PLAN = Probation(frames=450, least_s=30.0)


def frames(done: float, whole: float, text: str, share: float) -> Progress:
    return Progress(done=done, whole=whole, unit="frames", text=text, share=share)


@pytest.mark.parametrize(
    ("plan", "since", "expected"),
    [
        (PLAN, Seen(frames=90, seconds=6.4), frames(90, 450, "6 of 30 s", 0.2)),
        (PLAN, Seen(frames=450, seconds=15.0), frames(450, 450, "15 of 30 s", 0.5)),
        (Probation(frames=20, least_s=90.0), Seen(frames=60, seconds=18.0), frames(20, 20, "18 of 90 s", 0.2)),
        (Probation(frames=20, least_s=0.0), Seen(frames=5, seconds=1.0), frames(5, 20, "", 0.25)),
        (PLAN, Seen(), frames(0, 450, "0 of 30 s", 0.0)),
    ],
    ids=["both", "frames are there", "more frames than asked", "no seconds asked", "nothing yet"],
)
def test_the_smaller_share_of_frames_and_seconds_counts(plan: Probation, since: Seen, expected: Progress) -> None:
    assert how_far(Slots(probation=plan, attempts=1), Looks(), since) == expected


@pytest.mark.parametrize(
    ("attempts", "stops", "words"),
    [(1, 0, "9 of 30 s"), (2, 0, "9 of 30 s since start 2"), (2, 1, "9 of 30 s since it was started again")],
)
def test_after_a_start_of_the_worker_only_what_came_after_it_counts(attempts: int, stops: int, words: str) -> None:
    """450 frames and a crash are no 450 frames: it must not read as if it were nearly over."""
    looks = Looks(for_pass=1, pass_at=900).started(Seen(frames=600, seconds=40.0))
    slots = Slots(probation=PLAN, attempts=attempts, stops=stops)
    found = how_far(slots, looks, Seen(frames=734, seconds=49.0))
    assert found == frames(134, 450, f"{words}, next look in about 21 s", 0.298)


def test_between_two_looks_it_is_said_when_the_next_one_is_and_what_the_last_one_left_open() -> None:
    slots, looks = Slots(probation=PLAN, attempts=1), Looks(for_pass=1, pass_at=900)
    found = how_far(slots, looks, Seen(frames=600, seconds=40.0), "still undecided: p99 of end to end")
    assert found == frames(600, 900, "still undecided: p99 of end to end, next look in about 20 s", 0.667)
    assert how_far(slots, Looks(), Seen(frames=600, seconds=40.0), "still undecided: boxes").text == "30 of 30 s"
