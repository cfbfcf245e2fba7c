"""A world for campaigns, in a home of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.checklist.campaign_world import World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A laptop below tmp_path with a robot, a pack, people with keys, and files."""
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))
    return World(tmp_path)
