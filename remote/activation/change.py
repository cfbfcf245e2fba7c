"""One change of models at a time, from begin to its end, over a Ground. What is durable of it is saved before it is done.

All methods belong to the loop's thread. Of the agent it wants:
`load` at its start, before `digest` is asked for; `resume` once its loop runs, before it starts the worker itself;
`before_worker_start` before EVERY start of the worker's process, which then runs the digest that it returned;
`worker_died` after each end of the worker that nobody asked for; `tick` once a second; `close` at its end.
Of the Ground it wants that `run_worker` does nothing where the worker is stopped or runs that bundle already, and that a
cancelled `build` or `self_test` ends its child.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from remote.activation import steps
from remote.activation.book import Book, Clock
from remote.activation.ground import Ground, Seen
from remote.activation.probation import Looks, judge, looked
from remote.activation.slots import Slots
from remote.activation.store import ReleaseStore
from remote.errors import Trouble
from remote.model_states import AFTER_SWITCH, BEFORE_SWITCH, ModelsState, Probation, Progress, Slot, Step
from remote.verdicts import Check, overall

log = logging.getLogger("fieldgate.agent")


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
        self._task: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._waits_for = ""
        self._progress: Progress | None = None
        self._died = ""
        self._trial = _Trial()

    # ------------------------------------------------------------ what holds

    @property
    def slots(self) -> Slots:
        """What is durable, as it holds now."""
        return self._book.slots

    @property
    def digest(self) -> str | None:
        """The bundle that the worker runs or would run; None where there is none at all. Counts nothing."""
        slot = self._current()
        return slot.digest if slot else None

    @property
    def underway(self) -> bool:
        """Whether a change is."""
        return self.slots.step != "idle"

    def state(self) -> ModelsState:
        """What consoles see of it; `shadow` and `updates` are others' to add."""
        slots = self.slots
        return ModelsState(
            current=self._current(),
            previous=slots.previous,
            candidate=slots.candidate,
            step=slots.step,
            since_wall_ns=slots.since_wall_ns,
            attempts=slots.attempts,
            waits_for=self._book.unsaved or self._waits_for,
            progress=self._progress,
            last=slots.last,
        )

    def in_use(self) -> frozenset[str]:
        """The digests that must stay in the store."""
        slots = self.slots
        held = (self._current(), slots.previous, slots.candidate, slots.older)
        return frozenset(slot.digest for slot in held if slot is not None)

    # ------------------------------------------------------------ what people and releases ask for

    def begin(self, slot: Slot, probation: Probation = Probation()) -> None:
        """Begin a change to a bundle that lies in the store or its staging folder; it then goes on by itself.

        Raises Trouble: `update_underway`, `already_current`, `release_old`, `unknown_bundle`, `slots_unwritable`.
        """
        steps.must_be_idle(self.slots)
        self._store.must_have(slot.digest)
        self._put(steps.begin(self.slots, slot, probation, self._book.embedded, self._book.now()))
        self._drive_on()

    def cancel(self, reason: str) -> None:
        """Call the change off: before the switch nothing changes, after it the one before comes back.

        Raises Trouble: `no_change` where none is under way or it is past calling off, `slots_unwritable`.
        """
        slots = self.slots
        if slots.step in BEFORE_SWITCH:
            self._put(steps.refuse(slots, "cancelled", reason, (), self._book.now()))
            self._stop_driving()
        elif slots.step in AFTER_SWITCH:
            self._give_back("cancelled", reason)
            self._drive_on()
        else:
            raise Trouble("no change is under way that could be called off", code="no_change")

    def go_back(self, reason: str) -> None:
        """Bring back the bundle before this one: at once in probation, else when the robot may be switched.

        Raises Trouble: `update_underway` before the switch, `no_previous`, `slots_unwritable`.
        """
        if self.slots.step in AFTER_SWITCH:
            self._give_back("returned", reason)
        else:
            self._put(steps.go_back(self.slots, reason, self._book.now()))
        self._drive_on()

    def set_current(self, slot: Slot) -> None:
        """A person's plain choice without steps; the caller restarts the worker. Raises Trouble: `update_underway`,
        `slots_unwritable`.
        """
        self._put(steps.set_current(self.slots, slot, self._book.embedded))

    # ------------------------------------------------------------ what the agent tells

    def load(self, fresh: Slot | None = None) -> None:
        """Read what holds; `fresh` is what an agent without a file begins with. A damaged file is told and moved aside."""
        self._book.load(fresh)

    def resume(self) -> None:
        """Go on with a change in which the agent ended. Needs the running loop."""
        if self.underway:
            self._task = asyncio.get_running_loop().create_task(self._resumed())

    def before_worker_start(self) -> str | None:
        """The bundle to run now; on trial, this start is counted and saved before it is answered.

        Where no start is left, or it can't be counted, it is the one before. Never raises for that. None: there is no bundle.
        """
        if self.slots.step in AFTER_SWITCH:
            self._count()
        self._died = ""
        return self._usable()

    def worker_died(self, why: str) -> None:
        """The worker ended without being asked to."""
        self._died = why or "the worker ended"
        slots = self.slots
        if slots.step in AFTER_SWITCH and slots.attempts and not steps.may_attempt(slots):
            self._give_back("returned", self._crashed())
        self._wake()

    def tick(self) -> None:
        """A second went by."""
        self._book.retry()
        if self.underway and self._task is not None and self._task.done():
            self._drive_on()  # it ended by an error of the ground's own, which was logged
        self._wake()

    async def close(self) -> None:
        """The agent ends: what is under way stays as it is written, for the next start."""
        self._stop_driving()
        if self._ending is not None:
            await asyncio.wait({self._ending})

    # ------------------------------------------------------------ saving

    def _put(self, new: Slots) -> None:
        self._book.put(new)
        self._says()

    def _says(self, waits_for: str = "", progress: Progress | None = None) -> None:
        if (waits_for, progress) != (self._waits_for, self._progress):
            self._waits_for, self._progress = waits_for, progress
            self._ground.changed()

    def _give_back(self, ended: Literal["returned", "cancelled"], why: str, checks: Sequence[Check] = ()) -> None:
        self._book.put_anyway(steps.give_back(self.slots, ended, why, checks, self._book.now()))
        self._says()

    def _count(self) -> None:
        if not steps.may_attempt(self.slots):
            self._give_back("returned", self._crashed())
            return
        try:
            self._book.put(steps.count_attempt(self.slots))
        except Trouble as trouble:
            self._give_back("returned", f"its start could not be counted: {trouble.what}")
        if self.slots.attempts > 1:
            self._trial.looks = self._trial.looks.started(self._ground.seen_since())

    def _crashed(self) -> str:
        slots = self.slots
        ended = f", which ended: {self._died}" if self._died else ""
        return f"the worker was started {slots.attempts} times of {slots.probation.restarts} with it{ended}"

    # ------------------------------------------------------------ which bundle

    def _current(self) -> Slot | None:
        return self.slots.current or self._book.embedded

    def _usable(self) -> str | None:
        """The current bundle, or where the store lacks it the one before, or what came with the agent."""
        slot = self._current()
        if slot is None or self._store.has(slot.digest):
            return slot.digest if slot else None
        why = f"the bundle {slot.name} ({slot.digest[:12]}) is not in the robot's store any more"
        if self.slots.step in AFTER_SWITCH:
            self._give_back("returned", why)
        else:
            previous = self.slots.previous
            to = previous if previous and previous != slot and self._store.has(previous.digest) else None
            self._ground.tell("model_slot_unusable", "error", f"{why}; another one runs", digest=slot.digest)
            self._book.put_anyway(steps.fallen_back(self.slots, to))
        if self.slots.current is None:
            return self._book.embedded.digest if self._book.embedded else None
        return self._usable()

    # ------------------------------------------------------------ driving

    def _drive_on(self) -> None:
        self._stop_driving()
        self._task = asyncio.get_running_loop().create_task(self._drive(self._ending))

    def _stop_driving(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._ending, self._task = self._task, None
        self._says()

    def _wake(self) -> None:
        self._woken.set()

    async def _woke(self) -> None:
        await self._woken.wait()
        self._woken.clear()

    async def _resumed(self) -> None:
        await self._save(lambda: steps.recovered(self.slots, self._book.now()))
        if self.underway:
            self._book.tell_step("taken up again after the agent ended")
        self._trial = _Trial()
        await self._drive(None)

    async def _drive(self, old: asyncio.Task[None] | None) -> None:
        """Do step after step until the change is over; `old` is the driver before this one, whose work ends first."""
        if old is not None:
            await asyncio.wait({old})
        try:
            while self.underway:
                await self._one_step()
        except Exception:
            log.exception("a change can't go on; the next tick tries again")

    async def _one_step(self) -> None:
        step = self.slots.step
        try:
            await self._do(step)
        except Trouble as trouble:
            await self._failed(trouble.what, again=trouble.code == "no_space")
        except Exception as error:
            log.exception("the step %s of a change failed", step)
            await self._failed(f"{step} failed: {error!r}")

    async def _save(self, make: Callable[[], Slots]) -> None:
        """Put what `make` gives; a disk that can't take it now is waited for, unless another step comes meanwhile."""
        step = self.slots.step
        while self.slots.step == step:
            if self._task is not asyncio.current_task():
                raise asyncio.CancelledError  # called off while an await swallowed it
            new = make()  # may raise Trouble of its own, which is no matter of the disk
            try:
                self._put(new)
            except Trouble as trouble:
                self._says(f"{trouble.what}; {trouble.cure}")
                await self._woke()
            else:
                return

    async def _failed(self, why: str, checks: Sequence[Check] = (), *, again: bool = False) -> None:
        if self.slots.step in BEFORE_SWITCH:
            await self._save(lambda: steps.refuse(self.slots, "refused", why, checks, self._book.now(), again=again))
        elif self.slots.step in AFTER_SWITCH:
            self._give_back("returned", why, checks)
        else:
            await self._save(lambda: steps.finish(self.slots, self._book.now(), why))

    async def _do(self, step: Step) -> None:
        slots = self.slots
        assert slots.candidate is not None  # there is one in every step but idle
        digest = slots.candidate.digest
        if step == "verified":
            await asyncio.to_thread(self._store.verify, digest)
            await self._advance("staged")
        elif step == "staged":
            await asyncio.to_thread(self._store.stage, digest)
            await self._advance("building")
        elif step == "building":
            await self._ground.build(digest, self._say())
            await self._advance("self_test")
        elif step == "self_test":
            await self._self_test(digest)
        elif step == "waiting_for_safe":
            await self._wait_for_safe()
        elif step == "switched":
            await self._start(digest)
        elif step == "probation":
            await self._watch()
        elif step == "rolling_back":
            await self._return()
        else:
            await self._save(lambda: steps.finish(self.slots, self._book.now()))

    async def _advance(self, step: Step) -> None:
        await self._save(lambda: steps.advance(self.slots, step, self._book.now()))

    def _say(self) -> Callable[[Progress], None]:
        task = asyncio.current_task()

        def say(progress: Progress) -> None:
            if self._task is task:
                self._says(progress=progress)

        return say

    async def _self_test(self, digest: str) -> None:
        checks = await self._ground.self_test(digest, self._say())
        verdict = overall(checks)
        if verdict == "pass":
            await self._advance("waiting_for_safe")
        else:
            await self._failed(_bad(checks) or f"the self-test was {verdict}", checks)

    async def _wait_for_safe(self) -> None:
        try:
            busy = await self._ground.busy()
        except Trouble as trouble:
            busy = trouble.what
        if busy:
            self._says(waits_for=busy)
            await self._woke()
            return
        embedded, before = self._book.embedded, self._ground.seen_before()
        if self.slots.going_back:
            await self._save(lambda: steps.turn_back(self.slots, embedded, self._book.now()))
        else:
            await self._save(lambda: steps.switch(self.slots, before, embedded, self._book.now()))
            self._trial = _Trial()

    async def _start(self, digest: str) -> None:
        attempts = self.slots.attempts
        try:
            await self._ground.run_worker(digest)
        except Trouble as trouble:
            self._died = trouble.what
            if self.slots.step != "switched":
                return
            if self.slots.attempts == attempts or not steps.may_attempt(self.slots):
                self._give_back("returned", f"the worker does not start with it: {trouble.what}")
                return
            self._says(waits_for=f"the worker did not start, it is tried again: {trouble.what}")
            await self._woke()
            return
        if self.slots.step == "switched":
            await self._advance("probation")

    async def _watch(self) -> None:
        await self._woke()
        if self.slots.step != "probation":
            return
        now, wanted = self._book.now(), self._ground.worker_wanted()
        lived_s = self._trial.lived(now.mono_ns, wanted)
        if not wanted and self._died:
            self._give_back("returned", f"the worker does not start with it any more: {self._died}")
        elif not wanted:
            self._says("the worker is stopped: it is judged while it runs", self._progress)
        else:
            await self._judge(lived_s)

    async def _judge(self, lived_s: float) -> None:
        plan, since = self.slots.probation, self._ground.seen_since()
        verdict, checks = judge(plan, self.slots.before or Seen(), since, self._trial.looks)
        self._trial.looks = looked(plan, since, self._trial.looks)
        if verdict == "fail":
            self._give_back("returned", _bad(checks), checks)
        elif verdict == "pass":
            await self._save(lambda: steps.commit(self.slots, "", checks, self._book.now()))
        elif lived_s > plan.most_s:
            open_ = "; ".join(check.text for check in checks if check.verdict == "inconclusive")
            self._give_back("returned", f"nothing was decided within {plan.most_s:g} s: {open_}", checks)
        else:
            self._says(progress=Progress(done=since.frames, whole=plan.frames, unit="frames"))

    async def _return(self) -> None:
        digest, more = self.digest, ""
        if digest is not None:
            try:
                await self._ground.run_worker(digest)
            except Trouble as trouble:
                more = f"the worker does not start with the one before: {trouble.what}"
        await self._save(lambda: steps.finish(self.slots, self._book.now(), more))


class _Trial:
    """What is known of a probation in this life of the agent only."""

    def __init__(self) -> None:
        self.looks = Looks()
        self._lived_ns = 0
        self._last_ns: int | None = None

    def lived(self, mono_ns: int, wanted: bool) -> float:
        """Seconds in which the worker was wanted, up to now."""
        if wanted and self._last_ns is not None:
            self._lived_ns += max(0, mono_ns - self._last_ns)
        self._last_ns = mono_ns if wanted else None
        return self._lived_ns / 1e9


def _bad(checks: Sequence[Check]) -> str:
    """What the checks say that did not pass."""
    return "; ".join(check.text for check in checks if check.verdict in ("fail", "inconclusive"))
