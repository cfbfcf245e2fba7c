"""What the worker journals: events and failures, with their pictures, in the protocol's words."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from remote.perception.arrays import Pixels
from remote.perception.failure_gate import FailureGate
from remote.perception.jpeg import Kept, PictureStore
from remote.perception.messages import Journalled
from remote.perception.wire import Outbox
from remote.protocol import Event, Failure, Scalar, Severity, Window


class Reporter:
    """Sends journal entries. A failure that repeats is told ever more seldom (FailureGate), with the number of its repeats."""

    def __init__(
        self,
        outbox: Outbox,
        pictures: PictureStore,
        *,
        source: str,
        bundle: str,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._outbox, self._pictures = outbox, pictures
        self._source, self._bundle, self._clock = source, bundle, clock
        self._gate = FailureGate()

    def window(self, window: Window) -> None:
        """Journal a window, and the repeats that are due."""
        self._send(window)
        self.tell_repeats()

    def event(self, name: str, severity: Severity, text: str, data: dict[str, Scalar] | None = None) -> None:
        """Journal an event."""
        self._send(Event(name=name, severity=severity, text=text, data=data or {}))

    def failure(
        self,
        name: str,
        text: str,
        *,
        subject: str = "",
        image: Pixels | None = None,
        frame: int | None = None,
        stages_ms: Mapping[str, float] | None = None,
        data: dict[str, Scalar] | None = None,
    ) -> None:
        """Journal a failure with its picture, unless its kind (name and subject) was told a short while ago."""
        withheld = self._gate.admit((name, subject), text, self._clock())
        if withheld is None:
            return
        self.failure_now(name, text, image=image, frame=frame, stages_ms=stages_ms, data=data, repeats=withheld)

    def failure_now(
        self,
        name: str,
        text: str,
        *,
        image: Pixels | None = None,
        frame: int | None = None,
        stages_ms: Mapping[str, float] | None = None,
        data: dict[str, Scalar] | None = None,
        repeats: int = 0,
    ) -> None:
        """Journal a failure whatever was told before. `data.repeats` counts equal ones since the last that was told."""
        kept = self._pictures.keep(image) if image is not None else Kept(None)
        facts = dict(data or {})
        if repeats:
            facts["repeats"] = repeats
        if kept.reason:
            facts["picture_error"] = kept.reason
            text = f"{text} ({kept.reason})"
        self._send(
            Failure(
                name=name,
                text=text,
                frame=frame,
                picture=kept.digest,
                stages_ms={stage: round(ms, 3) for stage, ms in (stages_ms or {}).items()},
                source=self._source,
                bundle=self._bundle,
                data=facts,
            )
        )

    def tell_repeats(self, *, everything: bool = False) -> None:
        """Journal the counts of failures that were withheld; `everything` at the end."""
        for repeats in self._gate.overdue(self._clock(), everything=everything):
            self.failure_now(repeats.name, repeats.text, repeats=repeats.count)

    def _send(self, body: Window | Event | Failure) -> None:
        self._outbox.send(Journalled(self._clock(), body))
