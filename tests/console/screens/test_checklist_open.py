"""Getting to the checklist: by command, by key, with a real terminal, and leaving it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from console.actions import on_screen
from console.campaigns.opening import new_campaign, open_campaign
from console.checking.sights import Left, Sights
from console.commands.campaign_open import open_screen, opened, reached
from console.link.snapshot import Snapshot
from console.robots import demo_robot
from remote.errors import Trouble
from tests.console.screens.campaign_samples import PACK, bench
from tests.console.screens.driving import NOW_NS, running, screen_text, until
from tests.console.screens.scripted import ScriptedSession, snapshot
from tests.terminal import Terminal

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FIELDGATE_PERSON", "ada")
    (tmp_path / "pack.yaml").write_text(PACK)
    return tmp_path


def made(home: Path, name: str) -> None:
    new_campaign("demo", "3f2a" * 16, "tabletop", home / "pack.yaml", name=name, files=home).close()


def test_in_a_pipe_the_command_says_that_it_needs_a_terminal(home: Path) -> None:
    done = CliRunner().invoke(open_screen, ["bench"])
    assert isinstance(done.exception, Trouble)
    assert done.exception.code == "no_terminal"


def test_without_a_name_the_only_campaign_is_opened_and_several_are_named(home: Path) -> None:
    with pytest.raises(Trouble, match="no campaign on this laptop") as none:
        opened(None)
    assert "campaign new" in none.value.cure
    made(home, "first")
    campaign = opened(None)
    assert campaign.name == "first"
    campaign.close()
    made(home, "second")
    with pytest.raises(Trouble, match="2 campaigns") as several:
        opened(None)
    assert "first, second" in several.value.cure


def test_a_campaign_whose_robot_this_laptop_does_not_know_still_opens(home: Path) -> None:
    robot, session = reached("gone", False)
    assert robot is None
    session.start(lambda shot: None)
    assert session.snapshot.link.phase == "refused"
    assert "no robot is named 'gone'" in session.snapshot.link.reason


async def test_2_opens_the_only_campaign_of_the_robot(home: Path) -> None:
    made(home, "first")
    session = ScriptedSession(snapshot(now_ns=NOW_NS))
    async with running(session) as (app, pilot):
        app._newest = _as_demo(session)
        await pilot.press("2")
        await until(pilot, lambda: "first │ as ada" in screen_text(app))
        assert app.desk is not None
        app.desk.campaign.close()


async def test_2_asks_which_of_several_campaigns(home: Path) -> None:
    made(home, "first")
    made(home, "second")
    session = ScriptedSession(snapshot(now_ns=NOW_NS))
    async with running(session) as (app, pilot):
        app._newest = _as_demo(session)
        await pilot.press("2")
        await until(pilot, lambda: "Which campaign of demo?" in screen_text(app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: "second │ as ada" in screen_text(app))
        assert app.desk is not None
        app.desk.campaign.close()


def _as_demo(session: ScriptedSession) -> Snapshot:
    return msgspec.structs.replace(session.snapshot, robot="demo")


def test_leaving_ends_a_look_that_waits_for_the_robot_and_writes_nothing(home: Path) -> None:
    """Otherwise the shell's prompt comes back only when a probe's 30 s are over, or a tick is lost by pressing q."""
    campaign = bench(home)
    sights = Sights(ScriptedSession(snapshot(now_ns=NOW_NS)), demo_robot())
    sight = sights.of(campaign)
    ended: list[type[BaseException]] = []

    def wait() -> None:
        try:
            sight.wait(lambda shot: False, 60.0)
        except Left:
            ended.append(Left)

    thread = threading.Thread(target=wait)
    thread.start()
    sights.leave()
    thread.join(10)
    assert ended == [Left]
    sights.close()
    campaign.close()


def test_the_documentation_names_every_key() -> None:
    lines = (ROOT / "docs" / "checklist-screen.md").read_text().splitlines()
    keys = {key for line in lines if line.startswith("| ") for key in line.split("|")[1].replace(",", " ").split()}
    own = [action for action in on_screen("checklist") if action.place == "checklist" and not action.phases]
    assert {action.shown for action in own} <= keys


@pytest.fixture
def key_with_passphrase(home: Path) -> Path:
    path = home / "id_locked"
    made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "open sesame", "-C", "ada", "-f", str(path)]
    subprocess.run(made, check=True, capture_output=True)
    return path


def test_ssh_keygen_asks_for_the_passphrase_on_the_plain_terminal(home: Path, key_with_passphrase: Path) -> None:
    (home / "roster.yaml").write_text(
        "format: 1\npeople:\n- principal: ada\n  name: Ada Lovelace\n  roles: [lead]\n"
        f"  keys: ['{key_with_passphrase.with_suffix('.pub').read_text().strip()}']\n"
    )
    campaign = new_campaign(
        "demo", "3f2a" * 16, "tabletop", home / "pack.yaml", name="bench", roster=home / "roster.yaml", files=home
    )
    campaign.close()
    child = str(Path(__file__).with_name("checklist_child.py"))
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
    with Terminal([sys.executable, child, "bench"], environment) as terminal:
        terminal.until(b"On the table")
        terminal.press(b"S")
        terminal.until(b"it means")
        for keys in (b"\r", b"\r", str(key_with_passphrase).encode(), b"\r", b"\r"):
            terminal.press(keys)
        terminal.until(b"fieldgate statement")
        terminal.press(b"\x1b[C")
        terminal.press(b"\r")
        terminal.until(b"asks here:")
        terminal.until(b"passphrase")
        terminal.press(b"open sesame\n")
        terminal.until(b"signed as ada")
        terminal.press(b"q")
        assert terminal.end() == 0
    again = open_campaign("bench")
    assert [row.kind for row in again.record.rows()][-1] == "signature"
    again.close()
