"""Makes and keeps pictures in a thread of its own, so that neither encoding nor a slow disk costs a frame.

Two kinds of work come in: failures that wait for their picture, and the moments (a small JPEG now and then) from which the
agent makes what came before and after a failure.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from remote.perception.jpeg import PictureStore, encode
from remote.perception.messages import Journalled, Moment
from remote.perception.sampler import Sampler
from remote.perception.shown import Sight
from remote.perception.wire import Outbox, ParentGone
from remote.protocol import Failure

MOMENTS_PER_S = 2.0
MOMENT_WIDTH = 640
MOMENT_QUALITY = 80
MOST_WAITING = 8
"""Failures whose pictures wait for the disk; each holds a frame in memory."""
PERSON_WAITS_S = 0.25


@dataclass(frozen=True)
class _Told:
    failure: Failure
    mono_ns: int
    sight: Sight
    then: Callable[[], None] | None


class Darkroom:
    """Takes work from the loop's thread; `start` it before, `finish` it at the end.

    Args:
        outbox: where failures and moments go.
        pictures: where pictures of failures are kept.
        clock: monotonic nanoseconds.
    """

    def __init__(self, outbox: Outbox, pictures: PictureStore, *, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._outbox, self._pictures, self._clock = outbox, pictures, clock
        self._due = Sampler(MOMENTS_PER_S, clock())
        self._work: queue.Queue[_Told | Sight | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="darkroom", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def seen(self, sight: Sight) -> None:
        """The newest frame: becomes a moment when one is due and nothing else waits."""
        if self._due.take(self._clock()) and self._work.empty():
            self._work.put_nowait(sight)

    def tell(self, failure: Failure, mono_ns: int, sight: Sight, then: Callable[[], None] | None = None) -> None:
        """Journal a failure with this picture, then call `then` (from any thread). Too many at once go without a picture.

        Where somebody waits for it (`then`) this waits a little for room.
        """
        try:
            self._work.put(_Told(failure, mono_ns, sight, then), timeout=PERSON_WAITS_S if then is not None else 0)
        except queue.Full:
            self._journal(without_picture(failure, "the picture was not kept: the disk is too slow"), mono_ns, then)

    def finish(self, patience_s: float = 2.0) -> bool:
        """Work off what waits; False when that takes longer than `patience_s`."""
        try:
            self._work.put(None, timeout=patience_s)
        except queue.Full:
            return False
        self._thread.join(patience_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while (work := self._work.get()) is not None:
                self._do(work)
        except ParentGone:
            return  # the loop meets the same at its next message

    def _do(self, work: _Told | Sight) -> None:
        try:
            if isinstance(work, Sight):
                self._outbox.send(_moment(work))
            else:
                self._develop(work)
        except ParentGone:
            raise
        except Exception as error:  # noqa: BLE001 - the thread's outer catch: no picture may cost a failure
            if isinstance(work, _Told):
                reason = f"the picture was not kept: {type(error).__name__}: {error}"
                self._journal(without_picture(work.failure, reason), work.mono_ns, work.then)

    def _develop(self, told: _Told) -> None:
        kept = self._pictures.keep(told.sight.image)
        failure = msgspec.structs.replace(told.failure, picture=kept.digest)
        self._journal(without_picture(failure, kept.reason) if kept.reason else failure, told.mono_ns, told.then)

    def _journal(self, failure: Failure, mono_ns: int, then: Callable[[], None] | None) -> None:
        self._outbox.send(Journalled(mono_ns, failure))
        if then is not None:
            then()


def without_picture(failure: Failure, reason: str) -> Failure:
    """The failure with the reason why there is no picture, in its words and in `data.picture_error`."""
    data = {**failure.data, "picture_error": reason}
    return msgspec.structs.replace(failure, picture=None, text=f"{failure.text} ({reason})", data=data)


def _moment(sight: Sight) -> Moment:
    return Moment(
        mono_ns=sight.mono_ns,
        frame=sight.number,
        width=sight.width,
        height=sight.height,
        light=sight.light,
        jpeg=encode(sight.image, quality=MOMENT_QUALITY, max_width=MOMENT_WIDTH),
    )
