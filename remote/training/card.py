"""MODEL_CARD.md: how the embedded detector was made and what it can be trusted with."""

from __future__ import annotations

from dataclasses import dataclass

from remote.training.scene import LABELS
from remote.training.score import Scores
from remote.training.visibility import LEAST_VISIBLE_PX, LEAST_VISIBLE_SHARE


@dataclass(frozen=True, slots=True)
class Making:
    """What the card says about training and measuring.

    Attributes:
        command: that makes the bundle again.
        torch_version: of PyTorch.
        train_seeds, threshold_seeds, test_seeds: scene seeds, first to last; they do not overlap.
        steps, batch, threads: of the optimiser.
        training_minutes: wall time of the optimisation.
        parameters, model_bytes, opset: of the exported network.
        size: (width, height) of its input.
        score, nms_iou: thresholds of the contract.
        latency_p50_ms, latency_p99_ms, latency_runs: of one `session.run` on one thread of `processor`.
        test: figures on the test seeds.
    """

    command: str
    torch_version: str
    train_seeds: range
    threshold_seeds: range
    test_seeds: range
    steps: int
    batch: int
    threads: int
    training_minutes: float
    parameters: int
    model_bytes: int
    opset: int
    size: tuple[int, int]
    score: float
    nms_iou: float
    precision: float
    recall: float
    latency_p50_ms: float
    latency_p99_ms: float
    latency_runs: int
    processor: str
    test: Scores


def model_card(made: Making) -> str:
    """The card's text."""
    return "\n".join([*_what_it_is(made), *_how_made(made), *_measured(made), *_WEAKNESSES, ""])


def _what_it_is(made: Making) -> list[str]:
    width, height = made.size
    return [
        "# tabletop: the embedded detector",
        "",
        "Finds cube, sphere, cylinder and cone in rendered table-top pictures. It exists so that the console has a real",
        "model to watch on any machine; it is **not** made for a real table or for a robot's decisions.",
        "",
        "- Licence: Apache-2.0. Data, labels and weights come from this repository alone; no pretrained weights, no",
        "  photographs.",
        f"- Input: `images`, float32 [1, 3, {height}, {width}], BGR levels 0..255 (their scaling is part of the first",
        "  convolution), letterbox in the top left corner, pad 114.",
        f"- Output: `output`, float32 [1, {4 + len(LABELS)}, cells]: cx, cy, w, h in input pixels, then a score in [0, 1]",
        "  for each class.",
        f"- Size: {made.parameters:,} parameters, model.onnx {made.model_bytes:,} bytes, ONNX opset {made.opset}, standard",
        "  operators only.",
        f"- Thresholds: score {made.score:.2f}, NMS IoU {made.nms_iou:.2f}.",
        "",
    ]


def _how_made(made: Making) -> list[str]:
    return [
        "## How it was made",
        "",
        "```",
        made.command,
        "```",
        "",
        "- Data: scenes of `remote/training/scene.py`, drawn from `remote/training/tabletop.yaml`; seeds",
        f"  {_span(made.train_seeds)} ({len(made.train_seeds):,} scenes), mirrored at random. An object is labelled if at",
        f"  least {LEAST_VISIBLE_SHARE:.0%} of it and {LEAST_VISIBLE_PX} of its pixels (at 640 x 480) are visible; others",
        "  are not in the picture.",
        "- Network (`network.py`): plain 3x3 convolutions with split blocks, strides 2 to 16, one feature pyramid step,",
        "  heads at strides 8 and 16 that share their 3x3 convolutions; anchor-free, a box is four distances from a",
        "  cell's middle.",
        "- Loss (`losses.py`): task-aligned assignment, generalised IoU, binary cross-entropy against match quality.",
        f"- {made.steps:,} steps of {made.batch} pictures, AdamW with one cosine cycle, running average of weights;",
        f"  {made.training_minutes:.0f} min on {made.threads} CPU thread(s), PyTorch {made.torch_version}. The same",
        "  seeds make the same data; weights differ in rounding between machines.",
        "",
    ]


def _measured(made: Making) -> list[str]:
    test = made.test
    areas = ("< 32 x 32 px", "32 x 32 to 96 x 96 px", "> 96 x 96 px")
    return [
        "## Measured",
        "",
        f"On {test.scenes} scenes with seeds {_span(made.test_seeds)} ({test.objects:,} objects), never trained on and not",
        "used to pick anything; 640 x 480, exported file, ONNX Runtime, COCO evaluation (pycocotools), score > 0.01,",
        "NMS IoU 0.65:",
        "",
        "| objects | metric | value |",
        "|---|---|---|",
        f"| all | AP50 | {test.ap50:.3f} |",
        *(f"| {name} | AP50 | {value:.3f} |" for name, value in zip(LABELS, test.ap50_by_class, strict=True)),
        f"| all | AP50..95 | {test.ap:.3f} |",
        *(f"| {area} | AP50..95 | {value:.3f} |" for area, value in zip(areas, test.ap_by_area, strict=True)),
        "",
        f"With the contract's thresholds, on {len(made.threshold_seeds)} scenes with seeds {_span(made.threshold_seeds)},",
        f"where the score threshold was picked by the best F1 at IoU 0.5: precision {made.precision:.3f}, recall",
        f"{made.recall:.3f}.",
        "",
        f"Latency of one inference alone, one thread, {made.processor}: p50 {made.latency_p50_ms:.2f} ms,",
        f"p99 {made.latency_p99_ms:.2f} ms (n = {made.latency_runs}, idle machine not guaranteed).",
        "",
    ]


_WEAKNESSES = [
    "## Known weaknesses",
    "",
    "- Rendered scenes only: one lamp, one table, objects that stand or lie but are never stacked, held or broken.",
    "- Small objects are found worst (see the table). Some views do not tell the class: a cone or cylinder along its",
    "  axis looks like a sphere, a cylinder from its side like a cube.",
    "- Boxes are those of the visible part; a hidden object's extent is not guessed.",
    "- Scores are not calibrated probabilities.",
]


def _span(seeds: range) -> str:
    return f"{seeds[0]} to {seeds[-1]}"
