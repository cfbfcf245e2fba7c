"""Why a robot can't tell a metric, as its newest sample on this laptop says it."""

from __future__ import annotations

from console.store.store import Store
from remote.protocol import Host


def reasons_now(store: Store, robot: str) -> dict[str, str]:
    """By metric: the reason that the robot gave with its newest sample of the computer; empty where there is none."""
    newest = [entry for one in store.journals(robot) for entry in store.newest(one.id, "host", 1)]
    bodies = [entry.body for entry in sorted(newest, key=lambda entry: entry.wall_ns)]
    return dict(bodies[-1].unavailable) if bodies and isinstance(bodies[-1], Host) else {}
