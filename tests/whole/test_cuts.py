"""The robot's journal and the laptop's copy are the same after fifty cuts of a real SSH link."""

from __future__ import annotations

import random
import sqlite3
from functools import partial
from pathlib import Path

import pytest

from console.link.backoff import Backoff
from console.link.client import RobotClient
from console.link.opening import transport_of
from console.link.session import Session
from console.robots import Robot, Settings
from console.store.identity import Identity
from console.store.store import Store
from console.visiting import visiting
from remote.errors import Trouble
from remote.protocol import Mark, Stop
from tests.sshd import Sshd
from tests.waiting import wait_until

CUTS = 50


class Eager(Backoff):
    """Tries again almost at once: the waits are tested elsewhere, here the cuts are."""

    def next_s(self) -> float:
        """A twentieth of a second."""
        return 0.05


def robot_rows(server: Sshd) -> list[tuple[object, ...]]:
    """Every entry of the robot's journal, read from its file."""
    file = server.home / ".local/state/fieldgate-agent/journal.db"
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
        sql = "SELECT seq, boot_id, mono_ns, wall_ns, body FROM entries JOIN boots ON boots.id = boot ORDER BY seq"
        return database.execute(sql).fetchall()


@pytest.mark.whole
def test_fifty_cuts_leave_no_hole_and_no_double(server: Sshd, tmp_path: Path) -> None:
    settings = Settings(start_agent=True, autostart=True, drills=True)
    robot = Robot(name="orin", address=f"127.0.0.1:{server.port}", settings=settings)
    store = Store(tmp_path / "store.db")
    client = RobotClient(
        robot,
        transport_of(robot),
        store,
        Identity(store.store_id, robot.name, tmp_path / "c"),
        backoff=Eager(),
    )
    chance = random.Random(7)
    with visiting(client) as visit:
        visit.arrive()
        for number in range(CUTS):
            seen = client.snapshot.stored_seq
            # Some cuts hit a quiet link, some the middle of a resume or of a handshake.
            if chance.random() < 0.8:
                wait_until(partial(has_more_than, client, seen), 30, f"an entry before cut {number}")
            wait_until(lambda: server.cut() > 0, 30, f"a connection for cut {number}")
        seen = client.snapshot.stored_seq
        wait_until(partial(has_more_than, client, seen), 30, "an entry after the last cut")
        wait_until(partial(is_marked, visit.session), 30, "a link on which a mark is taken")
        visit.session.take_lease().result(timeout=60)
        visit.session.request(Stop(), timeout_s=20).result(timeout=30)
        wait_until(partial(has_seen, client, "worker_stopped"), 30, "the laptop to have everything")
        wait_until(lambda: client.snapshot.failures, 30, "the mark, which is journalled once its pictures are written")
    journal = store.journals("orin")[-1]
    copied = [(e.seq, e.boot_id, e.mono_ns, e.wall_ns, bytes(e.body)) for e in store.entries(journal.id)]
    on_robot = [(*row[:4], bytes(row[4])) for row in robot_rows(server)][: len(copied)]  # type: ignore[call-overload]
    assert copied == on_robot
    assert [row[0] for row in copied] == list(range(1, len(copied) + 1))
    assert store.lost(journal.id) == ()
    kinds = {bytes(row[4])[9:12] for row in copied}
    assert {b"win", b"eve", b"hos", b"fai"} <= kinds


def has_more_than(client: RobotClient, seq: int) -> bool:
    """Whether the laptop has stored an entry after `seq`."""
    return client.snapshot.stored_seq > seq


def is_marked(session: Session) -> bool:
    """Whether the robot took a mark; what came through the cut link just before may still be arriving."""
    try:
        session.request(Mark("after the cuts")).result(timeout=60)
    except Trouble:
        return False
    return True


def has_seen(client: RobotClient, event: str) -> bool:
    """Whether that event is on the laptop."""
    return any(seen.body.name == event for seen in client.snapshot.events)
