"""The probe `camera_alive`: the camera gives pictures that change and are not black, as the worker sees them."""

from __future__ import annotations

from typing import Annotated

import msgspec

from console.checklist.probes import Finding, Sight
from console.checklist.probes.windows import Windows, last, span_of, watch
from console.fieldtest.criteria import Answer
from console.fieldtest.parts import Span
from console.fieldtest.spans import span_s
from console.link.snapshot import HISTORY
from remote.protocol import CameraHealth

_BAD = ("stalled", "frozen", "black", "gone")


class CameraParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """For `seconds` without a break the camera must be well and its mean grey level (0 to 255) at least `min_brightness`.

    The default is the level that a camera must reach again after it counted as black. `patience` is how long a camera that
    is still being opened is waited for.
    """

    seconds: Span = "5 s"
    min_brightness: Annotated[float, msgspec.Meta(ge=0, le=255)] = 12.0
    patience: Span = "30 s"

    def __post_init__(self) -> None:
        if span_s(self.seconds) > HISTORY:
            raise ValueError(f"seconds can be {HISTORY} s at most: no more is kept at hand")


def look_at_camera(sight: Sight, parameters: CameraParameters) -> Finding:
    """An Answer: holds where every window of the last seconds was well; else it says what the camera did."""
    wanted_s = span_s(parameters.seconds)
    seen = watch(sight, lambda windows: _decisive(windows, wanted_s), span_s(parameters.patience))
    if seen.lacking is not None:
        return seen.lacking
    bodies = [it.body for it in seen.windows]
    frames = sum(body.frames + body.failed + body.dropped for body in bodies)
    wrong = _wrong([body.camera for body in bodies], frames, parameters.min_brightness)
    seconds = round(span_of(seen.windows), 1)
    details = {"windows": len(bodies), "seconds": seconds, "frames": frames, "reopened": bodies[-1].camera.reopened}
    source = bodies[-1].source.rstrip(":")  # `scene:` is a source without a number
    words = f"{source}: {frames} pictures in {seconds:g} s, {_brightness_words([b.camera for b in bodies])}"
    return Finding(measurement=Answer(not wrong, wrong or words), details=dict(details))


def _decisive(windows: Windows, wanted_s: float) -> Windows:
    """The last seconds; sooner the windows since a bad one. Windows in which the camera was being opened say nothing."""
    opened = windows
    for index, seen in enumerate(windows):
        if seen.body.camera.phase == "opening":
            opened = windows[index + 1 :]
    newest = last(opened, 1, wanted_s)
    bad = any(seen.body.camera.phase in _BAD for seen in opened[-1:])
    return newest or (opened if bad else ())


def _wrong(cameras: list[CameraHealth], frames: int, min_brightness: float) -> str:
    """What is wrong with the camera, or nothing."""
    for camera in reversed(cameras):
        if camera.phase != "ok":
            return f"the camera is or was {camera.phase}: {camera.reason}".rstrip(": ")
    levels = [camera.brightness for camera in cameras if camera.brightness is not None]
    if not levels or frames < 2:
        return f"only {frames} pictures came: one can't be seen to change"
    if min(levels) < min_brightness:
        return f"mean grey level {min(levels):g} of 255 is below {min_brightness:g}"
    return ""


def _brightness_words(cameras: list[CameraHealth]) -> str:
    levels = [camera.brightness for camera in cameras if camera.brightness is not None]
    return f"mean grey level {min(levels):g} to {max(levels):g} of 255" if levels else "no picture"
