"""What is durable of a change of models, in one small file: each change of it is one atomic replacement.

The file is the truth. Whatever is killed or loses power, what was running is `current`, and a candidate that was switched in
without having been kept is known as such at the next start, with the number of its attempts.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from remote.activation.ground import Seen
from remote.atomic import write_atomically
from remote.errors import Trouble
from remote.model_states import AFTER_SWITCH, Outcome, Probation, Slot, Step
from remote.ready_types import ready
from remote.strict_yaml import read_bytes

FORMAT = 1
LIMIT_BYTES = 1024 * 1024
"""Far more than what steps keeps of names and reasons."""


class Slots(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that survives. Fields that a newer agent added are passed over: the robot may get the one before back.

    `current` None: what came with the agent. `previous` is kept until the next change is committed. `candidate` is there
    exactly while `step` is not idle; after the switch it equals `current`. `attempts` counts starts of the worker with the
    candidate since the switch, each written before the start. `transitions` counts the steps of this change, `tries` how
    often it was taken up again after the agent ended. `boot_id` and `since_mono_ns` say when `step` began by the robot's
    monotonic clock. `highest_release` never falls.

    `older` is what `previous` was before the switch: it is `previous` again where the candidate is given back. `before` is
    what was seen of the model before the switch. `ending` is the outcome that a change ends with, there exactly in
    `committed` and `rolling_back`. `going_back`: the candidate is the one before, asked for by a person. `looks` is how often
    the statistics of its probation were judged for giving it back and for keeping it, over all lives of the agent.

    `stops` counts how often a person stopped the candidate while it ran well: such a start is not held against it. `over_air`
    are the bundles that releases brought and no person chose since, the newest last.
    """

    format: int = FORMAT
    current: Slot | None = None
    previous: Slot | None = None
    candidate: Slot | None = None
    probation: Probation = Probation()
    step: Step = "idle"
    attempts: int = 0
    transitions: int = 0
    tries: int = 0
    since_wall_ns: int = 0
    since_mono_ns: int = 0
    boot_id: str = ""
    why: str = ""
    last: Outcome | None = None
    highest_release: int = 0
    older: Slot | None = None
    before: Seen | None = None
    ending: Outcome | None = None
    going_back: bool = False
    looks: tuple[int, int] = (0, 0)
    stops: int = 0
    over_air: tuple[str, ...] = ()


def load(path: Path) -> Slots | None:
    """What the file says; None where there is none. Raises Trouble (code `slots_damaged`) for one that can't be read."""
    if not path.exists():
        return None
    data = read_bytes(path, what="the models' slots", code="slots_damaged", limit_bytes=LIMIT_BYTES)
    cure = "the bundle that came with the agent runs; push a bundle again"
    try:
        found = msgspec.convert(_known(msgspec.json.decode(data)), ready(Slots), str_keys=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Trouble(f"{path} can't be understood: {error}", cure=cure, code="slots_damaged") from error
    if found.format != FORMAT:
        raise Trouble(f"{path} has format {found.format}, not {FORMAT}", cure=cure, code="slots_damaged")
    wrong = _contradiction(found)
    if wrong:
        raise Trouble(f"{path} can't be: {wrong}", cure=cure, code="slots_damaged")
    return found


def _known(told: object) -> object:
    """Without what a newer agent asks of a probation; anywhere else asking for what nobody knows is refused."""
    if isinstance(told, dict) and isinstance(plan := told.get("probation"), dict):
        fields = Probation.__struct_fields__
        return {**told, "probation": {name: value for name, value in plan.items() if name in fields}}
    return told


def _contradiction(slots: Slots) -> str:
    """Why no agent wrote this; empty where one may have. A change that lacks a part could neither go on nor be called off."""
    underway, ends = slots.step != "idle", slots.step in ("committed", "rolling_back")
    candidate, current = slots.candidate, slots.current
    if underway != (candidate is not None):
        return f"the step is {slots.step} {'without' if underway else 'with'} a candidate"
    if ends != (slots.ending is not None):
        return f"the step is {slots.step} {'without' if ends else 'with'} an outcome"
    if slots.step in AFTER_SWITCH and candidate and (current is None or current.digest != candidate.digest):
        return f"the step is {slots.step} and another bundle than the candidate is current"
    if slots.going_back and slots.step not in ("waiting_for_safe", "rolling_back"):
        return f"it goes back in the step {slots.step}"
    counts = (slots.attempts, slots.transitions, slots.tries, slots.highest_release, slots.stops, *slots.looks)
    return "a count is negative" if min(counts) < 0 else ""


def save(path: Path, slots: Slots) -> None:
    """Replace the file, synced to the disk. Raises Trouble (code `slots_unwritable`)."""
    try:
        write_atomically(path, msgspec.json.encode(slots))
    except OSError as error:
        what = f"the models' slots {path} can't be written: {error.strerror}"
        raise Trouble(
            what, cure="make space on that disk, or check who owns the folder", code="slots_unwritable"
        ) from error
