"""The worker's loop: newest frame in, result out, one window a second, and never a silence longer than BEAT_S."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from remote.perception.arrays import Pixels
from remote.perception.detector import Detector
from remote.perception.drills import Drills
from remote.perception.eye import Eye
from remote.perception.faults import FrameFault
from remote.perception.handoff import Gone, Handoff, Note, Opened, Seen, Spoiled, Unreadable
from remote.perception.jpeg import encode
from remote.perception.liveness import Change, Liveness
from remote.perception.messages import AskFrame, Beat, Cause, FrameAnswer, Live, MarkFrame, Quit, SampleRate
from remote.perception.reporter import Reporter
from remote.perception.tally import Tally
from remote.perception.wire import Outbox
from remote.protocol import SAMPLES_PER_S_MAX, CameraHealth, Detection, Picture, Sample

BEAT_NS = 500_000_000
LONGEST_WAIT_S = 0.1
_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1e6


@dataclass(frozen=True)
class Parts:
    """What the loop joins; each has a file of its own."""

    detector: Detector
    eye: Eye
    handoff: Handoff
    liveness: Liveness
    tally: Tally
    reporter: Reporter
    outbox: Outbox
    drills: Drills | None


@dataclass(frozen=True)
class Shown:
    """The newest frame that has a result."""

    number: int
    seen: Seen
    detections: tuple[Detection, ...]


class WorkerLoop:
    """Runs until a Quit.

    Args:
        parts: everything it joins.
        samples_per_s: how many live samples are wanted until a SampleRate says otherwise.
        clock: monotonic nanoseconds.
        ended: asked each turn; True ends the loop (a signal came).
    """

    def __init__(
        self,
        parts: Parts,
        *,
        samples_per_s: float,
        clock: Callable[[], int] = time.monotonic_ns,
        ended: Callable[[], bool] = lambda: False,
    ) -> None:
        self._parts, self._clock, self._ended = parts, clock, ended
        self._rate = min(samples_per_s, SAMPLES_PER_S_MAX)
        self._sample_due_ns = self._beat_due_ns = clock()
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
            self._failed(fault.name, str(fault), seen, number)
        else:
            detections = result.boxes.detections()
            now = self._clock()
            end_to_end = (now - seen.frame.capture_mono_ns) / _NS_PER_MS
            stages = {"capture": seen.capture_ms, **result.stages_ms, "end_to_end": end_to_end}
            self._parts.tally.frame(stages, detections)
            self._shown = Shown(number, seen, detections)
            self._send_sample(self._shown, stages, now)
        self._report(self._parts.liveness.frame(seen.frame.capture_mono_ns, seen.look), seen, number)

    def _failed(self, name: str, text: str, seen: Seen, number: int) -> None:
        self._parts.tally.failed()
        label = seen.frame.label
        stages = {"capture": seen.capture_ms}
        data = {"label": label} if label else {}
        image = seen.frame.image
        self._parts.reporter.failure(name, text, image=image, frame=number, stages_ms=stages, data=dict(data))

    def _send_sample(self, shown: Shown, stages_ms: dict[str, float], now_ns: int) -> None:
        if self._rate <= 0 or now_ns < self._sample_due_ns:
            return
        interval_ns = round(_NS_PER_S / self._rate)
        # Counted from when it was due, so that the rate is kept; from now on, when it is far behind.
        self._sample_due_ns = max(self._sample_due_ns + interval_ns, now_ns - interval_ns)
        frame = shown.seen.frame
        height, width = frame.image.shape[:2]
        stages = {stage: round(ms, 3) for stage, ms in stages_ms.items()}
        sample = Sample(frame.capture_mono_ns, shown.number, width, height, stages, shown.detections)
        self._parts.outbox.send(Live(sample))

    # ------------------------------------------------------------ time

    def _time_passed(self) -> None:
        now = self._clock()
        parts = self._parts
        self._report(parts.liveness.tick(now))
        if parts.eye.tick(now, parts.liveness.phase):
            parts.liveness.opening(now)
        if parts.drills is not None:
            for fault in parts.drills.over():
                parts.reporter.event("drill_over", "info", f"the drill {fault} is over", {"fault": fault})
        if now >= self._beat_due_ns:
            self._beat_due_ns = now + BEAT_NS
            parts.outbox.send(Beat(self._frames))
        if now >= parts.tally.due_ns:
            self._fold(now)

    def _fold(self, now_ns: int) -> None:
        liveness, parts = self._parts.liveness, self._parts
        brightness = None if liveness.brightness is None else round(liveness.brightness, 1)
        health = CameraHealth(liveness.phase, self._reason(), brightness, parts.eye.reopened)
        dropped = parts.handoff.take_dropped()
        parts.reporter.window(parts.tally.fold(now_ns, camera=health, dropped=dropped))

    def _reason(self) -> str:
        hanging = self._parts.eye.hanging
        reason = self._parts.liveness.reason
        return f"{reason}; {hanging} reads hang in the driver" if hanging and reason else reason

    def _report(self, changes: list[Change], seen: Seen | None = None, number: int | None = None) -> None:
        for change in changes:
            if change.name == "camera_recovered":
                self._parts.reporter.event(change.name, "info", change.text, {"away_s": round(change.away_s, 3)})
            else:
                image: Pixels | None = seen.frame.image if seen is not None else None
                self._parts.reporter.failure_now(change.name, change.text, image=image, frame=number)

    # ------------------------------------------------------------ notes

    def _heed(self, note: Note) -> None:
        if isinstance(note, (Opened, Gone, Spoiled)):
            if note.opening == self._parts.eye.opening:
                self._heed_camera(note)
        elif isinstance(note, AskFrame):
            self._parts.outbox.send(FrameAnswer(note.id, self._picture(max(16, note.max_width))))
        elif isinstance(note, MarkFrame):
            self._mark(note)
        elif isinstance(note, SampleRate):
            self._rate = min(max(0.0, note.per_s), SAMPLES_PER_S_MAX)
        elif isinstance(note, Cause):
            self._drill(note)
        elif isinstance(note, Unreadable):
            self._parts.reporter.event("message_refused", "warning", f"a message was refused: {note.text}")
        elif isinstance(note, Quit):
            self._quit = True

    def _heed_camera(self, note: Opened | Gone | Spoiled) -> None:
        reporter, eye = self._parts.reporter, self._parts.eye
        if isinstance(note, Gone):
            self._report(self._parts.liveness.gone(self._clock(), note.reason))
        elif isinstance(note, Spoiled):
            self._parts.tally.failed()
            data = {"label": note.subject} if note.subject else {}
            reporter.failure("bad_frame", note.text, subject=note.subject, data=dict(data))
        elif eye.opened(note.opening):
            text = "the camera was opened again"
            reporter.event("camera_reopened", "info", text, {"reopened": eye.reopened})
        else:
            reporter.event("camera_opened", "info", "the camera was opened")

    def _mark(self, note: MarkFrame) -> None:
        shown = self._shown
        image = shown.seen.frame.image if shown is not None else None
        number = shown.number if shown is not None else None
        text = note.note or "marked without a note"
        self._parts.reporter.failure_now("operator_mark", text, image=image, frame=number, data={"note": note.note})
        self._parts.outbox.send(FrameAnswer(note.id, self._picture(None)))

    def _picture(self, max_width: int | None) -> Picture | None:
        if self._shown is None:
            return None
        frame = self._shown.seen.frame
        jpeg = encode(frame.image, max_width=max_width)
        return Picture(
            jpeg=jpeg,
            digest=hashlib.sha256(jpeg).hexdigest(),
            width=frame.image.shape[1],
            height=frame.image.shape[0],
            frame=self._shown.number,
            capture_mono_ns=frame.capture_mono_ns,
            detections=self._shown.detections,
        )

    def _drill(self, cause: Cause) -> None:
        reporter, drills = self._parts.reporter, self._parts.drills
        if drills is None:
            reporter.event("drill_refused", "warning", "this worker was started without drills", {"fault": cause.fault})
            return
        data = {"fault": cause.fault, "seconds": cause.seconds}
        reporter.event("drill_began", "warning", f"drill: {cause.fault} for {cause.seconds:g} s", dict(data))
        drills.begin(cause)
