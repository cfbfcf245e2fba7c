"""The issue's own path: sshd, deploy, a published detector on real photographs, worker, journal, console, export."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sshd import REPOSITORY, Sshd
from tests.waiting import wait_until

REAL = REPOSITORY.parent / "shared" / "real"


def fieldgate(*words: str, limit_s: float = 300) -> str:
    """Run the program as a script would; its stdout. A failure shows stderr."""
    command = [str(Path(sys.executable).with_name("fieldgate")), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit_s, env=os.environ)
    if "no wheel" in done.stderr or "can't be downloaded" in done.stderr:
        pytest.skip(f"the robot's wheels can't be had here: {done.stderr.splitlines()[0]}")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.whole
def test_from_an_empty_robot_to_people_found_in_photographs(bare_server: Sshd, tmp_path: Path) -> None:
    if not REAL.exists():
        pytest.skip(f"no real photographs here ({REAL})")
    fieldgate("robot", "add", "orin", f"127.0.0.1:{bare_server.port}")
    fieldgate("deploy", "orin", "--yes")
    bundle = str(tmp_path / "yolox")
    fieldgate(
        "bundle", "make", str(REAL / "yolox_nano.onnx"), "--like", "yolox",
        "--labels", str(REAL / "names.yaml"), "--output", bundle,
    )  # fmt: skip
    digest = fieldgate("bundle", "send", bundle, "orin").strip()
    started = fieldgate("start", "orin", "--source", f"folder:{REAL / 'images'}?fps=10", "--bundle", digest)
    assert "worker running" in started
    rows = [json.loads(line) for line in fieldgate("watch", "orin", "--for", "8s", "--json").splitlines()]
    seen = {label for row in rows for label in row["detections"]}
    assert "person" in seen
    assert rows[-1]["bundle"] == digest
    assert rows[-1]["fps"] > 1
    assert not [row["failures"] for row in rows if row["failures"]]
    table = list(csv.DictReader(io.StringIO(fieldgate("export", "windows", "orin", "--csv"))))
    seqs = [int(line["seq"]) for line in table]
    assert seqs == sorted(set(seqs))
    assert max(seqs) >= rows[-1]["seq"]
    assert "worker stopped" in fieldgate("stop", "orin")


@pytest.mark.tour
def test_a_second_deploy_changes_nothing(bare_server: Sshd) -> None:
    fieldgate("robot", "add", "orin", f"127.0.0.1:{bare_server.port}")
    fieldgate("deploy", "orin", "--yes")
    current = bare_server.home / ".local/share/fieldgate/current"
    before = current.resolve(), current.lstat().st_mtime_ns
    fieldgate("deploy", "orin", "--yes")
    assert (current.resolve(), current.lstat().st_mtime_ns) == before
    status = [str(current / "bin/fieldgate-agent"), "status"]
    wait_until(
        lambda: (
            subprocess.run(status, env=bare_server.session_environment(), check=False, capture_output=True).returncode
            == 0
        ),
        20,
        "the deployed agent to run",
    )
