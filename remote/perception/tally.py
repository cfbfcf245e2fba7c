"""Folding frames into windows of one second."""

from __future__ import annotations

from collections.abc import Mapping

from remote.histogram import Histogram
from remote.perception.watching.watcher import Score
from remote.protocol import STAGES, CameraHealth, Detection, LabelCount, Scored, Window

WINDOW_NS = 1_000_000_000
_NS_PER_MS = 1e6


class Tally:
    """What happened since the last window.

    Args:
        run, source, bundle: go into each window as they are.
        labels: of the bundle, in order.
        now_ns: when the first window begins.
    """

    def __init__(self, *, run: int, source: str, bundle: str, labels: tuple[str, ...], now_ns: int) -> None:
        self._run, self._source, self._bundle, self._labels = run, source, bundle, labels
        self._number = 0
        self._begin(now_ns)

    def _begin(self, now_ns: int) -> None:
        self._start_ns = now_ns
        self._stages: dict[str, list[float]] = {stage: [] for stage in STAGES}
        self._frames = self._failed = self._with_detections = 0
        self._counts: dict[int, LabelCount] = {}
        self._scored: Scored | None = None

    @property
    def due_ns(self) -> int:
        """When the current window is full."""
        return self._start_ns + WINDOW_NS

    def frame(self, stages_ms: Mapping[str, float], detections: tuple[Detection, ...]) -> None:
        """A frame with its result; `stages_ms` has every one of STAGES."""
        for stage in STAGES:
            self._stages[stage].append(stages_ms[stage])
        self._frames += 1
        self._with_detections += bool(detections)
        first_of_frame: set[int] = set()
        for found in detections:
            new = found.label_index not in first_of_frame
            first_of_frame.add(found.label_index)
            self._counts[found.label_index] = _added(self._counts.get(found.label_index), found.score, new)

    def scored(self, score: Score) -> None:
        """What the frame that was just given showed of the objects that are known."""
        before = self._scored or Scored(0, 0, 0)
        extra = (before.extra or 0) + (score.extra or 0) if score.extra is not None else before.extra
        self._scored = Scored(before.frames + 1, before.found + score.found, before.missed + score.missed, extra)

    def failed(self) -> None:
        """A frame that ended in a failure."""
        self._failed += 1

    def fold(
        self, now_ns: int, *, camera: CameraHealth, dropped: int, conditions: Mapping[str, str] | None = None
    ) -> Window:
        """The window up to now; the next one begins. `conditions` are those of the Watch in force all the while."""
        window = Window(
            run=self._run,
            window=self._number,
            start_mono_ns=self._start_ns,
            span_ms=(now_ns - self._start_ns) / _NS_PER_MS,
            frames=self._frames,
            dropped=dropped,
            failed=self._failed,
            frames_with_detections=self._with_detections,
            stages_ms={stage: Histogram.of(values) for stage, values in self._stages.items()},
            labels={self._labels[index]: count for index, count in sorted(self._counts.items())},
            camera=camera,
            source=self._source,
            bundle=self._bundle,
            conditions=dict(conditions or {}),
            scored=self._scored,
        )
        self._number += 1
        self._begin(now_ns)
        return window


def _added(before: LabelCount | None, score: float, new_frame: bool) -> LabelCount:
    if before is None:
        return LabelCount(1, 1, score, score, score)
    return LabelCount(
        before.count + 1,
        before.frames + new_frame,
        before.score_sum + score,
        min(before.score_min, score),
        max(before.score_max, score),
    )
