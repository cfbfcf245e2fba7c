"""How steps and verdicts look: mark, word and colour role together."""

from __future__ import annotations

from typing import Literal

from console.changing.view import RobotRow
from console.marks import FIELD_MARKS, MARKS, Charset, Mark
from console.models.wording import END_WORDS, STEP_WORDS, ago_words, goes_back
from console.widgets.drawing import duration
from remote.model_states import ModelsState, Outcome, Slot, StoredBundle
from remote.verdicts import Verdict

USE_WORDS = {
    "current": "runs",
    "previous": "before",
    "candidate": "candidate",
    "agent": "with agent",
    "": "stored",
}
"""What a bundle's place in the store is called."""
Place = Literal["", "current", "previous", "candidate", "agent"]
_VERDICTS: dict[Verdict, Mark] = {
    "pass": MARKS["pass"],
    "fail": MARKS["fail"],
    "inconclusive": FIELD_MARKS["inconclusive"]._replace(word="inconclusive", role="warning"),
    "skipped": MARKS["n/a"]._replace(word="skipped"),
}
_ENDS: dict[str, Mark] = {
    "committed": MARKS["pass"]._replace(word=END_WORDS["committed"]),
    "returned": MARKS["fail"]._replace(word=END_WORDS["returned"].upper()),
    "refused": MARKS["fail"]._replace(word=END_WORDS["refused"].upper()),
    "cancelled": MARKS["warning"]._replace(word=END_WORDS["cancelled"]),
    "went_back": MARKS["n/a"]._replace(word=END_WORDS["went_back"]),
}
_STALE = MARKS["stale"]
_DOES = {"would run": "off", "switching to": "running", "going back to": "warning", "starting": "busy"}
"""How what a robot does with its current bundle looks, where it does not simply run."""


def glyph_of(mark: Mark, charset: Charset) -> str:
    """The mark's character in this charset."""
    return mark.twin if charset.ascii else mark.glyph


def verdict_mark(verdict: Verdict) -> Mark:
    """How a check's verdict looks."""
    return _VERDICTS[verdict]


def outcome_mark(outcome: Outcome) -> Mark:
    """How the end of a change looks."""
    return _ENDS[outcome.ended]


def step_mark(state: ModelsState) -> Mark:
    """How the present step looks: waiting and going back stand out."""
    if state.step == "idle":
        return MARKS["ok"]._replace(word=STEP_WORDS["idle"], role="text")
    if state.step == "rolling_back":
        return MARKS["warning"]._replace(word=STEP_WORDS["rolling_back"])
    if state.waits_for or state.step == "waiting_for_safe":
        return MARKS["paused"]._replace(word="waits")
    return MARKS["running"]


def as_it_was(mark: Mark, row: RobotRow | None) -> Mark:
    """The mark of something that the robot told: on a robot that was not heard of late it is none of the present."""
    return mark if row is None or row.fresh else mark._replace(glyph=_STALE.glyph, twin=_STALE.twin, role="stale")


def stale_words(row: RobotRow, charset: Charset) -> str:
    """`◌ STALE 24 s`."""
    age = f" {duration(row.age_s, whole=True)}" if row.age_s is not None else ""
    return f"{glyph_of(_STALE, charset)} {_STALE.word}{age}"


def ago(row: RobotRow, wall_ns: int) -> str:
    """` 3 min ago`, with a blank before it; empty where that can't be said."""
    words = ago_words(wall_ns, row.robot_wall_ns)
    return f" {words}" if words else ""


def place_of(stored: StoredBundle, row: RobotRow | None) -> Place:
    """The bundle's place by the newest that the robot told, which may be newer than the list of its store."""
    state = row.state if row is not None else None
    if state is None:
        return stored.use
    slots: tuple[tuple[Place, Slot | None], ...] = (
        ("current", state.current),
        ("candidate", state.candidate),
        ("previous", state.previous),
    )
    found = next((place for place, slot in slots if slot is not None and slot.digest == stored.digest), None)
    return found or ("agent" if stored.use == "agent" else "")


def use_mark(stored: StoredBundle, row: RobotRow | None = None) -> Mark:
    """How a bundle's place on that robot looks; what is told of a robot that was not heard of late looks so."""
    if stored.trouble:
        return as_it_was(MARKS["error"]._replace(word="UNUSABLE"), row)
    place = place_of(stored, row)
    if place == "current":
        does = row.does if row is not None else USE_WORDS["current"]
        return as_it_was(MARKS[_DOES.get(does, "ok")]._replace(word=does), row)
    mark = MARKS["off"]._replace(word=USE_WORDS[place])
    if place == "candidate":
        mark = candidate_mark(row.state if row is not None else None)
    return as_it_was(mark, row)


def candidate_mark(state: ModelsState | None) -> Mark:
    """How the bundle of the change looks: on a way back it leaves, or it is the one that comes back."""
    if state is not None and state.step == "rolling_back":
        return MARKS["warning"]._replace(word="leaves")
    if state is not None and goes_back(state):
        return MARKS["running"]._replace(word="comes back")
    return MARKS["running"]._replace(word=USE_WORDS["candidate"])
