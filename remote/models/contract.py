"""contract.yaml: everything that must be true around a model so that its numbers mean something.

The file is part of a bundle. Unknown keys are refused: a misspelt threshold must not silently become the default.
"""

from __future__ import annotations

from typing import Annotated, Literal, Union

import msgspec

Positive = Annotated[int, msgspec.Meta(gt=0, le=16384)]
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Triple = tuple[float, float, float]


class InputContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a frame (uint8, height x width x 3, BGR as OpenCV gives it) becomes the model's input tensor.

    The frame is fitted into `width` x `height`, the colour order is set, then each channel becomes
    `(pixel * scale - mean) / std` in the order of `colour`.
    """

    name: str
    width: Positive
    height: Positive
    layout: Literal["nchw", "nhwc"] = "nchw"
    dtype: Literal["float32", "float16", "uint8"] = "float32"
    colour: Literal["bgr", "rgb"] = "rgb"
    scale: float = 1.0
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    fit: Literal["letterbox", "stretch"] = "letterbox"
    place: Literal["top_left", "centre"] = "centre"
    pad: Annotated[int, msgspec.Meta(ge=0, le=255)] = 114


class OutputContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which tensor holds the boxes and how they are written in it.

    Heads, with C classes and N anchors:
      yolox:  [1, N, 5 + C]; (dx, dy, log w, log h, objectness, scores) for each cell of `strides` in order.
      yolov5: [1, N, 5 + C]; (cx, cy, w, h, objectness, scores) in input pixels, already decoded.
      yolov8: [1, 4 + C, N]; (cx, cy, w, h, scores) in input pixels, already decoded (YOLOv8, YOLO11).
    """

    name: str
    head: Literal["yolox", "yolov5", "yolov8"]
    strides: tuple[Positive, ...] = (8, 16, 32)


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which boxes are reported. Scores and IoU are shares in [0, 1]."""

    score: Share = 0.3
    nms_iou: Share = 0.65
    nms_per_class: bool = True
    max_detections: Positive = 100


class Contract(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One model's contract. Boxes leave the pipeline as (x1, y1, x2, y2) in pixels of the camera's frame."""

    format: Literal[1] = 1
    name: str
    task: Literal["detection"] = "detection"
    input: InputContract
    output: OutputContract
    labels: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    thresholds: Thresholds = Thresholds()


Names = Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=4096)]
Numbers = Annotated[tuple[float, ...], msgspec.Meta(min_length=1)]


class ObservationContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One observation tensor of a policy, without its batch axis.

    Who runs the policy gives raw values in `units` to `clip((value - mean) / std, -clip, +clip)` and the result to the network;
    without mean and std the values go in as they are. `elements` and `units`, `mean` and `std` are in the tensor's flat order:
    one for each element, or a single one for all.
    """

    name: str
    shape: Annotated[tuple[Positive, ...], msgspec.Meta(min_length=1, max_length=4)]
    dtype: Literal["float32", "uint8"] = "float32"
    elements: Names
    units: Names
    mean: Union[Numbers, None] = None
    std: Union[Numbers, None] = None
    clip: Union[Annotated[float, msgspec.Meta(gt=0)], None] = None


class ActionContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The action tensor of a policy, flat: a name, a unit and limits for each element. The tensor is in these units already.

    `squash` says what keeps it within the limits inside the network: `tanh` and a scale, `clip`, or `none`. A discrete action
    is a whole number from `low` to `high`.
    """

    name: str
    kind: Literal["continuous", "discrete"] = "continuous"
    names: Names
    units: Names
    low: Numbers
    high: Numbers
    squash: Literal["none", "clip", "tanh"] = "none"


class PolicyContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A policy's contract: raw observations in, one action out. `deterministic`: the same observation gives the same action."""

    format: Literal[1] = 1
    name: str
    task: Literal["policy"]
    observations: Annotated[tuple[ObservationContract, ...], msgspec.Meta(min_length=1, max_length=16)]
    actions: ActionContract
    deterministic: Literal[True] = True


AnyContract = Union[Contract, PolicyContract]
