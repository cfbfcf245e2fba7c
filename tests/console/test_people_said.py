"""Who the robot is told: the person where somebody said who they are, and a name that can't be one keeps nobody off the
robot.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from console.people import VARIABLE, said
from console.store.identity import Identity, console_name
from remote.errors import Trouble


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path / "person.yaml"


def test_the_person_stands_beside_the_login(settings: Path, tmp_path: Path) -> None:
    assert Identity("s", "orin", tmp_path / "a", "anna").name == f"anna ({console_name()})"
    assert Identity("s", "orin", tmp_path / "b").name == console_name()
    login = console_name().partition("@")[0]
    assert console_name(login) == console_name(), "nobody is told twice"


def test_the_command_comes_before_the_environment_and_that_before_the_settings(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said(path=settings) is None, "a login that nobody confirmed is no person"
    settings.write_text("person: cleo\n")
    assert said(path=settings) == "cleo"
    monkeypatch.setenv(VARIABLE, "ben")
    assert said(path=settings) == "ben"
    assert said("anna", settings) == "anna"


def test_a_name_that_can_not_be_one_is_refused_only_where_it_was_typed(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.write_text("person: [\n")
    assert said(path=settings) is None
    monkeypatch.setenv(VARIABLE, "ben")
    assert said(path=settings) == "ben"
    monkeypatch.setenv(VARIABLE, "no name\x1b[2J")
    assert said(path=settings) is None
    with pytest.raises(Trouble):
        said("no name", settings)
