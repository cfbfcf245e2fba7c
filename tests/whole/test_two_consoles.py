"""Two consoles on one robot: both watch, one commands, and nobody is displaced without being told."""

from __future__ import annotations

from pathlib import Path

from console.link.opening import open_session
from console.robots import Robots
from console.visiting import visiting
from tests.waiting import wait_until
from tests.whole.test_demo import fieldgate


def test_taking_over_is_confirmed_and_the_other_sees_it(laptop: Path) -> None:
    with visiting(open_session(Robots().get("demo"))) as first:
        first.arrive()
        first.session.take_lease().result(timeout=60)
        wait_until(lambda: first.session.holds_lease, 5, "the first console to hold the lease")

        refused = fieldgate("stop", "demo")
        assert refused.returncode == 6, refused.stderr
        assert "--take-over" in refused.stderr
        assert first.session.holds_lease

        taken = fieldgate("stop", "demo", "--take-over")
        assert taken.returncode == 0, taken.stderr
        assert "worker stopped" in taken.stdout
        wait_until(lambda: not first.session.holds_lease, 5, "the first console to know that it lost the lease")
        wait_until(
            lambda: any(seen.body.name == "lease_taken" for seen in first.session.snapshot.events), 5, "the event"
        )


def test_a_robot_started_without_a_screen_goes_on_after_the_command_left(laptop: Path) -> None:
    assert "worker running" in fieldgate("start", "demo", "--source", "scene:7?fps=5").stdout
    watched = fieldgate("watch", "demo", "--once")
    assert watched.returncode == 0, watched.stderr
    bad = fieldgate("start", "demo", "--source", "folder:/nonexistent")
    assert bad.returncode == 1
    assert "/nonexistent" in bad.stderr
    assert fieldgate("watch", "demo", "--once").returncode == 0, "a refused source must leave the old one running"
    stopped = fieldgate("stop", "demo")
    assert "worker stopped" in stopped.stdout, stopped.stderr
    idle = fieldgate("watch", "demo", "--once")
    assert idle.returncode == 7
    assert "fieldgate start" in idle.stderr
    unwell = fieldgate("watch", "demo", "--for", "60s", "--fail-on", "stale")
    assert unwell.returncode == 3, "a robot on which nothing runs must not look well to a script"
    assert "worker stopped" in unwell.stderr
