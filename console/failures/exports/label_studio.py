"""Label Studio's own format: tasks whose boxes are predictions, and the labelling interface that they belong to.

Its importer of COCO files fails at an empty `segmentation`, which CVAT's asks for; its own format suits both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from console.failures.rows import FailureRow


def task(
    name: str, width: int, height: int, row: FailureRow, boxes: Iterable[tuple[str, float, float, float, float, float]]
) -> dict[str, Any]:
    """A task: the picture below images/, what is known of the failure, and the robot's boxes (label, score, x, y, width,
    height in pixels) as predictions in per cent of the picture."""
    result = [
        {
            "id": f"box{place}",
            "from_name": "label",
            "to_name": "image",
            "type": "rectanglelabels",
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "score": score,
            "value": {
                "x": 100 * x / width,
                "y": 100 * y / height,
                "width": 100 * across / width,
                "height": 100 * down / height,
                "rotation": 0,
                "rectanglelabels": [label],
            },
        }
        for place, (label, score, x, y, across, down) in enumerate(boxes, start=1)
    ]
    data = {"image": f"/data/local-files/?d=images/{quote(name)}", "failure": row.id, "kind": row.kind}
    return {"data": data, "predictions": [{"model_version": row.bundle[:12] or "robot", "result": result}]}


def config_xml(labels: Sequence[str]) -> str:
    """The labelling interface with these labels."""
    each = "".join(f"    <Label value={quoteattr(label)}/>\n" for label in labels)
    return (
        '<View>\n  <Image name="image" value="$image"/>\n  <RectangleLabels name="label" toName="image">\n'
        f"{each}  </RectangleLabels>\n</View>\n"
    )
