"""The embedded robot, as a newcomer meets it: real agent, real worker, real model, through the real protocol."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from console.link.opening import open_session
from console.robots import Robots
from console.tour import STEPS, Tour
from console.visiting import visiting
from tests.waiting import wait_until


def fieldgate(*words: str, limit_s: float = 90) -> subprocess.CompletedProcess[str]:
    """Run the program as a script would: pipes for all three streams."""
    command = [str(Path(sys.executable).with_name("fieldgate")), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit_s)


def test_a_newcomer_sees_frames_counted_and_boxes_found(laptop: Path) -> None:
    done = fieldgate("watch", "demo", "--once", "--json")
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert row["link"] == "up"
    assert row["frames"] > 0
    assert row["stages"]["inference_ms"]["p50"] > 0
    assert row["stages"]["end_to_end_ms"]["p50"] >= row["stages"]["inference_ms"]["p50"]
    assert set(row["detections"]) <= {"cube", "sphere", "cylinder", "cone"}
    assert sum(found["count"] for found in row["detections"].values()) > 0
    assert row["host"]["cpu_percent"] >= 0
    assert row["unavailable"]["gpu_percent"]
    assert row["age_s"] < 3


def test_a_script_learns_of_a_failure_by_the_exit_code(laptop: Path) -> None:
    with visiting(open_session(Robots().get("demo"))) as visit:
        visit.arrive()
        visit.session.take_lease().result(timeout=60)
        wait_until(lambda: len(visit.session.snapshot.windows) > 0, 30, "a first window")
        program = [
            str(Path(sys.executable).with_name("fieldgate")),
            "watch",
            "demo",
            "--for",
            "60s",
            "--fail-on",
            "failure",
        ]
        with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
            assert watching.stdout is not None
            assert watching.stdout.readline()
            STEPS[2].act(visit.session)
            out, err = watching.communicate(timeout=60)
    assert watching.returncode == 3, err
    assert "worker_crash" in out
    assert "ended by --fail-on failure" in err


def test_a_pipe_that_closes_early_is_no_error(laptop: Path) -> None:
    program = [str(Path(sys.executable).with_name("fieldgate")), "watch", "demo", "--json", "--for", "30s"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert json.loads(watching.stdout.readline())
        watching.stdout.close()
        assert watching.wait(timeout=60) == 0
        assert watching.stderr is not None
        assert "Traceback" not in watching.stderr.read()


def test_each_fault_of_the_tour_is_seen_and_nothing_is_lost(laptop: Path) -> None:
    told: list[str] = []
    steps = tuple(msgspec.structs.replace(step, look_s=1.0) for step in STEPS)
    with visiting(open_session(Robots().get("demo"))) as visit:
        visit.arrive()
        tour = Tour(visit.session, told.append, steps=steps)
        tour.start()
        wait_until(lambda: bool(told) and told[-1].startswith("End of the tour"), 150, "the end of the tour")
        assert not [line for line in told if "not seen" in line or "not well" in line]
        assert [step.title for step in STEPS if not any(step.title in line for line in told)] == []
        seqs_wanted = visit.session.snapshot.state
        assert seqs_wanted is not None
        last = seqs_wanted.journal.last_seq
        wait_until(lambda: visit.session.snapshot.stored_seq >= last, 30, "everything stored on the laptop")
        names = {seen.body.name for seen in visit.session.snapshot.failures}
    assert {"camera_gone", "worker_crash"} <= names


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("watch", "nobody"), 1, "no robot is named 'nobody'"),
        (("watch", "demo", "--for", "soon"), 2, "is no duration"),
        (("nobody",), 1, ""),
        (("wach", "demo"), 2, "Did you mean 'watch'?"),
        (("demo",), 1, "needs a terminal"),
        (("watch", "demo", "--kpis", "/nonexistent.yaml"), 1, "/nonexistent.yaml"),
    ],
)
def test_a_mistake_gets_two_lines_and_a_code(laptop: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = fieldgate(*words)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
