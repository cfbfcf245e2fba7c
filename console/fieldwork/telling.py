"""Telling the robot what to look out for (SetWatch): with the lease where it is ours or free, else the robot is not told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from console.checklist.probes import Sight
from console.link.session import Session
from console.link.snapshot import CONNECTED
from console.visiting import confirmed
from remote.errors import Trouble
from remote.protocol import AgentState, GetState, SetWatch, Watch

TELL_S = 5.0
_GRACE_S = 2.0


def tell_watch(sight: Sight | None, change: Callable[[Watch], Watch]) -> str:
    """Change what the robot looks out for; empty when the robot has confirmed it, else why it was not told.

    What `change` leaves as it is needs nobody's lease.
    """
    session = sight.session if sight is not None else None
    if session is None:
        return "no robot is connected"
    if session.snapshot.link.phase not in CONNECTED:
        return f"the link is {session.snapshot.link.phase}"
    try:
        # Asked, not taken from the snapshot: that may still be from before the last change.
        state = confirmed(session.request(GetState(), timeout_s=TELL_S), TELL_S + _GRACE_S).state
        if state is None:
            return "the robot did not say what it looks out for"
        wanted = change(state.watch or Watch())
        if wanted != (state.watch or Watch()):
            with _commanding(session, state):
                confirmed(session.request(SetWatch(wanted), timeout_s=TELL_S), TELL_S + _GRACE_S)
    except Trouble as trouble:
        return trouble.what
    return ""


@contextmanager
def _commanding(session: Session, state: AgentState) -> Iterator[None]:
    """With the lease: ours, or a free one that is given back at the end. Raises Trouble: `lease_held`."""
    if session.holds_lease:
        yield
        return
    if state.lease is not None:
        raise Trouble(f"{state.lease.holder} commands the robot", cure="take the lease", code="lease_held")
    confirmed(session.take_lease(), TELL_S + _GRACE_S)
    try:
        yield
    finally:
        with suppress(Trouble):  # a link that went away takes the lease with it
            confirmed(session.release_lease(), TELL_S + _GRACE_S)
