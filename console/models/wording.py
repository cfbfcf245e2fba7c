"""How slots, steps, checks and ends of a change are said: the same words on the screen and headless."""

from __future__ import annotations

from remote.model_states import ModelsState, Outcome, Progress, ShadowState, Slot, Step, UpdateState

SHORT_DIGEST = 8
STEPS: tuple[Step, ...] = (
    "downloading",
    "verified",
    "staged",
    "building",
    "self_test",
    "waiting_for_safe",
    "switched",
    "probation",
    "committed",
)
"""The way of a change that goes well."""
STEP_WORDS: dict[Step, str] = {
    "idle": "idle",
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
    """How far a step is: `120 of 300 frames`, `400 frames, at least 300 are asked for`; empty where nobody knows."""
    if progress is None:
        return ""
    if progress.unit == "bytes":
        done, unit = f"{progress.done / 1e6:.1f}", "MB"
        whole = None if progress.whole is None else f"{progress.whole / 1e6:.1f}"
    else:
        done, unit = number_words(progress.done), progress.unit
        whole = None if progress.whole is None else number_words(progress.whole)
    if whole is not None and progress.whole is not None and progress.done > progress.whole:
        count = f"{done} {unit}, at least {whole} are asked for"
    else:
        count = f"{done} of {whole} {unit}".strip() if whole is not None else f"{done} {unit}".strip()
    return f"{count}, {progress.text}" if progress.text else count


def outcome_words(outcome: Outcome) -> str:
    """How a change ended, in a line."""
    what = named(outcome.digest, outcome.name)
    release = f" (release {outcome.release})" if outcome.release is not None else ""
    why = f": {outcome.why}" if outcome.why else ""
    where = "" if outcome.step == "waiting_for_safe" else f" in {STEP_WORDS[outcome.step]}"  # there a person went back
    words = {
        "committed": f"{what}{release} is kept",
        "returned": f"{what}{release} was taken back{where}{why}",
        "refused": f"{what}{release} was refused in {STEP_WORDS[outcome.step]}{why}",
        "cancelled": f"{what}{release} was called off in {STEP_WORDS[outcome.step]}{why}",
    }
    return words[outcome.ended]


def step_words(state: ModelsState) -> str:
    """What goes on, in a line: the step, how far it is and what holds it."""
    if state.step == "idle":
        return STEP_WORDS["idle"]
    far = progress_words(state.progress)
    what = f" of {named(state.candidate.digest, state.candidate.name)}" if state.candidate is not None else ""
    parts = [f"{STEP_WORDS[state.step]}{what}", *([far] if far else [])]
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
    taken = f", took release {updates.release}" if updates.release is not None else ""
    says = f": {updates.says}" if updates.says else ""
    return f"{updates.source.url} as {updates.source.robot_class}{taken}{says}"
