"""How slots, steps, checks and ends of a change are said: the same words on the screen and headless."""

from __future__ import annotations

import re
from typing import Literal

from console.checklist.wording import age_words
from remote.model_states import (
    AFTER_SWITCH,
    BEFORE_SWITCH,
    STEP_WORDS,
    ModelsState,
    Outcome,
    Progress,
    ShadowState,
    Slot,
    Step,
    UpdateState,
)
from remote.protocol import WorkerPhase

__all__ = [
    "END_WORDS",
    "SHORT_DIGEST",
    "STEPS",
    "STEP_MEANS",
    "STEP_WORDS",
    "ago_words",
    "bytes_words",
    "chosen_since",
    "does_words",
    "goes_back",
    "look_words",
    "named",
    "number_words",
    "origin_words",
    "outcome_words",
    "progress_words",
    "shadow_beside",
    "shadow_words",
    "share_of",
    "slot_words",
    "step_name",
    "step_words",
    "update_words",
]
SHORT_DIGEST = 8
STEPS: tuple[Step, ...] = (*BEFORE_SWITCH, *AFTER_SWITCH, "committed")
"""The way of a change that goes well."""
_OF: dict[Step, str] = {
    "idle": "no change, with {}",
    "downloading": "downloading {}",
    "verified": "verifying {}",
    "staged": "staging {}",
    "building": "building the engine of {}",
    "self_test": "self-test of {}",
    "waiting_for_safe": "waiting for safe, to switch to {}",
    "switched": "switching to {}",
    "probation": "probation of {}",
    "committed": "keeping {}",
    "rolling_back": "going back from {}",
}
"""The same as STEP_WORDS, with the bundle that it is about."""
_GOING_BACK = "waiting to go back to {}"
END_WORDS: dict[str, str] = {
    "committed": "kept",
    "returned": "returned",
    "refused": "refused",
    "cancelled": "called off",
    "went_back": "went back",
}
"""How a change ended, in a word."""
STEP_MEANS: dict[Step, str] = {
    "idle": "nothing is being changed",
    "downloading": "files come from the repository",
    "verified": "every file against the manifest",
    "staged": "sealed: nothing can change it",
    "building": "the engine is made on this robot",
    "self_test": "golden outputs, numbers, time",
    "waiting_for_safe": "the robot says when",
    "switched": "the worker starts with the new model",
    "probation": "measured against the one before",
    "committed": "the one before stays until the next",
    "rolling_back": "the one before comes back",
}
_ORIGINS = {
    "agent": "came with the agent",
    "push": "pushed",
    "chosen": "chosen",
    "release": "release",
    "usb": "from a stick, release",
}


def named(digest: str, name: str) -> str:
    """A bundle in a word: `tabletop 66f284eb`."""
    return f"{name or 'bundle'} {digest[:SHORT_DIGEST]}"


def origin_words(slot: Slot) -> str:
    """Where it came from: `pushed by ann@laptop`, `release 7`. Who brought a release onto the robot is not who signed it."""
    number = f" {slot.release}" if slot.release is not None else ""
    by = f" by {slot.by}" if slot.by and slot.origin not in ("release", "usb") else ""
    return f"{_ORIGINS[slot.origin]}{number}{by}"


def slot_words(slot: Slot | None) -> str:
    """A slot in a line; `none` for an empty one."""
    return "none" if slot is None else f"{named(slot.digest, slot.name)}, {origin_words(slot)}"


def number_words(value: float) -> str:
    """A number as short as it may be read: three digits that count, all of a count."""
    return f"{value:.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.3g}"


def progress_words(progress: Progress | None) -> str:
    """How far a step is: `120 of 300 frames, 19 of 30 s`, `300 frames are through (411 now)`; empty where nobody knows."""
    if progress is None:
        return ""
    count = _count_words(progress)
    return (f"{count}, {progress.text}" if count else progress.text) if progress.text else count


def _count_words(progress: Progress) -> str:
    if progress.whole is None and not progress.unit and progress.text:
        return ""  # something goes on that nobody counts
    if progress.unit == "bytes":
        return bytes_words(progress.done, progress.whole)
    done, unit = number_words(progress.done), progress.unit
    whole = None if progress.whole is None else number_words(progress.whole)
    if whole is None:
        return f"{done} {unit}".strip()
    if progress.whole is not None and progress.done > progress.whole:
        return f"{whole} {unit} are through ({done} now)"
    return f"{done} of {whole} {unit}".strip()


def ago_words(wall_ns: int, clock_ns: int | None) -> str:
    """`3 min ago` for a moment of a clock that shows `clock_ns` now; empty where that can't be said."""
    if not wall_ns or clock_ns is None or clock_ns < wall_ns:
        return ""
    return f"{age_words((clock_ns - wall_ns) / 1e9)} ago"


def bytes_words(done: float, whole: float | None) -> str:
    """So many bytes of as many, in the unit in which the whole is read best: `0.4 of 1.1 kB`, `3.0 of 12.5 MB`."""
    most = done if whole is None else whole
    size, unit = (1e6, "MB") if most >= 1e6 else (1e3, "kB")
    return f"{done / size:.1f} {unit}" if whole is None else f"{done / size:.1f} of {whole / size:.1f} {unit}"


def share_of(progress: Progress | None) -> float | None:
    """How far a step is, from 0 to 1; None where nobody knows."""
    if progress is None or not progress.whole:
        return None
    return progress.share if progress.share is not None else min(1.0, progress.done / progress.whole)


def outcome_words(outcome: Outcome) -> str:
    """How a change ended, in a line."""
    what = named(outcome.digest, outcome.name)
    release = f" (release {outcome.release})" if outcome.release is not None else ""
    why = f": {outcome.why}" if outcome.why else ""
    words = {
        "committed": f"{what}{release} is kept",
        "returned": f"{what}{release} was taken back in {STEP_WORDS[outcome.step]}{why}",
        "refused": f"{what}{release} was refused in {STEP_WORDS[outcome.step]}{why}",
        "cancelled": f"{what}{release} was called off in {STEP_WORDS[outcome.step]}{why}",
        "went_back": f"a person went back from {what}{release} to the one before{why}",
    }
    return words[outcome.ended]


def step_words(state: ModelsState) -> str:
    """What goes on, in a line: the step, how far it is and what holds it."""
    if state.step == "idle":
        return STEP_WORDS["idle"]
    far = progress_words(state.progress)
    slot = state.candidate
    of = _GOING_BACK if goes_back(state) else _OF[state.step]
    what = of.format(named(slot.digest, slot.name)) if slot is not None else STEP_WORDS[state.step]
    parts = [what, *([far] if far else [])]
    if state.waits_for:
        parts.append(f"waits: {state.waits_for}")
    start = f"start {state.attempts}"
    if state.attempts > 1 and start not in far:
        parts.append(f"{start} of it")
    return ", ".join(parts)


def goes_back(state: ModelsState) -> bool:
    """Whether what is waited for is the way back to the bundle before, which a person wants."""
    return state.step == "waiting_for_safe" and state.candidate is not None and state.candidate == state.previous


def step_name(state: ModelsState) -> str:
    """The step in a word or two, without the bundle."""
    return "waiting to go back" if goes_back(state) else STEP_WORDS[state.step]


def does_words(state: ModelsState, worker: WorkerPhase | Literal[""] = "") -> str:
    """What the robot does with its current bundle: `runs` only while it does. `worker` is empty where it is not known."""
    if worker == "stopped":
        return "would run"
    moves: dict[str, str] = {"switched": "switching to", "rolling_back": "going back to"}
    if state.step in moves:
        return moves[state.step]
    return "starting" if worker in ("starting", "waiting_to_restart") else "runs"


def chosen_since(state: ModelsState) -> Slot | None:
    """The bundle that runs where a person surely chose it after the last change, which then says nothing of it."""
    current, last = state.current, state.last
    if current is None or last is None or current.origin != "chosen" or last.ended == "refused":
        return None
    runs_what_was_left = (current.digest == last.digest) == (last.ended != "committed")
    return current if runs_what_was_left else None


def shadow_beside(shadow: ShadowState) -> str:
    """How long it ran beside: `31 of 60 s`; `31 s` where the robot does not say how long it shall."""
    return f"{shadow.seconds:.0f} s" if shadow.whole_s is None else f"{shadow.seconds:.0f} of {shadow.whole_s:g} s"


def shadow_words(shadow: ShadowState) -> list[str]:
    """What a candidate that runs beside shows, in lines."""
    both = shadow.agreed + shadow.only_current + shadow.only_candidate
    share = f" ({100 * shadow.agreed / both:.1f} %)" if both else ""
    lines = [
        f"{named(shadow.digest, shadow.name)} beside, {shadow_beside(shadow)}, {shadow.frames} pictures"
        + (f"; ended: {shadow.ended}" if shadow.ended else ""),
        f"boxes: {shadow.agreed} of {both} in both{share}, {shadow.only_current} only now, "
        f"{shadow.only_candidate} only the candidate's",
    ]
    if shadow.current_ms is not None and shadow.candidate_ms is not None:
        lines.append(f"time: {shadow.current_ms:.1f} ms now, {shadow.candidate_ms:.1f} ms the candidate (median)")
    return lines


def update_words(updates: UpdateState | None) -> str:
    """Where releases come from and what came of the last look."""
    if updates is None:
        return "no update repository; updates enrol names one"
    number = updates.release
    told = number is None or re.search(rf"\brelease {number}\b", updates.says) is not None
    taken = "" if told else f", took release {number}"
    says = f": {updates.says}" if updates.says else ""
    return f"{updates.source.url} as {updates.source.robot_class}{taken}{says}"


def look_words(models: ModelsState | None) -> str:
    """What came of a look for a release that somebody asked for; where it was taken, also how far it is and what holds it."""
    says = (models.updates.says if models is not None and models.updates is not None else "") or "it looked"
    if models is None or models.candidate is None:
        return says
    return f"{says}; it is being brought into use: {step_words(models)}"
