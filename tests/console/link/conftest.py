"""A laptop, a robot behind a real sshd, and sessions that are closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.link.asking import Asker
from console.link.backoff import Backoff
from console.link.client import RobotClient
from console.link.opening import transport_of
from console.robots import Robot
from console.store.identity import Identity
from console.store.pictures import Pictures
from console.store.store import Store
from tests.sshd import SSHD, Laptop, Sshd, install_checkout

Opened = Callable[..., RobotClient]


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Laptop:
    """This process's home for the test."""
    made = Laptop(tmp_path / "laptop")
    made.use(monkeypatch)
    return made


@pytest.fixture
def server(tmp_path: Path, laptop: Laptop) -> Iterator[Sshd]:
    """An sshd that the laptop knows and may enter, with the checkout's agent installed; its agent is ended."""
    if SSHD is None:
        pytest.skip("no sshd here (install openssh-server)")
    made = Sshd(tmp_path / "robot")
    made.allow(laptop.key)
    laptop.knows(made)
    program = install_checkout(made)
    made.start()
    yield made
    made.thaw()
    made.stop()
    made.end_agents(program)


@pytest.fixture
def robot(server: Sshd) -> Robot:
    """The robot at that sshd; its agent is started by the attach."""
    return at(server)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Makes started sessions with a store each unless one is given; closes them."""
    sessions: list[RobotClient] = []

    def make(robot: Robot, *, store: Store | None = None, asker: Asker | None = None) -> RobotClient:
        kept = store or Store(tmp_path / f"store-{len(sessions)}.db")
        identity = Identity(kept.store_id, robot.name, tmp_path / "consoles")
        transport = transport_of(robot, asker)
        client = RobotClient(
            robot, transport, kept, identity, Pictures(tmp_path / "pictures"), backoff=Backoff(lambda: 0.0)
        )
        sessions.append(client)
        client.start(lambda snapshot: None)
        return client

    yield make
    for session in sessions:
        session.close()


def at(server: Sshd, **changes: object) -> Robot:
    """A robot at a server, changed as given."""
    from console.robots import Settings

    fields: dict[str, object] = {
        "name": "orin",
        "address": f"127.0.0.1:{server.port}",
        "settings": Settings(start_agent=True, autostart=True),
        **changes,
    }
    return Robot(**fields)  # type: ignore[arg-type]
