"""Drives a change: does step after step in a task of its own, until it is over. What each step needs is the Ground's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import msgspec

from remote.activation import steps
from remote.activation.book import Book
from remote.activation.ground import Ground, Seen
from remote.activation.how_far import how_far
from remote.activation.probation import frames_to_compare, judge, looked
from remote.activation.slots import Slots
from remote.activation.store import ReleaseStore
from remote.activation.trial import Stopwatch, Trial
from remote.errors import Trouble
from remote.model_states import AFTER_SWITCH, BEFORE_SWITCH, STEP_WORDS, Progress, Step
from remote.verdicts import Check, overall

log = logging.getLogger("fieldgate.agent")
LONGEST_COMPARE_S = 60.0
"""So long the frames of the model that runs are waited for, before it is exchanged."""
_ASKED = {"latency_p99": "p99 of end to end", "misses": "missed objects", "boxes": "boxes a frame"}
"""What a check asks, in words, where its name alone says little."""
LONGEST_RETURN_S = 300.0
"""So long the worker is waited for with the one before: what keeps that from starting too is no matter of this change."""
WAITS_TO_COMPARE = "frames of the model that runs now, to compare with"


class Driver:
    """All methods belong to the loop's thread. `trial` is what is known of the candidate since the switch."""

    def __init__(self, book: Book, store: ReleaseStore, ground: Ground) -> None:
        self._book, self._store, self._ground = book, store, ground
        self._task: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._comparing = Stopwatch()
        self.trial = Trial()

    # ------------------------------------------------------------ the task

    def drive_on(self) -> None:
        """Do what the slots say, from now on; what was being done before is ended first."""
        self.stop()
        self._task = asyncio.get_running_loop().create_task(self._drive(self._ending))

    def resume(self) -> None:
        """The same after the agent's start, for a change in which it ended."""
        self._task = asyncio.get_running_loop().create_task(self._resumed())

    def stop(self) -> None:
        """End what is being done."""
        if self._task is not None:
            self._task.cancel()
            self._ending, self._task = self._task, None
        self._book.says()

    def wake(self) -> None:
        """What is waited for may have come."""
        self._woken.set()

    def tick(self) -> None:
        """A second went by."""
        if self._slots.step != "idle" and self._task is not None and self._task.done():
            self.drive_on()  # it ended by an error of the ground's own, which was logged
        self.wake()

    async def close(self) -> None:
        """Stop, and wait until all is ended."""
        self.stop()
        if self._ending is not None:
            await asyncio.wait({self._ending})

    @property
    def _slots(self) -> Slots:
        return self._book.slots

    async def _woke(self) -> None:
        self._go_on()
        await self._woken.wait()
        self._woken.clear()

    async def _resumed(self) -> None:
        await self._save(lambda: steps.recovered(self._slots, self._book.now()))
        if self._slots.step != "idle":
            self._book.tell_step("taken up again after the agent ended")
        self.trial = Trial(self._slots.looks)
        await self._drive(None)

    async def _drive(self, old: asyncio.Task[None] | None) -> None:
        """Do step after step until the change is over; `old` is the driver before this one, whose work ends first."""
        if old is not None:
            await asyncio.wait({old})
        try:
            while self._slots.step != "idle":
                await self._one_step()
        except Exception:
            log.exception("a change can't go on; the next tick tries again")

    async def _one_step(self) -> None:
        step = self._slots.step
        try:
            await self._do(step)
        except Trouble as trouble:
            broke = trouble.code == "self_test_broke"
            why = f"{trouble.what}; {trouble.cure}" if broke else trouble.what
            await self._failed(why, again=broke or trouble.code == "no_space")
        except Exception as error:
            log.exception("the step %s of a change failed", step)
            await self._failed(f"{STEP_WORDS[step]} failed: {error!r}")

    async def _save(self, make: Callable[[], Slots]) -> None:
        """Put what `make` gives; a disk that can't take it now is waited for, unless another step comes meanwhile."""
        step = self._slots.step
        while self._slots.step == step:
            self._go_on()
            new = make()  # may raise Trouble of its own, which is no matter of the disk
            try:
                self._book.move(new)
            except Trouble as trouble:
                self._book.says(f"{trouble.what}; {trouble.cure}")
                await self._woke()
            else:
                return

    def _go_on(self) -> None:
        """Raises CancelledError where this was called off while an await swallowed it, as `wait_for` may: nobody wakes it."""
        if self._task is not asyncio.current_task():
            raise asyncio.CancelledError

    async def _failed(self, why: str, checks: Sequence[Check] = (), *, again: bool = False) -> None:
        if self._slots.step in BEFORE_SWITCH:
            await self._save(lambda: steps.refuse(self._slots, "refused", why, checks, self._book.now(), again=again))
        elif self._slots.step in AFTER_SWITCH:
            self._book.give_back("returned", why, checks)
        else:
            await self._save(lambda: steps.finish(self._slots, self._book.now(), why))

    # ------------------------------------------------------------ the steps

    async def _do(self, step: Step) -> None:
        slots = self._slots
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
            await self._save(lambda: steps.finish(self._slots, self._book.now()))

    async def _advance(self, step: Step) -> None:
        await self._save(lambda: steps.advance(self._slots, step, self._book.now()))

    def _say(self) -> Callable[[Progress], None]:
        task = asyncio.current_task()

        def say(progress: Progress) -> None:
            if self._task is task:
                self._book.says(progress=progress)

        return say

    async def _self_test(self, digest: str) -> None:
        checks = await self._ground.self_test(digest, self._say())
        verdict = overall(checks)
        if verdict == "pass":
            self._comparing = Stopwatch()
            await self._advance("waiting_for_safe")
        else:
            await self._failed(_bad(checks) or f"the self-test was {verdict}", checks)

    async def _wait_for_safe(self) -> None:
        busy = await self._why_busy()
        if not busy and self._slots.going_back:
            await self._must_be_whole()
            busy = await self._why_busy()  # its files took their time
        if busy:
            self._book.says(waits_for=busy)
            await self._woke()
        elif self._slots.going_back:
            await self._at_once(steps.turn_back(self._slots, self._book.embedded, self._book.now()))
        elif self._waits_to_compare():
            await self._woke()
        else:
            await self._switch()

    async def _why_busy(self) -> str:
        try:
            return await self._ground.busy()
        except Trouble as trouble:
            return trouble.what

    async def _must_be_whole(self) -> None:
        """The one before may lie here since long: damaged by now, it must not take the place of one that runs."""
        slot = self._slots.candidate
        if slot is not None and slot.origin != "agent":  # of that one this agent may bring another
            await asyncio.to_thread(self._ground.folder, slot.digest)

    async def _at_once(self, new: Slots) -> bool:
        """Put it now, as the robot is idle now. A disk that can't take it is told and a turn waited; then it is asked again."""
        self._go_on()
        try:
            self._book.move(new)
        except Trouble as trouble:
            self._book.says(f"{trouble.what}; {trouble.cure}")
            await self._woke()
            return False
        return True

    def _waits_to_compare(self) -> bool:
        """Whether more of the model that runs has to be seen, and still may be; then it is said."""
        wanted, frames = frames_to_compare(self._slots.probation), self._ground.seen_before().frames
        runs = self._ground.worker_wanted()
        waited_s = self._comparing.run_s(self._book.now().mono_ns, runs)
        if not runs or frames >= wanted or waited_s >= LONGEST_COMPARE_S:
            return False
        self._book.says(WAITS_TO_COMPARE, Progress(done=frames, whole=wanted, unit="frames"))
        return True

    async def _switch(self) -> None:
        before, wanted = self._ground.seen_before(), frames_to_compare(self._slots.probation)
        if not await self._at_once(steps.switch(self._slots, before, self._book.embedded, self._book.now())):
            return
        self.trial = Trial()
        if before.frames < wanted:
            text = f"the model that runs was seen for {before.frames} frames of the {wanted} that a comparison needs: "
            text += "what the new one does worse may not be noticed"
            self._ground.tell("model_before_seen_little", "warning", text, frames=before.frames, wanted=wanted)

    async def _start(self, digest: str) -> None:
        attempts = self._slots.attempts
        try:
            await self._ground.run_worker(digest)
        except Trouble as trouble:
            self.trial.died = trouble.what
            if self._slots.step != "switched":
                return
            if self._slots.attempts == attempts or not steps.may_attempt(self._slots):
                self._book.give_back("returned", f"the worker does not start with it: {trouble.what}")
                return
            self._book.says(waits_for=f"the worker did not start, it is tried again: {trouble.what}")
            await self._woke()
            return
        if self._slots.step == "switched":
            await self._advance("probation")

    async def _watch(self) -> None:
        await self._woke()
        if self._slots.step != "probation":
            return
        now, wanted = self._book.now(), self._ground.worker_wanted()
        lived_s = self.trial.lived.run_s(now.mono_ns, wanted)
        if not wanted and self.trial.died:
            self._book.give_back("returned", f"the worker does not start with it any more: {self.trial.died}")
        elif not wanted:
            self._book.says("the worker is stopped: it is judged while it runs", self._book.progress)
        else:
            await self._judge(lived_s)

    async def _judge(self, lived_s: float) -> None:
        plan, since = self._slots.probation, self._ground.seen_since()
        self.trial.follow(since)
        verdict, checks = judge(plan, self._comparable(since), since, self.trial.looks)
        looks = looked(plan, since, self.trial.looks)
        if looks.for_pass > self.trial.looks.for_pass:
            self.trial.undecided = _open(checks)
        self.trial.looks = looks
        if verdict == "fail":
            self._book.give_back("returned", _bad(checks), checks)
        elif verdict == "pass":
            await self._save(lambda: steps.commit(self._slots, "", checks, self._book.now()))
        elif lived_s > plan.most_s:
            self._book.give_back("returned", f"nothing was decided within {plan.most_s:g} s: {_bad(checks)}", checks)
        else:
            if self._slots.looks != self.trial.spent:
                self._book.put_anyway(msgspec.structs.replace(self._slots, looks=self.trial.spent))
            self._book.says(progress=how_far(self._slots, self.trial.looks, since, self.trial.undecided))

    def _comparable(self, since: Seen) -> Seen:
        """What was seen of the model before, as far as the candidate sees the same: nothing on another source."""
        before = self._slots.before or Seen()
        return before if not before.source or before.source == since.source else Seen()

    async def _return(self) -> None:
        current, more = self._book.current, ""
        if current is None:
            await self._ground.stop_worker()
            more = "there was none before it: the worker is stopped"
        else:
            try:
                await asyncio.wait_for(self._ground.run_worker(current.digest), LONGEST_RETURN_S)
            except asyncio.TimeoutError:
                more = f"the worker has not started with the one before within {LONGEST_RETURN_S:g} s, it is tried on"
            except Trouble as trouble:
                more = f"the worker does not start with the one before: {trouble.what}"
        await self._save(lambda: steps.finish(self._slots, self._book.now(), more))


def _bad(checks: Sequence[Check]) -> str:
    """What the checks say that failed; where none did, those that decided nothing."""
    failed = [check.text for check in checks if check.verdict == "fail"]
    return "; ".join(failed or [check.text for check in checks if check.verdict == "inconclusive"])


def _open(checks: Sequence[Check]) -> str:
    """Which checks decide nothing yet, by name: a person who waits wants to know for what."""
    names = [
        _ASKED.get(check.name, check.name.replace("_", " ")) for check in checks if check.verdict == "inconclusive"
    ]
    return f"still undecided: {', '.join(names)}" if names else ""
