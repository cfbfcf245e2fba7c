"""A file that matters is the old one or the new one, whatever happens while it is written."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from remote.atomic import TEMPORARY_GLOB, replacing, write_atomically


def test_a_write_replaces_the_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "f"
    write_atomically(file, b"old")
    write_atomically(file, b"new", mode=0o640)
    assert file.read_bytes() == b"new"
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_block_that_fails_keeps_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    file = tmp_path / "f"
    write_atomically(file, b"old")

    def fail() -> None:
        with replacing(file) as new:
            new.write(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_name_that_cannot_be_taken_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder" / "full").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        write_atomically(tmp_path / "folder", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_link_is_replaced_and_what_it_points_to_stays(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(b"theirs")
    (tmp_path / "f").symlink_to(tmp_path / "theirs")
    write_atomically(tmp_path / "f", b"ours")
    assert (tmp_path / "theirs").read_bytes() == b"theirs"
    assert not (tmp_path / "f").is_symlink()


KILLED = """
import os, signal, sys
from pathlib import Path
from remote.atomic import replacing
with replacing(Path(sys.argv[1])) as file:
    file.write(b"half of the new content")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_writer_leaves_the_old_file_and_what_the_sweep_finds(tmp_path: Path) -> None:
    file = tmp_path / "f"
    write_atomically(file, b"old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(file)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert file.read_bytes() == b"old"
    (left,) = tmp_path.glob(TEMPORARY_GLOB)
    assert sorted(tmp_path.iterdir()) == sorted([file, left])
