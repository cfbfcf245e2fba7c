"""`fieldgate start` and `fieldgate stop`: command a robot without a screen; told only when the agent has confirmed."""

from __future__ import annotations

from contextlib import AbstractContextManager

import click

from console.commands.leased import take_lease, take_over_option
from console.link.session import Session
from console.visiting import Visit, confirmed, visiting
from remote.protocol import AgentState, SetBundle, SetSource, Start, Stop


@click.command()
@click.argument("robot")
@click.option("--source", help="scene:SEED, folder:PATH, video:PATH or v4l2:/dev/videoN on the robot.")
@click.option("--bundle", help="Digest of a bundle on the robot, or its first 8 characters and more.")
@take_over_option
def start(robot: str, source: str | None, bundle: str | None, take_over: bool) -> None:
    """Start inference on ROBOT, if wanted with another source or bundle."""
    with _commanding(robot) as visit:
        take_lease(visit, visit.arrive().state, take_over)
        session = visit.session
        if source is not None:
            confirmed(session.request(SetSource(source), timeout_s=60.0))
        if bundle is not None:
            confirmed(session.request(SetBundle(bundle), timeout_s=60.0))
        state = confirmed(session.request(Start(), timeout_s=60.0)).state
        _release(session)
    click.echo(f"{robot}: {_state_words(state)}")


@click.command()
@click.argument("robot")
@take_over_option
def stop(robot: str, take_over: bool) -> None:
    """Stop inference on ROBOT; it stays stopped until somebody starts it."""
    with _commanding(robot) as visit:
        take_lease(visit, visit.arrive().state, take_over)
        state = confirmed(visit.session.request(Stop(), timeout_s=20.0)).state
        _release(visit.session)
    click.echo(f"{robot}: {_state_words(state)}")


def _commanding(robot: str) -> AbstractContextManager[Visit]:
    from console.link.asking import asker_for_terminal
    from console.link.opening import open_session
    from console.robots import Robots

    return visiting(open_session(Robots().get(robot), asker=asker_for_terminal()))


def _release(session: Session) -> None:
    confirmed(session.release_lease(), 10.0)


def _state_words(state: AgentState | None) -> str:
    if state is None:
        return "confirmed"
    bundle = f"{state.bundle.name} {state.bundle.digest[:8]}" if state.bundle else "no bundle"
    return f"worker {state.worker.phase}, source {state.source or 'none'}, bundle {bundle}"
