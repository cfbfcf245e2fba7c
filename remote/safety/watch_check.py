"""Whether a Watch can be meant as it stands: every number a real one within its bounds, every text of a sensible length."""

from __future__ import annotations

import math
from collections.abc import Sequence

from remote.errors import Trouble
from remote.protocol import Expectation, Watch

MOST_CONDITIONS = 32
MOST_EXPECTED = 100
LONGEST_WORD = 200
MOST_PIXELS = 65_536
MOST_FRAMES = 10_000


def check_watch(watch: Watch, labels: Sequence[str] = ()) -> None:
    """Raise Trouble (code `bad_watch`) naming the field that can't be meant; `labels` are the bundle's where it is known."""
    _check_conditions(watch.conditions)
    if len(watch.expected) > MOST_EXPECTED:
        raise _bad("expected", f"has {len(watch.expected)} objects, at most {MOST_EXPECTED} are watched")
    for one in watch.expected:
        _check_expectation(one, labels)
    _check_numbers(watch)
    _check_constraints(watch)


def _check_conditions(conditions: dict[str, str]) -> None:
    if len(conditions) > MOST_CONDITIONS:
        raise _bad("conditions", f"has {len(conditions)} words, at most {MOST_CONDITIONS} are kept")
    for name, word in conditions.items():
        if not (name and len(name) <= LONGEST_WORD and len(word) <= LONGEST_WORD):
            raise _bad("conditions", f"has a name or word that is empty or longer than {LONGEST_WORD} characters")
        if not (name.isprintable() and word.isprintable()):
            raise _bad("conditions", f"has a sign that can't be printed in {name!r}")


def _check_expectation(one: Expectation, labels: Sequence[str]) -> None:
    if labels and one.label not in labels:
        raise _bad("expected", f"names {one.label[:LONGEST_WORD]!r}, the bundle knows {', '.join(labels)}")
    if one.box is None:
        return
    x1, y1, x2, y2 = one.box
    if not (0 <= x1 < x2 <= MOST_PIXELS and 0 <= y1 < y2 <= MOST_PIXELS):
        raise _bad("expected", f"has a box of {one.label[:LONGEST_WORD]!r} that is none: {one.box}")


def _check_numbers(watch: Watch) -> None:
    _within("min_iou", watch.min_iou, 0.01, 1.0)
    _within("miss_frames", watch.miss_frames, 1, MOST_FRAMES)
    _within("low_confidence", watch.low_confidence, 0.0, 1.0)
    _within("latency_budget_ms", watch.latency_budget_ms, 0.001, 3_600_000.0)
    _within("flicker_changes", watch.flicker_changes, 1, MOST_FRAMES)
    _within("flicker_s", watch.flicker_s, 0.01, 3600.0)


def _check_constraints(watch: Watch) -> None:
    limits = watch.constraints
    _within("constraints.max_boxes", limits.max_boxes, 0, 1_000_000)
    _within("constraints.min_box_share", limits.min_box_share, 0.0, 1.0)
    _within("constraints.max_box_share", limits.max_box_share, 0.0, 1.0)
    low, high = limits.min_box_share, limits.max_box_share
    if low is not None and high is not None and low > high:
        raise _bad("constraints.min_box_share", f"is {low:g}, over max_box_share, which is {high:g}")


def _within(name: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not (low <= value <= high and math.isfinite(value)):
        raise _bad(name, f"is {value:g}, it must lie from {low:g} to {high:g}")


def _bad(name: str, what: str) -> Trouble:
    return Trouble(
        f"what to look out for is refused: `{name}` {what}", cure="correct it and say it again", code="bad_watch"
    )
