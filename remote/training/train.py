"""Trains the embedded detector on rendered scenes and writes its bundle: `python -m remote.training.train --output DIR`.

Needs the development extra `train` (PyTorch, onnx) and `score` (pycocotools); nothing that runs on a robot imports it.
"""

from __future__ import annotations

import copy
import math
import platform
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import torch

from remote.manifest import CONTRACT, MODEL
from remote.models.contract_file import contract_text
from remote.training import export
from remote.training.card import Making, model_card
from remote.training.dataset import Scenes, render_scenes
from remote.training.losses import detection_loss
from remote.training.network import Detector, cells
from remote.training.randomisation import DEFAULT_FILE, Randomisation, load_randomisation
from remote.training.scene import LABELS, RenderedScene, SceneRenderer
from remote.training.score import Detections, open_detector, score
from remote.training.visibility import LabelledBox

SIZE = (256, 192)  # width, height: 640 x 480 frames fit exactly
BATCH = 32
PEAK_RATE, LAST_RATE_SHARE, WARM_UP_STEPS = 3e-3, 0.01, 200
AVERAGE_KEEP = 0.998
NMS_IOU = 0.5
THRESHOLD_SEEDS = range(800_000, 800_200)
TEST_SEEDS = range(900_000, 900_500)
LATENCY_RUNS = 500


@dataclass(frozen=True, slots=True)
class Trained:
    """The network with averaged weights, and how long it took."""

    network: Detector
    steps: int
    minutes: float


def train(
    scenes: Scenes, *, steps: int, seed: int, minutes: float, clock: Callable[[], float] = time.monotonic
) -> Trained:
    """Train from random weights for `steps` steps, fewer if `minutes` are over (then the rate falls by the clock)."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = Detector(len(LABELS)).to(memory_format=torch.channels_last)
    average = copy.deepcopy(network).eval()
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": weights, "weight_decay": 0.02}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=PEAK_RATE)
    middles, strides = cells(SIZE)
    started, step, progress, running = clock(), 0, 0.0, 0.0
    while progress < 1:
        for group in optimiser.param_groups:
            group["lr"] = _rate(step, progress)
        images, targets = _batch(scenes, rng)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            sides, logits = network(images)
        loss = detection_loss(sides.float(), logits.float(), middles, strides, targets)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimiser.step()
        step += 1
        _follow(average, network, min(AVERAGE_KEEP, step / (step + 20)))
        running += (loss.item() - running) / min(step, 50)
        spent = (clock() - started) / 60
        progress = max(step / steps, spent / minutes)
        if step % 50 == 0:
            click.echo(f"step {step} of {steps}, {spent:.1f} min, loss {running:.3f}", err=True)
    return Trained(average, step, (clock() - started) / 60)


def _rate(step: int, progress: float) -> float:
    cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    return PEAK_RATE * min(1.0, (step + 1) / WARM_UP_STEPS) * (LAST_RATE_SHARE + (1 - LAST_RATE_SHARE) * cosine)


def _batch(scenes: Scenes, rng: np.random.Generator) -> tuple[Any, Any]:
    """BATCH scenes, each mirrored by chance."""
    picked = rng.integers(len(scenes.images), size=BATCH)
    images = torch.from_numpy(scenes.images[picked]).permute(0, 3, 1, 2).float()
    boxes = scenes.boxes[picked]
    mirrored = rng.random(BATCH) < 0.5
    flip = boxes[mirrored]
    boxes[mirrored] = np.concatenate([flip[..., :1], SIZE[0] - flip[..., 3:4], flip[..., 2:3],
                                      SIZE[0] - flip[..., 1:2], flip[..., 4:]], axis=-1)  # fmt: skip
    images[torch.from_numpy(mirrored)] = images[torch.from_numpy(mirrored)].flip(3)
    return images.contiguous(memory_format=torch.channels_last), torch.from_numpy(boxes)


def _follow(average: Detector, network: Detector, keep: float) -> None:
    """Exponential average of weights and of normalisation statistics."""
    with torch.no_grad():
        for slow, fast in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
            if slow.dtype.is_floating_point:
                slow.lerp_(fast, 1 - keep)
            else:
                slow.copy_(fast)


def pick_threshold(
    scenes: list[RenderedScene], detect: Callable[[npt.NDArray[np.uint8]], Detections]
) -> tuple[float, float, float]:
    """The score threshold with the best F1 at IoU 0.5: (threshold, precision, recall)."""
    rows: list[tuple[float, bool]] = []
    total = 0
    for scene in scenes:
        total += len(scene.boxes)
        rows.extend(_matches(scene.boxes, detect(scene.image)))
    best = (0.0, 0.5, 0.0, 0.0)
    for threshold in np.arange(0.2, 0.71, 0.05):
        kept = [right for confidence, right in rows if confidence >= threshold]
        right = sum(kept)
        precision, recall = right / max(len(kept), 1), right / total
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        best = max(best, (f1, round(float(threshold), 2), precision, recall))
    return best[1:]


def _matches(boxes: tuple[LabelledBox, ...], found: Detections) -> list[tuple[float, bool]]:
    """(score, right?) of each detection, best first; each object is found once."""
    free = list(boxes)
    rows = []
    for x1, y1, x2, y2, confidence, label in found.tolist():
        hit = next((b for b in free if b.label == int(label) and _iou((x1, y1, x2, y2), b[1:5]) >= 0.5), None)
        if hit is not None:
            free.remove(hit)
        rows.append((confidence, hit is not None))
    return rows


def _iou(one: tuple[float, float, float, float], other: tuple[float, ...]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(width, 0.0) * max(height, 0.0)
    areas = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1])
    return common / max(areas - common, 1e-9)


def latency_ms(model: Path) -> tuple[float, float]:
    """(p50, p99) of LATENCY_RUNS inferences on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    feed = {export.INPUT_NAME: np.full((1, 3, SIZE[1], SIZE[0]), 100, np.float32)}
    times = []
    for _ in range(LATENCY_RUNS + 20):
        started = time.perf_counter()
        session.run(None, feed)
        times.append((time.perf_counter() - started) * 1e3)
    p50, p99 = np.percentile(times[20:], [50, 99])
    return float(p50), float(p99)


def write_bundle(
    output: Path, trained: Trained, randomisation: Randomisation, train_seeds: range, *, processor: str
) -> Making:
    """Export, pick the threshold, measure, write all files of the bundle."""
    output.mkdir(parents=True, exist_ok=True)
    model = output / MODEL
    opset = export.write_onnx(trained.network, SIZE, model)
    renderer = SceneRenderer(randomisation)
    picked = pick_threshold([renderer.render(s) for s in THRESHOLD_SEEDS], open_detector(model, nms_iou=NMS_IOU))
    p50, p99 = latency_ms(model)
    made = Making(
        command=shlex.join(["python", "-m", "remote.training.train", *sys.argv[1:]]),
        torch_version=torch.__version__,
        train_seeds=train_seeds,
        threshold_seeds=THRESHOLD_SEEDS,
        test_seeds=TEST_SEEDS,
        steps=trained.steps,
        batch=BATCH,
        threads=torch.get_num_threads(),
        training_minutes=trained.minutes,
        parameters=sum(p.numel() for p in trained.network.parameters()),
        model_bytes=model.stat().st_size,
        opset=opset,
        size=SIZE,
        score=picked[0],
        nms_iou=NMS_IOU,
        precision=picked[1],
        recall=picked[2],
        latency_p50_ms=p50,
        latency_p99_ms=p99,
        latency_runs=LATENCY_RUNS,
        processor=processor,
        test=score((renderer.render(s) for s in TEST_SEEDS), open_detector(model)),
    )
    stated = export.contract(SIZE, score=made.score, nms_iou=NMS_IOU)
    (output / CONTRACT).write_text(contract_text(stated), encoding="utf-8")
    (output / "MODEL_CARD.md").write_text(model_card(made), encoding="utf-8")
    export.write_manifest(output, ("MODEL_CARD.md", CONTRACT, MODEL))
    return made


def _processor() -> str:
    """The processor's name as Linux gives it, else the architecture."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text("utf-8").splitlines() if facts.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


@click.command()
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder of the bundle.")
@click.option("--scenes", type=click.IntRange(64, 500_000), default=8000, show_default=True, help="To train on.")
@click.option("--steps", type=click.IntRange(1), default=4500, show_default=True, help="Optimiser steps of 32 scenes.")
@click.option("--minutes", type=click.FloatRange(0.1), default=600.0, help="Stop optimising earlier after this time.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of weights and batches.")
@click.option("--first-scene", type=click.IntRange(0, 799_999), default=100_000, show_default=True, help="Scene seed.")
@click.option("--threads", type=click.IntRange(1), default=2, show_default=True)
@click.option("--randomisation", type=click.Path(path_type=Path), default=DEFAULT_FILE, help="Randomisation file.")
def main(
    output: Path,
    scenes: int,
    steps: int,
    minutes: float,
    seed: int,
    first_scene: int,
    threads: int,
    randomisation: Path,
) -> None:
    """Render scenes, train on them, export, measure on scenes never trained on."""
    torch.set_num_threads(threads)
    seeds = range(first_scene, first_scene + scenes)
    if seeds[-1] >= THRESHOLD_SEEDS[0]:
        raise click.UsageError(f"scene seeds from {THRESHOLD_SEEDS[0]} on are kept for measuring")
    ranges = load_randomisation(randomisation)
    click.echo(f"rendering {scenes} scenes", err=True)
    data = render_scenes(ranges, seeds, SIZE, processes=threads)
    trained = train(data, steps=steps, seed=seed, minutes=minutes)
    made = write_bundle(output, trained, ranges, seeds, processor=_processor())
    click.echo(f"AP50 {made.test.ap50:.3f}, AP {made.test.ap:.3f} on {made.test.scenes} unseen scenes, by class "
               f"{[round(value, 3) for value in made.test.ap50_by_class]}; {made.model_bytes} bytes; "
               f"p50 {made.latency_p50_ms:.2f} ms; bundle in {output}")  # fmt: skip


if __name__ == "__main__":
    main()
