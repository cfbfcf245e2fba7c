"""The tour of faults on a robot that was there before: what the laptop still knows of it is no answer of it now."""

from __future__ import annotations

import threading

from console.tour import Step, Tour
from tests.console.screens.driving import NOW_NS
from tests.console.screens.scripted import ScriptedSession, link, snapshot
from tests.waiting import wait_until


def test_it_waits_for_the_link_though_windows_of_an_earlier_time_are_there() -> None:
    connecting = snapshot(now_ns=NOW_NS, link_=link("connecting", now_ns=NOW_NS))
    session = ScriptedSession(connecting)
    told: list[str] = []
    acted = threading.Event()
    step = Step("one", "told", lambda _: acted.set(), lambda _: True, 0.0)
    tour = Tour(session, told.append, steps=(step,))
    tour.start()
    assert not acted.wait(0.4)
    assert session.taken_over == []
    session.first = snapshot(now_ns=NOW_NS)
    wait_until(lambda: told[-1].startswith("End of the tour"), 10, "the end of the tour")
    assert acted.is_set()
    assert session.taken_over == [None]


def test_leaving_while_it_waits_says_nothing_more() -> None:
    session = ScriptedSession(snapshot(now_ns=NOW_NS, link_=link("connecting", now_ns=NOW_NS)))
    told: list[str] = []
    tour = Tour(session, told.append)
    tour.start()
    tour.stop()
    assert told == ["Tour of faults: waiting for the first windows"]
