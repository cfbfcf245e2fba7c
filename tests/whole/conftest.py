"""A laptop of its own for each test: fieldgate's files below a temporary folder, and the demo robot ended afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """FIELDGATE_HOME below tmp_path; whatever demo robot a test starts there is stopped at the end."""
    home = tmp_path / "laptop"
    monkeypatch.setenv("FIELDGATE_HOME", str(home))
    yield home
    robot = home / "data" / "demo"
    if robot.exists():
        command = [sys.executable, "-m", "remote", "stop", "--home", str(robot)]
        subprocess.run(command, capture_output=True, check=False, timeout=30, env=os.environ)
