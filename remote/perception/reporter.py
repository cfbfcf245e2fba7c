"""What the worker journals: events and failures, in the protocol's words; pictures are the darkroom's."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping

from remote.perception.darkroom import Darkroom
from remote.perception.failure_gate import FailureGate
from remote.perception.messages import Journalled
from remote.perception.shown import Sight
from remote.perception.watching.watcher import Problem
from remote.perception.wire import Outbox
from remote.protocol import Event, Failure, Scalar, Severity, Window

MOST_DETECTIONS = 100


class Reporter:
    """Sends journal entries. A failure that repeats is told ever more seldom (FailureGate), with the number of its repeats.

    `conditions` go into each failure; whoever sets the Watch sets them.
    """

    def __init__(
        self,
        outbox: Outbox,
        darkroom: Darkroom,
        *,
        source: str,
        bundle: str,
        conditions: Mapping[str, str] | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
        new_id: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._outbox, self._darkroom = outbox, darkroom
        self._source, self._bundle, self._clock, self._new_id = source, bundle, clock, new_id
        self.conditions: Mapping[str, str] = conditions or {}
        self._gate = FailureGate()

    def window(self, window: Window) -> None:
        """Journal a window, and the repeats that are due."""
        self._send(window)
        self.tell_repeats()

    def event(self, name: str, severity: Severity, text: str, data: dict[str, Scalar] | None = None) -> None:
        """Journal an event."""
        self._send(Event(name=name, severity=severity, text=text, data=data or {}))

    def failure(self, problem: Problem, sight: Sight | None = None) -> None:
        """Journal a failure with its picture, unless its kind (name and subject) was told a short while ago."""
        withheld = self._gate.admit((problem.name, problem.subject), problem.text, self._clock())
        if withheld is not None:
            self.failure_now(problem, sight, repeats=withheld)

    def failure_now(
        self,
        problem: Problem,
        sight: Sight | None = None,
        *,
        repeats: int = 0,
        then: Callable[[], None] | None = None,
    ) -> None:
        """Journal a failure whatever was told before; then call `then`, from any thread.

        `data.repeats` counts equal ones since the last that was told.
        """
        facts = {**problem.data, "repeats": repeats} if repeats else problem.data
        failure = Failure(
            name=problem.name,
            text=problem.text,
            id=self._new_id(),
            conditions=dict(self.conditions),
            source=self._source,
            bundle=self._bundle,
            data=facts,
        )
        if sight is not None:
            self._darkroom.tell(_with_sight(failure, sight), self._clock(), sight, then)
            return
        self._send(failure)
        if then is not None:
            then()

    def tell_repeats(self, *, everything: bool = False) -> None:
        """Journal the counts of failures that were withheld; `everything` at the end."""
        for repeats in self._gate.overdue(self._clock(), everything=everything):
            told = Problem(repeats.name, repeats.text, data={"only_repeats": True})
            self.failure_now(told, repeats=repeats.count)

    def _send(self, body: Window | Event | Failure) -> None:
        self._outbox.send(Journalled(self._clock(), body))


def _with_sight(failure: Failure, sight: Sight) -> Failure:
    return Failure(
        name=failure.name,
        text=failure.text,
        id=failure.id,
        frame=sight.number,
        stages_ms={stage: round(ms, 3) for stage, ms in sight.stages_ms.items()},
        detections=sight.detections[:MOST_DETECTIONS],
        width=sight.width,
        height=sight.height,
        light=sight.light,
        conditions=failure.conditions,
        source=failure.source,
        bundle=failure.bundle,
        data=failure.data,
    )
