"""The worker's loop: newest frame in, result out, one window a second, and never a silence longer than a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from remote.perception.darkroom import Darkroom
from remote.perception.detector import Detector, Result
from remote.perception.drills import Drills
from remote.perception.eye import Eye
from remote.perception.faults import FrameFault
from remote.perception.handoff import Gone, Handoff, Note, Opened, Seen, Spoiled, Unreadable
from remote.perception.liveness import Change, Liveness
from remote.perception.messages import Beat, Live, Quit, SampleRate, WatchFor
from remote.perception.orders import Orders
from remote.perception.reporter import Reporter
from remote.perception.sampler import Sampler
from remote.perception.shown import Shown, Sight
from remote.perception.tally import Tally
from remote.perception.watching.watcher import Outcome, Problem, Watcher
from remote.perception.wire import Outbox
from remote.protocol import CameraHealth, Detection, Watch

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
    darkroom: Darkroom
    watcher: Watcher


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
        self._parts.darkroom.start()
        self._parts.eye.start()
        self._tell_unknown_labels()
        while not (self._quit or self._ended()):
            self._parts.handoff.wait(self._wait_s())
            self.turn()
        self._fold(self._clock())
        self._parts.reporter.tell_repeats(everything=True)
        self._parts.darkroom.finish()

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
            self._result(seen, number, result)
        changes = self._parts.liveness.frame(seen.frame.capture_mono_ns, seen.look)
        if changes:
            self._report(changes, Sight.of(seen, number))

    def _result(self, seen: Seen, number: int, result: Result) -> None:
        detections = self._believed(result)
        now = self._clock()
        end_to_end = (now - seen.frame.capture_mono_ns) / _NS_PER_MS
        stages = {"capture": seen.capture_ms, **result.stages_ms, "end_to_end": end_to_end}
        self._shown = shown = Shown(number, seen, stages, detections)
        self._parts.tally.frame(stages, detections)
        if self._parts.sampler.take(now):
            self._parts.outbox.send(Live(shown.sample()))
        sight = shown.sight()
        self._parts.darkroom.seen(sight)
        outcome = Outcome(detections, sight.width, sight.height, end_to_end, seen.frame.truth)
        watched = self._parts.watcher.frame(outcome, now / _NS_PER_S)
        if watched.score is not None:
            self._parts.tally.scored(watched.score)
        for problem in watched.problems:
            self._parts.reporter.failure(problem, sight)

    def _believed(self, result: Result) -> tuple[Detection, ...]:
        drills = self._parts.drills
        return () if drills is not None and drills.blind() else result.boxes.detections()

    def _failed(self, fault: FrameFault, seen: Seen, number: int) -> None:
        self._parts.tally.failed()
        label, sight = seen.frame.label, Sight.of(seen, number)
        self._parts.darkroom.seen(sight)
        self._parts.reporter.failure(Problem(fault.name, str(fault), data={"label": label} if label else {}), sight)

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
        dropped, conditions = self._parts.handoff.take_dropped(), self._parts.watcher.watch.conditions
        window = self._parts.tally.fold(now_ns, camera=health, dropped=dropped, conditions=conditions)
        self._parts.reporter.window(window)

    def _report(self, changes: list[Change], sight: Sight | None = None) -> None:
        for change in changes:
            if change.name == "camera_recovered":
                self._parts.reporter.event(change.name, "info", change.text, {"away_s": round(change.away_s, 3)})
            else:
                self._parts.reporter.failure_now(Problem(change.name, change.text), sight)

    # ------------------------------------------------------------ what to look out for

    def _look_out_for(self, watch: Watch | None) -> None:
        """Ends the window first: one window has one set of conditions."""
        if watch == self._parts.watcher.told:
            return
        self._fold(self._clock())
        self._parts.watcher.look_out_for(watch)
        self._parts.reporter.conditions = self._parts.watcher.watch.conditions
        self._tell_unknown_labels()

    def _tell_unknown_labels(self) -> None:
        unknown = ", ".join(self._parts.watcher.unknown_labels)
        if unknown:
            text = f"the bundle has no label {unknown}: it is not watched for"
            self._parts.reporter.event("watch_labels_unknown", "warning", text, {"labels": unknown})

    # ------------------------------------------------------------ notes

    def _heed(self, note: Note) -> None:
        if isinstance(note, (Opened, Gone, Spoiled)):
            if note.opening == self._parts.eye.opening:
                self._heed_camera(note)
        elif isinstance(note, SampleRate):
            self._parts.sampler.set_rate(note.per_s)
        elif isinstance(note, WatchFor):
            self._look_out_for(note.watch)
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
            reporter.failure(Problem("bad_frame", note.text, note.subject, dict(data)))
        elif eye.opened(note.opening):
            reporter.event("camera_reopened", "info", "the camera was opened again", {"reopened": eye.reopened})
        else:
            reporter.event("camera_opened", "info", "the camera was opened")
