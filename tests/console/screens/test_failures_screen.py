"""The failures screen: what is found, filtered, grouped, marked; and that the event loop holds no more than is in sight."""

from __future__ import annotations

import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image
from textual.pilot import Pilot

from console.app import FieldgateApp
from console.failures.rows import FailureRow
from console.reviewing.desk import ROWS_KEPT, ReviewDesk
from console.store.pictures import Pictures
from console.store.store import Store
from remote.protocol import Clip, ClipFrame, Detection, Pin
from tests.console.failures.book_samples import WALL_NS, failure, fill, foreign, store_with
from tests.console.screens.driving import NOW_NS, running, screen_text, until
from tests.console.screens.scripted import ScriptedSession, link, snapshot


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The laptop's folder with 60 failures."""
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path))
    monkeypatch.setenv("FIELDGATE_PERSON", "ada")
    folder = tmp_path / "data"
    folder.mkdir()
    store_with(folder / "store.db", 60).close()
    return folder


@asynccontextmanager
async def opened(
    size: tuple[int, int] = (100, 30), count: int = 60, session: ScriptedSession | None = None
) -> AsyncIterator[tuple[FieldgateApp, Pilot[int], ReviewDesk]]:
    async with running(session or ScriptedSession(snapshot(now_ns=NOW_NS)), size) as (app, pilot):
        await pilot.press("4")
        await until(pilot, lambda: app.place == "failures")
        desk = app.desks["failures"]
        assert isinstance(desk, ReviewDesk)
        seen = size[1] > 10  # a terminal that is too small shows no row
        await until(pilot, lambda: desk.found.complete and desk.found.count == count and bool(desk.rows) == seen)
        await pilot.pause()
        yield app, pilot, desk
        desk.leaving = True


async def filtered(pilot: Pilot[int], desk: ReviewDesk, line: str, count: int) -> None:
    desk.filter(line)
    await until(pilot, lambda: desk.found.complete and desk.found.count == count and desk.line == line)
    await pilot.pause()


async def test_the_list_shows_the_newest_first_and_the_end_is_one_key_away(data: Path) -> None:
    async with opened() as (app, pilot, desk):
        assert "1 / 60 of 60" in screen_text(app)
        assert "failure numb" in screen_text(app)
        await pilot.press("end")
        await until(pilot, lambda: desk.row is not None and desk.row.text == "failure number 0")
        assert "60 / 60" in screen_text(app)
        await pilot.press("home", "enter")
        await until(pilot, lambda: "failure number 59" in screen_text(app))
        assert "conditions" in screen_text(app)
        assert "never taken" in screen_text(app)
        await pilot.press("escape")
        assert app.focused is desk.screen.items


async def test_a_filter_is_asked_for_and_a_wrong_one_stays_with_its_place(data: Path) -> None:
    async with opened() as (app, pilot, desk):
        await pilot.press("slash")
        await until(pilot, lambda: "Filter failures" in screen_text(app))
        await pilot.press("end", *" lable:cup", "enter")
        await until(pilot, lambda: "there is no field 'lable:' (at character 12)" in " ".join(screen_text(app).split()))
        await pilot.press(*["backspace"] * 9, *"label:cup", "enter")
        await until(pilot, lambda: desk.found.complete and desk.found.count == 10)
        assert "robot:orin label:cup" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: desk.line == "" and desk.found.count == 60)


async def test_a_wrong_regular_expression_is_said_and_the_list_stays(data: Path) -> None:
    async with opened() as (app, pilot, desk):
        await filtered(pilot, desk, "kind:no_detection", 20)
        desk.filter("dark (shadow")
        await until(pilot, lambda: "is no regular expression" in screen_text(app))
        assert "at character 6" in " ".join(screen_text(app).split())
        await until(pilot, lambda: desk.line == "kind:no_detection" and desk.found.count == 20)


async def test_groups_count_and_enter_shows_one(data: Path) -> None:
    async with opened() as (app, pilot, desk):
        desk.group("phase")
        await until(pilot, lambda: bool(desk.groups))
        desk.group("kind")
        await until(pilot, lambda: "camera_black" in screen_text(app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: desk.found.complete and desk.found.count == 20 and not desk.by)
        assert "kind:low_confidence" in desk.line


async def test_a_mark_and_a_note_are_durable_and_shown(data: Path) -> None:
    async with opened() as (app, pilot, desk):
        await pilot.press("m")
        await until(pilot, lambda: "What is this camera black?" in screen_text(app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: desk.row is not None and desk.row.mark == "real")
        await pilot.press("n")
        await until(pilot, lambda: "Note on" in screen_text(app))
        await pilot.press(*"mirror", "enter")
        await until(pilot, lambda: desk.row is not None and bool(desk.row.notes))
        await until(pilot, lambda: "(noted) failure" in screen_text(app))
        assert '"mirror","person":"ada"' in (data / "failure_marks.jsonl").read_text()


async def test_what_comes_while_one_watches_is_on_top_and_the_cursor_stays_on_its_row(data: Path) -> None:
    async with opened() as (app, pilot, desk):
        await pilot.press("down", "down")
        before = desk.row
        assert before is not None
        store = Store(data / "store.db")
        fill(store, [failure(70 + n) for n in range(3)], first=121)
        store.close()
        await until(pilot, lambda: desk.found.count == 63)
        assert desk.row is not None
        assert desk.row.id == before.id
        assert "6 / 63" in screen_text(app)


async def test_what_another_console_says_or_imports_is_seen_here(data: Path) -> None:
    from console.failures.book import FailureBook

    async with opened() as (_, pilot, desk):
        other = FailureBook(data)
        other.mark(["j-one:120"], "real", "bob")
        await until(pilot, lambda: desk.row is not None and desk.row.mark == "real")
        desk.filter("")
        other.add_imported([foreign(1)], "d" * 64, "a.log")
        await until(pilot, lambda: desk.found.count == 61)
        other.close()


async def test_only_pages_in_sight_are_read_however_many_there_are(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were more held, a million rows would fill the memory and each key would wait for them."""
    from console.failures.book import FailureBook

    book = FailureBook(data)
    rows = (
        (n + 1, FailureRow(id="", robot="orin", wall_ns=WALL_NS + n, kind="no_detection", text=f"old {n}"))
        for n in range(20_000)
    )
    book.add_imported(rows, "d" * 64, "a.log")
    book.close()
    read: list[int] = []
    numbered = FailureBook.numbered

    def counted(self: FailureBook, numbers: list[int]) -> dict[int, FailureRow]:
        read.append(len(numbers))
        return numbered(self, numbers)

    monkeypatch.setattr(FailureBook, "numbered", counted)
    async with opened(count=20_060) as (_, pilot, desk):
        for key in ("end", "pageup", "home", "pagedown", "end"):
            await pilot.press(key)
            await until(pilot, lambda: desk.row is not None)
        assert max(read) <= 30  # what the terminal shows, never what was found
        assert sum(read) <= 8 * 30
        assert len(desk.rows) <= ROWS_KEPT
        # What the loop does for a step does not grow with the number of rows.
        took = []
        for _ in range(5):
            begin = time.thread_time()
            desk.screen.items.action_move(1)
            took.append(time.thread_time() - begin)
        assert min(took) < 0.02


async def test_pictures_are_stepped_through_and_a_missing_one_says_why(data: Path) -> None:
    pictures = Pictures(data / "pictures")
    digests = []
    for n in range(3):
        out = io.BytesIO()
        Image.new("RGB", (64, 48), (80 * n, 90, 120)).save(out, "JPEG")
        import hashlib

        digests.append(hashlib.sha256(out.getvalue()).hexdigest())
        if n < 2:
            pictures.keep(digests[n], out.getvalue())
    store = Store(data / "store.db")
    boxes = (Detection(0, 0.9, 10, 10, 300, 200),)
    shot = failure(90, id="shot", picture=digests[0], detections=boxes)
    frames = (ClipFrame(-5000.0, digests[1]), ClipFrame(0.0, digests[0]), ClipFrame(5000.0, digests[2]))
    fill(store, [shot, Clip(failure="shot", frames=frames)], first=121)
    store.close()
    down = snapshot(now_ns=NOW_NS, link_=link("down", now_ns=NOW_NS, reason="no route", code="unreachable"))
    async with opened((160, 45), 61, ScriptedSession(down)) as (app, pilot, _):
        await until(pilot, lambda: "at the failure, 2 of 3 - cube 0.90" in screen_text(app))
        await pilot.press("left")
        await until(pilot, lambda: "-5.0 s, 1 of 3" in screen_text(app))
        await pilot.press("right", "right")
        await until(pilot, lambda: "+5.0 s, 3 of 3: not pulled yet: the link is down" in screen_text(app))
        pictures.missing.note(digests[2], "no_picture")
        await pilot.press("left", "right")
        await until(pilot, lambda: "the robot removed it to make room" in screen_text(app))


async def test_the_robot_is_asked_to_keep_the_pictures(data: Path) -> None:
    session = ScriptedSession(snapshot(now_ns=NOW_NS))
    async with opened(session=session) as (app, pilot, _):
        await pilot.press("P")
        await until(pilot, lambda: session.asked == [Pin(failure="f59")])
        await until(pilot, lambda: "confirmed: the robot keeps its pictures" in screen_text(app))


async def test_what_was_measured_around_a_failure_is_one_key_away(data: Path) -> None:
    async with opened() as (app, pilot, _):
        await pilot.press("end", "v")
        await until(pilot, lambda: "around it" in screen_text(app))
        await until(pilot, lambda: "hottest" in screen_text(app))
        assert "-30 s" in screen_text(app)


async def test_what_is_listed_is_written_where_the_person_is(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened() as (app, pilot, desk):
        await filtered(pilot, desk, "kind:no_detection light:<10", 4)
        await pilot.press("e")
        await until(pilot, lambda: "Export these 4 failures" in screen_text(app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: "written:" in screen_text(app))
        (file,) = tmp_path.glob("failures-*.csv")
        assert len(file.read_text().splitlines()) == 5


async def test_help_explains_this_screen(data: Path) -> None:
    async with opened((120, 50)) as (app, pilot, _):
        await pilot.press("question_mark")
        await until(pilot, lambda: "Help: Failures" in screen_text(app))
        assert "mark: to label" in screen_text(app)
        assert "Count by kind" in screen_text(app)


async def test_hostile_text_can_not_leave_its_row(data: Path) -> None:
    store = Store(data / "store.db")
    fill(store, [failure(91, name="x\x1b[2J", text="\x1b[31mred\x07\r\n" + "y" * 10_240)], first=121)
    store.close()
    async with opened((120, 30), 61) as (app, pilot, _):
        await until(pilot, lambda: "red" in screen_text(app))
        assert "\x1b" not in screen_text(app)
        assert "\x07" not in screen_text(app)


async def test_a_search_that_was_killed_is_said_and_the_next_one_works(data: Path) -> None:
    import os
    import signal

    async with opened() as (app, pilot, desk):
        assert desk._finder is not None
        assert desk._finder.pid is not None
        os.kill(desk._finder.pid, signal.SIGKILL)
        await until(pilot, lambda: "the search ended by itself" in " ".join(screen_text(app).split()))
        await filtered(pilot, desk, "kind:no_detection", 20)


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 45), (40, 10)])
async def test_every_size_shows_the_list_or_says_that_it_is_too_small(data: Path, size: tuple[int, int]) -> None:
    async with opened(size) as (app, _, desk):
        text = screen_text(app)
        assert ("too small" in text) == (size == (40, 10))
        assert all(len(line) <= size[0] for line in text.splitlines())
        if size != (40, 10):
            assert "camera black" in text
            assert "filter" in text.splitlines()[-1]
            assert ("when" in text) == (size[0] >= 110)
        assert desk.total == 60
