"""Source strings: `scene:SEED?fps=15`, `folder:PATH?fps=10`, `video:PATH`, `v4l2:/dev/video0?width=1280&height=720`."""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

from remote.errors import Trouble

if TYPE_CHECKING:  # the agent reads source strings too, and loads no numpy for it
    from remote.perception.cameras.base import Camera

Kind = Literal["scene", "folder", "video", "v4l2"]
KINDS: tuple[str, ...] = get_args(Kind)
EXAMPLES = "scene:0, folder:/data/pictures?fps=10, video:/data/drive.mp4, v4l2:/dev/video0"
FPS_LIMITS = (0.01, 240.0)
SIDE_LIMITS = (16, 8192)
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png")
"""Files of a folder that count as pictures, in any case."""
SEED_MAX = 2**31 - 1
_OPTIONS: dict[str, tuple[str, ...]] = {
    "scene": ("fps", "width", "height"),
    "folder": ("fps",),
    "video": ("fps",),
    "v4l2": ("fps", "width", "height"),
}


@dataclass(frozen=True)
class Source:
    """A parsed source. `place` is the path or the seed; what was not given is None."""

    kind: Kind
    place: str
    fps: float | None = None
    width: int | None = None
    height: int | None = None


def parse_source(text: str) -> Source:
    """Read a source string.

    Raises:
        Trouble: code `bad_source`; says what is wrong and shows how sources look.
    """
    kind, colon, rest = text.partition(":")
    if not colon or kind not in KINDS:
        near = difflib.get_close_matches(kind, KINDS, n=1)
        cure = f"Did you mean `{near[0]}:`?" if near else f"Write it like one of these: {EXAMPLES}"
        raise _refused(text, f"has no kind that is known ({', '.join(KINDS)})", cure)
    place, options = _split(rest)
    found = _options(text, kind, options)
    fps, width, height = found.get("fps"), found.get("width"), found.get("height")
    return Source(cast(Kind, kind), _checked_place(text, kind, place), fps, _whole(width), _whole(height))


def make_camera(source: Source, labels: Sequence[str] = ()) -> Camera:
    """The camera of a source; it is not opened yet. `labels` are the bundle's, for sources that know what is in their pictures.

    Raises:
        Trouble: code `bad_source`, where it can never work (no such folder, no picture in it, no such video).
    """
    if source.kind == "folder":
        from remote.perception.cameras import folder

        fps = source.fps or folder.DEFAULT_FPS
        return folder.FolderCamera(Path(source.place), fps=fps, labels=labels)
    if source.kind == "video":
        from remote.perception.cameras.video import VideoCamera

        return VideoCamera(Path(source.place), fps=source.fps)
    if source.kind == "v4l2":
        from remote.perception.cameras.v4l2 import V4l2Camera

        return V4l2Camera(Path(source.place), fps=source.fps, width=source.width, height=source.height)
    from remote.perception.cameras import scene

    return scene.SceneCamera(
        int(source.place),
        fps=source.fps or scene.DEFAULT_FPS,
        width=source.width or scene.DEFAULT_WIDTH,
        height=source.height or scene.DEFAULT_HEIGHT,
    )


def _split(rest: str) -> tuple[str, str]:
    """(place, options); a `?` that no `key=value` follows belongs to the path."""
    place, mark, options = rest.rpartition("?")
    if mark and re.fullmatch(r"[^/=&]+=[^/&]*(&[^/=&]+=[^/&]*)*", options):
        return place, options
    return rest, ""


def _checked_place(text: str, kind: str, place: str) -> str:
    if kind == "scene":
        place = place or "0"
        if not (place.isascii() and place.isdecimal() and int(place) <= SEED_MAX):
            raise _refused(text, f"has the seed {place!r}", f"Give a whole number from 0 to {SEED_MAX}, as in scene:7")
        return place
    if kind == "v4l2" and place.isascii() and place.isdecimal():
        return f"/dev/video{place}"
    if not place or "\0" in place:
        raise _refused(text, "names no path", f"Write it like one of these: {EXAMPLES}")
    return os.path.expanduser(place)  # noqa: PTH111 - Path's raises for a user that does not exist


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _options(text: str, kind: str, options: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for pair in filter(None, options.split("&")):
        key, _, value = pair.partition("=")
        if key not in _OPTIONS[kind]:
            near = difflib.get_close_matches(key, _OPTIONS[kind], n=1)
            cure = f"Did you mean `{near[0]}`?" if near else f"{kind}: takes {', '.join(_OPTIONS[kind])}"
            raise _refused(text, f"has the unknown option `{key}`", cure)
        if key in found:
            raise _refused(text, f"gives `{key}` twice", "Give it once")
        found[key] = _fps(text, value) if key == "fps" else _side(text, key, value)
    return found


def _fps(text: str, value: str) -> float:
    try:
        fps = float(value)
    except ValueError:
        fps = math.nan
    if not FPS_LIMITS[0] <= fps <= FPS_LIMITS[1]:
        cure = f"Give frames a second from {FPS_LIMITS[0]:g} to {FPS_LIMITS[1]:g}"
        raise _refused(text, f"has fps={value}", cure)
    return fps


def _side(text: str, key: str, value: str) -> int:
    if not (value.isascii() and value.isdecimal() and SIDE_LIMITS[0] <= int(value) <= SIDE_LIMITS[1]):
        raise _refused(text, f"has {key}={value}", f"Give pixels from {SIDE_LIMITS[0]} to {SIDE_LIMITS[1]}")
    return int(value)


def _refused(text: str, what: str, cure: str) -> Trouble:
    return Trouble(f"source {text[:200]!r} {what}", cure=cure, code="bad_source")
