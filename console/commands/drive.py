"""`fieldgate start` and `fieldgate stop`: command a robot without a screen; told only when the agent has confirmed."""

from __future__ import annotations

from contextlib import AbstractContextManager

import click

from console.link.session import Session
from console.visiting import Visit, confirmed, visiting
from remote.errors import Trouble
from remote.protocol import AgentState, SetBundle, SetSource, Start, Stop

_take_over = click.option("--take-over", is_flag=True, help="Take the lease from whoever holds it; they are told.")


@click.command()
@click.argument("robot")
@click.option("--source", help="scene:SEED, folder:PATH, video:PATH or v4l2:/dev/videoN on the robot.")
@click.option("--bundle", help="Digest of a bundle on the robot, or its first 8 characters and more.")
@_take_over
def start(robot: str, source: str | None, bundle: str | None, take_over: bool) -> None:
    """Start inference on ROBOT, if wanted with another source or bundle."""
    with _commanding(robot) as visit:
        _take(visit, take_over)
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
@_take_over
def stop(robot: str, take_over: bool) -> None:
    """Stop inference on ROBOT; it stays stopped until somebody starts it."""
    with _commanding(robot) as visit:
        _take(visit, take_over)
        state = confirmed(visit.session.request(Stop(), timeout_s=20.0)).state
        _release(visit.session)
    click.echo(f"{robot}: {_state_words(state)}")


def _commanding(robot: str) -> AbstractContextManager[Visit]:
    from console.link.asking import asker_for_terminal
    from console.link.opening import open_session
    from console.robots import Robots

    return visiting(open_session(Robots().get(robot), asker=asker_for_terminal()))


def _take(visit: Visit, take_over: bool) -> None:
    state = visit.arrive().state
    held = state.lease if state else None
    try:
        confirmed(visit.session.take_lease(over=held.epoch if held and take_over else None), 10.0)
    except Trouble as trouble:
        if trouble.code == "lease_held":
            raise Trouble(
                trouble.what, cure="ask them to release it, or add --take-over", code="lease_held"
            ) from trouble
        raise


def _release(session: Session) -> None:
    confirmed(session.release_lease(), 10.0)


def _state_words(state: AgentState | None) -> str:
    if state is None:
        return "confirmed"
    bundle = f"{state.bundle.name} {state.bundle.digest[:8]}" if state.bundle else "no bundle"
    return f"worker {state.worker.phase}, source {state.source or 'none'}, bundle {bundle}"
