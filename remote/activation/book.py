"""Keeps the slots: in memory, in their file, and told to the journal; the file is written before anything else follows.

Beside them what is said of the step that they are in: what it waits for, and how far it is.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol

from remote.activation import slots as slots_file
from remote.activation import steps
from remote.activation.ground import Ground
from remote.activation.slots import Slots
from remote.activation.steps import Now
from remote.atomic import TEMPORARY_GLOB, sync
from remote.errors import Trouble
from remote.model_states import STEP_WORDS, Outcome, Progress, Slot
from remote.protocol import Severity
from remote.verdicts import Check

log = logging.getLogger("fieldgate.agent")


class Clock(Protocol):
    """The robot's clocks; the agent's Clock is one."""

    @property
    def boot_id(self) -> str:
        """Which boot `mono_ns` belongs to."""

    @property
    def mono_ns(self) -> Callable[[], int]:
        """Monotonic nanoseconds of this boot."""

    @property
    def wall_ns(self) -> Callable[[], int]:
        """Nanoseconds since the epoch; may jump."""


class Book:
    """`slots` is what holds; `unsaved` says why the file could not follow yet, empty while it does. `waits_for` and
    `progress` are what is said of the step.
    """

    def __init__(self, path: Path, ground: Ground, clock: Clock, embedded: Slot | None) -> None:
        self._path, self._ground, self._clock, self.embedded = path, ground, clock, embedded
        self.slots = Slots()
        self.unsaved = ""
        self.waits_for = ""
        self.progress: Progress | None = None

    @property
    def current(self) -> Slot | None:
        """What the worker runs or would run; None where there is no bundle at all."""
        return self.slots.current or self.embedded

    def now(self) -> Now:
        """One look at the clocks."""
        return Now(self._clock.boot_id, self._clock.mono_ns(), self._clock.wall_ns())

    def load(self, fresh: Slot | None, highest_release: int) -> None:
        """Read the file; a damaged one is moved aside and told. `fresh` is current where there is no file.

        `highest_release` holds where the file does not tell it: a robot must not take an older release then.
        """
        for left in self._path.parent.glob(f".{self._path.name}{TEMPORARY_GLOB[1:]}"):  # by a killed agent
            with contextlib.suppress(OSError):
                left.unlink()
        try:
            found = slots_file.load(self._path)
        except Trouble as trouble:
            self._put_aside(trouble)
            found = Slots(highest_release=highest_release)
        current = None if fresh is None or fresh.origin == "agent" else fresh
        self.slots = Slots(current=current, highest_release=highest_release) if found is None else found

    def put(self, new: Slots) -> None:
        """Save, then hold and tell. Raises Trouble (`slots_unwritable`): then nothing changed."""
        slots_file.save(self._path, new)
        self.unsaved = ""
        self._hold(new)

    def move(self, new: Slots) -> None:
        """The same for another step: what was said of the one before is over. Raises Trouble (`slots_unwritable`)."""
        self.put(new)
        self.says()

    def put_anyway(self, new: Slots) -> None:
        """Hold and tell even where the file can't be written now: the way back is not held up by a full disk.

        The file then still says that the candidate is on trial, with as many starts as it had: safe, and saved by `retry`.
        """
        try:
            slots_file.save(self._path, new)
            self.unsaved = ""
        except Trouble as trouble:
            self.unsaved = trouble.what
            self._ground.tell("model_slots_unsaved", "error", trouble.what, cure=trouble.cure)
        self._hold(new)

    def give_back(
        self, ended: Literal["returned", "cancelled", "went_back"], why: str, checks: Sequence[Check] = ()
    ) -> None:
        """After the switch: the one before is current again, whether the file can be written or not."""
        self.put_anyway(steps.give_back(self.slots, ended, why, checks, self.now()))
        self.says()

    def says(self, waits_for: str = "", progress: Progress | None = None) -> None:
        """Say what holds the step and how far it is; nothing by default."""
        if (waits_for, progress) != (self.waits_for, self.progress):
            self.waits_for, self.progress = waits_for, progress
            self._ground.changed()

    def retry(self) -> None:
        """Write what could not be written before, if there is such."""
        if self.unsaved:
            with contextlib.suppress(Trouble):  # it was told; the next tick tries again
                slots_file.save(self._path, self.slots)
                self.unsaved = ""
                self._ground.changed()

    def tell_step(self, why: str = "") -> None:
        """Journal the step as it is."""
        slots = self.slots
        slot = slots.candidate
        if slot is not None:
            self._ground.tell(
                "model_step",
                "warning" if slots.step == "rolling_back" else "info",
                f"{slot.name}: {STEP_WORDS[slots.step]}{f' ({why})' if why else ''}",
                step=slots.step,
                digest=slot.digest,
                name_of_bundle=slot.name,
                why=why,
                attempts=slots.attempts - slots.stops,
                by=slot.by,
                release=slot.release,
            )

    def _hold(self, new: Slots) -> None:
        old, self.slots = self.slots, new
        if new.step == "idle" and old.step != "idle" and new.last is not None:
            self._tell_end(new.last)
        elif new.step != old.step or new.tries != old.tries:
            self.tell_step(new.why)
        self._ground.changed()

    def _tell_end(self, last: Outcome) -> None:
        severity: Severity = "warning" if last.ended in ("returned", "refused") else "info"
        ended = last.ended.replace("_", " ")
        text = f"the change to {last.name} ended: {ended}{f' ({last.why})' if last.why else ''}"
        self._ground.tell(
            "model_change_ended",
            severity,
            text,
            ended=last.ended,
            digest=last.digest,
            why=last.why,
            step=last.step,
            release=last.release,
        )

    def _put_aside(self, trouble: Trouble) -> None:
        kept_as = self._path.with_name(self._path.name + ".damaged")
        text = f"{trouble.what}; what came with the agent runs"
        try:
            self._path.replace(kept_as)
            sync(kept_as.parent)
            text += f", the file is kept as {kept_as.name}"
        except OSError as error:
            text += f", and the file can't be moved aside: {error.strerror}"
        self._ground.tell("model_slots_damaged", "error", text, cure=trouble.cure, code=trouble.code)
