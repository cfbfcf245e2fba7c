"""`fieldgate check` on the embedded robot: real agent, real worker, real camera picture, real journal, through the program."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from tests.waiting import wait_until

PACK = """\
format: 1
name: live
title: What the demo robot can show
version: "1"
roles: {lead: answers for it}
stages:
  - id: bench
    title: On the bench
    items:
      - {id: camera, title: The camera lives, kind: sensed, probe: {name: camera_alive, parameters: {seconds: 3 s}}}
      - id: latency
        title: From picture to result
        kind: sensed
        probe: {name: live_metric, parameters: {metric: end_to_end_ms, windows: 5, min_duration: 5 s}}
        criterion: {metric: end_to_end_ms, statistic: p95, comparison: "<", threshold: LIMIT, unit: ms, n_min: 20}
      - id: rate
        title: Frames a second
        kind: sensed
        probe: {name: live_metric, parameters: {metric: fps, windows: 5, min_duration: 5 s}}
        criterion: {metric: fps, comparison: ">", threshold: 1, unit: 1/s}
      - id: busy
        title: The computer's load
        kind: sensed
        probe: {name: live_metric, parameters: {metric: cpu_percent, windows: 5, min_duration: 5 s}}
        criterion: {metric: cpu_percent, comparison: "<=", threshold: 100, unit: "%"}
      - id: gpu
        title: The GPU's load
        kind: sensed
        probe: {name: live_metric, parameters: {metric: gpu_percent, windows: 5, min_duration: 5 s}}
        criterion: {metric: gpu_percent, comparison: "<", threshold: 80, unit: "%"}
"""


def check(folder: Path, limit_ms: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a job would."""
    (folder / "live.yaml").write_text(PACK.replace("LIMIT", limit_ms))
    program = str(Path(sys.executable).with_name("fieldgate"))
    command = [program, "check", "demo", "--pack", str(folder / "live.yaml"), "--as", "anna", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)


def test_a_job_learns_by_the_exit_code_what_the_demo_robot_shows(laptop: Path, tmp_path: Path) -> None:
    junit = tmp_path / "check.xml"
    items = [word for id in ("camera", "latency", "rate", "busy") for word in ("--item", id)]
    passed = check(tmp_path, "60000", *items, "--json", "--junit", str(junit))
    assert passed.returncode == 0, passed.stderr
    said = json.loads(passed.stdout)
    found = {item["id"]: item for item in said["items"]}
    assert said["counts"] == {"pass": 4, "fail": 0, "undecided": 0, "skipped": 0}
    assert found["latency"]["n"] >= 20
    assert 0 < found["latency"]["value"] <= found["latency"]["upper"]
    assert found["latency"]["details"]["windows"] >= 5
    assert len(found["latency"]["fingerprints"]["bundle"]) == 64
    assert found["rate"]["value"] > 1
    assert ElementTree.parse(junit).getroot().attrib["failures"] == "0"

    slow = check(tmp_path, "0.001", "--item", "latency")
    assert slow.returncode == 3, slow.stderr
    assert "1 failed" in slow.stdout

    blind = check(tmp_path, "60000", "--item", "gpu")
    assert blind.returncode == 7, blind.stderr
    assert "gpu_percent is missing" in " ".join(blind.stdout.split())


def test_a_robot_that_freezes_in_the_middle_of_a_look_is_told_and_no_pass(laptop: Path, tmp_path: Path) -> None:
    """The agent's process stands still while latency is measured; the line is that of docs/faults.md."""
    (tmp_path / "live.yaml").write_text(
        PACK.replace("LIMIT", "60000").replace("min_duration: 5 s", "min_duration: 60 s")
    )
    program = str(Path(sys.executable).with_name("fieldgate"))
    command = [program, "check", "demo", "--pack", str(tmp_path / "live.yaml"), "--item", "latency", "--as", "anna"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as looking:
        assert looking.stderr is not None
        assert looking.stderr.read(8) == "latency:"
        lock = laptop / "data" / "demo" / "agent.lock"
        agent = int(wait_until(lambda: lock.exists() and lock.read_text().strip(), 20, "the agent's lock"))
        os.kill(agent, signal.SIGSTOP)
        try:
            out, err = looking.communicate(timeout=60)
        finally:
            os.kill(agent, signal.SIGCONT)
    said = " ".join(out.split())
    assert looking.returncode == 7, (out, err)
    assert re.search(r"the link is dead: nothing heard for [\d.]+ s -> it is tried again by itself", said), said
    assert "0 passed" in said
