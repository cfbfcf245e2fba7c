"""Rate: frames a second, dropped and failed frames, and the newest frame as it is sent."""

from __future__ import annotations

from collections.abc import Hashable

from console.marks import MARKS
from console.readings import window_value
from console.view import View
from console.widgets.cells import Span, clean, fit
from console.widgets.drawing import number
from console.widgets.panel import Panel, spark

_ROWS = (("fps", "frames", "/s"), ("dropped_frames", "dropped", "/s"), ("failed_frames", "failed", "/s"))


class RatePanel(Panel):
    """FPS, drops and failures of the newest second with histories; the newest frame's own time."""

    TITLE = "Rate"
    HELP = (
        "Frames a second, frames the camera gave and nobody processed (dropped), frames that ended in a failure record "
        "(failed), each over the newest second with its history. *newest* is the last frame that was sent live."
    )

    def depends(self, view: View) -> Hashable:
        """Windows, and the live sample."""
        sample = view.snapshot.sample
        return view.trends.version, sample.frame if sample else None

    def body(self, view: View, width: int, height: int) -> list[list[Span]]:
        """Rate rows, the newest frame, and in few rows the camera too."""
        window = view.snapshot.windows[-1].body if view.snapshot.windows else None
        rows: list[list[Span]] = []
        for name, word, unit in _ROWS:
            value = window_value(name, window) if window else None
            role = view.role_of(name, value)
            if name == "failed_frames" and value:
                role = "critical"
            row: list[Span] = [(fit(word, 8), "text"), (number(value, 7), role), (fit(f" {unit}", 5), "muted")]
            rows.append([*row, spark(view, name, width - 20, "trace" if role == "text" else role)])
        rows.append(self._newest(view, width))
        return [*rows, camera_line(view)] if "camera" not in view.panes else rows

    def _newest(self, view: View, width: int) -> list[Span]:
        sample = view.snapshot.sample
        if sample is None:
            return [(fit("newest", 8), "text"), ("no live frame yet", "muted")]
        took = sample.stages_ms.get("end_to_end")
        text, frame = f" ms · {len(sample.detections)} boxes", f" · #{sample.frame}"
        text += frame if 15 + len(text) + len(frame) <= width else ""
        return [(fit("newest", 8), "text"), (number(took, 7), "text"), (text, "muted")]


def camera_line(view: View) -> list[Span]:
    """The camera's phase as glyph and word, with its reason."""
    if not view.snapshot.windows:
        return [(fit("camera", 8), "text"), ("no data yet", "muted")]
    camera = view.snapshot.windows[-1].body.camera
    name = "ok" if camera.phase == "ok" else "busy" if camera.phase == "opening" else "critical"
    reason = f": {clean(camera.reason)}" if camera.reason else ""
    mark = MARKS[name]
    return [(fit("camera", 9), "text"), (f"{view.charset.glyph(name)} {camera.phase}{reason}", mark.role)]
