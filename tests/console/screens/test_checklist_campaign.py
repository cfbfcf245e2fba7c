"""The checklist screen on a real campaign: what a person enters is in the record, what is refused is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from console.app import FieldgateApp
from console.campaigns.campaign import Campaign
from console.checklist.states import ItemState
from console.looking import OfflineSight
from console.record.entries import Confirmation
from tests.console.screens.campaign_samples import SERIAL, bench, reopened
from tests.console.screens.driving import NOW_NS, Clock, running, screen_text, until
from tests.console.screens.scripted import S, ScriptedSession, link, snapshot

Driven = tuple[FieldgateApp, Pilot[int]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))
    return tmp_path


@asynccontextmanager
async def opened(
    campaign: Campaign, size: tuple[int, int] = (100, 30), clock: Clock | None = None, person: str = "ada"
) -> AsyncIterator[Driven]:
    """The app on the checklist, with an unreachable robot."""
    down = link("down", now_ns=NOW_NS, reason="no route to demo")
    session = ScriptedSession(snapshot(now_ns=NOW_NS, link_=down))
    sight = OfflineSight(campaign.files, campaign.bundle)
    async with running(session, size, clock, opener=lambda: campaign, person=person, sight_of=lambda _: sight) as (
        app,
        pilot,
    ):
        await until(pilot, lambda: app.place == "checklist" and "passed" in screen_text(app))
        yield app, pilot
        busy = ("campaign", "fold", "observe")
        await until(pilot, lambda: not any(one.is_running for one in app.workers if one.group in busy))
    campaign.close()


async def on_item(app: FieldgateApp, pilot: Pilot[int], id: str) -> None:
    assert app.desk is not None
    app.desk.screen.items.select(f"item:{id}")
    await pilot.pause()


async def said(app: FieldgateApp, pilot: Pilot[int], text: str) -> None:
    await until(pilot, lambda: text in " ".join(screen_text(app).replace("│", " ").split()))


async def press_button(app: FieldgateApp, pilot: Pilot[int], name: str) -> None:
    app.screen.query_one(f"#{name}", Button).press()
    await pilot.pause()


async def fill(app: FieldgateApp, pilot: Pilot[int], **fields: str) -> None:
    await until(pilot, lambda: bool(app.screen.query("#buttons")))
    for name, value in fields.items():
        app.screen.query_one(f"#field-{name}", Input).value = value
    await pilot.pause()


def now(app: FieldgateApp, id: str) -> ItemState:
    assert app.desk is not None
    return app.desk.campaign.item_state(id)


async def test_the_cursor_stays_on_a_row_that_passes_and_would_fold(home: Path) -> None:
    """A key pressed while a look runs must not vouch for a row that slid under the cursor."""
    async with opened(bench(home)) as (app, pilot):
        assert app.desk is not None
        assert app.desk.screen.items.selected is not None
        assert app.desk.screen.items.selected.key == "item:plan"
        await pilot.press("R")
        await said(app, pilot, "looked at 2: 2 pass")
        await until(pilot, lambda: now(app, "log").state == "pass" and "2 passed" in screen_text(app))
        assert app.desk.screen.items.selected.key == "item:plan"
        assert "The test plan is there" in screen_text(app)
        await pilot.press("down", "down")
        assert app.desk.screen.items.selected.key == "item:grip"
        await said(app, pilot, "2 sensed items passed, oldest ")
        assert "The log is there" not in screen_text(app)
        await pilot.press("up", "enter")
        await said(app, pilot, "The log is there")


async def test_a_confirmation_is_recorded_with_who_and_how_long_it_was_shown(home: Path) -> None:
    clock = Clock()
    async with opened(bench(home), clock=clock) as (app, pilot):
        await on_item(app, pilot, "clear")
        await pilot.press("c")
        await said(app, pilot, "Nothing but the cubes lies on the table.")
        clock.now_ns += 5 * S
        await press_button(app, pilot, "yes")
        await said(app, pilot, "The table is clear: pass")
        basis = now(app, "clear").basis
        assert basis is not None
        assert isinstance(basis.confirmation, Confirmation)
        assert (basis.person, basis.confirmation.looked_ms) == ("ada", 5000)
        assert not basis.confirmation.too_quick


async def test_a_yes_faster_than_reading_is_marked(home: Path) -> None:
    async with opened(bench(home)) as (app, pilot):
        await on_item(app, pilot, "clear")
        await pilot.press("c")
        await fill(app, pilot)
        await press_button(app, pilot, "yes")
        await until(pilot, lambda: now(app, "clear").state == "pass")
        await said(app, pilot, "warning confirmed faster than its text can be read")


async def test_enter_in_a_fresh_dialog_confirms_nothing(home: Path) -> None:
    """A person who hits Enter twice by habit must not have vouched for anything."""
    async with opened(bench(home)) as (app, pilot):
        await on_item(app, pilot, "clear")
        await pilot.press("c")
        await fill(app, pilot)
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert now(app, "clear").state == "pending"


@pytest.mark.parametrize(("typed", "state"), [("9999", "pending"), (SERIAL[-4:], "pass")])
async def test_a_critical_item_wants_the_robots_last_digits(home: Path, typed: str, state: str) -> None:
    async with opened(bench(home)) as (app, pilot):
        await on_item(app, pilot, "serial")
        await pilot.press("c")
        await fill(app, pilot, answer=typed)
        await press_button(app, pilot, "yes")
        await said(app, pilot, "the wrong answer is noted" if state == "pending" else "This is the right robot: pass")
        assert now(app, "serial").state == state


async def test_a_critical_item_can_not_be_confirmed_without_typing(home: Path) -> None:
    async with opened(bench(home)) as (app, pilot):
        await on_item(app, pilot, "serial")
        await pilot.press("c")
        await fill(app, pilot)
        await press_button(app, pilot, "yes")
        await said(app, pilot, "this item is critical")
        assert now(app, "serial").state == "pending"


async def test_a_value_that_fails_stands_with_reason_and_cure_and_the_fix_is_linked(home: Path) -> None:
    async with opened(bench(home)) as (app, pilot):
        await on_item(app, pilot, "grip")
        await pilot.press("v")
        await fill(app, pilot, value="9,5")
        await press_button(app, pilot, "record")
        await said(app, pilot, "1 failed")
        text = screen_text(app)
        assert "9.5 N" in text
        assert "do   Tighten the belt; then v enters the value again" in text
        await pilot.press("f")
        await until(pilot, lambda: bool(app.screen.query(Input)))
        await pilot.press(*"belt tightened", "enter")
        await until(
            pilot, lambda: app.desk is not None and any(row.kind == "fix" for row in app.desk.campaign.record.rows())
        )


async def test_a_value_that_is_no_number_is_refused_where_it_was_typed(home: Path) -> None:
    async with opened(bench(home)) as (app, pilot):
        await on_item(app, pilot, "grip")
        await pilot.press("v")
        await fill(app, pilot, value="lots")
        await press_button(app, pilot, "record")
        await said(app, pilot, "'lots' is no number")
        assert now(app, "grip").attempts == 0


async def test_an_override_stays_counted_in_the_status_row_and_can_be_taken_back(home: Path) -> None:
    async with opened(bench(home), person="bob") as (app, pilot):
        await on_item(app, pilot, "grip")
        assert "1 overridden" not in screen_text(app)
        await pilot.press("o")
        await fill(app, pilot, reason="the gauge is at the workshop", days="2")
        await press_button(app, pilot, "override")
        await said(app, pilot, "1 overridden")
        await on_item(app, pilot, "grip")
        await pilot.press("x")
        await said(app, pilot, "Take back what?")
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.screen.query(Input)))
        await pilot.press(*"the gauge is back", "enter")
        await until(pilot, lambda: now(app, "grip").state == "pending")
        await until(pilot, lambda: "1 overridden" not in screen_text(app))


async def test_an_override_by_someone_without_the_role_is_refused_with_the_cure(home: Path) -> None:
    async with opened(bench(home), size=(160, 45)) as (app, pilot):
        await on_item(app, pilot, "grip")
        await pilot.press("o")
        await fill(app, pilot, reason="the gauge is at the workshop")
        await press_button(app, pilot, "override")
        await said(app, pilot, "has not the role 'safety'")
        assert now(app, "grip").state == "pending"


async def test_a_deferral_is_counted_and_names_its_owner(home: Path) -> None:
    async with opened(bench(home)) as (app, pilot):
        await on_item(app, pilot, "grip")
        await pilot.press("d")
        await fill(app, pilot, reason="the gauge comes on Monday", owner="bob")
        await press_button(app, pilot, "defer")
        await said(app, pilot, "1 deferred")
        assert now(app, "grip").owner == "bob"


async def test_the_second_person_must_be_another_one(home: Path) -> None:
    async with opened(bench(home), size=(160, 45)) as (app, pilot):
        await on_item(app, pilot, "stop")
        await pilot.press("c")
        await fill(app, pilot)
        await press_button(app, pilot, "yes")
        await until(pilot, lambda: now(app, "stop").need == "witness")
        for name, state in (("ada", "pending"), ("bob", "pass")):
            if app.screen is app.front:
                await pilot.press("w")
            await fill(app, pilot, person=name)
            await press_button(app, pilot, "yes")
            await said(app, pilot, "has to witness it" if state == "pending" else "The stop button stops it: pass")
            assert "--as" not in screen_text(app)
            assert now(app, "stop").state == state
        await said(app, pilot, "ada, seen by bob")
        basis = now(app, "stop").basis
        assert basis is not None
        assert basis.confirmation is not None
        assert basis.confirmation.note == "claimed at ada's keyboard"
        await said(app, pilot, "claimed at ada's keyboard")


async def test_the_seated_second_person_is_filled_in_and_an_unknown_one_is_refused_in_the_dialog(home: Path) -> None:
    async with opened(bench(home), person="bob") as (app, pilot):
        assert app.desk is not None
        app.desk.campaign.confirm("stop", True, "ada")
        app.desk.fold()
        await said(app, pilot, "do w: a second person witnesses it")
        await on_item(app, pilot, "stop")
        await pilot.press("w")
        await fill(app, pilot)
        assert app.screen.query_one("#field-person", Input).value == "bob"
        await fill(app, pilot, person="carol", note="seen from the door")
        await press_button(app, pilot, "yes")
        await said(app, pilot, "'carol' is not in this campaign's roster; give one of: ada, bob")
        assert app.screen.query_one("#field-note", Input).value == "seen from the door"
        await fill(app, pilot, person="bob")
        await press_button(app, pilot, "yes")
        await said(app, pilot, "The stop button stops it: pass")
        basis = now(app, "stop").basis
        assert basis is not None
        assert basis.confirmation is not None
        assert basis.confirmation.note == "seen from the door"


async def test_a_refused_answer_keeps_the_dialog_with_all_that_was_typed(home: Path) -> None:
    """Who must type a long note a second time leaves it out."""
    async with opened(bench(home)) as (app, pilot):
        await on_item(app, pilot, "serial")
        await pilot.press("c")
        await fill(app, pilot, answer=SERIAL[-4:], note="by the label", files="/nowhere/photo.jpg")
        await press_button(app, pilot, "yes")
        await said(app, pilot, "correct the path in the field")
        kept = {name: app.screen.query_one(f"#field-{name}", Input).value for name in ("answer", "note", "files")}
        assert kept == {"answer": SERIAL[-4:], "note": "by the label", "files": "/nowhere/photo.jpg"}
        assert now(app, "serial").state == "pending"
        await fill(app, pilot, files="", answer="9999")
        await press_button(app, pilot, "yes")
        await said(app, pilot, "last four characters into 'last 4 of serial'")
        await fill(app, pilot, answer=SERIAL[-4:])
        await press_button(app, pilot, "yes")
        await said(app, pilot, "This is the right robot: pass")


async def test_too_short_a_text_stays_to_be_made_longer(home: Path) -> None:
    async with opened(bench(home)) as (app, pilot):
        await on_item(app, pilot, "grip")
        await pilot.press("v")
        await fill(app, pilot, value="9.5")
        await press_button(app, pilot, "record")
        await until(pilot, lambda: now(app, "grip").state == "fail" and app.screen is app.front)
        await said(app, pilot, "1 failed")
        await pilot.press("f")
        await until(pilot, lambda: bool(app.screen.query(Input)))
        await pilot.press(*"belt", "enter")
        await said(app, pilot, "write 10 characters or")
        await pilot.press(*" tightened", "enter")
        await said(app, pilot, "the fix is recorded; now: Tighten the belt; then v enters the value again")
        assert app.desk is not None
        assert any(row.kind == "fix" for row in app.desk.campaign.record.rows())


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_buttons_stay_in_sight_and_what_is_below_is_said(home: Path, size: tuple[int, int]) -> None:
    """A button below the edge is one that nobody presses, and Enter would press it unseen."""
    async with opened(bench(home), size=size) as (app, pilot):
        await on_item(app, pilot, "serial")
        await pilot.press("c")
        await said(app, pilot, "Leave it")
        await said(app, pilot, "No, it does not")
        assert "You vouch that:" in screen_text(app)
        await press_button(app, pilot, "yes")
        await said(app, pilot, "this item is critical")
        await said(app, pilot, "Yes, it holds")
        if size[1] < 20:
            await said(app, pilot, "more below")
            await pilot.press(*["pagedown"] * 5)
            await until(pilot, lambda: "more below" not in screen_text(app))
            assert "last 4 of serial" in screen_text(app)


async def test_pasted_line_breaks_become_spaces(home: Path) -> None:
    from textual import events

    async with opened(bench(home)) as (app, pilot):
        await on_item(app, pilot, "clear")
        await pilot.press("c")
        await fill(app, pilot)
        field = app.screen.query_one("#field-note", Input)
        field.focus()
        await pilot.pause()
        field.post_message(events.Paste("two cubes\nwere\r\nmoved"))
        await until(pilot, lambda: field.value == "two cubes were moved")


async def test_a_name_that_the_roster_has_not_is_asked_once_more(home: Path) -> None:
    async with opened(bench(home)) as (app, pilot):
        for name, button, seated in (("nobody", "no", "ada"), ("nobody", "yes", "nobody")):
            await pilot.press("u")
            await until(pilot, lambda: bool(app.screen.query(Input)))
            app.screen.query_one(Input).value = name
            await pilot.press("enter")
            await said(app, pilot, "nobody is not in this campaign's roster: cannot sign,")
            await press_button(app, pilot, button)
            await until(pilot, lambda: app.screen is app.front)
            assert app.desk is not None
            assert app.desk.person == seated


async def test_a_second_person_who_sits_down_is_the_one_recorded(home: Path) -> None:
    async with opened(bench(home)) as (app, pilot):
        await pilot.press("u")
        await until(pilot, lambda: bool(app.screen.query(Input)))
        app.screen.query_one(Input).value = "not a name"
        await pilot.press("enter")
        await said(app, pilot, "can't be a person's short name")
        app.screen.query_one(Input).value = "bob"
        await pilot.press("enter")
        await said(app, pilot, "as bob")
        await on_item(app, pilot, "clear")
        await pilot.press("c")
        await fill(app, pilot)
        await press_button(app, pilot, "yes")
        await until(pilot, lambda: now(app, "clear").performers == ("bob",))


async def test_a_changed_file_makes_its_item_stale_with_the_reason_and_r_looks_again(home: Path) -> None:
    campaign = bench(home)
    async with opened(campaign) as (app, pilot):
        await pilot.press("R")
        await said(app, pilot, "looked at 2: 2 pass")
        (campaign.files / "plan.txt").write_text("another plan")
        assert app.desk is not None
        app.desk.observe()
        await said(app, pilot, "1 stale")
        await said(app, pilot, "1 to re-check: r does it")
        assert "why  plan.txt " in screen_text(app)
        await pilot.press("r")
        await said(app, pilot, "The test plan is there: pass")
        await until(pilot, lambda: "to re-check" not in screen_text(app))


async def test_a_restart_goes_on_at_the_same_place(home: Path) -> None:
    async with opened(bench(home)) as (app, pilot):
        await pilot.press("R")
        await said(app, pilot, "looked at 2: 2 pass")
        await on_item(app, pilot, "grip")
        await pilot.press("v")
        await fill(app, pilot, value="15")
        await press_button(app, pilot, "record")
        await until(pilot, lambda: now(app, "grip").state == "pass")
    async with opened(reopened(home)) as (app, _):
        assert app.desk is not None
        assert app.desk.screen.items.selected is not None
        assert app.desk.screen.items.selected.key == "item:clear"
        assert "3 passed" in screen_text(app)


async def test_the_cursor_keeps_its_place_while_the_state_changes(home: Path) -> None:
    async with opened(bench(home)) as (app, pilot):
        assert app.desk is not None
        await on_item(app, pilot, "stop")
        app.desk.campaign.measure("grip", 15.0, "ada")
        app.desk.fold()
        await until(pilot, lambda: "15 N" in screen_text(app))
        assert app.desk.item is not None
        assert app.desk.item.item.id == "stop"


async def test_without_its_robot_an_item_is_unavailable_and_says_why(home: Path) -> None:
    campaign = bench(home)
    (campaign.files / "plan.txt").unlink()
    async with opened(campaign) as (app, pilot):
        assert "LINK DOWN" in screen_text(app)
        await pilot.press("R")
        await said(app, pilot, "plan.txt is not there")
        assert "1 failed" in screen_text(app)


async def test_an_entry_copied_from_paper_is_marked(home: Path) -> None:
    async with opened(bench(home), size=(160, 45)) as (app, pilot):
        await pilot.press("P")
        await fill(app, pilot, by="bob", at="yesterday")
        await press_button(app, pilot, "begin")
        await said(app, pilot, "is no date")
        await fill(app, pilot, at="2026-11-20T16:00")
        await press_button(app, pilot, "begin")
        await said(app, pilot, "from paper of bob")
        await on_item(app, pilot, "clear")
        await pilot.press("c")
        await fill(app, pilot)
        await press_button(app, pilot, "yes")
        await until(pilot, lambda: now(app, "clear").state == "pass")
        await said(app, pilot, "copied from paper")
        await pilot.press("P")
        await until(pilot, lambda: "from paper of bob" not in screen_text(app))


async def sign_dialogs(app: FieldgateApp, pilot: Pilot[int], key: Path) -> None:
    await pilot.press("S")
    await fill(app, pilot, key=str(key))
    await press_button(app, pilot, "next")
    await said(app, pilot, "This is what you sign")


async def test_a_stage_is_signed_polled_and_its_gate_opened(home: Path) -> None:
    campaign = bench(home)
    sight = OfflineSight(campaign.files, campaign.bundle)
    campaign.check(sight, "ada")
    campaign.measure("grip", 15.0, "ada")
    for id in ("clear", "serial", "stop"):
        campaign.confirm(id, True, "ada", answer=SERIAL[-4:])
    campaign.confirm("stop", True, "bob", meaning="witnessed")
    async with opened(campaign, size=(100, 40)) as (app, pilot):
        await pilot.press("G")
        await said(app, pilot, "the gate stays shut")
        await sign_dialogs(app, pilot, home / "id_ada")
        assert "Ada Lovelace" in screen_text(app)
        await pilot.press("enter")  # the button that leaves is in focus
        await until(pilot, lambda: app.screen is app.front)
        assert not campaign.stage_state("table").gate.signatures
        await sign_dialogs(app, pilot, home / "id_ada")
        await press_button(app, pilot, "sign")
        await said(app, pilot, "signed as ada: performed")
        assert "does not count" not in screen_text(app)
        await pilot.press("g")
        await fill(app, pilot)
        await press_button(app, pilot, "go")
        await said(app, pilot, "lead says GO")
        await until(pilot, lambda: "nothing is missing - G opens it" in screen_text(app))
        await pilot.press("G")
        await said(app, pilot, "Open the gate of On the table?")
        await press_button(app, pilot, "yes")
        await said(app, pilot, "the gate of On the table is open")
        await until(pilot, lambda: campaign.stage_state("table").gate.open)


async def test_while_ssh_keygen_may_ask_the_screen_is_put_away(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise its question for the passphrase and the screen would overwrite each other."""
    from contextlib import contextmanager

    campaign = bench(home)
    away: list[int] = []

    @contextmanager
    def plain_terminal(self: Any, intro: str) -> Any:
        assert "id_ada" in intro
        away.append(len(campaign.record.rows()))
        yield
        away.append(len(campaign.record.rows()))

    monkeypatch.setattr(FieldgateApp, "plain_terminal", plain_terminal)
    async with opened(campaign, size=(100, 40)) as (app, pilot):
        await sign_dialogs(app, pilot, home / "id_ada")
        await press_button(app, pilot, "sign")
        await said(app, pilot, "signed as ada")
        assert away[1] == away[0] + 1


async def test_another_persons_key_is_refused_with_the_cure(home: Path) -> None:
    async with opened(bench(home), size=(160, 45)) as (app, pilot):
        await pilot.press("S")
        await fill(app, pilot, key=str(home / "id_bob"))
        await press_button(app, pilot, "next")
        await until(pilot, lambda: "not done" in screen_text(app) or "what you sign" in screen_text(app))
        if "what you sign" in screen_text(app):
            await press_button(app, pilot, "sign")
        await said(app, pilot, "belongs to Bob Noyce")


@pytest.mark.parametrize(("row", "file"), [(0, "bench-report/report.html"), (1, "bench.json"), (2, "bench-form.html")])
async def test_the_report_the_record_and_the_form_are_written(
    home: Path, monkeypatch: pytest.MonkeyPatch, row: int, file: str
) -> None:
    monkeypatch.chdir(home)
    async with opened(bench(home), size=(160, 45)) as (app, pilot):
        await pilot.press("e")
        await said(app, pilot, "Write into")
        await pilot.press(*["down"] * row, "enter")
        await said(app, pilot, "written: ")
        assert (home / file).stat().st_size > 500


async def test_a_full_dialog_never_stops_the_live_data(home: Path) -> None:
    async with opened(bench(home)) as (app, pilot):
        await on_item(app, pilot, "clear")
        await pilot.press("c")
        await fill(app, pilot)
        later = snapshot(now_ns=NOW_NS + S, first=1)
        app.receive(later)
        await until(pilot, lambda: app._shown is later)
