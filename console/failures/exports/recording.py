"""Failures as an MCAP recording that Foxglove opens: pictures, boxes, log, metrics, each at its time.

Topics: /camera (foxglove.CompressedImage), /camera/boxes (foxglove.ImageAnnotations), /failures (foxglove.Log), /metrics
(JSON).
"""

from __future__ import annotations

import heapq
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from console.failures.exports.made import PEOPLE, Exported, label_of, not_written, picture_of, refuse_existing
from console.failures.rows import FailureRow
from console.store.pictures import Pictures
from remote.atomic import sync

_BEFORE_NS = 5_000_000_000
_APART_NS = 60_000_000_000  # a clip's pictures lie nearer to their failure than this
_METRICS: dict[str, Any] = {
    "type": "object",
    "title": "fieldgate.Metrics",
    "properties": {
        "failure": {"type": "string"},
        "kind": {"type": "string"},
        "light": {"type": ["number", "null"], "description": "mean grey level, 0 to 255"},
        "temp_c": {"type": ["number", "null"], "description": "hottest sensor, degrees Celsius"},
        "detections": {"type": "integer"},
        "best_score": {"type": ["number", "null"]},
        "stages_ms": {"type": "object", "additionalProperties": {"type": "number"}},
        "conditions": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


class _Shot(NamedTuple):
    """Something that happened at a time. The place keeps what happened at once in order."""

    wall_ns: int
    place: int
    what: str
    row: FailureRow
    path: Path | None


def export_mcap(rows: Iterable[FailureRow], pictures: Pictures, path: Path) -> Exported:
    """Write the recording whole or not at all (0600). Rows oldest first; those without a time are left out and counted.

    Raises Trouble: `exists`, `not_written`.
    """
    refuse_existing(path)
    whole = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    tally, missing = Counter[str](), Counter[str]()
    try:
        _record(whole, _in_order(_dated(rows, missing), pictures, missing), tally)
        whole.chmod(0o600)
        sync(whole)
        whole.replace(path)
        sync(path.parent)
    except (OSError, RuntimeError) as error:
        raise not_written(path, error if isinstance(error, OSError) else OSError(str(error))) from error
    finally:
        whole.unlink(missing_ok=True)
    return Exported(
        path=str(path),
        failures=tally["failures"],
        pictures=tally["pictures"],
        boxes=tally["boxes"],
        bytes=path.stat().st_size,
        missing=dict(missing),
    )


def _dated(rows: Iterable[FailureRow], missing: Counter[str]) -> Iterator[FailureRow]:
    for row in rows:
        if row.wall_ns > 0:
            yield row
        else:
            missing["left out: no time is known"] += 1


def _in_order(rows: Iterable[FailureRow], pictures: Pictures, missing: Counter[str]) -> Iterator[_Shot]:
    """Everything in order of time, though clips reach into each other."""
    waiting: list[_Shot] = []
    place = 0
    for row in rows:
        for wall_ns, what, path in _happened(row, pictures, missing):
            place += 1
            heapq.heappush(waiting, _Shot(max(0, wall_ns), place, what, row, path))
        while waiting and waiting[0].wall_ns < row.wall_ns - _APART_NS:
            yield heapq.heappop(waiting)
    while waiting:
        yield heapq.heappop(waiting)


def _happened(row: FailureRow, pictures: Pictures, missing: Counter[str]) -> Iterator[tuple[int, str, Path | None]]:
    at = picture_of(row, pictures, missing)
    around = [(round(one.offset_ms * 1e6), one.picture) for one in row.clip if one.picture != row.at]
    if row.before and not row.clip:
        around.append((-_BEFORE_NS, row.before))
    for offset_ns, digest in around:
        path = pictures.path(digest)
        if path is None:
            missing["of those before and after: not on this laptop yet (`fieldgate failures pull` brings it)"] += 1
        elif abs(offset_ns) < _APART_NS:
            yield row.wall_ns + offset_ns, "picture", path
    if at is not None:
        yield row.wall_ns, "picture", at
        yield row.wall_ns, "boxes", at
    yield row.wall_ns, "failure", None


def _record(path: Path, shots: Iterable[_Shot], tally: Counter[str]) -> None:
    import foxglove

    context = foxglove.Context()
    writer = foxglove.open_mcap(path, context=context)
    try:
        channels = _Channels(context)
        for shot in shots:
            channels.log(shot, tally)
    finally:
        writer.close()


class _Channels:
    """The recording's channels."""

    def __init__(self, context: Any) -> None:
        import foxglove
        from foxglove import channels

        self._camera = channels.CompressedImageChannel("/camera", metadata={"note": PEOPLE}, context=context)
        self._boxes = channels.ImageAnnotationsChannel("/camera/boxes", context=context)
        self._log = channels.LogChannel("/failures", context=context)
        self._metrics = foxglove.Channel("/metrics", schema=_METRICS, message_encoding="json", context=context)

    def log(self, shot: _Shot, tally: Counter[str]) -> None:
        """Write it at its time."""
        if shot.what == "picture" and shot.path is not None:
            self._picture(shot, shot.path)
            tally["pictures"] += 1
        elif shot.what == "boxes" and shot.path is not None:
            tally["boxes"] += self._annotate(shot, shot.path)
        else:
            self._failure(shot)
            tally["failures"] += 1

    def _picture(self, shot: _Shot, path: Path) -> None:
        from foxglove.messages import CompressedImage

        image = CompressedImage(
            timestamp=_stamp(shot.wall_ns), frame_id=shot.row.robot or "camera", data=path.read_bytes(), format="jpeg"
        )
        self._camera.log(image, log_time=shot.wall_ns)

    def _annotate(self, shot: _Shot, path: Path) -> int:
        from foxglove.messages import ImageAnnotations

        stamp, (across, down) = _stamp(shot.wall_ns), _scale(shot.row, path)
        points, texts = [], []
        for box in shot.row.detections:
            corners = (box.x1 * across, box.y1 * down, box.x2 * across, box.y2 * down)
            points.append(_rectangle(stamp, corners))
            texts.append(_caption(stamp, corners, f"{label_of(shot.row, box.label_index)} {box.score:.2f}"))
        self._boxes.log(ImageAnnotations(points=points, texts=texts), log_time=shot.wall_ns)
        return len(points)

    def _failure(self, shot: _Shot) -> None:
        from foxglove.messages import Log, LogLevel

        row = shot.row
        text = f"{row.kind}: {row.text}" if row.text else row.kind
        log = Log(timestamp=_stamp(shot.wall_ns), level=LogLevel.Error, message=text, name=row.robot, file=row.id)
        self._log.log(log, log_time=shot.wall_ns)
        scores = [box.score for box in row.detections]
        metrics = {
            "failure": row.id,
            "kind": row.kind,
            "light": row.light,
            "temp_c": row.temp_c,
            "detections": len(scores),
            "best_score": max(scores, default=None),
            "stages_ms": row.stages_ms,
            "conditions": row.conditions,
        }
        self._metrics.log(metrics, log_time=shot.wall_ns)


def _stamp(wall_ns: int) -> Any:
    from foxglove.messages import Timestamp

    return Timestamp(sec=wall_ns // 1_000_000_000, nsec=wall_ns % 1_000_000_000)


def _scale(row: FailureRow, path: Path) -> tuple[float, float]:
    """From the frame's pixels to the picture's."""
    from PIL import Image, UnidentifiedImageError

    if not row.width or not row.height:
        return 1.0, 1.0
    try:
        with Image.open(path) as picture:
            return picture.width / row.width, picture.height / row.height
    except (OSError, UnidentifiedImageError):
        return 1.0, 1.0


def _rectangle(stamp: Any, corners: tuple[float, float, float, float]) -> Any:
    from foxglove.messages import Color, Point2, PointsAnnotation, PointsAnnotationType

    left, top, right, bottom = corners
    points = [Point2(x=left, y=top), Point2(x=right, y=top), Point2(x=right, y=bottom), Point2(x=left, y=bottom)]
    return PointsAnnotation(
        timestamp=stamp,
        type=PointsAnnotationType.LineLoop,
        points=points,
        outline_color=Color(r=1.0, g=0.6, b=0.0, a=1.0),
        thickness=2.0,
    )


def _caption(stamp: Any, corners: tuple[float, float, float, float], text: str) -> Any:
    from foxglove.messages import Color, Point2, TextAnnotation

    return TextAnnotation(
        timestamp=stamp,
        position=Point2(x=corners[0], y=max(0.0, corners[1] - 2)),
        text=text,
        font_size=12.0,
        text_color=Color(r=1.0, g=1.0, b=1.0, a=1.0),
        background_color=Color(r=0.0, g=0.0, b=0.0, a=0.6),
    )
