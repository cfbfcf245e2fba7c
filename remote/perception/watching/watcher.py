"""Looks at each result for what the Watch in force calls a failure, and counts what was found of what is known. No I/O."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from remote.perception.watching.boxes import Known, Truth
from remote.perception.watching.flicker import Flickers
from remote.perception.watching.matching import match
from remote.perception.watching.missing import Missing
from remote.perception.watching.tracks import Tracks
from remote.protocol import Detection, Scalar, Watch
from remote.safety.constraints import broken


@dataclass(frozen=True)
class Problem:
    """A failure to tell: `name` is one of remote.protocol.FAILURES; `subject` tells failures of one name apart."""

    name: str
    text: str
    subject: str = ""
    data: dict[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class Score:
    """What one frame showed of the known objects. `extra` None: there may be more than the known ones."""

    found: int
    missed: int
    extra: int | None


@dataclass(frozen=True)
class Watched:
    """What the watcher says of one frame. `score` None: nothing was known of it."""

    problems: tuple[Problem, ...] = ()
    score: Score | None = None


@dataclass(frozen=True)
class Outcome:
    """One frame's result: boxes in pixels of `width` x `height`, milliseconds from picture to result, the source's truth."""

    detections: tuple[Detection, ...]
    width: int
    height: int
    end_to_end_ms: float
    truth: Truth | None = None


class Watcher:
    """Holds the Watch in force.

    Args:
        labels: of the bundle, in order.
    """

    def __init__(self, labels: Sequence[str], watch: Watch | None = None) -> None:
        self._labels = tuple(labels)
        self.look_out_for(watch)

    def look_out_for(self, watch: Watch | None) -> None:
        """From now on this; what was counted so far is forgotten."""
        self.told, self.watch = watch, watch or Watch()
        self._expected = tuple(Known(one.label, one.box) for one in self.watch.expected if one.label in self._labels)
        self._missing, self._flickers, self._objects = Missing(), Flickers(), Tracks()

    @property
    def unknown_labels(self) -> tuple[str, ...]:
        """Labels that are expected and that the bundle can't give: they are not watched for."""
        return tuple(sorted({one.label for one in self.watch.expected} - set(self._labels)))

    def frame(self, outcome: Outcome, now_s: float) -> Watched:
        """What this frame's result is worth telling. A frame without a result must not come here: it is no empty result."""
        if self.told is None:
            return Watched()
        missed, score = self._known(outcome, now_s)
        problems = [*missed, *self._confidence(outcome), *self._flicker(outcome, now_s), *self._limits(outcome)]
        return Watched(tuple(problems), score)

    # ------------------------------------------------------------ what is known

    def _known(self, outcome: Outcome, now_s: float) -> tuple[list[Problem], Score | None]:
        truth = outcome.truth if self.watch.own_truth else None
        known = truth.objects if truth is not None else self._expected
        if truth is None and not known and not (self.watch.complete and not self.watch.expected):
            return [], None
        ignored = truth.ignored if truth is not None else ()
        matched = match(known, outcome.detections, self._labels, min_iou=self.watch.min_iou, ignored=ignored)
        keys = self._keys(known, now_s) if truth is not None else tuple(range(len(known)))
        named = dict(zip(keys, known, strict=True))
        found = dict(zip(keys, matched.found, strict=True))
        crossed = self._missing.frame(found, self.watch.miss_frames)
        problems = [self._miss(named[key], key) for key in crossed]
        extra = len(matched.extra) if truth is not None or self.watch.complete else None
        return problems, Score(sum(matched.found), len(known) - sum(matched.found), extra)

    def _keys(self, known: Sequence[Known], now_s: float) -> tuple[Hashable, ...]:
        boxes = [one.box for one in known if one.box is not None]
        return self._objects.follow(boxes, now_s, [one.label for one in known])

    def _miss(self, known: Known, key: Hashable) -> Problem:
        frames = self.watch.miss_frames
        data: dict[str, Scalar] = {"label": known.label, "frames": frames}
        if known.box is not None:
            data["box"] = ",".join(f"{corner:g}" for corner in known.box)
        return Problem("no_detection", f"{known.label} missing for {frames} frames", known.label, data)

    # ------------------------------------------------------------ the result itself

    def _confidence(self, outcome: Outcome) -> list[Problem]:
        limit = self.watch.low_confidence
        best = max(outcome.detections, key=lambda one: one.score, default=None)
        if limit is None or best is None or best.score >= limit:
            return []
        text = f"best score {best.score:.2f} ({self._label(best)}), limit {limit:g}"
        return [Problem("low_confidence", text, data={"score": best.score, "limit": limit, "label": self._label(best)})]

    def _flicker(self, outcome: Outcome, now_s: float) -> list[Problem]:
        watch = self.watch
        if watch.flicker_changes is None:
            return []
        told = self._flickers.frame(outcome.detections, now_s, changes=watch.flicker_changes, within_s=watch.flicker_s)
        problems = []
        for one in told:
            label = self._label(one.detection)
            text = f"one object changed its label {one.changes} times within {watch.flicker_s:g} s, now {label}"
            problems.append(Problem("class_flicker", text, data={"label": label, "changes": one.changes}))
        return problems

    def _limits(self, outcome: Outcome) -> list[Problem]:
        budget = self.watch.latency_budget_ms
        problems = []
        if budget is not None and not outcome.end_to_end_ms <= budget:
            text = f"{outcome.end_to_end_ms:.1f} ms from picture to result, {budget:g} ms allowed"
            data: dict[str, Scalar] = {"end_to_end_ms": round(outcome.end_to_end_ms, 3), "budget_ms": budget}
            problems.append(Problem("latency_over_budget", text, data=data))
        hits = broken(self.watch.constraints, outcome.detections, outcome.width, outcome.height, self._labels)
        problems += [Problem("constraint_hit", text, name, {"constraint": name}) for name, text in hits]
        return problems

    def _label(self, detection: Detection) -> str:
        return self._labels[detection.label_index]
