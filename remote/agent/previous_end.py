"""How the agent before this one ended: what somebody who counts uptime must know of a start. Pure."""

from __future__ import annotations

from remote.agent.journal import Before
from remote.protocol import Scalar


def facts_of_start(before: Before | None, killed_pid: str, boot_id: str) -> dict[str, Scalar]:
    """`previous_end` (clean, unclean, none, unknown) and `rebooted` for the event `agent_started`.

    Args:
        before: what the journal tells; None where it was damaged and a new one began.
        killed_pid: the process id that the agent before this one left in its lock; empty where it left none.
        boot_id: of now.
    """
    if before is None:
        return {"previous_end": "unclean" if killed_pid else "unknown", "rebooted": None}
    if not before.boot_id:
        return {"previous_end": "unclean" if killed_pid else "none", "rebooted": None}
    said_it = {True: "clean", False: "unclean", None: "unknown"}[before.said_its_end]
    return {"previous_end": "unclean" if killed_pid else said_it, "rebooted": before.boot_id != boot_id}
