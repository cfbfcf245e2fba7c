"""Camera health: what the source is, whether it lives, how bright it is."""

from __future__ import annotations

from console.view import View
from console.widgets.cells import Span, clean, fit
from console.widgets.drawing import number
from console.widgets.panel import Panel, meter
from console.widgets.rate import camera_line


class CameraPanel(Panel):
    """Phase with its reason, source, frame size, brightness, how often it was reopened."""

    TITLE = "Camera"
    HELP = (
        "*ok*, *opening*, *stalled* (no new frame in time), *frozen* (the same frame again and again), *black*, *gone*. "
        "Brightness is the last frame's mean grey level, 0 to 255. `p` shows the picture."
    )

    def body(self, view: View, width: int, height: int) -> list[list[Span]]:
        """Fixed rows."""
        rows = [camera_line(view)]
        if not view.snapshot.windows:
            return rows
        window = view.snapshot.windows[-1].body
        sample = view.snapshot.sample
        size = f" · {sample.width}x{sample.height} px" if sample else ""
        bright = window.camera.brightness
        rows.append([(fit("source", 9), "text"), (clean(window.source) + size, "muted")])
        light: list[Span] = [(fit("bright", 9), "text"), (number(bright, 5, 0), "text"), (" of 255 ", "muted")]
        if bright is not None:
            light += meter(view, "brightness", bright / 255, min(24, width - 23), "info", 255)
        rows.append(light)
        times = "never" if not window.camera.reopened else f"{window.camera.reopened} x"
        rows.append([(fit("reopened", 9), "text"), (times, "muted")])
        return rows
