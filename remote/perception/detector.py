"""A verified bundle made ready to look at frames: preprocess, engine, postprocess, each with its time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from remote.models.bundle import Bundle
from remote.models.contract import Thresholds
from remote.perception.arrays import Pixels
from remote.perception.engines.base import Engine
from remote.perception.engines.choose import open_engine
from remote.perception.engines.wishes import Wishes
from remote.perception.faults import BadFrame
from remote.perception.postprocess import Boxes, Postprocessor
from remote.perception.preprocess import Fit, Preprocessor

_NS_PER_MS = 1e6


@dataclass(frozen=True)
class Result:
    """One frame's boxes and the milliseconds of the stages preprocess, inference and postprocess."""

    boxes: Boxes
    stages_ms: dict[str, float]


class Detector:
    """Owns the engine. Frames may change their size: the preprocessor is then made anew.

    Args:
        bundle: verified; its contract decides everything.
        threads: of the engine.
        thresholds: instead of the contract's.
        clock: monotonic nanoseconds.
        engine_cache: the folder of engines that this robot built; None: ONNX Runtime.
        wishes: how they were built.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        threads: int = 1,
        thresholds: Thresholds | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
        engine_cache: Path | None = None,
        wishes: Wishes | None = None,
    ) -> None:
        model, contract = bundle.model, bundle.contract
        self.engine: Engine = open_engine(model, contract, threads=threads, cache=engine_cache, wishes=wishes)
        self.contract = bundle.contract
        self._post = Postprocessor(bundle.contract, self.engine.output.shape, thresholds)
        self._pre: Preprocessor | None = None
        self._clock = clock
        self.before_engine: Callable[[], None] | None = None

    def detect(self, frame: Pixels) -> Result:
        """Boxes in `frame` (uint8, [height, width, 3], BGR). Raises a FrameFault where there is no trustworthy answer."""
        started = self._clock()
        fit = self._preprocess(frame)
        ready = self._clock()
        if self.before_engine is not None:
            self.before_engine()
        self.engine.run()
        ran = self._clock()
        boxes = self._post(self.engine.output, fit)
        done = self._clock()
        stages = {
            "preprocess": (ready - started) / _NS_PER_MS,
            "inference": (ran - ready) / _NS_PER_MS,
            "postprocess": (done - ran) / _NS_PER_MS,
        }
        return Result(boxes, stages)

    def _preprocess(self, frame: Pixels) -> Fit:
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or 0 in frame.shape:
            raise BadFrame(f"a frame is {frame.dtype} of shape {list(frame.shape)}, not uint8 [height, width, 3]")
        if self._pre is None or not self._pre.matches(frame):
            height, width = frame.shape[:2]
            self._pre = Preprocessor(self.contract.input, width, height, self.engine.input)
        self._pre(frame)
        return self._pre.fit

    def warm_up(self, runs: int = 3) -> None:
        """Run the engine on a grey frame, so that the first real one is no slower than the others."""
        self.engine.input[...] = 0
        self._pre = None  # it wrote the padding that was just overwritten
        self.engine.warm_up(runs)

    def close(self) -> None:
        """Let the engine go."""
        self.engine.close()
