"""Who this console is: the store's id, told apart where several consoles of one laptop watch the same robot."""

from __future__ import annotations

import fcntl
import getpass
import os
import socket
from pathlib import Path

_SLOTS = 64


class Identity:
    """Holds the lowest free place among this laptop's consoles of a robot until `close` (or the process's end).

    The first console keeps the store's own id from one start to the next, so the agent knows what it has acknowledged.
    The second gets another id: otherwise each would take the other's lease for its own. `person` is who said to sit here, None
    for nobody.
    """

    def __init__(self, store_id: str, robot: str, folder: Path, person: str | None = None) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._handle: int | None = None
        self.client_id = f"{store_id}-{os.getpid()}"
        for place in range(1, _SLOTS + 1):
            if self._taken(folder / f"{robot}-{place}.lock"):
                self.client_id = store_id if place == 1 else f"{store_id}-{place}"
                break
        self.name = console_name(person)

    def close(self) -> None:
        """Leave the place to another console."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _taken(self, path: Path) -> bool:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle = handle
        return True


def console_name(person: str | None = None) -> str:
    """`user@host`, as the robot and the other consoles see this one; `anna (user@host)` where somebody said to be anna."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = str(os.getuid())
    login = f"{user}@{socket.gethostname()}"
    return f"{person} ({login})" if person and person != user else login
