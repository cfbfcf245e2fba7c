"""Keys and passphrases: what is wanted is said before it is typed, and what failed leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.commands.test_updates_command import LOCK, code, run, said


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A laptop with anna's open key."""
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    said("key new anna.pem --unencrypted")
    return tmp_path


def test_a_passphrase_that_can_not_be_one_is_told_at_once(here: Path) -> None:
    """And not after it was typed twice, or by a prompt that only comes again."""
    told = said("key new ben.pem", keys=f"\nshort\n{LOCK}\nanother one\n{LOCK}\n{LOCK}\n").stderr
    assert "at least 8 characters, Ctrl+C: give up" in told
    assert told.count("A passphrase needs 8 characters at least.") == 2
    assert told.count("The two are not the same.") == 1
    assert told.count("The same once more") == 2
    assert b"ENCRYPTED" in (here / "ben.pem").read_bytes()


@pytest.mark.parametrize("words", ["--threshold 2 --key anna.pem", "--threshold 3 --key anna.pem --key anna.pem.pub"])
def test_a_repository_that_can_not_be_made_leaves_no_folder(here: Path, words: str) -> None:
    done = run(f"init new {words} --online-unencrypted")
    assert code(done) == "bad_threshold"
    assert " and has 1 key\n" in str(done.exception)
    assert not (here / "new").exists()


def test_the_cure_for_a_file_that_is_no_key_names_another_file(here: Path) -> None:
    (here / "junk.onnx").write_bytes(b"junk")
    said("key new ben.pem --unencrypted")
    said("init repo --key anna.pem --key ben.pem --online-unencrypted")
    done = run("sign repo --yes --key junk.onnx")
    assert code(done) == "bad_key"
    assert "give a file that `fieldgate updates key new` made" in str(done.exception)
    assert "such as anna.pem, which" in str(run("sign repo --yes --key anna.pem.pub").exception)
