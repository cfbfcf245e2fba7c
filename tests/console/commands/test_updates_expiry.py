"""What expires is said where it is seen, with what renews it: a timer that stays green keeps robots from nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.places import data_dir
from tests.console.commands.test_updates_command import run, said
from tests.console.models.repo_world import World

ROTATE = "`fieldgate updates rotate repo --key FILE`, then `fieldgate updates sign repo --key FILE` by a second person"


def aged(folder: Path, monkeypatch: pytest.MonkeyPatch, days: float) -> World:
    """A repository of this laptop that was made so many days ago, and not touched since."""
    monkeypatch.setenv("FIELDGATE_HOME", str(folder / "home"))
    monkeypatch.chdir(folder)
    world = World(folder, days)
    world.hands = world.hands._replace(home=data_dir() / "updates")
    world.init()
    world.release("red")
    return world


@pytest.mark.parametrize(
    ("days", "exit_code", "words"),
    [
        (300, 0, ""),
        (330, 0, "warning: root and targets expire in 3"),
        (400, 3, "warning: root and targets expired 35"),
    ],
)
def test_a_refresh_tells_what_only_people_can_renew_and_fails_once_it_has_expired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: float, exit_code: int, words: str
) -> None:
    """Else the timer is green to the day on which no robot takes anything, and after."""
    aged(tmp_path, monkeypatch, days)
    done = run("refresh repo")
    assert done.exit_code == exit_code
    assert "published: timestamp" in done.stderr, "what can be renewed is, all the same"
    assert ("warning" in done.stderr) == bool(words)
    assert words in done.stderr
    assert (ROTATE in done.stderr) == bool(words)


def test_after_people_have_signed_a_refresh_is_quiet_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aged(tmp_path, monkeypatch, 400)
    said("rotate repo --key anna.pem")
    waiting = run("refresh repo")
    assert waiting.exit_code == 3
    assert "`fieldgate updates sign repo --key FILE` ends the change of root that waits" in waiting.stderr
    said("sign repo --yes --key ben.pem")
    assert "warning" not in said("refresh repo").stderr


@pytest.mark.parametrize("words", ["show repo", "verify repo", "copy repo stick"])
def test_where_an_expired_timestamp_is_seen_its_cure_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    aged(tmp_path, monkeypatch, 10)
    done = run(words)
    assert done.exit_code == 3
    cure = "timestamp expired 3 days ago, so robots take nothing new: `fieldgate updates refresh repo` renews it"
    assert cure in done.stderr.replace("3.1 days", "3 days")
    if words.startswith("copy"):
        assert done.stderr.index(cure[:20]) < done.stderr.index("copying"), "before megabytes are written"


def test_a_wave_over_an_expired_repository_says_that_robots_take_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = aged(tmp_path, monkeypatch, 10)
    world.repository.fleet_path.write_text("robots: [demo]\nwaves: [[demo]]\n")
    assert "timestamp expired 3" in said("wave repo").stderr


def test_a_refresh_goes_on_although_a_file_of_a_release_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Robots go on taking what is whole; `updates verify` tells the rest."""
    world = aged(tmp_path, monkeypatch, 1)
    [release] = world.repository.targets.glob("releases/*.json")
    release.unlink()
    assert "published: timestamp" in said("refresh repo").stderr
