"""One failure as the book gives it out: what patterns, exports, lists and screens work on."""

from __future__ import annotations

from typing import Literal

import msgspec

from remote.protocol import Detection

MarkWord = Literal["", "seen", "real", "false_alarm", "to_label"]
MARK_WORDS: tuple[MarkWord, ...] = ("seen", "real", "false_alarm", "to_label")
"""What a person can say of a failure; an empty word: nobody has said anything, or it was taken back."""


class FailureNote(msgspec.Struct, frozen=True):
    """What somebody wrote on a failure."""

    wall_ns: int
    person: str
    text: str


class ClipPicture(msgspec.Struct, frozen=True, array_like=True):
    """One picture around a failure: milliseconds after it (negative: before), and the SHA-256 of its JPEG."""

    offset_ms: float
    picture: str


class FailureRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A failure of a robot, or a line of somebody else's log.

    `id` is the book's name for it, unique and the same after the book was built anew: `JOURNAL:SEQ`, or `SOURCE:LINE` of
    an imported one. `failure` is the robot's own id (for Pin and clips), empty where it gave none.
    `wall_ns`: nanoseconds since the Unix epoch by the robot's clock; 0 where a foreign log tells no time.
    `labels`: what was detected in the frame, each once, sorted. `light`: mean grey level 0 to 255; None where unknown.
    `conditions`: words by name (place, light, phase, ...). `temp_c`: the hottest sensor at that time, None where unknown.
    `before`, `at`, `after`: SHA-256 of JPEGs, None where there is none; `clip` all pictures around it in order.
    `no_picture` says why pictures are missing, as the robot said it; empty where it said nothing.
    `width` and `height`: of the frame whose pixels `detections` are in; `names` the bundle's labels by index where known.
    `mark` is the newest one, `notes` oldest first. `imported_from`: file and line, empty for the robot's own.
    """

    id: str
    robot: str
    wall_ns: int
    kind: str
    text: str
    labels: tuple[str, ...] = ()
    light: float | None = None
    conditions: dict[str, str] = {}
    bundle: str = ""
    source: str = ""
    temp_c: float | None = None
    failure: str = ""
    journal: str = ""
    seq: int = 0
    boot_id: str = ""
    mono_ns: int = 0
    frame: int | None = None
    before: str | None = None
    at: str | None = None
    after: str | None = None
    clip: tuple[ClipPicture, ...] = ()
    no_picture: str = ""
    detections: tuple[Detection, ...] = ()
    names: tuple[str, ...] = ()
    width: int = 0
    height: int = 0
    stages_ms: dict[str, float] = {}
    data: dict[str, str | int | float | bool | None] = {}
    mark: MarkWord = ""
    notes: tuple[FailureNote, ...] = ()
    imported_from: str = ""

    @property
    def only_repeats(self) -> bool:
        """Whether it tells only of failures that were withheld because they repeat an earlier one."""
        return self.data.get("only_repeats") is True

    @property
    def times(self) -> int:
        """How many failures it stands for: one that repeats is told seldom, with the number of those that were withheld."""
        repeats = self.data.get("repeats")
        withheld = max(0, repeats) if isinstance(repeats, int) else 0
        return withheld if self.only_repeats else 1 + withheld

    @property
    def phase(self) -> str:
        """The phase in which it happened, where the robot was told; else empty."""
        return self.conditions.get("phase", "")

    @property
    def pictures(self) -> tuple[str, ...]:
        """Every picture that belongs to it, each once: at, before, after, then the clip's."""
        named = (self.at, self.before, self.after, *(one.picture for one in self.clip))
        return tuple(dict.fromkeys(digest for digest in named if digest))
