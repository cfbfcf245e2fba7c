"""Whether a request may be carried out now: in time, by the lease's holder, in the state that the sender saw."""

from __future__ import annotations

from remote.agent.core import Agent
from remote.agent.lease import Holder
from remote.errors import Trouble
from remote.protocol import NEEDS_LEASE, Expected, Request


def check(agent: Agent, who: Holder, request: Request) -> None:
    """Raise Trouble (`expired`, `no_lease`, `lease_lost`, `state_changed`) unless the request may begin now."""
    check_time(agent, request)
    if isinstance(request.command, NEEDS_LEASE):
        agent.lease.check(who, request.epoch, agent.clock.mono_ns())
    if request.expected:
        check_state(agent, request.expected)


def check_time(agent: Agent, request: Request) -> None:
    """Raise Trouble (code `expired`) where the request belongs to another boot or its deadline has passed."""
    cure = "look at the robot's state and give the command again if it is still meant"
    if request.boot_id is not None and request.boot_id != agent.clock.boot_id:
        raise Trouble("the robot has been restarted since the command was given", cure=cure, code="expired")
    if request.deadline_mono_ns is not None and agent.clock.mono_ns() > request.deadline_mono_ns:
        late_s = (agent.clock.mono_ns() - request.deadline_mono_ns) / 1e9
        raise Trouble(f"the command came {late_s:.1f} s after its deadline", cure=cure, code="expired")


def check_state(agent: Agent, expected: Expected) -> None:
    """Raise Trouble (code `state_changed`) where a given field differs from what is."""
    state = agent.state()
    bundle = state.bundle.digest if state.bundle else None
    pairs = (
        ("worker", expected.worker, state.worker.phase),
        ("source", expected.source, state.source),
        ("bundle", expected.bundle, bundle),
    )
    for what, believed, real in pairs:
        if believed is not None and believed != real:
            raise Trouble(
                f"the {what} was expected to be {believed!r} and is {real!r}",
                cure="look at the robot's state and decide again",
                code="state_changed",
            )
