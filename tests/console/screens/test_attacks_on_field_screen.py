"""Hostile words of a record on the field test screen: shown as text, and no key of it ends the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.fieldwork.field_test import FieldTest
from tests.console.commands.test_attacks_by_failures import BODIES
from tests.console.commands.test_attacks_by_text import HOSTILE
from tests.console.commands.test_attacks_on_field_tests import HOSTILE_PACK, fill
from tests.console.failures.book_samples import fill as fill_store
from tests.console.failures.book_samples import store_with
from tests.console.fieldwork.field_world import FieldWorld
from tests.console.screens.driving import screen_text
from tests.console.screens.test_failures_screen import opened
from tests.console.screens.test_field_campaign import on


@pytest.fixture
def field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FieldTest:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))
    made = FieldWorld(tmp_path).field(HOSTILE_PACK)
    fill(made.campaign, forged=True)
    return made


@pytest.mark.parametrize("size", [(120, 36), (60, 15)])
async def test_a_hostile_record_is_shown_as_text(field: FieldTest, size: tuple[int, int]) -> None:
    """Rows of 10 kB and marks that move the cursor: neither is obeyed, whatever key is pressed."""
    async with on(field, size=size) as driven:
        for key in ("", "n", "escape", "c", "escape", "question_mark", "escape", "down", "up", "s"):
            if key:
                await driven.pilot.press(key)
            await driven.pilot.pause()
            found = HOSTILE.search(screen_text(driven.app).replace("\n", ""))
            assert found is None, (key, found)
        await driven.pilot.press("escape", "escape")
        assert driven.app.is_running


async def test_hostile_failures_are_shown_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path))
    (tmp_path / "data").mkdir()
    store = store_with(tmp_path / "data" / "store.db", 2)
    fill_store(store, BODIES, journal="j-evil", robot="orin")
    store.close()
    async with opened(count=9) as (app, pilot, _desk):
        for key in ("", *["down"] * 8, "enter", "escape", "end", "home", "question_mark", "escape"):
            if key:
                await pilot.press(key)
            await pilot.pause()
            found = HOSTILE.search(screen_text(app).replace("\n", ""))
            assert found is None, (key, found)
