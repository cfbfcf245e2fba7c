"""A world for field tests, in a home of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.fieldwork.field_world import FieldWorld


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FieldWorld:
    """A laptop below tmp_path with a robot and a pack of two phases."""
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))
    return FieldWorld(tmp_path)
