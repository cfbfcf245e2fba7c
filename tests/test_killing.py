"""A child of a test that hangs is ended and said: else it holds up the whole run, and nobody learns which test it was."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import killing
from tests.killing import KILLED, CannotTrace, ended, forked, killed_at_call, watched
from tests.power_cut import killed_at_change
from tests.waiting import wait_until


def hang() -> None:
    """For longer than any test may take; without its stacks, which would stand in the output of every run."""
    signal.signal(signal.SIGABRT, signal.SIG_IGN)
    time.sleep(300)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(killing, "_SAYS_WHERE_S", 0.05)


def test_a_child_that_ends_in_time_is_let_alone(impatient: None) -> None:
    assert ended(forked(lambda: None), 30) == 0
    assert ended(forked(lambda: os._exit(7)), 30) == 7


def test_a_child_that_hangs_is_killed_with_what_it_started(impatient: None, tmp_path: Path) -> None:
    started = tmp_path / "pid"

    def work() -> None:
        started.write_text(str(subprocess.Popen(["sleep", "300"]).pid))
        hang()

    child = forked(work)
    wait_until(lambda: started.exists() and started.read_text(), 30, "what the child starts")
    with pytest.raises(AssertionError, match=r"had not ended after 0\.1 s"):
        ended(child, 0.1)
    stat = Path(f"/proc/{started.read_text()}/stat")
    wait_until(lambda: not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z", 10, "its end")


@pytest.mark.parametrize(
    "traced",
    [lambda place: killed_at_call(hang, 1_000_000), lambda place: killed_at_change(hang, place, None)],
    ids=["at a call", "at a change"],
)
def test_one_that_hangs_under_a_tracer_is_killed(
    impatient: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, traced: Callable[[Path], object]
) -> None:
    monkeypatch.setattr(killing, "LIMIT_S", 0.1)
    try:
        with pytest.raises(AssertionError, match="had not ended"):
            traced(tmp_path)
    except CannotTrace as reason:
        pytest.skip(str(reason))


def test_whoever_stops_waiting_leaves_no_child_behind() -> None:
    child = forked(hang)
    with pytest.raises(KeyboardInterrupt), watched(child, 60):
        raise KeyboardInterrupt
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED
