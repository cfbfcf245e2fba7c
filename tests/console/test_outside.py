"""What a full disk and an unusable home do to every command: two lines and an exit code, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from console import exits

PROGRAM = [sys.executable, "-c", "from console.cli import main; main()"]


def ended(home: Path, words: list[str], stdout: str) -> tuple[int, list[str]]:
    """The exit code, and the lines on stderr."""
    with Path(stdout).open("w") as out:
        done = subprocess.run(
            [*PROGRAM, *words],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "FIELDGATE_HOME": str(home)},
        )
    return done.returncode, done.stderr.splitlines()


@pytest.mark.parametrize("words", [["--help"], ["failures", "patterns", "--csv"]])
def test_output_that_a_full_disk_does_not_take_is_said(tmp_path: Path, words: list[str]) -> None:
    code, lines = ended(tmp_path, words, "/dev/full")
    assert code == exits.TROUBLE
    assert lines == [
        "fieldgate: the output can't be written: No space left on device",
        "  -> free space there, or send it elsewhere",
    ]
    assert ended(tmp_path, ["--help"], os.devnull) == (exits.OK, [])


@pytest.mark.parametrize("home", ["/dev/null", "/proc/x", __file__])
def test_a_home_that_can_not_be_used_is_said(home: str) -> None:
    code, lines = ended(Path(home), ["robot", "list"], os.devnull)
    assert code == exits.TROUBLE
    assert lines[0].startswith(f"fieldgate: {home}/config can't be used as a folder: ")
    assert "FIELDGATE_HOME" in lines[1]


def test_a_stream_that_was_closed_stops_nothing(tmp_path: Path) -> None:
    command = 'exec "$0" -c "from console.cli import main; main()" failures list >&- 2>&-'
    environment = {**os.environ, "FIELDGATE_HOME": str(tmp_path)}
    assert subprocess.run(["sh", "-c", command, sys.executable], env=environment).returncode == exits.OK
