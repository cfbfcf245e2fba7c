"""What looking at a frame costs beyond the bare model: run as `python -m bench.perception`.

Three ways through the same model, interleaved in one run, so that whatever else uses the machine hits all of them:
  bare   `session.run` with bound buffers and nothing around it
  usual  the pipeline as it is commonly written in Python: a new canvas, resize, transpose and astype for each frame, a
         plain `session.run`, every box decoded, NMS in numpy
  ours   remote.perception.detector.Detector, from the camera's frame to boxes in its pixels
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from bench.table import Line, show
from bench.usual_model import LABELS as USUAL_LABELS
from bench.usual_model import write_usual_model
from remote.models.bundle import Bundle, load_bundle
from remote.models.contract import Contract
from remote.models.labels_file import read_labels
from remote.models.make import make_bundle
from remote.perception.arrays import Pixels
from remote.perception.detector import Detector
from remote.perception.engines.onnx_runtime import open_session

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT.parent / "shared" / "real"
FRAME_SIZES = ((640, 480), (1280, 720))
P50_GOAL = {"tabletop": 1.25, "yolox_nano": 1.15}
P99_GOAL = 1.3
Way = Callable[[Pixels], object]


@dataclass(frozen=True)
class Row:
    """One line of the table; times in milliseconds."""

    model: str
    frame: str
    n: int
    bare_p50_ms: float
    bare_p99_ms: float
    usual_p50: float
    usual_p99: float
    ours_p50: float
    ours_p99: float
    p50_goal: float

    @property
    def met(self) -> bool:
        """Whether both ratios are within their goals."""
        return self.ours_p50 <= self.p50_goal and self.ours_p99 <= P99_GOAL


class Usual:
    """The pipeline as commonly written: allocates at every step and decodes every box before looking at its score."""

    def __init__(self, bundle: Bundle) -> None:
        self.contract: Contract = bundle.contract
        self.session = open_session(bundle.model, threads=1)

    def __call__(self, frame: Pixels) -> object:
        """Boxes as a list of (corners, score, label)."""
        given = self.contract.input
        ratio = min(given.width / frame.shape[1], given.height / frame.shape[0])
        size = (round(frame.shape[1] * ratio), round(frame.shape[0] * ratio))
        canvas = np.full((given.height, given.width, 3), given.pad, np.uint8)
        canvas[: size[1], : size[0]] = cv2.resize(frame, size)
        if given.colour == "rgb":
            canvas = np.asarray(cv2.cvtColor(canvas, cv2.COLOR_BGR2RGB), np.uint8)
        tensor = canvas.astype(np.float32) * given.scale
        if given.layout == "nchw":
            tensor = np.ascontiguousarray(tensor.transpose(2, 0, 1))
        output = self.session.run(None, {given.name: tensor[None]})[0]
        return self._boxes(output, ratio)

    def _boxes(self, output: npt.NDArray[np.float32], ratio: float) -> list[tuple[Any, float, int]]:
        rows = output[0].T if self.contract.output.head == "yolov8" else output[0]
        scores = rows[:, 4:] if self.contract.output.head == "yolov8" else rows[:, 4:5] * rows[:, 5:]
        boxes = rows[:, :4].copy()
        if self.contract.output.head == "yolox":
            grid, stride = self._grid()
            boxes[:, :2] = (boxes[:, :2] + grid) * stride
            boxes[:, 2:] = np.exp(boxes[:, 2:]) * stride
        corners = np.concatenate((boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2), axis=1) / ratio
        found: list[tuple[Any, float, int]] = []
        for label in range(scores.shape[1]):
            mask = scores[:, label] > self.contract.thresholds.score
            if mask.any():
                kept = _numpy_nms(corners[mask], scores[mask, label], self.contract.thresholds.nms_iou)
                found += [(corners[mask][i], float(scores[mask, label][i]), label) for i in kept]
        return found

    def _grid(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        grids, strides = [], []
        for stride in self.contract.output.strides:
            width, height = self.contract.input.width // stride, self.contract.input.height // stride
            x, y = np.meshgrid(np.arange(width), np.arange(height))
            grids.append(np.stack((x, y), 2).reshape(-1, 2))
            strides.append(np.full((width * height, 1), stride))
        return np.concatenate(grids).astype(np.float32), np.concatenate(strides).astype(np.float32)


def _numpy_nms(boxes: npt.NDArray[np.float32], scores: npt.NDArray[np.float32], limit: float) -> list[int]:
    order, kept = scores.argsort()[::-1], []
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    while order.size:
        first, rest = order[0], order[1:]
        kept.append(int(first))
        low = np.maximum(boxes[first, :2], boxes[rest, :2])
        high = np.minimum(boxes[first, 2:], boxes[rest, 2:])
        inner = np.maximum(0, high - low).prod(axis=1)
        order = rest[inner / (areas[first] + areas[rest] - inner) <= limit]
    return kept


def measure(bundle: Bundle, frames: Sequence[Pixels], rounds: int) -> Row:
    """Run the three ways in turns over `frames`, `rounds` times each."""
    detector, usual = Detector(bundle, threads=1), Usual(bundle)
    # The same engine bare and within ours: a second copy of the weights would measure the cache.
    ways: dict[str, Way] = {"bare": lambda frame: detector.engine.run(), "usual": usual, "ours": detector.detect}
    times: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for number in range(-10, rounds):
        frame = frames[number % len(frames)]
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:  # nobody always goes first
            started = time.perf_counter_ns()
            ways[name](frame)
            if number >= 0:
                times[name].append((time.perf_counter_ns() - started) / 1e6)
    return _row(bundle, frames[0], times)


def _row(bundle: Bundle, frame: Pixels, times: dict[str, list[float]]) -> Row:
    name = bundle.contract.name
    p50 = {way: float(np.percentile(values, 50)) for way, values in times.items()}
    p99 = {way: float(np.percentile(values, 99)) for way, values in times.items()}
    return Row(
        model=name,
        frame=f"{frame.shape[1]}x{frame.shape[0]}",
        n=len(times["bare"]),
        bare_p50_ms=p50["bare"],
        bare_p99_ms=p99["bare"],
        usual_p50=p50["usual"] / p50["bare"],
        usual_p99=p99["usual"] / p99["bare"],
        ours_p50=p50["ours"] / p50["bare"],
        ours_p99=p99["ours"] / p99["bare"],
        p50_goal=P50_GOAL.get(name, 1.25),
    )


def scene_frames(width: int, height: int, count: int = 8) -> list[Pixels]:
    """Rendered table-tops: pictures with something in them, on every machine."""
    from remote.training.randomisation import load_randomisation
    from remote.training.scene import SceneRenderer

    renderer = SceneRenderer(load_randomisation(), width=width, height=height)
    return [renderer.render(seed).image for seed in range(count)]


def photo_frames(width: int, height: int, count: int = 8) -> list[Pixels]:
    """Photographs, scaled to the camera's size."""
    paths = sorted((REAL / "images").glob("*.jpg"))[:count]
    return [np.asarray(cv2.resize(cv2.imread(str(path)), (width, height)), np.uint8) for path in paths]


def main() -> int:
    """Print the table; `--json` prints the rows as one JSON list. Returns 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--rounds",
        type=int,
        default=1000,
        help="runs of each way for each row (default 1000)",
    )
    parser.add_argument("--json", action="store_true", help="rows as JSON")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    rows = list(_rows(arguments.rounds))
    if arguments.json:
        sys.stdout.write(json.dumps([vars(row) | {"met": row.met} for row in rows]) + "\n")
    else:
        show("Perception over the bare model", [line for row in rows for line in lines_of(row)])
    return 0 if all(row.met for row in rows) else 1


def _rows(rounds: int) -> Iterator[Row]:
    tabletop = ROOT / "remote" / "bundles" / "tabletop"
    if tabletop.is_dir():
        bundle = load_bundle(tabletop)
        for size in FRAME_SIZES:
            yield measure(bundle, scene_frames(*size), rounds)
    with tempfile.TemporaryDirectory() as folder:
        usual = write_usual_model(Path(folder) / "usual.onnx")
        bundle = make_bundle(usual, "yolov8", USUAL_LABELS, Path(folder) / "bundle", name="416x416 net")
        for size in FRAME_SIZES:
            yield measure(bundle, scene_frames(*size), rounds)
    model = REAL / "yolox_nano.onnx"
    if not model.is_file():
        sys.stderr.write(f"YOLOX-Nano is left out: {model} is not there\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        bundle = make_bundle(model, "yolox", read_labels(REAL / "names.yaml"), Path(folder) / "yolox")
        for size in FRAME_SIZES:
            yield measure(bundle, photo_frames(*size), rounds)


def lines_of(row: Row) -> list[Line]:
    """Two goals for each row: p50 and p99, both as ratios over the bare model in the same run."""
    what = f"{row.model}, {row.frame}, n {row.n}, one thread"
    bare = f"bare {row.bare_p50_ms:.2f} ms; usual {row.usual_p50:.2f} x"
    p50 = Line(f"{what}: p50", f"{row.ours_p50:.2f} x", bare, f"<= {row.p50_goal:.2f} x", row.ours_p50 <= row.p50_goal)
    bare = f"bare {row.bare_p99_ms:.2f} ms; usual {row.usual_p99:.2f} x"
    return [p50, Line(f"{what}: p99", f"{row.ours_p99:.2f} x", bare, f"<= {P99_GOAL:.2f} x", row.ours_p99 <= P99_GOAL)]


if __name__ == "__main__":
    sys.exit(main())
