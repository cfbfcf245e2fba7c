"""One change of models at a time, from begin to its end, over a Ground. What is durable of it is saved before it is done.

All methods belong to the loop's thread. Of the agent it wants:
`load` at its start, before `digest` is asked for; `resume` once its loop runs, before it starts the worker itself;
`before_worker_start` before EVERY start of the worker's process, which then runs the digest that it returned;
`worker_died` after each end of the worker that nobody asked for; `tick` once a second; `close` at its end.
Of the Ground it wants that `run_worker` does nothing where the worker is stopped or runs that bundle already, and that a
cancelled `build` or `self_test` ends its child.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from remote.activation import steps
from remote.activation.book import Book, Clock
from remote.activation.driver import Driver
from remote.activation.ground import Ground
from remote.activation.slots import Slots
from remote.activation.store import ReleaseStore
from remote.errors import Trouble
from remote.model_states import AFTER_SWITCH, BEFORE_SWITCH, STEP_WORDS, ModelsState, Probation, Slot


class Change:
    """The robot's models: which runs, which was before, and the change that is under way.

    Args:
        path: the slots' file.
        store: where the bundles lie.
        ground: the robot around it.
        clock: its clocks; the agent's Clock is one.
        embedded: the bundle that came with the agent (origin `agent`); None where none did.
    """

    def __init__(
        self, path: Path, store: ReleaseStore, ground: Ground, clock: Clock, embedded: Slot | None = None
    ) -> None:
        self._store, self._ground = store, ground
        self._book = Book(path, ground, clock, embedded)
        self._driver = Driver(self._book, store, ground)

    # ------------------------------------------------------------ what holds

    @property
    def slots(self) -> Slots:
        """What is durable, as it holds now."""
        return self._book.slots

    @property
    def digest(self) -> str | None:
        """The bundle that the worker runs or would run; None where there is none at all. Counts nothing."""
        slot = self._book.current
        return slot.digest if slot else None

    @property
    def underway(self) -> bool:
        """Whether a change is."""
        return self.slots.step != "idle"

    def state(self) -> ModelsState:
        """What consoles see of it; `shadow` and `updates` are others' to add."""
        slots = self.slots
        return ModelsState(
            current=self._book.current,
            previous=slots.previous,
            candidate=slots.candidate,
            step=slots.step,
            since_wall_ns=slots.since_wall_ns,
            attempts=slots.attempts - slots.stops,
            waits_for=self._book.unsaved or self._book.waits_for,
            progress=self._book.progress,
            last=slots.last,
        )

    def in_use(self) -> frozenset[str]:
        """The digests that must stay in the store."""
        slots = self.slots
        held = (self._book.current, slots.previous, slots.candidate, slots.older)
        return frozenset(slot.digest for slot in held if slot is not None)

    def prunable(self, in_use: Collection[str]) -> tuple[str, ...]:
        """Bundles of the store that releases brought and that may go; none while a change is under way."""
        return () if self.underway else steps.prunable(self.slots, self.in_use() | set(in_use))

    def pruned(self, gone: Collection[str]) -> None:
        """These do not lie here any more."""
        self._book.put_anyway(steps.pruned(self.slots, gone))

    # ------------------------------------------------------------ what people and releases ask for

    def begin(self, slot: Slot, probation: Probation = Probation()) -> None:
        """Begin a change to a bundle that lies in the store or its staging folder; it then goes on by itself.

        Raises Trouble: `update_underway`, `already_current`, `release_old`, `unknown_bundle`, `slots_unwritable`.
        """
        steps.must_be_idle(self.slots)
        self._store.must_have(slot.digest)
        new_here = slot.origin in steps.BY_ITSELF and not self._store.has(slot.digest)
        slots = steps.brought(self.slots, slot.digest) if new_here else self.slots
        self._book.move(steps.begin(slots, slot, probation, self._book.embedded, self._book.now()))
        self._driver.drive_on()

    def cancel(self, reason: str) -> None:
        """Call the change off: before the switch nothing changes, after it the one before comes back.

        Raises Trouble: `no_change` where none is under way or it is past calling off, `slots_unwritable`.
        """
        slots = self.slots
        if slots.step in BEFORE_SWITCH:
            self._book.move(steps.refuse(slots, "cancelled", reason, (), self._book.now()))
            self._driver.stop()
        elif slots.step in AFTER_SWITCH:
            self._book.give_back("cancelled", reason)
            self._driver.drive_on()
        else:
            cure = "`fieldgate model list` tells which model runs; `fieldgate model back` brings back the one before"
            if slots.step != "idle":
                cure = "wait for its end, which `fieldgate model list` tells"
                what = f"the change is past being called off: {STEP_WORDS[slots.step]}"
                raise Trouble(what, cure=cure, code="no_change")
            raise Trouble("no change is under way that could be called off", cure=cure, code="no_change")

    def go_back(self, reason: str) -> None:
        """Bring back the bundle before this one: at once in probation, else when the robot may be switched.

        Raises Trouble: `update_underway` before the switch, `no_previous`, `slots_unwritable`.
        """
        if self.slots.step in AFTER_SWITCH:
            self._book.give_back("went_back", reason)
        else:
            self._book.move(steps.go_back(self.slots, reason, self._book.now()))
        self._driver.drive_on()

    def set_current(self, slot: Slot) -> None:
        """A person's plain choice without steps; the caller restarts the worker. Raises Trouble: `update_underway`,
        `slots_unwritable`.
        """
        self._book.move(steps.set_current(self.slots, slot, self._book.embedded))

    # ------------------------------------------------------------ what the agent tells

    def load(self, fresh: Slot | None = None, highest_release: int = 0) -> None:
        """Read what holds; `fresh` is what an agent without a file begins with. A damaged file is told and moved aside.

        `highest_release` is the highest that others remember: it holds where the file does not tell it.
        """
        self._book.load(fresh, highest_release)

    def resume(self) -> None:
        """Go on with a change in which the agent ended. Needs the running loop."""
        if self.underway:
            self._driver.resume()

    def before_worker_start(self) -> str | None:
        """The bundle to run now; on trial, this start is counted and saved before it is answered.

        Where no start is left, or it can't be counted, it is the one before. Never raises for that. None: there is no bundle.
        """
        if self.slots.step in AFTER_SWITCH:
            self._count()
        self._driver.trial.died = ""
        return self._usable()

    def worker_died(self, why: str) -> None:
        """The worker ended without being asked to."""
        self._driver.trial.died = why or "the worker ended"
        slots = self.slots
        if slots.step in AFTER_SWITCH and slots.attempts and not steps.may_attempt(slots):
            self._book.give_back("returned", self._crashed())
        self._driver.wake()

    def tick(self) -> None:
        """A second went by."""
        self._book.retry()
        self._driver.tick()

    async def close(self) -> None:
        """The agent ends: what is under way stays as it is written, for the next start."""
        await self._driver.close()

    def stopped_by_person(self) -> None:
        """A person stopped the worker, which ran and ended as it was asked to: on trial that start is given back."""
        counted = steps.count_stop(self.slots)
        if counted != self.slots:
            self._book.put_anyway(counted)

    def unusable(self, digest: str, why: str) -> bool:
        """The bundle that is to run is damaged: the one before takes its place, or what came with the agent; whether one did.

        On trial nothing is done: each start is counted, and the one before comes back by that.
        """
        current = self.slots.current
        if current is None or current.digest != digest or self.slots.step in AFTER_SWITCH:
            return False
        self._fall_back(current, why)
        return True

    # ------------------------------------------------------------ starts on trial

    def _count(self) -> None:
        if not steps.may_attempt(self.slots):
            self._book.give_back("returned", self._crashed())
            return
        try:
            self._book.put(steps.count_attempt(self.slots))
        except Trouble as trouble:
            self._book.give_back("returned", f"its start could not be counted: {trouble.what}")
        if self.slots.attempts > 1:
            self._driver.trial.looks = self._driver.trial.looks.started(self._ground.seen_since())

    def _crashed(self) -> str:
        slots = self.slots
        ended = f", which ended: {self._driver.trial.died}" if self._driver.trial.died else ""
        return (
            f"the worker was started {slots.attempts - slots.stops} times of {slots.probation.restarts} with it{ended}"
        )

    # ------------------------------------------------------------ which bundle

    def _usable(self) -> str | None:
        """The current bundle, or where the store lacks it the one before, or what came with the agent."""
        slot = self._book.current
        if slot is None or self._store.has(slot.digest):
            return slot.digest if slot else None
        why = f"the bundle {slot.name} ({slot.digest[:12]}) is not in the robot's store any more"
        if self.slots.step in AFTER_SWITCH:
            self._book.give_back("returned", why)
        else:
            self._fall_back(slot, why)
        if self.slots.current is None:
            return self._book.embedded.digest if self._book.embedded else None
        return self._usable()

    def _fall_back(self, slot: Slot, why: str) -> None:
        previous = self.slots.previous
        to = previous if previous and previous.digest != slot.digest and self._store.has(previous.digest) else None
        self._ground.tell("model_slot_unusable", "error", f"{why}; another one runs", digest=slot.digest)
        self._book.put_anyway(steps.fallen_back(self.slots, to))
