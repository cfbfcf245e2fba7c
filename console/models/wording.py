"""How slots, steps, checks and ends of a change are said: the same words on the screen and headless."""

from __future__ import annotations

import re

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

__all__ = [
    "END_WORDS",
    "SHORT_DIGEST",
    "STEPS",
    "STEP_MEANS",
    "STEP_WORDS",
    "look_words",
    "named",
    "number_words",
    "origin_words",
    "outcome_words",
    "progress_words",
    "shadow_words",
    "slot_words",
    "step_words",
    "update_words",
]
SHORT_DIGEST = 8
STEPS: tuple[Step, ...] = (*BEFORE_SWITCH, *AFTER_SWITCH, "committed")
"""The way of a change that goes well."""
_OF: dict[Step, str] = {
    "idle": "idle, with {}",
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
    """Where it came from: `pushed by ann@laptop`, `release 7`."""
    number = f" {slot.release}" if slot.release is not None else ""
    by = f" by {slot.by}" if slot.by else ""
    return f"{_ORIGINS[slot.origin]}{number}{by}"


def slot_words(slot: Slot | None) -> str:
    """A slot in a line; `none` for an empty one."""
    return "none" if slot is None else f"{named(slot.digest, slot.name)}, {origin_words(slot)}"


def number_words(value: float) -> str:
    """A number as short as it may be read: three digits that count, all of a count."""
    return f"{value:.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.3g}"


def progress_words(progress: Progress | None) -> str:
    """How far a step is: `120 of 300 frames`, `300 frames are through (411 now)`; empty where nobody knows."""
    if progress is None:
        return ""
    count = _count_words(progress)
    return (f"{count}, {progress.text}" if count else progress.text) if progress.text else count


def _count_words(progress: Progress) -> str:
    if progress.whole is None and not progress.unit and progress.text:
        return ""  # something goes on that nobody counts
    if progress.unit == "bytes":
        done, unit = f"{progress.done / 1e6:.1f}", "MB"
        whole = None if progress.whole is None else f"{progress.whole / 1e6:.1f}"
    else:
        done, unit = number_words(progress.done), progress.unit
        whole = None if progress.whole is None else number_words(progress.whole)
    if whole is None:
        return f"{done} {unit}".strip()
    if progress.whole is not None and progress.done > progress.whole:
        return f"{whole} {unit} are through ({done} now)"
    return f"{done} of {whole} {unit}".strip()


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
    what = _OF[state.step].format(named(slot.digest, slot.name)) if slot is not None else STEP_WORDS[state.step]
    parts = [what, *([far] if far else [])]
    if state.waits_for:
        parts.append(f"waits: {state.waits_for}")
    if state.attempts > 1:
        parts.append(f"start {state.attempts} of it")
    return ", ".join(parts)


def shadow_words(shadow: ShadowState) -> list[str]:
    """What a candidate that runs beside shows, in lines."""
    both = shadow.agreed + shadow.only_current + shadow.only_candidate
    share = f" ({100 * shadow.agreed / both:.1f} %)" if both else ""
    lines = [
        f"{named(shadow.digest, shadow.name)} beside, {shadow.seconds:.0f} s, {shadow.frames} pictures"
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
