"""From a robot's name to a session that is ready to start."""

from __future__ import annotations

import importlib

from console.link.asking import Asker, RefusingAsker
from console.link.client import RobotClient
from console.link.transport import Transport
from console.places import data_dir
from console.robots import Robot, Robots
from console.store.identity import Identity
from console.store.pictures import Pictures
from console.store.store import Store

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


def open_session(robot: Robot | str, *, asker: Asker | None = None, store: Store | None = None) -> RobotClient:
    """A session with a robot (or the one of that name), not yet started. `store`: None opens the laptop's own.

    Raises Trouble where the name is unknown or the store can't be used.
    """
    robot = Robots().get(robot) if isinstance(robot, str) else robot
    kept = store or Store()
    identity = Identity(kept.store_id, robot.name, data_dir() / "consoles")
    return RobotClient(robot, transport_of(robot, asker), kept, identity, Pictures())
