"""What became of a lease that this console held and did not give back."""

from __future__ import annotations

from console.link.snapshot import Snapshot
from console.widgets.cells import clean
from remote.protocol import LeaseState


def lost_words(shot: Snapshot, own: LeaseState) -> str:
    """Who took it and has it now, or how it ended, as far as the robot told. `own` is the lease that is lost."""
    lease = shot.state.lease if shot.state is not None else None
    if lease is not None and lease.epoch != own.epoch:
        return f"{_who(lease.holder, own)} commands the robot now"
    for seen in reversed(shot.events):
        name, data = seen.body.name, seen.body.data
        epoch = data.get("epoch")
        if name == "lease_taken" and isinstance(epoch, int) and epoch > own.epoch:
            return f"{_who(str(data.get('holder', '')), own)} took it and has given it back"
        if name == "lease_expired" and epoch == own.epoch:
            return "it ran out unrenewed, nobody commands the robot now"
    return "nobody commands the robot now"


def _who(holder: str, own: LeaseState) -> str:
    return f"another console of {clean(holder)}" if holder == own.holder else clean(holder)
