"""A night of a robot as its own journal file has it: several boots, a clock without battery, all of it taken over later."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from console.store.running import running_between
from console.store.store import Store
from remote.agent.clock import Clock
from remote.agent.journal import Journal, JournalReader, draft
from remote.protocol import Body, Event, Failure, body_of
from tests.console.store.journals import START_NS, Robot, S


@dataclass
class Hands:
    """The robot's clocks: monotonic since boot, wall as it believes."""

    mono_ns: int = 0
    wall_ns: int = START_NS


def write(path: Path, boot: str, hands: Hands, seconds: int, last: Body | None = None) -> None:
    """An agent's life: it begins, its worker works, it is killed (nothing says so)."""
    clock = Clock(boot, mono_ns=lambda: hands.mono_ns, wall_ns=lambda: hands.wall_ns)
    journal = Journal(path, boot, synchronous="OFF")
    journal.append([draft(Event(name="agent_started", severity="info", text="began"), clock)])
    worker = Robot(now_ns=hands.mono_ns)
    for _ in range(seconds):
        hands.mono_ns += S
        hands.wall_ns += S
        worker.now_ns = hands.mono_ns
        worker.window()
        journal.append([draft(body_of(worker.entries[-1]), clock)])
    if last is not None:
        journal.append([draft(last, clock)])
    journal.close()


def test_a_night_with_reboots_and_a_clock_without_battery(tmp_path: Path) -> None:
    """8 hours in small: what a person signs as uptime is this sum."""
    path, hands = tmp_path / "journal.db", Hands()
    write(path, "boot-a", hands, 60)
    hands.mono_ns += 10 * S
    hands.wall_ns += 10 * S
    write(path, "boot-a", hands, 50, Failure(name="worker_crash", text="killed"))
    # Down for 100 s, the last 30 of them booted already; its clock begins in 1970 and is set after 20 s of work.
    second = Hands(mono_ns=30 * S, wall_ns=30 * S)
    write(path, "boot-b", second, 20)
    second.wall_ns = START_NS + 240 * S
    write(path, "boot-b", second, 40)
    # Down for 80 s; its clock is right at once.
    third = Hands(mono_ns=30 * S, wall_ns=START_NS + 360 * S)
    write(path, "boot-c", third, 30)
    reader = JournalReader(path)
    store = Store(tmp_path / "store.db", wall_ns=lambda: START_NS + 9999 * S)
    journal = store.journal("orin", reader.journal_id)
    seq = 0
    while entries := reader.after(seq):
        seq = store.add(journal.id, entries)
    reader.close()
    found = running_between(store, "orin", START_NS, START_NS + 390 * S).running
    assert (found.reboots, found.agent_restarts, found.crashes) == (2, 2, 1)
    assert (found.up_s, found.known_s) == pytest.approx((60 + 50 + 20 + 40 + 30, 390))
    store.close()
