"""Over the air to the embedded robot: published by two people, taken by a real agent, refused in its self-test, stopped by
itself.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from remote.manifest import MANIFEST, entry_of, manifest_bytes, parse_manifest
from tests.waiting import wait_until

EMBEDDED = Path(__file__).parents[2] / "remote" / "bundles" / "tabletop"


def fieldgate(words: str, *, wanted: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the program as people do."""
    program = str(Path(sys.executable).with_name("fieldgate"))
    done = subprocess.run([program, *shlex.split(words)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == wanted, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def wrong_bundle(folder: Path) -> Path:
    """A bundle whose files are whole and whose manifest gives it another name than its contract: no robot can use it."""
    folder.mkdir()
    known = parse_manifest((EMBEDDED / MANIFEST).read_bytes(), EMBEDDED)
    for name in known.files:
        (folder / name).write_bytes((EMBEDDED / name).read_bytes())
    (folder / MANIFEST).write_bytes(manifest_bytes("another", {name: entry_of(folder / name) for name in known.files}))
    return folder


@pytest.mark.tour
def test_a_release_that_a_robot_refuses_is_stopped_for_the_others(
    laptop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("anna", "ben"):
        fieldgate(f"updates key new {name}.pem --unencrypted")
    fieldgate("updates init up --key anna.pem --key ben.pem --online-unencrypted")
    (tmp_path / "up" / "fleet.yaml").write_text("robots: [demo, orin-2, orin-3]\nwaves: [[demo], rest]\n")
    wrong_bundle(tmp_path / "wrong")
    said = fieldgate("publish wrong --to up --key anna.pem --key ben.pem", wanted=1).stderr
    assert "does not pass `fieldgate bundle check`" in said
    fieldgate("publish wrong --to up --unchecked --key anna.pem --wave first")
    fieldgate("updates sign up --key ben.pem --yes")
    fieldgate(f"updates enrol demo --repo up --url file://{tmp_path}/up --class gripper")
    took = fieldgate("updates take demo", wanted=3).stdout
    assert "took release 1" in took
    assert "was refused in self-test" in took, "a person hears it at once"

    def stopped() -> bool:
        program = str(Path(sys.executable).with_name("fieldgate"))
        words = [program, "updates", "wave", "up", "--watch", "--for", "1ms"]
        return subprocess.run(words, capture_output=True, check=False, timeout=60).returncode == 3

    wait_until(stopped, 60, "the robot's report")
    found = json.loads(fieldgate("updates wave up --json", wanted=3).stdout)
    assert (found["word"], found["mishaps"], found["wave"]) == ("stop", ["demo"], 1)
    assert "STOPPED" in fieldgate("updates show up").stdout
    fieldgate("updates verify up")
    assert "stopped" in fieldgate("updates take demo").stdout
    fieldgate("updates wave up --next", wanted=1)
