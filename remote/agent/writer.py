"""The thread that commits to the journal, so that a slow disk never stops the agent's loop.

Entries are gathered for GROUP_S and committed together. When the disk refuses, a bounded number waits, the oldest beyond it
are counted and given up, and an entry says so as soon as there is room again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from remote.agent import recovery, retention
from remote.agent.clock import Clock
from remote.agent.journal import Draft, Journal, JournalDamaged, JournalFull, draft
from remote.agent.settings import Limits
from remote.errors import Trouble
from remote.protocol import Body, Event, JournalState, Scalar

GROUP_S = 0.05
RETRY_S = 1.0
HOUSEKEEPING_S = 10.0
WAITING_LIMIT = 2000

log = logging.getLogger("fieldgate.journal")


class JournalWriter:
    """Takes bodies from any thread and commits them from its own.

    Args:
        journal: the open journal; the writer's thread alone uses it from now on, and closes it.
        housekeep: called from the writer's thread in each round of housekeeping.
        on_commit: called from the writer's thread after each commit.
        on_replaced: called from the writer's thread when the file was damaged and a new journal has begun.
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        limits: Limits,
        *,
        housekeep: Callable[[], None] = lambda: None,
        on_commit: Callable[[], None] = lambda: None,
        on_replaced: Callable[[], None] = lambda: None,
        group_s: float = GROUP_S,
        housekeeping_s: float = HOUSEKEEPING_S,
    ) -> None:
        self._journal, self._clock, self._limits, self._also = journal, clock, limits, housekeep
        self._on_commit, self._on_replaced = on_commit, on_replaced
        self._group_s, self._housekeeping_s = group_s, housekeeping_s
        self._change = threading.Condition()
        self._waiting: deque[Draft] = deque()
        self._promised: dict[int, Future[int]] = {}  # by id() of a draft in `_waiting` or in the round's batch
        self._acks: dict[str, tuple[str, str, int]] = {}
        self._busy = self._closing = False
        self._given_up = 0
        self._trouble = ""
        self._last_round_s = time.monotonic()
        self.attached: tuple[str, ...] = ()
        self.alive_s = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    @property
    def last_seq(self) -> int:
        """The newest committed entry; 0 before the first."""
        return self._journal.last_seq

    @property
    def journal_id(self) -> str:
        """The journal's own id; a new file has a new one."""
        return self._journal.id

    @property
    def trouble(self) -> str:
        """Why entries can't be written now; empty while they can."""
        return self._trouble

    def state(self) -> JournalState:
        """What consoles are told of the journal."""
        return self._journal.state(self._trouble)

    def append(self, body: Body, mono_ns: int | None = None) -> None:
        """Journal a body soon; `mono_ns` is when it happened where that is not now. Never blocks for the disk."""
        made = draft(body, self._clock, mono_ns)
        with self._change:
            self._waiting.append(made)
            if len(self._waiting) > WAITING_LIMIT and self._trouble:
                self._give_up_oldest()
            self._change.notify_all()

    def append_durably(self, body: Body) -> Future[int]:
        """Journal a body; the future holds its number once it is committed and synced.

        It fails with Trouble (code `not_journalled`) where the disk refuses or the agent ends; the body is then given up, so
        that nothing appears later that was said to be missing.
        """
        made, promise = draft(body, self._clock), Future[int]()
        promise.set_running_or_notify_cancel()  # who waits may go; the entry is journalled all the same
        with self._change:
            if self._trouble or self._closing:
                promise.set_exception(_not_journalled(self._trouble or "the agent ends"))
                return promise
            self._promised[id(made)] = promise
            self._waiting.append(made)
            self._change.notify_all()
        return promise

    def ack(self, client_id: str, name: str, seq: int) -> None:
        """Remember that this console has stored everything up to `seq`; written with the next round."""
        with self._change:
            self._acks[client_id] = (client_id, name, seq)

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until everything given so far is committed; False when the time ran out first."""
        with self._change:
            return self._change.wait_for(lambda: not self._waiting and not self._busy, timeout_s)

    def close(self, timeout_s: float = 5.0) -> None:
        """Commit what waits, close the file, end the thread. What can't be written by then is given up."""
        with self._change:
            self._closing = True
            self._change.notify_all()
        self._thread.join(timeout_s)

    def _work(self) -> None:
        while not self._closing or self._waiting:
            self._gather()
            try:
                self._round()
            except Exception:
                log.exception("the journal's round failed")
                self._pause(RETRY_S)
            self.alive_s = time.monotonic()
            if self._closing and self._trouble:
                break
        self._break_promises(self._waiting, "the agent ends")
        self._store_acks()
        self._journal.close()

    def _gather(self) -> None:
        with self._change:
            self._change.wait_for(lambda: self._waiting or self._closing, 1.0)
        if self._waiting:
            self._pause(RETRY_S if self._trouble else self._group_s)

    def _pause(self, seconds: float) -> None:
        with self._change:
            self._change.wait_for(lambda: self._closing, seconds)

    def _round(self) -> None:
        with self._change:
            batch, self._waiting, self._busy = self._waiting, deque(), True
        try:
            if batch:
                self._commit(batch)
            now = time.monotonic()
            if now - self._last_round_s >= self._housekeeping_s:
                self._housekeep(now - self._last_round_s)
                self._last_round_s = now
        except JournalFull as error:
            self._refused(str(error), batch)
        except JournalDamaged as damage:
            self._replace(str(damage), batch)
        except Exception as fault:
            self._break_promises(batch, repr(fault))
            raise
        finally:
            with self._change:
                self._busy = False
                self._change.notify_all()

    def _commit(self, batch: deque[Draft]) -> None:
        drafts = list(batch)
        if self._trouble:
            drafts.append(draft(self._blocked_event(), self._clock))
        numbers = self._journal.append(drafts)
        batch.clear()
        self._trouble, self._given_up = "", 0
        self._keep_promises(drafts, numbers)
        self._on_commit()

    def _keep_promises(self, drafts: Sequence[Draft], numbers: range) -> None:
        with self._change:
            kept = [(self._promised.pop(id(one), None), seq) for one, seq in zip(drafts, numbers, strict=True)]
        for promise, seq in kept:
            if promise:
                promise.set_result(seq)

    def _break_promises(self, drafts: deque[Draft], why: str) -> None:
        """Take out of `drafts` those that somebody waits for, and tell them."""
        with self._change:
            broken = [promise for one in drafts if (promise := self._promised.get(id(one)))]
            left = [one for one in drafts if self._promised.pop(id(one), None) is None]
            drafts.clear()
            drafts.extend(left)
        for promise in broken:
            promise.set_exception(_not_journalled(why))

    def _blocked_event(self) -> Event:
        text = f"the journal could not be written ({self._trouble}); {self._given_up} entries were not journalled"
        data: dict[str, Scalar] = {"why": self._trouble, "not_journalled": self._given_up}
        return Event(name="journal_blocked", severity="error", text=text, data=data)

    def _refused(self, why: str, batch: deque[Draft]) -> None:
        if not self._trouble:
            log.error("the journal can't be written: %s", why)
        self._trouble = why
        for drafts in (batch, self._waiting):
            self._break_promises(drafts, why)
        self._put_back(batch)
        self._on_commit()

    def _put_back(self, batch: deque[Draft]) -> None:
        with self._change:
            self._waiting.extendleft(reversed(batch))
            while len(self._waiting) > WAITING_LIMIT:
                self._give_up_oldest()

    def _give_up_oldest(self) -> None:
        promise = self._promised.pop(id(self._waiting.popleft()), None)
        self._given_up += 1
        if promise:
            promise.set_exception(_not_journalled("too many entries wait for the disk"))

    def _replace(self, why: str, batch: deque[Draft]) -> None:
        log.error("the journal is damaged (%s), a new one begins", why)
        self._journal.close()
        try:
            self._journal, _ = recovery.replace(self._journal.path, self._clock, why)
        except (JournalFull, JournalDamaged, OSError) as error:
            self._refused(str(error), batch)  # the closed journal reads as damaged next time, so this is tried again
            return
        self._put_back(batch)
        self._on_replaced()

    def _housekeep(self, passed_s: float) -> None:
        self._store_acks()
        self._journal.grow_older(passed_s, self.attached)
        gone = retention.trim(self._journal, self._limits, self._clock)
        self._also()
        if gone:
            log.info("%d entries let go", gone)
            self._on_commit()

    def _store_acks(self) -> None:
        with self._change:
            acks, self._acks = list(self._acks.values()), {}
        if acks:
            self._journal.record_acks(acks)


def _not_journalled(why: str) -> Trouble:
    cure = "make space on the robot's disk, or check it, and try again"
    return Trouble(f"the journal did not take it: {why}", cure=cure, code="not_journalled")
