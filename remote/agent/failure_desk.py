"""Failures on their way into the journal: each gets an id, a picture from before it, a line in failures.log, and a clip."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

import msgspec

from remote.agent.clips import BEFORE_S, NS_PER_MS, Allowance, OpenClip, OpenClips, Ring
from remote.agent.clock import Clock
from remote.agent.errands import Errands
from remote.agent.failure_log import FailureLog
from remote.agent.picture_book import PictureBook
from remote.perception.messages import Moment
from remote.perception.picture_folder import PictureFolder
from remote.protocol import Clip, ClipFrame, Failure, Scalar

WORKER_ENDS = ("worker_crash", "worker_hang")
CAMERA = "camera_"
WHOLE = "operator_mark"


class FailureDesk:
    """Everything belongs to the loop's thread; disk work is done by `errands`, which then journals, in the order given.

    Args:
        pictures: where pictures are kept.
        book: which pictures belong to which failure.
        lines: failures.log.
        journal: takes (body, monotonic nanoseconds), from any thread.
    """

    def __init__(
        self,
        pictures: PictureFolder,
        book: PictureBook,
        lines: FailureLog,
        errands: Errands,
        clock: Clock,
        journal: Callable[[Failure | Clip, int], None],
        new_id: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._pictures, self._book, self._lines, self._errands = pictures, book, lines, errands
        self._clock, self._journal, self._new_id = clock, journal, new_id
        self._ring, self._open = Ring(), OpenClips()
        self._allowance = Allowance(clock.mono_ns())
        self.conditions: Mapping[str, str] = {}

    # ------------------------------------------------------------ what comes in

    def failure(self, failure: Failure, mono_ns: int | None = None) -> None:
        """Journal a failure with what belongs to it."""
        when = self._clock.mono_ns() if mono_ns is None else mono_ns
        failure = self._completed(failure)
        if not _has_a_clip(failure):
            self._give(lambda: self._told(failure, when), failure, when)
            return
        before = self._ring.before(when)
        last = before[-1] if before and failure.name in WORKER_ENDS else None
        if failure.name in WORKER_ENDS:
            failure = _with_last(failure, last, when)
        clip = OpenClip(failure.id, when, whole=failure.name == WHOLE)
        wanted = before if clip.whole else before[:1]
        wanted = tuple(one for one in wanted if self._allowed(clip))
        self._give(lambda: self._told_with_pictures(failure, clip, wanted, last), failure, when)
        if failure.name in WORKER_ENDS:
            self._end(clip, "the worker had ended")
        elif not self._open.open(clip):
            self._end(clip, "too many clips were open")

    def moment(self, moment: Moment) -> None:
        """A small picture of what the worker sees."""
        self._ring.add(moment)
        wanting, done = self._open.moment(moment)
        for clip in wanting:
            if self._allowed(clip):
                self._errands.give(lambda clip=clip: self._add(clip, moment))  # type: ignore[misc]
        for clip in done:
            self._end(clip, "")

    def tick(self) -> None:
        """Time has passed; call it about once a second."""
        for clip in self._open.overdue(self._clock.mono_ns()):
            self._end(clip, "no picture came any more")

    def worker_ended(self, how: str) -> None:
        """No more moments will come from that run."""
        for clip in self._open.all():
            self._end(clip, f"the worker ended ({how})")
        self._ring.clear()

    def close(self, patience_s: float = 2.0) -> None:
        """End the clips that are open and do what waits."""
        for clip in self._open.all():
            self._end(clip, "the agent ended")
        self._errands.finish(patience_s)
        self._lines.close()

    # ------------------------------------------------------------ in the loop's thread

    def _completed(self, failure: Failure) -> Failure:
        return msgspec.structs.replace(
            failure,
            id=failure.id or self._new_id(),
            conditions=failure.conditions or dict(self.conditions),
        )

    def _allowed(self, clip: OpenClip) -> bool:
        allowed = self._allowance.take(self._clock.mono_ns())
        if not allowed:
            clip.reason = f"the {self._allowance.per_hour} pictures an hour that clips may take are used up"
        return allowed

    def _give(self, errand: Callable[[], None], failure: Failure, mono_ns: int) -> None:
        if not self._errands.give(errand):
            self._journal(failure, mono_ns)

    def _end(self, clip: OpenClip, why: str) -> None:
        self._errands.give(lambda: self._closed(clip, why))

    # ------------------------------------------------------------ in the errands' thread

    def _told(self, failure: Failure, mono_ns: int) -> None:
        self._book.add(failure.id, [one for one in (failure.before, failure.picture) if one])
        self._lines.add(failure, self._clock.wall_at(mono_ns))
        self._journal(failure, mono_ns)

    def _told_with_pictures(
        self, failure: Failure, clip: OpenClip, before: tuple[Moment, ...], last: Moment | None
    ) -> None:
        for moment in before:
            self._add(clip, moment)
        first = clip.frames[0][1] if clip.frames else None
        picture = failure.picture
        if last is not None:
            kept = self._pictures.keep_jpeg(last.jpeg)
            picture, clip.reason = kept.digest, clip.reason or kept.reason
        if picture is not None:
            at_ms = clip.offset_ms(last.mono_ns) if last is not None else 0.0
            clip.frames.append((at_ms, picture))
        self._told(msgspec.structs.replace(failure, before=first, picture=picture), clip.at_ns)

    def _add(self, clip: OpenClip, moment: Moment) -> None:
        kept = self._pictures.keep_jpeg(moment.jpeg)
        if kept.digest is None:
            clip.reason = kept.reason
        else:
            clip.frames.append((clip.offset_ms(moment.mono_ns), kept.digest))

    def _closed(self, clip: OpenClip, why: str) -> None:
        self._book.add(clip.failure, [picture for _, picture in clip.frames])
        frames = tuple(ClipFrame(offset_ms, picture) for offset_ms, picture in sorted(set(clip.frames)))
        reason = "; ".join(filter(None, (clip.reason, why)))
        self._journal(Clip(failure=clip.failure, frames=frames, reason=reason), self._clock.mono_ns())


def _has_a_clip(failure: Failure) -> bool:
    """Not where only the repeats of an earlier failure are told, and not where no worker ran."""
    return failure.picture is not None or failure.name.startswith(CAMERA) or failure.name in WORKER_ENDS


def _with_last(failure: Failure, last: Moment | None, mono_ns: int) -> Failure:
    """A failure of the worker's end with what the last moment of it tells."""
    data: dict[str, Scalar] = dict(failure.data)
    if last is None:
        data["no_picture_because"] = f"the worker gave none in its last {BEFORE_S:g} s"
        return msgspec.structs.replace(failure, data=data)
    data["picture_age_ms"] = round((mono_ns - last.mono_ns) / NS_PER_MS, 1)
    return msgspec.structs.replace(
        failure, frame=last.frame, width=last.width, height=last.height, light=last.light, data=data
    )
