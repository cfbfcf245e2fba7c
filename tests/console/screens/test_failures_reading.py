"""Reading failures while others come: what is shown belongs to what is selected, and nothing new is out of sight."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image
from textual.pilot import Pilot

from console.app import FieldgateApp
from console.failures.book import FailureBook
from console.failures.rows import FailureRow
from console.failures.telling import facts_of
from console.reviewing.desk import ReviewDesk
from console.store.pictures import Pictures
from console.store.store import Store
from console.widgets.camera_picture import CameraPicture
from remote.protocol import Clip, ClipFrame
from tests.console.failures.book_samples import WALL_NS, failure, fill, store_with
from tests.console.screens.driving import NOW_NS, running, screen_text, until
from tests.console.screens.scripted import ScriptedSession, snapshot
from tests.console.screens.test_failures_screen import data, filtered, opened

__all__ = ["data"]


def jpeg(width: int = 64, height: int = 48) -> tuple[str, bytes]:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 40, 40)).save(out, "JPEG")
    return hashlib.sha256(out.getvalue()).hexdigest(), out.getvalue()


def add(data: Path, *failures: object, first: int = 121) -> None:
    store = Store(data / "store.db")
    fill(store, list(failures), first=first)  # type: ignore[arg-type]
    store.close()


async def test_nothing_selected_shows_no_picture_of_what_was(data: Path) -> None:
    """A picture of another failure beside an empty list would be taken for this filter's."""
    digest, content = jpeg()
    Pictures(data / "pictures").keep(digest, content)
    add(data, failure(90, picture=digest))
    async with opened((160, 45), 61) as (app, pilot, desk):
        await until(pilot, lambda: desk.screen.detail.frame.display)
        await filtered(pilot, desk, "nowhere-to-be-found", 0)
        await until(pilot, lambda: "nothing is selected" in screen_text(app))
        assert not desk.screen.detail.frame.display
        await filtered(pilot, desk, "", 61)
        await until(pilot, lambda: desk.screen.detail.frame.display)
        desk.group("kind")
        await until(pilot, lambda: bool(desk.groups) and not desk.screen.detail.frame.display)


async def wrong(pilot: Pilot[int], desk: ReviewDesk, line: str, said: str) -> None:
    app = pilot.app
    assert isinstance(app, FieldgateApp)
    await pilot.press("slash")
    await until(pilot, lambda: "Filter failures" in screen_text(app))
    await pilot.press("ctrl+u", *line, "enter")
    await until(pilot, lambda: said in " ".join(screen_text(app).split()))


async def test_a_wrong_expression_stays_in_the_dialog_and_the_list_as_it_was(data: Path) -> None:
    async with opened() as (app, pilot, desk):
        await pilot.press("down")
        await wrong(pilot, desk, "(cup", "is no regular expression")
        assert "(cup" in screen_text(app)
        assert (desk.line, desk.found.count, desk.screen.items.at) == ("robot:orin", 60, 1)
        await pilot.press("ctrl+u", *"kind:nonsense", "enter")
        await until(pilot, lambda: "no failure is of kind 'nonsense'" in " ".join(screen_text(app).split()))
        await pilot.press("ctrl+u", *"kind:camera_gone", "enter")
        await until(pilot, lambda: "0 of 60" in screen_text(app))
        assert "not done" not in screen_text(app)
        assert app.screen is desk.screen


async def test_what_comes_while_one_reads_changes_neither_the_failure_nor_its_place(data: Path) -> None:
    async with opened() as (app, pilot, desk):
        await pilot.press("enter")
        await until(pilot, lambda: desk.screen.pane is desk.screen.detail)
        before = desk.row
        assert before is not None
        add(data, failure(70))
        await until(pilot, lambda: desk.found.count == 61)
        await pilot.pause()
        assert desk.row is not None
        assert desk.row.id == before.id
        assert "2 / 61" in screen_text(app)
        await pilot.press("escape")
        assert desk.screen.items.at == 1


async def test_the_newest_is_in_sight_where_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path))
    (tmp_path / "data").mkdir()
    store_with(tmp_path / "data" / "store.db", 3).close()
    async with opened(count=3) as (app, pilot, desk):
        await pilot.press("down")
        add(tmp_path / "data", failure(80, name="operator_mark", text="seen just now"), first=7)
        await until(pilot, lambda: "seen just now" in screen_text(app))
        assert "3 / 4" in screen_text(app)
        assert desk.screen.items.top == 0


async def test_a_filter_by_marks_follows_the_marks_and_so_does_what_is_exported(data: Path) -> None:
    async with opened() as (_, pilot, desk):
        await filtered(pilot, desk, "marked:real", 0)
        book = FailureBook(data)
        book.mark(["j-one:120", "j-one:118"], "real", "bob")
        await until(pilot, lambda: desk.found.count == 2)
        book.mark(["j-one:118"], "", "bob")
        await until(pilot, lambda: desk.found.count == 1)
        book.close()


async def test_a_clip_and_its_picture_are_shown_when_they_come(data: Path) -> None:
    digest, content = jpeg()
    add(data, failure(90, id="shot", picture=digest))
    async with opened((160, 45), 61) as (app, pilot, desk):
        await until(pilot, lambda: "not pulled yet" in screen_text(app))
        frames = (ClipFrame(-5000.0, "12" * 32), ClipFrame(0.0, digest))
        add(data, Clip(failure="shot", frames=frames), first=122)
        await until(pilot, lambda: "at the failure, 2 of 2" in screen_text(app))
        Pictures(data / "pictures").keep(digest, content)
        await until(pilot, lambda: desk.screen.detail.frame.display)


async def test_a_long_failure_is_scrolled_and_a_reason_is_whole(data: Path) -> None:
    many = {f"fact_{n}": f"value {n}" for n in range(40)}
    add(data, failure(90, text="long " * 60, data=many, picture=None))
    async with opened((80, 24), 61) as (app, pilot, _):
        await pilot.press("enter")
        await until(pilot, lambda: "more lines below" in screen_text(app))
        assert "never taken: there was no frame" in screen_text(app)
        await pilot.press("end")
        await until(pilot, lambda: "3f2a3f2a3f2a" in screen_text(app))
        await pilot.press("pageup", "up")
        await until(pilot, lambda: "fact 3" in screen_text(app))
        await pilot.press("home")
        await until(pilot, lambda: "long long" in screen_text(app))


async def test_an_empty_book_says_what_to_do_and_offers_nothing_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path))
    (tmp_path / "data").mkdir()
    async with running(ScriptedSession(snapshot(now_ns=NOW_NS)), (100, 30)) as (app, pilot):
        await pilot.press("4")
        await until(pilot, lambda: app.place == "failures" and "nothing recorded yet" in screen_text(app))
        keys = screen_text(app).splitlines()[-1]
        assert "export" not in keys
        assert "in full" not in keys
        assert "live" in keys
        app.desks["failures"].leaving = True


def test_what_the_robot_told_has_its_unit_and_plain_words() -> None:
    row = FailureRow(
        id="a:1",
        robot="orin",
        wall_ns=WALL_NS,
        kind="latency_over_budget",
        text="",
        data={"box": "1,2,3,4", "end_to_end_ms": 41.5},
        stages_ms={"end_to_end": 41.5},
    )
    facts = dict(facts_of(row))
    assert facts["box"] == "1,2 to 3,4 px"
    assert facts["end to end"] == "41.5 ms"
    assert facts["stages"] == "end to end 41.5 ms"


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1920, 200), (200, 1920)])
async def test_no_picture_is_cut_by_its_box(data: Path, width: int, height: int) -> None:
    digest, content = jpeg(width, height)
    Pictures(data / "pictures").keep(digest, content)
    add(data, failure(90, picture=digest))
    async with opened((160, 45), 61) as (_, pilot, desk):
        await until(pilot, lambda: desk.screen.detail.frame.display)
        await pilot.pause(0.1)
        picture, frame = desk.screen.detail._picture, desk.screen.detail.frame
        assert picture is not None
        assert not isinstance(picture, CameraPicture)
        assert picture.size.width <= frame.content_size.width
        assert picture.size.height <= frame.content_size.height
        await pilot.resize_terminal(125, 40)
        await pilot.pause(0.1)
        assert picture.size.width <= frame.content_size.width
        assert picture.size.height <= frame.content_size.height
        columns, rows = picture.size
        assert abs(rows - columns * height / width / 2) <= 1 or abs(columns - 2 * rows * width / height) <= 1
