"""The worker's loop: newest frame in, result out, one window a second, and never a silence longer than a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from remote.perception.detector import Detector
from remote.perception.drills import Drills
from remote.perception.eye import Eye
from remote.perception.faults import FrameFault
from remote.perception.handoff import Gone, Handoff, Note, Opened, Seen, Spoiled, Unreadable
from remote.perception.liveness import Change, Liveness
from remote.perception.messages import Beat, Live, Quit, SampleRate
from remote.perception.orders import Orders
from remote.perception.reporter import Reporter
from remote.perception.sampler import Sampler
from remote.perception.shown import Shown
from remote.perception.tally import Tally
from remote.perception.wire import Outbox
from remote.protocol import CameraHealth

BEAT_NS = 500_000_000
LONGEST_WAIT_S = 0.1
_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1e6


@dataclass(frozen=True)
class Parts:
    """What the loop joins; each has a file of its own. `drills` is None where they are not allowed."""

    detector: Detector
    eye: Eye
    handoff: Handoff
    liveness: Liveness
    tally: Tally
    reporter: Reporter
    outbox: Outbox
    sampler: Sampler
    orders: Orders
    drills: Drills | None


class WorkerLoop:
    """Runs until a Quit.

    Args:
        parts: everything it joins.
        clock: monotonic nanoseconds.
        ended: asked each turn; True ends the loop (a signal came).
    """

    def __init__(
        self,
        parts: Parts,
        *,
        clock: Callable[[], int] = time.monotonic_ns,
        ended: Callable[[], bool] = lambda: False,
    ) -> None:
        self._parts, self._clock, self._ended = parts, clock, ended
        self._beat_due_ns = clock()
        self._frames = 0
        self._shown: Shown | None = None
        self._quit = False

    def run(self) -> None:
        """Loop until the end, then journal what is left."""
        self._parts.eye.start()
        while not (self._quit or self._ended()):
            self._parts.handoff.wait(self._wait_s())
            self.turn()
        self._fold(self._clock())
        self._parts.reporter.tell_repeats(everything=True)

    def turn(self) -> None:
        """One round: notes, the newest frame, time."""
        for note in self._parts.handoff.take_notes():
            self._heed(note)
        seen = self._parts.handoff.take_frame()
        if seen is not None and seen.opening == self._parts.eye.opening:
            self._frame(seen)
        self._time_passed()

    def _wait_s(self) -> float:
        due = min(self._beat_due_ns, self._parts.tally.due_ns)
        return min(LONGEST_WAIT_S, (due - self._clock()) / _NS_PER_S)

    # ------------------------------------------------------------ frames

    def _frame(self, seen: Seen) -> None:
        number, self._frames = self._frames, self._frames + 1
        try:
            result = self._parts.detector.detect(seen.frame.image)
        except FrameFault as fault:
            self._failed(fault, seen, number)
        else:
            detections = result.boxes.detections()
            now = self._clock()
            end_to_end = (now - seen.frame.capture_mono_ns) / _NS_PER_MS
            stages = {"capture": seen.capture_ms, **result.stages_ms, "end_to_end": end_to_end}
            self._shown = Shown(number, seen, stages, detections)
            self._parts.tally.frame(stages, detections)
            if self._parts.sampler.take(now):
                self._parts.outbox.send(Live(self._shown.sample()))
        self._report(self._parts.liveness.frame(seen.frame.capture_mono_ns, seen.look), seen, number)

    def _failed(self, fault: FrameFault, seen: Seen, number: int) -> None:
        self._parts.tally.failed()
        frame, stages = seen.frame, {"capture": seen.capture_ms}
        data = {"label": frame.label} if frame.label else {}
        self._parts.reporter.failure(
            fault.name, str(fault), image=frame.image, frame=number, stages_ms=stages, data=dict(data)
        )

    # ------------------------------------------------------------ time

    def _time_passed(self) -> None:
        now, parts = self._clock(), self._parts
        self._report(parts.liveness.tick(now))
        if parts.eye.tick(now, parts.liveness.phase):
            parts.liveness.opening(now)
        for fault in parts.drills.over() if parts.drills is not None else ():
            parts.reporter.event("drill_over", "info", f"the drill {fault} is over", {"fault": fault})
        if now >= self._beat_due_ns:
            self._beat_due_ns = now + BEAT_NS
            parts.outbox.send(Beat(self._frames))
        if now >= parts.tally.due_ns:
            self._fold(now)

    def _fold(self, now_ns: int) -> None:
        liveness, eye = self._parts.liveness, self._parts.eye
        brightness = None if liveness.brightness is None else round(liveness.brightness, 1)
        reason = liveness.reason
        if reason and eye.hanging:
            reason = f"{reason}; {eye.hanging} reads hang in the driver"
        health = CameraHealth(liveness.phase, reason, brightness, eye.reopened)
        window = self._parts.tally.fold(now_ns, camera=health, dropped=self._parts.handoff.take_dropped())
        self._parts.reporter.window(window)

    def _report(self, changes: list[Change], seen: Seen | None = None, number: int | None = None) -> None:
        for change in changes:
            if change.name == "camera_recovered":
                self._parts.reporter.event(change.name, "info", change.text, {"away_s": round(change.away_s, 3)})
            else:
                image = seen.frame.image if seen is not None else None
                self._parts.reporter.failure_now(change.name, change.text, image=image, frame=number)

    # ------------------------------------------------------------ notes

    def _heed(self, note: Note) -> None:
        if isinstance(note, (Opened, Gone, Spoiled)):
            if note.opening == self._parts.eye.opening:
                self._heed_camera(note)
        elif isinstance(note, SampleRate):
            self._parts.sampler.set_rate(note.per_s)
        elif isinstance(note, Unreadable):
            self._parts.reporter.event("message_refused", "warning", f"a message was refused: {note.text}")
        elif isinstance(note, Quit):
            self._quit = True
        else:
            self._parts.orders.obey(note, self._shown)

    def _heed_camera(self, note: Opened | Gone | Spoiled) -> None:
        reporter, eye = self._parts.reporter, self._parts.eye
        if isinstance(note, Gone):
            self._report(self._parts.liveness.gone(self._clock(), note.reason))
        elif isinstance(note, Spoiled):
            self._parts.tally.failed()
            data = {"label": note.subject} if note.subject else {}
            reporter.failure("bad_frame", note.text, subject=note.subject, data=dict(data))
        elif eye.opened(note.opening):
            reporter.event("camera_reopened", "info", "the camera was opened again", {"reopened": eye.reopened})
        else:
            reporter.event("camera_opened", "info", "the camera was opened")
