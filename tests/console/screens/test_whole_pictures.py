"""A picture in a dialog is whole, whatever its shape and the terminal's: what is cut off may be what went wrong."""

from __future__ import annotations

import hashlib
import io

import pytest
from PIL import Image
from textual.containers import Container
from textual.widget import Widget

from console.screens.detail import DetailScreen
from console.screens.picture import PictureScreen
from remote.protocol import Picture
from tests.console.screens.driving import NOW_NS, running, until
from tests.console.screens.scripted import ScriptedSession, snapshot


def picture(width: int, height: int) -> Picture:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 40, 40)).save(out, "JPEG")
    digest = hashlib.sha256(out.getvalue()).hexdigest()
    return Picture(jpeg=out.getvalue(), digest=digest, width=width, height=height, detections=())


def whole(view: Widget | None, frame: Container, shape: tuple[int, int]) -> bool:
    """Within its frame, and as wide for its height as the picture is: a cell is twice as high as wide."""
    if view is None:
        return False
    (columns, rows), room = view.size, frame.content_size
    width, height = shape
    near = abs(rows - columns * height / width / 2) <= 1 or abs(columns - 2 * rows * width / height) <= 1
    return near and 0 < columns <= room.width and 0 < rows <= room.height


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1920, 200), (200, 1920)])
@pytest.mark.parametrize("which", ["camera", "detail"])
async def test_it_is_whole_at_first_and_in_another_size(which: str, width: int, height: int) -> None:
    async with running(ScriptedSession(snapshot(now_ns=NOW_NS)), (120, 40)) as (app, pilot):
        shot = picture(width, height)
        screen: PictureScreen | DetailScreen = (
            PictureScreen(lambda _: shot, lambda: (), app.charset)
            if which == "camera"
            else DetailScreen("A failure", ["one line"], app.charset, lambda: shot)
        )
        await app.push_screen(screen)
        await until(pilot, lambda: whole(screen._view, screen.query_one("#frame", Container), (width, height)))
        for size in ((60, 40), (150, 20)):
            await pilot.resize_terminal(*size)
            await until(pilot, lambda: whole(screen._view, screen.query_one("#frame", Container), (width, height)))
            await pilot.pause(0.1)
            assert whole(screen._view, screen.query_one("#frame", Container), (width, height))
