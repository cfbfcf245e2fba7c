"""A screen may be up before the way to the robot is loaded."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import pytest

from console.link.late_session import LateSession
from console.link.opening import open_session
from console.link.session import Session
from console.link.snapshot import Snapshot
from console.robots import Robots
from remote.errors import Trouble
from remote.protocol import GetState
from tests.console.screens.scripted import ScriptedSession, snapshot
from tests.waiting import wait_until


def failed(answer: Future[object]) -> str:
    error = answer.exception(timeout=1)
    assert isinstance(error, Trouble)
    return error.code


def test_before_it_is_open_commands_are_refused_and_nothing_is_pretended() -> None:
    session = LateSession("demo", lambda: pytest.fail("not started, not opened"))
    assert session.snapshot.link.phase == "connecting"
    assert not session.holds_lease
    assert failed(session.request(GetState())) == "unreachable"  # type: ignore[arg-type]
    assert failed(session.take_lease()) == "unreachable"  # type: ignore[arg-type]
    session.cut()
    session.close()


def test_a_store_that_cannot_be_opened_is_said_on_the_screen() -> None:
    def opener() -> Session:
        raise Trouble("the store is on a full disk", cure="free some space", code="store_full")

    came: list[Snapshot] = []
    LateSession("demo", opener).start(came.append)
    assert (came[-1].link.phase, came[-1].link.reason, came[-1].link.cure) == (
        "refused",
        "the store is on a full disk",
        "free some space",
    )


def test_what_could_not_be_opened_is_opened_by_retry_once_the_cause_is_gone() -> None:
    """Without it the screen must be left and started anew after space was made."""
    full = True
    inner = ScriptedSession(snapshot(now_ns=0))

    def opener() -> Session:
        if full:
            raise Trouble("the store is on a full disk", cure="free some space", code="store_full")
        return inner

    came: list[Snapshot] = []
    session = LateSession("demo", opener)
    session.retry()  # not begun: nothing to try again
    session.start(came.append)
    session.retry()
    wait_until(
        lambda: [shot.link.phase for shot in came] == ["refused", "connecting", "refused"], 5, "a second refusal"
    )
    full = False
    session.retry()
    wait_until(lambda: session.snapshot is inner.first, 5, "the session")
    session.retry()
    assert inner.retried == 1


def test_once_open_it_is_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path))
    session = LateSession("demo", lambda: open_session(Robots().get("demo")))
    session.watch_samples(5)
    session.start(lambda snapshot: None)
    try:
        wait_until(lambda: session.snapshot.link.phase == "up" and session.snapshot.state, 30, "the link")
        assert session.request(GetState()).result(timeout=5).error is None
        wait_until(lambda: session.snapshot.sample, 30, "a live sample at the rate asked for before it was open")
    finally:
        session.close()
