"""The checklist screen in itself: switching, keys, cursor, hostile text, small terminals."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.geometry import Size
from textual.pilot import Pilot

from console.actions import in_key_line, on_screen
from console.app import FieldgateApp
from console.checking.applicable import applicable_to
from console.checklist.states import ChecklistState
from console.marks import ITEM_STATES, MARKS
from console.screens.form import flowing
from console.screens.list_layout import WIDE_COLUMNS, ListLayout
from console.widgets.item_words import short_number, wrapped
from remote.errors import Trouble
from tests.console.screens.checklist_samples import ShownCampaign, checklist
from tests.console.screens.driving import NOW_NS, running, screen_text, until
from tests.console.screens.scripted import ScriptedSession, snapshot


@asynccontextmanager
async def shown(
    state: ChecklistState | None = None, size: tuple[int, int] = (100, 30), **options: Any
) -> AsyncIterator[tuple[FieldgateApp, Pilot[int]]]:
    campaign: Any = ShownCampaign(state or checklist())
    async with running(
        ScriptedSession(snapshot(now_ns=NOW_NS)), size, opener=lambda: campaign, person="ada", **options
    ) as (app, pilot):
        await until(pilot, lambda: app.desk is not None and app.desk.screen.items.selected is not None)
        await pilot.pause()
        yield app, pilot


def key_of(app: FieldgateApp) -> str:
    assert app.desk is not None
    assert app.desk.screen.items.selected is not None
    return app.desk.screen.items.selected.key


async def test_1_and_2_switch_and_live_data_goes_on_behind_the_checklist() -> None:
    async with shown() as (app, pilot):
        assert "Domain randomisation" in screen_text(app)
        app.receive(snapshot(now_ns=NOW_NS, first=1))
        app.repaint()
        newest = app._trends.version
        await pilot.press("1")
        await pilot.pause(0.1)
        assert "Latency" in screen_text(app)
        assert app._trends.version == newest
        await pilot.press("2")
        await pilot.pause(0.1)
        assert "Domain randomisation" in screen_text(app)
        assert key_of(app) == "item:tiers"


async def test_status_and_keys_never_leave() -> None:
    async with shown() as (app, pilot):
        for size in ((160, 45), (80, 24), (60, 15), (50, 10), (20, 5)):
            await pilot.resize_terminal(*size)
            await pilot.pause(0.1)
            lines = screen_text(app).splitlines()
            assert "orin" in lines[0]
            assert "? help" in lines[-1]
            assert ": all" in lines[-1]


async def test_keys_that_do_nothing_here_are_not_offered_and_say_so() -> None:
    async with shown(size=(160, 45)) as (app, pilot):
        assert app.desk is not None
        app.desk.screen.items.select("item:grip")
        await pilot.pause()
        await until(pilot, lambda: "v value" in screen_text(app).splitlines()[-1])
        assert "c confirm" not in screen_text(app).splitlines()[-1]
        await pilot.press("c")
        await until(pilot, lambda: "does not apply here; v value" in screen_text(app))
        await pilot.press("down")
        await until(pilot, lambda: "does not apply" not in screen_text(app))


async def test_overrides_and_deferrals_are_counted_in_the_smallest_status_row() -> None:
    """An override that scrolls out of the line is one that nobody answers for."""
    async with shown(size=(80, 24)) as (app, _):
        assert "1 over" in screen_text(app)
        assert "1 defer" in screen_text(app)
        assert "1 unseen" in screen_text(app)
    async with shown(size=(60, 15)) as (app, _):
        assert "1 over" in screen_text(app)
        assert "1 defer" in screen_text(app)
    async with shown(checklist(overrides=0, deferrals=0), size=(80, 24)) as (app, _):
        head = "\n".join(screen_text(app).splitlines()[:4])
        assert "over" not in head
        assert "defer" not in head


async def test_only_pass_and_marginal_count_as_passed() -> None:
    state = checklist()
    wanted = sum(one.state in ("pass", "marginal") for one in state.items())
    async with shown(state) as (app, _):
        assert f" {wanted} passed" in screen_text(app)
        assert "1 stale" in screen_text(app)


async def test_passed_sensed_items_fold_and_unfold() -> None:
    async with shown() as (app, pilot):
        assert "Journal takes and gives back" not in screen_text(app)
        assert app.desk is not None
        app.desk.screen.items.select("fold:simulation")
        await pilot.press("enter")
        await until(pilot, lambda: "Journal takes and gives back" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Journal takes and gives back" not in screen_text(app))


async def test_a_passed_item_with_a_word_of_warning_never_folds() -> None:
    state = checklist()
    first = state.stages[0]
    items = tuple(
        msgspec.structs.replace(one, flags=("time untrusted",)) if one.item.id == "canary" else one
        for one in first.items
    )
    marked = msgspec.structs.replace(state, stages=(msgspec.structs.replace(first, items=items), *state.stages[1:]))
    async with shown(marked) as (app, _):
        assert "Journal takes and gives back" in screen_text(app)
        assert "the clocks could not be compared" in screen_text(app)


async def test_space_goes_round_the_open_items_only() -> None:
    async with shown() as (app, pilot):
        seen = []
        for _ in range(8):
            seen.append(key_of(app))
            await pilot.press("space")
            await pilot.pause()
        assert seen[0] == "item:tiers"
        assert seen[1:3] == ["item:latency", "item:trials"]
        assert seen[-1] == "item:tiers"
        assert "item:arm" not in seen


async def test_enter_shows_the_evidence_and_escape_goes_back_to_the_place() -> None:
    async with shown(size=(80, 24)) as (app, pilot):
        assert app.desk is not None
        app.desk.screen.items.select("item:latency")
        await pilot.press("enter")
        await pilot.pause(0.1)
        text = screen_text(app)
        assert "bounds 560 to 655" in text
        assert "now 91bc91bc" in text
        assert "attempts 3, failures 1" in text
        assert "orin" in text.splitlines()[0]
        await pilot.press("escape")
        await pilot.pause(0.1)
        assert key_of(app) == "item:latency"
        assert app.focused is app.desk.screen.items


async def test_wide_terminals_show_list_and_evidence_side_by_side() -> None:
    async with shown(size=(WIDE_COLUMNS, 30)) as (app, pilot):
        assert "rests on" in screen_text(app)
        await pilot.resize_terminal(WIDE_COLUMNS - 1, 30)
        await pilot.pause(0.1)
        assert "rests on" not in screen_text(app)
        assert "Domain randomisation" in screen_text(app)


@pytest.mark.parametrize("size", [(80, 24), (60, 15), (110, 30), (160, 45)])
@pytest.mark.parametrize("detail", [False, True])
def test_the_parts_fill_the_screen_without_gap_or_overlap(size: tuple[int, int], detail: bool) -> None:
    layout = ListLayout()
    layout.detail, layout.head, layout.status = detail, 3, 2
    regions = layout.regions(Size(*size))
    assert sum(region.area for region in regions.values()) == size[0] * size[1]
    cells = {(x, y) for one in regions.values() for x in range(*one.column_span) for y in one.line_range}
    assert len(cells) == size[0] * size[1]


HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202eevil\x00\r\n[bold red]not markup[/] " + "very " * 30 + "long"


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (160, 45)])
async def test_hostile_text_never_steers_the_terminal_nor_breaks_the_rows(size: tuple[int, int]) -> None:
    state = checklist(campaign=HOSTILE, robot=HOSTILE, bundle_name=HOSTILE, warnings=(HOSTILE,), next_item="latency")
    stages = []
    for stage in state.stages:
        bad = tuple(
            msgspec.structs.replace(
                one,
                item=msgspec.structs.replace(one.item, title=HOSTILE, statement=HOSTILE, how=HOSTILE, cure=HOSTILE),
                reason=HOSTILE,
                cure=HOSTILE,
            )
            for one in stage.items
        )
        gate = msgspec.structs.replace(stage.gate, blocked_by=(HOSTILE,))
        title = msgspec.structs.replace(stage.stage, title=HOSTILE)
        stages.append(msgspec.structs.replace(stage, stage=title, items=bad, gate=gate))
    async with shown(msgspec.structs.replace(state, stages=tuple(stages)), size=size) as (app, pilot):
        assert app.desk is not None
        for at, keys in (
            ("item:latency", ("enter", "escape")),
            ("item:stuck", ("c", "escape")),
            ("gate:real", ("g", "escape")),
        ):
            app.desk.screen.items.select(at)
            await pilot.pause()
            for key in ("", *keys):
                if key:
                    await pilot.press(key)
                await pilot.pause(0.1)
                text = screen_text(app)
                assert not any(char in text for char in "\x1b\x07\x00\u202e\r")
                assert len(text.splitlines()) == size[1]
        assert "[bold red]not markup" in text


async def test_in_ascii_every_cell_is_ascii() -> None:
    async with shown(ascii=True, size=(120, 40)) as (app, pilot):
        assert screen_text(app).isascii()
        await pilot.press("g")
        await pilot.pause(0.1)
        assert screen_text(app).isascii()


async def test_a_record_that_can_not_be_read_is_said_with_its_cure() -> None:
    class Broken(ShownCampaign):
        def state(self) -> ChecklistState:
            raise Trouble("the record is cut short", cure="run `fieldgate verify`", code="record_damaged")

    campaign: Any = Broken(checklist())
    session = ScriptedSession(snapshot(now_ns=NOW_NS))
    async with running(session, opener=lambda: campaign, person="ada") as (app, pilot):
        await until(pilot, lambda: "the record is cut short - run `fieldgate verify`" in screen_text(app))


async def test_2_says_how_to_make_a_campaign_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path))
    async with running(ScriptedSession(snapshot(now_ns=NOW_NS)), size=(160, 45)) as (app, pilot):
        await pilot.press("2")
        await until(pilot, lambda: "fieldgate campaign new orin --bundle" in screen_text(app))
        assert app.place == "live"


async def test_a_slow_record_never_blocks_the_keys() -> None:
    import threading

    go = threading.Event()

    class Slow(ShownCampaign):
        def state(self) -> ChecklistState:
            go.wait(5)
            return super().state()

    campaign: Any = Slow(checklist())
    session = ScriptedSession(snapshot(now_ns=NOW_NS))
    async with running(session, opener=lambda: campaign, person="ada") as (app, pilot):
        await until(pilot, lambda: app.place == "checklist")
        await pilot.press("t")
        assert app.theme == "fieldgate-light"
        await pilot.press("1")
        await until(pilot, lambda: "Latency" in screen_text(app))
        go.set()
        await pilot.press("2")
        await until(pilot, lambda: "Domain randomisation" in screen_text(app))


async def test_help_and_palette_of_the_checklist_name_its_own_keys() -> None:
    async with shown(size=(160, 60)) as (app, pilot):
        names = [command.title for command in app.get_system_commands(app.screen)]
        assert len(names) == len(on_screen("checklist")) - 1
        assert "picture (p)" not in names
        await pilot.press("question_mark")
        await pilot.pause(0.1)
        text = screen_text(app)
        assert "Help: Checklist" in text
        assert all(action.meaning[:40] in text for action in on_screen("checklist"))


def test_the_key_line_shows_what_applies_and_always_the_way_to_the_rest() -> None:
    state = checklist()
    line = [action.name for action in in_key_line("up", "checklist", applicable_to(state, None))]
    assert line.index("help") + 1 == line.index("palette")
    assert "measure" not in line
    assert "live_screen" in line
    assert "checklist_screen" not in line


def test_every_state_has_a_mark_with_its_own_word() -> None:
    assert {MARKS[name].word.casefold() for name in ITEM_STATES} == set(ITEM_STATES)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0763, "0.0763"), (7.6, "7.6"), (12.0, "12"), (87.25, "87.2"), (612.4, "612"), (-3.0, "-3")]
)
def test_numbers_fit_their_column(value: float, text: str) -> None:
    assert short_number(value) == text


def begins(app: FieldgateApp, words: str) -> bool:
    return screen_text(app).splitlines()[-1].startswith(words)


async def test_the_key_line_begins_with_what_the_selected_row_needs() -> None:
    async with shown(size=(80, 24)) as (app, pilot):
        assert app.desk is not None
        for at, first in (("item:stuck", " w witness"), ("item:grip", " v value"), ("item:latency", " r re-check")):
            app.desk.screen.items.select(at)
            await until(pilot, partial(begins, app, first))
            line = screen_text(app).splitlines()[-1]
            assert "Enter evidence" in line
            assert "? help" in line
            assert ": all" in line
        await pilot.press("enter")
        await until(pilot, lambda: screen_text(app).splitlines()[-1].startswith(" Esc back"))
        await pilot.press("escape")
        app.desk.screen.items.select("item:insurance")
        await until(pilot, lambda: "insurance" in key_of(app))
        await pilot.pause(0.1)
        assert "c confirm" not in screen_text(app).splitlines()[-1]
        assert app.desk.screen.HINT in screen_text(app)


async def test_counts_leave_out_what_does_not_apply_and_gates_say_what_to_press() -> None:
    async with shown(size=(80, 40)) as (app, _):
        text = screen_text(app)
        assert "1 of 9 passed, 1 n/a" in text
        assert "'Domain randomisation covers the critical and" in text
        assert "7 items open; g: go from lead" in text


def test_a_files_line_breaks_flow_and_its_lists_stay() -> None:
    text = "Cut the\ncamera.\n\nThen:\n- wait\n- look\n  again\n"
    assert flowing(text) == "Cut the camera.\n\nThen:\n- wait\n- look again"


def test_wide_characters_are_wrapped_by_cells() -> None:
    assert wrapped("日本語" * 10, 10, 2) == ["日本語日本", "語日本語日"]
    assert wrapped("", 10) == []


def test_the_live_screen_starts_without_the_checklist() -> None:
    code = (
        "import sys, console.app;"
        "print(sorted(n for n in sys.modules if n.startswith(('console.checklist', 'console.record', 'scipy')) "
        "or n == 'console.screens.checklist'))"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_what_no_probe_has_looked_at_yet_is_told_with_the_key_that_does_it() -> None:
    """A new campaign waited for minutes beside a robot that would have answered all of it in seconds."""
    stage = checklist().stages[0]
    fresh = tuple(
        msgspec.structs.replace(one, state="pending", need="probe", attempts=0, basis=None) for one in stage.items[:3]
    )
    state = checklist(msgspec.structs.replace(stage, items=(*fresh, *stage.items[3:])), recheck=())
    async with shown(state, (80, 24)) as (app, _):
        assert "3 not looked at yet: R looks at all" in screen_text(app)
    async with shown(checklist(recheck=()), (80, 24)) as (app, _):
        assert "not looked at yet" not in screen_text(app)


async def test_a_count_that_is_cut_keeps_the_age_of_the_oldest() -> None:
    async with shown(size=(60, 15)) as (app, pilot):
        await pilot.press("end")
        await pilot.press(*["up"] * 40)
        folds = [line for line in screen_text(app).splitlines() if "sensed item" in line]
        assert folds
        assert all("oldest" in line and "…" not in line for line in folds)
