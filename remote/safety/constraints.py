"""What lies outside of what is possible in a frame. Pure; NaN never passes, because each rule says what is allowed."""

from __future__ import annotations

from collections.abc import Sequence

from remote.protocol import Constraints, Detection


def broken(
    limits: Constraints, detections: Sequence[Detection], width: int, height: int, labels: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """(constraint, sentence) for each constraint of `limits` that these results break; the first box that does is named.

    Shares are a box's area over the frame's. A box whose share is no number breaks every limit of shares.
    """
    found: list[tuple[str, str]] = []
    if limits.max_boxes is not None and len(detections) > limits.max_boxes:
        found.append(("max_boxes", f"{len(detections)} boxes, at most {limits.max_boxes} are possible"))
    shares = [(share(one, width, height), _label(one, labels)) for one in detections]
    lowest, highest = limits.min_box_share, limits.max_box_share
    small = [one for one in shares if lowest is not None and not one[0] >= lowest]
    large = [one for one in shares if highest is not None and not one[0] <= highest]
    if small:
        found.append(("min_box_share", f"{small[0][1]} covers {small[0][0]:.4f} of the frame, at least {lowest:g}"))
    if large:
        found.append(("max_box_share", f"{large[0][1]} covers {large[0][0]:.4f} of the frame, at most {highest:g}"))
    return tuple(found)


def share(box: Detection, width: int, height: int) -> float:
    """A box's area over the frame's; NaN where either is no area."""
    across, down, area = box.x2 - box.x1, box.y2 - box.y1, width * height
    if not (across >= 0 and down >= 0 and area > 0):
        return float("nan")
    return across * down / area


def _label(box: Detection, labels: Sequence[str]) -> str:
    return labels[box.label_index] if 0 <= box.label_index < len(labels) else f"label {box.label_index}"
