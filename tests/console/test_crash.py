"""A mistake in fieldgate: who works with it gets two lines, who mends it the traceback; nobody gets a page of locals."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from console.app import FieldgateApp
from console.commands.live import run_screen
from console.crash import crashed
from remote.errors import Trouble
from tests.console.screens.driving import NOW_NS
from tests.console.screens.scripted import ScriptedSession, snapshot


def _mistake(*_: object) -> None:
    raise ImportError("cannot import name 'gone' from 'console.nowhere'\nand a second line")


def _caught() -> ImportError:
    try:
        _mistake()
    except ImportError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize("where", ["_begin", "_start_session"])
def test_a_mistake_in_a_screen_or_its_thread_ends_in_two_lines(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path))
    monkeypatch.setattr(FieldgateApp, where, _mistake)
    session = ScriptedSession(snapshot(now_ns=NOW_NS))
    with pytest.raises(Trouble) as said:
        run_screen("orin", None, session, kpis=None, picture=tmp_path / "screen.svg")
    assert said.value.what.startswith("a mistake in fieldgate ended it: ImportError: cannot import name 'gone'")
    assert len(str(said.value).splitlines()) == 2
    assert session.closed
    out = capfd.readouterr()
    assert "locals" not in out.err
    assert "Traceback" not in out.err + out.out
    assert "screen.svg" not in out.out


def test_with_debug_the_traceback_is_in_a_private_file(tmp_path: Path) -> None:
    said = crashed(_caught(), debug=True, folder=tmp_path)
    (file,) = tmp_path.glob("crash-*.txt")
    assert str(file) in said.cure
    assert "in _mistake" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    assert "second line" not in said.what


def test_where_the_file_can_not_be_written_the_two_lines_come_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert "can't be written" in crashed(_caught(), debug=True, folder=tmp_path / "file").cure


def test_a_command_that_breaks_says_two_lines_and_ends_with_a_code() -> None:
    program = (
        "import sys, console.cli as cli\n"
        "def wrong(*_): raise ZeroDivisionError('by nought')\n"
        "cli.cli.invoke = wrong\n"
        "sys.argv = ['fieldgate', 'robots', 'list']\n"
        "cli.main()"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "ZeroDivisionError: by nought (<string>:2)" in ended.stderr
    assert len(ended.stderr.splitlines()) == 2
