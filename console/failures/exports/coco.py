"""Failures' pictures for labelling: a folder that CVAT, Label Studio, FiftyOne and pycocotools read.

What the robot detected is no truth: it stands in predictions/ alone, with scores. annotations/ holds the same pictures without
any box, for what people will draw.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter, deque
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from console.failures.examples import LookOf
from console.failures.exports.label_studio import config_xml, task
from console.failures.exports.made import PEOPLE, Exported, label_of, not_written, picture_of, refuse_existing
from console.failures.near_duplicates import Look, alike
from console.failures.rows import FailureRow
from console.store.pictures import Pictures
from remote.atomic import sync

_NAME = "instances_default.json"  # what CVAT's importer looks for below annotations/
_COMPARED = 500  # so many pictures, the newest ones, are compared with
_NO_LABEL = "object"  # FiftyOne refuses a file without any category


class Box(NamedTuple):
    """A detection in pixels of the exported picture."""

    label: str
    score: float
    x: float
    y: float
    width: float
    height: float


class Shown(NamedTuple):
    """A picture in the export, its failures, and what the robot saw in it."""

    name: str
    width: int
    height: int
    row: FailureRow
    boxes: list[Box]
    failures: list[str]


def export_coco(
    rows: Iterable[FailureRow], pictures: Pictures, folder: Path, *, fold_by: LookOf | None = None
) -> Exported:
    """Write the folder whole or not at all (0700).

    `fold_by`: pictures that look alike are exported once; the others' failures are named with it. Raises Trouble: `exists`,
    `not_written`.
    """
    refuse_existing(folder)
    whole = folder.with_name(f".{folder.name}.{os.urandom(6).hex()}.tmp")
    try:
        (whole / "images").mkdir(parents=True, mode=0o700)
        shown, missing, count, left = _copied(rows, pictures, whole / "images", fold_by)
        _write_files(whole, list(shown.values()), missing)
        total = sum(file.stat().st_size for file in whole.rglob("*") if file.is_file())
        whole.chmod(0o700)
        whole.rename(folder)
        sync(folder.parent)
    except OSError as error:
        shutil.rmtree(whole, ignore_errors=True)
        raise not_written(folder, error) from error
    except BaseException:
        shutil.rmtree(whole, ignore_errors=True)
        raise
    boxes = sum(len(one.boxes) for one in shown.values())
    return Exported(
        path=str(folder),
        failures=count,
        pictures=len(shown),
        boxes=boxes,
        bytes=total,
        missing=dict(missing),
        folded=left,
    )


def _copied(
    rows: Iterable[FailureRow], pictures: Pictures, images: Path, fold_by: LookOf | None
) -> tuple[dict[str, Shown], Counter[str], int, int]:
    shown: dict[str, Shown] = {}
    missing: Counter[str] = Counter()
    looks: deque[tuple[str, Look]] = deque(maxlen=_COMPARED)
    count = left = 0
    for row in rows:
        count += 1
        path = picture_of(row, pictures, missing)
        if path is None or row.at is None:
            continue
        look = fold_by(row.at) if fold_by else None
        key = next((digest for digest, other in looks if look and alike(look, other)), row.at)
        if key not in shown:
            made = _shown(row, path, images)
            if made is None:
                missing["the picture can't be decoded"] += 1
                continue
            shown[key] = made
            if look:
                looks.appendleft((key, look))
        else:
            left += key != row.at
            shown[key].failures.append(row.id)
    return shown, missing, count, left


def _shown(row: FailureRow, path: Path, images: Path) -> Shown | None:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            width, height = picture.size
            picture.load()
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError):
        return None
    name = _file_name(row)
    shutil.copyfile(path, images / name)
    (images / name).chmod(0o600)
    return Shown(name, width, height, row, _boxes(row, width, height), [row.id])


def _file_name(row: FailureRow) -> str:
    try:
        when = datetime.fromtimestamp(row.wall_ns // 1_000_000_000, timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    except (OverflowError, ValueError, OSError):
        when = "no_time"
    kind = re.sub(r"[^A-Za-z0-9_]+", "_", row.kind)[:40]
    return f"{when}_{kind}_{(row.at or '')[:12]}.jpg"


def _boxes(row: FailureRow, width: int, height: int) -> list[Box]:
    """The detections in the picture's own pixels (it may be smaller than the frame), cut at its edges."""
    if not row.width or not row.height:
        return []
    across, down = width / row.width, height / row.height
    found = []
    for one in row.detections:
        left, right = max(0.0, one.x1 * across), min(float(width), one.x2 * across)
        top, bottom = max(0.0, one.y1 * down), min(float(height), one.y2 * down)
        if right > left and bottom > top:
            label = label_of(row, one.label_index)
            found.append(Box(label, one.score, left, top, right - left, bottom - top))
    return found


# ------------------------------------------------------------ the files


def _write_files(folder: Path, shown: list[Shown], missing: Counter[str]) -> None:
    names = dict.fromkeys(name for one in shown for name in (one.row.names or [box.label for box in one.boxes]))
    for one in shown:
        names.update(dict.fromkeys(box.label for box in one.boxes))
    ids = {name: place for place, name in enumerate(names or {_NO_LABEL: None}, start=1)}
    annotations = _annotations(shown, ids)
    _json(folder / "annotations" / _NAME, _dataset(shown, ids, [], "pictures to be labelled, without any box"))
    _json(folder / "predictions" / _NAME, _dataset(shown, ids, annotations, "what the robot detected: no truth"))
    results = [{key: one[key] for key in ("image_id", "category_id", "bbox", "score")} for one in annotations]
    _json(folder / "predictions" / "results.json", results)
    _json(folder / "label_studio.json", [task(one.name, one.width, one.height, one.row, one.boxes) for one in shown])
    _write(folder / "label_studio.xml", config_xml(list(ids)))
    _write(folder / "README.txt", _readme(shown, missing))


def _dataset(shown: list[Shown], ids: dict[str, int], annotations: list[dict[str, Any]], what: str) -> dict[str, Any]:
    images = [
        {
            "id": place,
            "file_name": one.name,
            "width": one.width,
            "height": one.height,
            "failure": one.row.id,
            "failures": one.failures,
            "kind": one.row.kind,
            "robot": one.row.robot,
            "conditions": one.row.conditions,
        }
        for place, one in enumerate(shown, start=1)
    ]
    categories = [{"id": place, "name": name, "supercategory": ""} for name, place in ids.items()]
    info = {"description": f"fieldgate failures: {what}. {PEOPLE}", "version": "1.0"}
    return {"info": info, "licenses": [], "categories": categories, "images": images, "annotations": annotations}


def _annotations(shown: list[Shown], ids: dict[str, int]) -> list[dict[str, Any]]:
    """An empty `segmentation` makes CVAT take the box as a rectangle; without the key its importer refuses the file."""
    found: list[dict[str, Any]] = []
    for image, one in enumerate(shown, start=1):
        for box in one.boxes:
            found.append(
                {
                    "id": len(found) + 1,
                    "image_id": image,
                    "category_id": ids[box.label],
                    "bbox": [round(value, 2) for value in box[2:]],
                    "area": round(box.width * box.height, 2),
                    "iscrowd": 0,
                    "segmentation": [],
                    "score": round(box.score, 6),
                }
            )
    return found


def _readme(shown: list[Shown], missing: Counter[str]) -> str:
    gone = "".join(f"{count} failures are without a picture: {why}.\n" for why, count in sorted(missing.items()))
    return f"""Failures of robots, for labelling: {len(shown)} pictures. {PEOPLE}
{gone}
images/                             the pictures
annotations/{_NAME}  COCO, no boxes: what people are to label
predictions/{_NAME}  COCO with scores: what the robot detected. It is no truth
predictions/results.json            the same as COCO results
label_studio.json, label_studio.xml tasks with predictions, and the labelling interface

CVAT: make a task of images/, then upload predictions/{_NAME} as "COCO 1.0" to correct it.
Label Studio: serve this folder as local files, take label_studio.xml as the interface, import label_studio.json.
FiftyOne: Dataset.from_dir(dataset_type=fiftyone.types.COCODetectionDataset, data_path="images",
          labels_path="predictions/{_NAME}", label_field="predictions")
"""


def _json(path: Path, value: object) -> None:
    _write(path, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o600)
