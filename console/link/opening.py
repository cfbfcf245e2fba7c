"""From a robot's name to a session that is ready to start."""

from __future__ import annotations

import importlib

import click

from console.link.asking import Asker, BeforehandAsker, RefusingAsker
from console.link.client import RobotClient
from console.link.link_state import NEEDS_A_PERSON
from console.link.transport import Transport
from console.people import said
from console.places import data_dir
from console.robots import Robot, Robots
from console.store.identity import Identity
from console.store.pictures import Pictures
from console.store.store import Store
from remote.errors import Trouble

_TRANSPORTS = {
    "paramiko": ("console.link.ssh", "SshTransport"),
    "openssh": ("console.link.openssh", "OpensshTransport"),
    "local": ("console.link.local", "LocalTransport"),
}


def transport_of(robot: Robot, asker: Asker | None = None) -> Transport:
    """The robot's transport; nothing is connected yet. `asker` answers for passphrases and host keys (None: refuses)."""
    module, name = _TRANSPORTS[robot.transport]
    made: Transport
    if robot.transport == "local":
        made = getattr(importlib.import_module(module), name)(robot)
    else:
        made = getattr(importlib.import_module(module), name)(robot, asker or RefusingAsker())
    return made


def open_session(
    robot: Robot | str, *, asker: Asker | None = None, store: Store | None = None, person: str | None = None
) -> RobotClient:
    """A session with a robot (or the one of that name), not yet started. `store`: None opens the laptop's own.

    `asker` is asked here and never again: a screen may own the terminal later. `person` (--as) is who the robot is told; None:
    whom this laptop names, if it does. Raises Trouble where the name is unknown, the store can't be used, or a key is refused
    that was asked about.
    """
    person = said(person)
    robot = Robots().get(robot) if isinstance(robot, str) else robot
    beforehand = BeforehandAsker(asker or RefusingAsker())
    transport = transport_of(robot, beforehand)
    if robot.transport != "local" and not isinstance(asker, (RefusingAsker, type(None))):
        _ask_first(robot, transport)
    beforehand.hush()
    kept = store or Store()
    identity = Identity(kept.store_id, robot.name, data_dir() / "consoles", person)
    return RobotClient(robot, transport, kept, identity, Pictures())


def _ask_first(robot: Robot, transport: Transport) -> None:
    """Log in once, so that every question comes before a screen is up; the opened keys stay with the transport.

    Raises Trouble for what only a person can mend; a robot that is away is left to the session, which goes on trying.
    """
    click.echo(f"connecting to '{robot.name}'", err=True)
    try:
        transport.run("true", timeout_s=15)
    except Trouble as trouble:
        if trouble.code in NEEDS_A_PERSON:
            raise
    finally:
        transport.close()
