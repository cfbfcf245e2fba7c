"""What nobody agreed to is not signed: without a terminal, for a first root that this laptop never saw, of a bad bundle."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import click
import pytest

from console.commands import updates_agreed
from console.commands.publish import publish
from console.commands.updates import updates
from remote.errors import Trouble
from remote.manifest import FileEntry, manifest_bytes
from tests.console.commands.test_updates_command import code, released, run, said, tell
from tests.console.models.repo_world import write_bundle


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A laptop with a repository of anna, ben and cleo's open keys, and the bundle `red`."""
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FIELDGATE_PERSON", "anna")
    monkeypatch.chdir(tmp_path)
    for name in ("anna", "ben", "cleo", "eve"):
        said(f"key new {name}.pem --unencrypted")
    write_bundle(tmp_path / "red", "red")
    said("init repo --key anna.pem --key ben.pem --key cleo.pem.pub --online-unencrypted")
    return tmp_path / "repo"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody sits there."""
    monkeypatch.setattr(updates_agreed, "at_terminal", lambda: True)


def first_root() -> str:
    return str(json.loads(said("show repo --json").stdout)["first_root"])


def waits() -> str:
    return said("show repo").stdout.partition("waits:")[2]


def refused(folder: Path) -> Path:
    """A bundle that its maker kept although it measured a failure."""
    write_bundle(folder, "bad")
    made = json.dumps({"measured": [{"name": "agreement", "verdict": "fail", "text": "0 of 259 boxes"}]}).encode()
    (folder / "provenance.json").write_bytes(made)
    entries = {
        path.name: FileEntry(hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
        for path in folder.iterdir()
        if path.name != "manifest.json"
    }
    (folder / "manifest.json").write_bytes(manifest_bytes("bad", entries))
    return folder


@pytest.mark.parametrize("typed", ["", "y\n"], ids=["nothing", "a y out of a pipe"])
def test_a_script_that_nobody_watches_signs_nothing_without_yes(repo: Path, typed: str) -> None:
    released("red --key anna.pem")
    done = run("sign repo --key ben.pem", keys=typed)
    assert code(done) == "no_terminal"
    assert "release 1 comes in: red" in done.stderr, "what would change is said all the same"
    assert "1 of 2 signatures (anna)" in waits()
    said("sign repo --yes --key ben.pem")
    assert waits() == ""


@pytest.mark.usefixtures("terminal")
def test_at_a_terminal_it_is_asked(repo: Path) -> None:
    released("red --key anna.pem")
    assert code(run("sign repo --key ben.pem", keys="n\n")) == "not_confirmed"
    assert "(anna)" in waits()
    said("sign repo --key ben.pem", keys="y\n")
    assert waits() == ""


def test_a_laptop_new_to_a_repository_does_not_sign_by_yes_alone(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a script gives its signature to whoever wrote all roots of the folder anew."""
    released("red --key anna.pem")
    known = first_root()
    monkeypatch.setenv("FIELDGATE_HOME", str(repo.parent / "another laptop"))
    done = run("sign repo --yes --key ben.pem")
    assert code(done) == "no_terminal"
    assert "`--first-root DIGEST`" in str(done.exception)
    wrong = "0" * 16 if known[0] != "0" else "1" * 16
    assert code(run(f"sign repo --yes --first-root {wrong} --key ben.pem")) == "other_first_root"
    assert run(f"sign repo --yes --first-root {known[:7]} --key ben.pem").exit_code == 2, "too short to tell two apart"
    assert code(run(f"sign repo --first-root {known} --key ben.pem")) == "no_terminal", (
        "it names the root, not the change"
    )
    assert "(anna)" in waits()
    assert "not published yet" in said(f"sign repo --yes --first-root {known[:8].upper()} --key ben.pem").stderr


@pytest.mark.usefixtures("terminal")
def test_at_a_terminal_a_first_root_is_asked_about_although_yes_is_given(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released("red --key anna.pem")
    monkeypatch.setenv("FIELDGATE_HOME", str(repo.parent / "another laptop"))
    done = run("sign repo --yes --key ben.pem", keys="n\n")
    assert code(done) == "not_confirmed"
    assert "this laptop sees this repository for the first time" in done.stderr
    said("sign repo --yes --key ben.pem", keys="y\n")


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("rotate repo --key anna.pem", updates),
        ("revoke repo ben --replace-with eve.pem.pub --key anna.pem", updates),
        ("red --to repo --unchecked --key anna.pem", publish),
    ],
    ids=["rotate", "revoke", "publish"],
)
def test_nothing_else_signs_for_a_first_root_that_nobody_compared(
    repo: Path, monkeypatch: pytest.MonkeyPatch, words: str, command: click.Command
) -> None:
    known = first_root()
    monkeypatch.setenv("FIELDGATE_HOME", str(repo.parent / "another laptop"))
    done = run(words, command)
    assert code(done) == "no_terminal"
    assert f"first root {known}\n" in done.stderr
    assert waits() == ""
    said(f"{words} --first-root {known}", command)
    assert "(anna)" in waits()


@pytest.mark.parametrize("words", ["refresh repo", "wave repo --next", "show repo", "verify repo --copy"])
def test_what_fails_or_only_looks_does_not_stand_for_comparing_the_first_root(
    repo: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """Else `refresh` on a laptop without online keys, and `sign --yes` after it, is a way around."""
    (repo / "fleet.yaml").write_text("robots: [demo]\nwaves: [[demo]]\n")
    released("red --key anna.pem --key ben.pem")
    released("red --again --key anna.pem")
    monkeypatch.setenv("FIELDGATE_HOME", str(repo.parent / "another laptop"))
    run(words)
    assert code(run("sign repo --yes --key ben.pem")) == "no_terminal"


@pytest.mark.parametrize(
    "words", ["sign repo --yes --key anna.pem", "discard repo", "wave repo --stop why", "wave repo --next"]
)
def test_where_nothing_is_to_be_done_a_second_line_says_what_next(repo: Path, words: str) -> None:
    """docs/exit-codes.md promises two lines."""
    if words.endswith("--next"):
        (repo / "fleet.yaml").write_text("robots: [demo]\nwaves: [[demo]]\n")
        released("red --wave everyone --key anna.pem --key ben.pem")
        tell("demo", 1, 1, "committed")
    done = run(words)
    assert isinstance(done.exception, Trouble), done.output
    assert done.exception.cure


def test_show_says_that_the_laptop_sees_it_for_the_first_time(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "for the first time" not in said("show repo").stdout
    monkeypatch.setenv("FIELDGATE_HOME", str(repo.parent / "another laptop"))
    assert "this laptop sees this repository for the first time" in said("show repo").stdout
    assert "this laptop sees this repository for the first time" in said("show repo").stdout, "looking compares nothing"


def test_a_bundle_that_its_maker_found_wrong_is_released_on_purpose_only(repo: Path) -> None:
    """Else it reaches each robot of the fleet, and each takes it back by itself."""
    bad = refused(repo.parent / "bad")
    failed = "its maker measured a failure: agreement: 0 of 259 boxes"
    done = run(f"{bad} --to repo --unchecked --key anna.pem", publish)
    assert code(done) == "no_terminal"
    assert failed in done.stderr
    assert waits() == ""
    assert failed in said(f"{bad} --to repo --unchecked --anyway --key anna.pem", publish).stderr
    assert failed in waits()
    assert failed in said("sign repo --yes --key ben.pem").stderr, "the second person reads it too"
    released("red --key anna.pem --key ben.pem")
    shown = said("show repo").stdout.splitlines()
    [number] = [place for place, line in enumerate(shown) if failed in line]
    assert shown[number - 1].startswith("  1  bad")
    assert json.loads(said("show repo --json").stdout)["maker_failed"] == {"1": ["agreement: 0 of 259 boxes"]}


@pytest.mark.usefixtures("terminal")
def test_a_bundle_that_its_maker_found_wrong_is_asked_about_at_a_terminal(repo: Path) -> None:
    bad = refused(repo.parent / "bad")
    assert code(run(f"{bad} --to repo --unchecked --key anna.pem", publish, "n\n")) == "not_confirmed"
    assert waits() == ""
    said(f"{bad} --to repo --unchecked --key anna.pem", publish, "y\n")


def test_a_wrong_key_is_told_before_the_bundle_is_loaded_and_compared(repo: Path) -> None:
    """`red` is no model: loading it fails, and so would its second release."""
    assert code(run("red --to repo --key eve.pem", publish)) == "key_not_wanted"
    assert waits() == ""
    released("red --key anna.pem --key ben.pem")
    done = run("red --to repo --key eve.pem", publish)
    assert code(done) == "key_not_wanted"
    assert "wanted are: anna, ben, cleo" in str(done.exception)
