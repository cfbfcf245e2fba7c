"""The screen in a real terminal: what bytes it writes, and that it survives sizes, NO_COLOR and low bandwidth."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.geometry import Region, Size

from bench.pty_run import collect
from console.marks import ASCII, MARKS, UNICODE, to_ascii
from console.screens.board import plan_for, regions_of
from console.screens.front_layout import SMALLEST
from console.widgets.cells import Row, changes, fit, width_of
from console.widgets.panel import Panel
from remote.errors import Trouble
from remote.protocol import Event
from tests.console.screens.driving import NOW_NS, Clock, running, screen_text, show, until
from tests.console.screens.scripted import Robot, S, ScriptedSession, link, snapshot

CHILD = Path(__file__).resolve().parents[3] / "bench" / "screen_child.py"


def written(*arguments: str, seconds: float = 3.0) -> bytes:
    """The bytes that the real app writes to a real terminal in its first seconds."""
    return collect([sys.executable, str(CHILD), *arguments], seconds=seconds)


def test_in_ascii_no_other_byte_reaches_the_terminal() -> None:
    data = written("2", "ascii")
    assert b"Latency" in data
    assert [byte for byte in data if byte > 127] == []


def test_without_ascii_the_frames_are_drawn_with_lines() -> None:
    assert "╭".encode() in written("2")


def test_no_color_means_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    data = written("2", "no_color")
    assert b"Latency" in data
    assert b"38;2;" not in data
    assert b"38;5;" not in data
    assert b"48;2;" not in data


async def test_hostile_text_from_a_robot_never_steers_the_terminal() -> None:
    import msgspec

    first = snapshot(now_ns=NOW_NS)
    bad = Event(name="x", severity="error", text="\x1b[2J\x1b]0;owned\x07 \u202eevil\u0000\n[bold]not markup")
    event = msgspec.structs.replace(first.events[-1], seq=999, body=bad)
    robot = msgspec.structs.replace(first, robot="or\x1bin", events=(*first.events, event))
    async with running(ScriptedSession(robot), size=(160, 45)) as (app, pilot):
        app.live.query_one("#events").focus()
        await pilot.press("enter")
        await pilot.pause(0.1)
        text = screen_text(app)
        assert "[bold]not markup" in text
        assert not any(char in text for char in "\x1b\x07\x00\u202e")


@pytest.mark.parametrize("size", [(40, 10), (10, 3), (1, 1), (59, 15), (60, 14)])
async def test_a_terminal_too_small_never_crashes(size: tuple[int, int]) -> None:
    async with running(ScriptedSession(snapshot(now_ns=NOW_NS)), size=size) as (app, pilot):
        text = screen_text(app)
        if size[0] >= 40:
            assert f"terminal too small: {size[0]}x{size[1]}, needs 60x15" in text
            assert "orin" in text
            assert "? help" in text
        await pilot.resize_terminal(100, 30)
        await pilot.pause(0.1)
        assert "Latency" in screen_text(app)
        await pilot.resize_terminal(*size)
        await pilot.pause(0.1)
        assert "Latency" not in screen_text(app)


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (81, 25), (96, 29), (100, 30), (130, 40), (160, 45), (250, 80)])
@pytest.mark.parametrize("fewer", [0, 2], ids=["all rows", "a line of trouble and one of narration more"])
def test_panes_fill_the_area_without_gap_or_overlap(size: tuple[int, int], fewer: int) -> None:
    area = Region(0, 2, size[0], size[1] - 4 - fewer)
    regions = regions_of(plan_for(Size(*size)), area)
    cells = Counter(
        (x, y) for region in regions.values() for x in range(*region.column_span) for y in region.line_range
    )
    assert set(cells.values()) == {1}
    assert len(cells) == area.area
    assert all(region.width >= 8 and region.height >= (2 if size[1] == 15 else 3) for region in regions.values())


def test_the_smallest_size_is_enough_and_one_less_is_not() -> None:
    assert plan_for(SMALLEST).panes
    assert not plan_for(Size(SMALLEST.width - 1, SMALLEST.height)).panes
    assert not plan_for(Size(SMALLEST.width, SMALLEST.height - 1)).panes


async def test_status_and_keys_stay_in_every_size() -> None:
    async with running(ScriptedSession(snapshot(now_ns=NOW_NS))) as (app, pilot):
        for size in ((160, 45), (80, 24), (60, 15), (40, 10)):
            await pilot.resize_terminal(*size)
            await pilot.pause(0.1)
            lines = screen_text(app).splitlines()
            assert "orin" in lines[0]
            assert "? help" in lines[-1]


async def test_a_number_older_than_three_seconds_is_called_stale() -> None:
    clock = Clock()
    async with running(ScriptedSession(snapshot(now_ns=NOW_NS, age_ns=0)), clock=clock) as (app, pilot):
        clock.now_ns = NOW_NS + 3 * S
        app.repaint()
        await pilot.pause()
        latency = app.live.query_one("#latency", Panel)
        assert not any("STALE" in text for text, _ in latency.rows[0])
        clock.now_ns += 1
        app.repaint()
        assert any("STALE 3.0 s ago" in text for text, _ in latency.rows[0])
        assert {role for row in latency.rows[1:-1] for _, role in row[1:-1]} <= {"stale", "track"}


async def test_only_what_changed_is_painted_again() -> None:
    """The screen's low cost rests on this: a new age repaints the ages, not the panes."""
    clock = Clock()
    async with running(ScriptedSession(snapshot(now_ns=NOW_NS)), clock=clock) as (app, _):
        panel = app.live.query_one("#latency", Panel)
        before = list(panel.rows)
        clock.now_ns += S // 10
        app.repaint()
        changed = [y for y, (old, new) in enumerate(zip(before, panel.rows, strict=True)) if old != new]
        assert changed == [0]


async def test_a_broken_link_counts_down_to_the_next_try() -> None:
    clock = Clock()
    down = link("down", now_ns=NOW_NS, since_ns=NOW_NS, retry_at_ns=NOW_NS + 5 * S, reason="cable", cure="Plug it in.")
    async with running(ScriptedSession(snapshot(now_ns=NOW_NS, link_=down)), clock=clock) as (app, pilot):
        for seconds, said in ((0, "next try in 5 s"), (3, "next try in 2 s"), (5, "trying now")):
            clock.now_ns = NOW_NS + seconds * S
            app.repaint()
            await pilot.pause(0.1)
            first = screen_text(app).splitlines()[0]
            assert "LINK DOWN" in first
            assert "cable" in first
            assert said in first


async def test_a_tour_speaks_above_the_keys_from_any_thread() -> None:
    async with running(ScriptedSession(snapshot(now_ns=NOW_NS))) as (app, pilot):
        await asyncio.to_thread(app.say, "Tour 2/4: inference slowed by 120 ms")
        await until(pilot, lambda: "Tour 2/4: inference slowed" in screen_text(app))
        app.live.say("asked: something", "info")
        await pilot.pause(0.1)
        text = screen_text(app)
        assert "Tour 2/4" in text
        assert "asked: something" in text
        await asyncio.to_thread(app.say, "")
        await until(pilot, lambda: "Tour" not in screen_text(app))


async def test_a_long_narration_takes_two_lines_and_no_more() -> None:
    async with running(ScriptedSession(snapshot(now_ns=NOW_NS)), size=(80, 24)) as (app, pilot):
        app.say("Tour 3/4: " + "the worker was killed and is started again " * 6)
        await until(pilot, lambda: "Tour 3/4" in screen_text(app))
        await pilot.pause(0.1)
        lines = screen_text(app).splitlines()
        assert "Tour 3/4" in lines[-3]
        assert lines[-2].rstrip().endswith("…")
        assert "? help" in lines[-1]
        assert "╰" in lines[-4]


async def test_a_session_that_can_not_start_says_why() -> None:
    class Broken(ScriptedSession):
        def watch_samples(self, per_s: float) -> None:
            raise Trouble("the store is full", cure="Free space on this laptop.")

    async with running(Broken(None)) as (app, pilot):
        await until(pilot, lambda: "the store is full - Free space" in screen_text(app))


async def test_a_flood_of_snapshots_never_blocks_the_keys() -> None:
    session = ScriptedSession(snapshot(now_ns=NOW_NS))
    async with running(session, repaint_hz=10) as (app, _):
        stop = False

        def flood() -> int:
            count = 0
            while not stop:
                app.receive(session.snapshot)
                count += 1
                time.sleep(0.0002)  # some thousands a second: a hundred times what a robot sends
            return count

        task = asyncio.create_task(asyncio.to_thread(flood))
        worst, last = 0.0, time.monotonic()
        try:
            for _ in range(100):
                await asyncio.sleep(0.005)
                worst, last = max(worst, time.monotonic() - last), time.monotonic()
        finally:
            stop = True
        assert await task > 100
        assert worst < 0.3


async def test_histories_of_another_robot_run_are_not_mixed() -> None:
    import msgspec

    session = ScriptedSession(snapshot(now_ns=NOW_NS))
    async with running(session) as (app, pilot):
        assert len(app._trends.values("fps")) == 60
        fresh = snapshot(now_ns=NOW_NS, seconds=5, robot=Robot(9))
        assert fresh.state is not None
        journal = msgspec.structs.replace(fresh.state.journal, id="another")
        state = msgspec.structs.replace(fresh.state, journal=journal)
        await show(app, pilot, session, msgspec.structs.replace(fresh, state=state))
        assert len(app._trends.values("fps")) == 5


def test_every_sign_has_an_ascii_twin_of_its_width() -> None:
    for mark in MARKS.values():
        assert mark.twin.isascii()
        assert len(mark.glyph) == len(mark.twin) == 1
        assert to_ascii(mark.glyph) == mark.twin
    for one, twin in ((UNICODE.frame, ASCII.frame), (UNICODE.levels, ASCII.levels), (UNICODE.bar, ASCII.bar)):
        assert len(one) == len(twin)
        assert twin.isascii()
        assert len(to_ascii(one)) == len(one)


@pytest.mark.parametrize(("text", "twin"), [("Käse", "Kase"), ("21 °C", "21  C"), ("日本", "????"), ("a…b", "a~b")])
def test_foreign_text_keeps_its_width_in_ascii(text: str, twin: str) -> None:
    assert to_ascii(text) == twin


def test_the_quick_width_agrees_with_rich_on_every_character() -> None:
    """A wrong width shifts a column for good."""
    printable = [chr(code) for code in range(32, 0x11000) if chr(code).isprintable()]
    assert [char for char in printable if width_of(char) != cell_len(char)] == []


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [
        ("abc", 5, "abc  "),
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日 …"),
        ("a", 0, ""),
    ],
)
def test_text_is_cut_to_exact_cells(text: str, width: int, cut: str) -> None:
    assert fit(text, width) == cut
    assert cell_len(fit(text, width)) == width


def test_changes_are_found_to_the_cell_and_near_ones_joined() -> None:
    old: Row = (("abcdefghijklmnop", "text"),)
    assert changes(old, old) == []
    assert changes(old, (("abXdefghijklmnop", "text"),)) == [(2, 3)]
    assert changes(old, (("XbcdefghijklmnoX", "text"),)) == [(0, 1), (15, 16)]
    assert changes(old, (("XbcdefgXijklmnop", "text"),)) == [(0, 8)]
    assert changes(old, (("abc", "text"), ("defghijklmnop", "warning"))) == [(3, 16)]
    assert changes((("日本", "text"),), (("日木", "text"),)) == [(0, 4)]


def test_the_first_paint_waits_for_no_heavy_library() -> None:
    code = (
        "import sys, console.app;"
        "heavy = {'paramiko', 'sqlite3', 'numpy', 'cv2', 'PIL', 'yaml', 'textual_image', 'console.link.client'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
