"""Where a robot's models stand: which one runs, which one comes, and the step that the change is in."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from remote.verdicts import Check

Step = Literal[
    "idle",
    "downloading",
    "verified",
    "staged",
    "building",
    "self_test",
    "waiting_for_safe",
    "switched",
    "probation",
    "committed",
    "rolling_back",
]
BEFORE_SWITCH: tuple[Step, ...] = ("downloading", "verified", "staged", "building", "self_test", "waiting_for_safe")
"""The steps in which the robot still runs what it ran before."""
AFTER_SWITCH: tuple[Step, ...] = ("switched", "probation")
"""The steps in which the candidate runs and the one before it is kept."""

STEP_WORDS: dict[Step, str] = {
    "idle": "no change",
    "downloading": "downloading",
    "verified": "verifying",
    "staged": "staging",
    "building": "building the engine",
    "self_test": "self-test",
    "waiting_for_safe": "waiting for safe",
    "switched": "switching",
    "probation": "probation",
    "committed": "keeping it",
    "rolling_back": "going back",
}
"""What each step is called wherever a person reads it."""

Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle in its place. `origin` says where it came from: `agent`, `push`, `chosen`, `release`, `usb`; `by` who gave it.

    `release` is the number of the release that brought it, None for others.
    """

    digest: str
    name: str
    origin: Literal["agent", "push", "chosen", "release", "usb"]
    by: str = ""
    release: int | None = None
    since_wall_ns: int = 0


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a step is: `done` of `whole` (None: nobody knows) in `unit` (bytes, layers, frames, s).

    `share` is how far it is in all where something else has to be reached too, as `text` says; None: `done` of `whole`.
    """

    done: float
    whole: float | None = None
    unit: str = ""
    text: str = ""
    share: Share | None = None


class Probation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a candidate must show before it is kept; None: that is not asked.

    It runs for at least `frames` frames and `least_s` seconds: with fewer than 437 no comparison of the 99th percentile can be
    decided at the first look (remote/activation/probation.py), and the next one comes at twice the frames. `p99_ms` bounds
    the 99th percentile of end_to_end; without it `p99_ratio` bounds it as a multiple of what the model before it took.
    `failed_share` bounds frames without an answer, `miss_share_more` how much larger a share of known objects may be missed
    than before (with 95 % confidence). `boxes_ratio` bounds how many times more or fewer boxes a frame it finds than the
    model before: where nobody knows what is in view, that tells a blind model from a good one. `hottest_c` bounds the hottest
    sensor, `memory_mb` the worker's memory. `restarts` is how often the worker may have to be started in all before the one
    before comes back. `most_s`: without a decision by then it comes back as well.
    """

    frames: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 450
    least_s: Annotated[float, msgspec.Meta(ge=0, le=7 * 86_400)] = 30.0
    most_s: Annotated[float, msgspec.Meta(gt=0, le=7 * 86_400)] = 3600.0
    p99_ms: float | None = None
    p99_ratio: float | None = 1.5
    failed_share: Share | None = 0.01
    miss_share_more: Share | None = 0.1
    boxes_ratio: Annotated[float, msgspec.Meta(gt=1)] | None = 3.0
    hottest_c: float | None = 95.0
    memory_mb: float | None = None
    restarts: Annotated[int, msgspec.Meta(ge=1, le=3)] = 3


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How the last change ended: kept, gone back to the one before, refused before the switch, or called off by a person.

    `went_back`: a person wanted the one before; `digest` and `name` are of the one that was left.
    """

    digest: str
    name: str
    ended: Literal["committed", "returned", "refused", "cancelled", "went_back"]
    why: str
    step: Step
    wall_ns: int
    release: int | None = None
    checks: tuple[Check, ...] = ()


class ShadowState(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate that runs beside, its results compared and not used. Boxes agree by label and IoU >= 0.5.

    `agreed` boxes are in both, `only_current` and `only_candidate` in one; over `frames` pictures. Times are medians of the
    engine and its surroundings on the same pictures, in milliseconds. `ended` says why it ended, empty while it runs;
    `ended_wall_ns` when, by the robot's clock. `whole_s`: after so many `seconds` it ends; None: the agent does not say.
    """

    digest: str
    name: str
    frames: int = 0
    agreed: int = 0
    only_current: int = 0
    only_candidate: int = 0
    current_ms: float | None = None
    candidate_ms: float | None = None
    seconds: float = 0.0
    ended: str = ""
    whole_s: float | None = None
    ended_wall_ns: int = 0


class UpdateSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where this robot takes releases from. `url` is http(s):// or file:// of the repository's folder.

    `robot_class` is what a release must be for. `check_every_s` 0: only when told to.
    """

    url: Annotated[str, msgspec.Meta(min_length=1, max_length=2048)]
    robot_class: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    check_every_s: Annotated[float, msgspec.Meta(ge=0)] = 3600.0


class UpdateState(msgspec.Struct, frozen=True, kw_only=True):
    """What the robot knows of its source of releases. `says` is what came of the last look, `code` its stable word if bad.

    `looked_wall_ns` is when it last looked (the robot's clock), None for never. `release` is the highest number it ever took.
    """

    source: UpdateSource
    looked_wall_ns: int | None = None
    says: str = ""
    code: str = ""
    release: int | None = None


class ModelsState(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `since_wall_ns` is when `step` began; `waits_for` says what holds it there, empty where it goes on."""

    current: Slot | None = None
    previous: Slot | None = None
    candidate: Slot | None = None
    step: Step = "idle"
    since_wall_ns: int = 0
    attempts: int = 0
    waits_for: str = ""
    progress: Progress | None = None
    last: Outcome | None = None
    shadow: ShadowState | None = None
    updates: UpdateState | None = None


class StoredBundle(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle in the robot's store. `use` is its slot, empty for none; `trouble` says why it can't be used."""

    digest: str
    name: str
    bytes: int
    use: Literal["", "current", "previous", "candidate", "agent"] = ""
    trouble: str = ""
