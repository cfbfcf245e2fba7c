"""Why a robot can't tell a metric, as its newest sample on this laptop says it."""

from __future__ import annotations

from console.store.store import Store
from remote.errors import Trouble
from remote.protocol import Host, body_of


def reasons_now(store: Store, robot: str) -> dict[str, str]:
    """By metric: the reason that the robot gave with its newest sample of the computer; empty where there is none."""
    newest = [entry for one in store.journals(robot) for entry in store.newest(one.id, "host", 1)]
    if not newest:
        return {}
    try:
        body = body_of(max(newest, key=lambda entry: entry.wall_ns))
    except Trouble:
        return {}  # written by a newer agent
    return dict(body.unavailable) if isinstance(body, Host) else {}


def robot_reasons(robot: str) -> dict[str, str]:
    """The same from this laptop's own store."""
    store = Store()
    try:
        return reasons_now(store, robot)
    finally:
        store.close()
