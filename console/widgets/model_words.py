"""How steps and verdicts look: mark, word and colour role together."""

from __future__ import annotations

from console.marks import FIELD_MARKS, MARKS, Charset, Mark
from console.models.wording import END_WORDS, STEP_WORDS
from remote.model_states import ModelsState, Outcome, StoredBundle
from remote.verdicts import Verdict

USE_WORDS = {
    "current": "runs",
    "previous": "before",
    "candidate": "candidate",
    "agent": "with agent",
    "": "stored",
}
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
        return MARKS["ok"]._replace(word="idle", role="text")
    if state.step == "rolling_back":
        return MARKS["warning"]._replace(word=STEP_WORDS["rolling_back"])
    if state.waits_for or state.step == "waiting_for_safe":
        return MARKS["paused"]._replace(word="waits")
    return MARKS["running"]


def use_mark(stored: StoredBundle, *, stopped: bool = False) -> Mark:
    """How a bundle's place looks. `stopped`: the robot's worker is, so that nothing runs."""
    if stored.trouble:
        return MARKS["error"]._replace(word="UNUSABLE")
    if stored.use == "current" and stopped:
        return MARKS["off"]._replace(word="would run")
    mark = {"current": MARKS["ok"], "candidate": MARKS["running"]}.get(stored.use, MARKS["off"])
    return mark._replace(word=USE_WORDS[stored.use])
