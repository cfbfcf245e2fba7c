"""The same world for commands as for campaigns, and the program."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from console.cli import main
from tests.console.checklist.conftest import world
from tests.console.commands.program import Done, Fieldgate

__all__ = ["world"]


@pytest.fixture
def fieldgate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Fieldgate:
    """The program itself, in this process, on the laptop below tmp_path; everybody is anna unless they say otherwise."""
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FIELDGATE_PERSON", "anna")

    def program(*words: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["fieldgate", *words])
        capfd.readouterr()  # of the descriptors: what the program's own children say counts too
        with pytest.raises(SystemExit) as end:
            main()
        said = capfd.readouterr()
        assert isinstance(end.value.code, int)
        return Done(end.value.code, said.out, said.err)

    return program
