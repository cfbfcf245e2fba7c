"""What the detector is taught: which cells answer for which object, and how wrong they are. Needs PyTorch.

Cells are matched by task-aligned assignment (Feng et al., TOOD, 2021): of the cells inside an object the best by
score^0.5 * IoU^6 answer for it. Boxes are scored by generalised IoU (Rezatofighi et al., 2019), classes by binary
cross-entropy against the quality of the match.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

_CELLS_AN_OBJECT = 8
_SCORE_POWER, _IOU_POWER = 0.5, 6.0
_BOX_WEIGHT = 3.0
_LEAST_HALF_PX = 6.0  # a sliver of an object may hold no cell's middle: look this far around its own


def detection_loss(sides: Any, logits: Any, middles: Any, strides: Any, targets: Any) -> Any:
    """Mean loss of a batch.

    Args:
        sides: [n, 4, cells] distances to left, top, right, bottom in strides.
        logits: [n, classes, cells] scores before the sigmoid.
        middles: [cells, 2] in pixels.
        strides: [cells] in pixels.
        targets: [n, most, 5] class, x1, y1, x2, y2 in pixels; class -1 where unused.
    """
    boxes = to_boxes(sides, middles, strides)
    logits = logits.transpose(1, 2)
    with torch.no_grad():
        owner, quality = _assign(boxes, logits.sigmoid(), middles, targets)
    batch = torch.arange(len(targets))[:, None]
    wanted = targets[batch, owner]
    goal = functional.one_hot(wanted[..., 0].clamp(min=0).long(), logits.shape[2]) * quality[..., None]
    total = quality.sum().clamp(min=1.0)
    scores = functional.binary_cross_entropy_with_logits(logits, goal.to(logits.dtype), reduction="sum") / total
    answering = quality > 0
    apart = 1 - generalised_iou(boxes[answering], wanted[answering][:, 1:])
    return scores + _BOX_WEIGHT * (apart * quality[answering]).sum() / total


def to_boxes(sides: Any, middles: Any, strides: Any) -> Any:
    """[n, 4, cells] sides in strides -> [n, cells, 4] x1, y1, x2, y2 in pixels."""
    pixels = sides.transpose(1, 2) * strides[None, :, None]
    return torch.cat([middles - pixels[..., :2], middles + pixels[..., 2:]], 2)


def generalised_iou(one: Any, other: Any) -> Any:
    """Generalised IoU of boxes [..., 4], pair by pair."""
    overlap, union = _overlap(one, other)
    hull = (torch.maximum(one[..., 2:], other[..., 2:]) - torch.minimum(one[..., :2], other[..., :2])).prod(-1)
    hull = hull.clamp(min=1e-6)
    return overlap / union - (hull - union) / hull


def _overlap(one: Any, other: Any) -> tuple[Any, Any]:
    common = torch.minimum(one[..., 2:], other[..., 2:]) - torch.maximum(one[..., :2], other[..., :2])
    overlap = common.clamp(min=0).prod(-1)
    areas = (one[..., 2:] - one[..., :2]).prod(-1) + (other[..., 2:] - other[..., :2]).prod(-1)
    return overlap, (areas - overlap).clamp(min=1e-6)


def _assign(boxes: Any, scores: Any, middles: Any, targets: Any) -> tuple[Any, Any]:
    """(index of the object that each cell answers for [n, cells], quality of the match or 0 [n, cells])."""
    real = targets[..., 0] >= 0
    overlap, union = _overlap(targets[:, :, None, 1:], boxes[:, None])
    iou = overlap / union
    label = targets[..., 0].clamp(min=0).long()
    for_class = scores.transpose(1, 2).gather(1, label[..., None].expand(-1, -1, scores.shape[1]))
    metric = for_class**_SCORE_POWER * iou**_IOU_POWER
    metric = metric * (_inside(middles, targets) & real[..., None])
    best = metric.topk(_CELLS_AN_OBJECT, dim=2)
    chosen = torch.zeros_like(metric).scatter(2, best.indices, (best.values > 1e-9).to(metric.dtype))
    claimed = chosen * iou
    owner = claimed.argmax(1)
    chosen = chosen * functional.one_hot(owner, targets.shape[1]).transpose(1, 2)
    metric = metric * chosen
    peak = metric.amax(2, keepdim=True).clamp(min=1e-9)
    quality = (metric / peak * (iou * chosen).amax(2, keepdim=True)).amax(1)
    return owner, quality


def _inside(middles: Any, targets: Any) -> Any:
    """[n, most, cells]: whether a cell's middle lies in the object's box, a small box grown to a least size."""
    centre = (targets[..., 1:3] + targets[..., 3:]) * 0.5
    half = ((targets[..., 3:] - targets[..., 1:3]) * 0.5).clamp(min=_LEAST_HALF_PX)
    return ((middles - centre[:, :, None]).abs() < half[:, :, None]).all(3)
