"""The right to command, for commands that need it: the option, and asking for it."""

from __future__ import annotations

import click

from console.visiting import Visit, confirmed
from remote.errors import Trouble
from remote.protocol import AgentState

take_over_option = click.option(
    "--take-over", is_flag=True, help="Take the lease from whoever holds it; they are told."
)


def take_lease(visit: Visit, state: AgentState | None, take_over: bool) -> None:
    """Take the lease of the robot in that state. Raises Trouble (`lease_held`) where another holds it, unless `take_over`."""
    held = state.lease if state else None
    try:
        confirmed(visit.session.take_lease(over=held.epoch if held and take_over else None), 10.0)
    except Trouble as trouble:
        if trouble.code != "lease_held":
            raise
        cure = "ask them to release it, or add --take-over"
        raise Trouble(trouble.what, cure=cure, code="lease_held") from trouble
