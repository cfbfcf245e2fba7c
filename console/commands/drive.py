"""`fieldgate start` and `fieldgate stop`: command a robot without a screen; told only when the agent has confirmed."""

from __future__ import annotations

import click

from console.commands.campaign_words import as_json
from console.commands.leased import take_over_option
from console.commands.stored_bundles import one_stored, stored_on
from console.visiting import confirmed
from remote.protocol import AgentState, SetBundle, SetSource, Start, Stop


@click.command()
@click.argument("robot")
@click.option("--source", help="scene:SEED, folder:PATH, video:PATH or v4l2:/dev/videoN on the robot.")
@click.option("--bundle", help="Digest of a bundle on the robot, or its first 8 characters and more.")
@take_over_option
@as_json
def start(robot: str, source: str | None, bundle: str | None, take_over: bool, as_json: bool) -> None:
    """Start inference on ROBOT, if wanted with another source or bundle."""
    from console.commands.model_push import commanding
    from console.robots import Robots

    with commanding(Robots().get(robot), take_over) as visit:
        session = visit.session
        chosen = one_stored(stored_on(visit), bundle, robot).digest if bundle is not None else None
        if source is not None:
            confirmed(session.request(SetSource(source), timeout_s=60.0))
        if chosen is not None:
            confirmed(session.request(SetBundle(chosen), timeout_s=60.0))
        state = confirmed(session.request(Start(), timeout_s=60.0)).state
    _tell(robot, state, as_json)


@click.command()
@click.argument("robot")
@take_over_option
@as_json
def stop(robot: str, take_over: bool, as_json: bool) -> None:
    """Stop inference on ROBOT; it stays stopped until somebody starts it."""
    from console.commands.model_push import commanding
    from console.robots import Robots

    with commanding(Robots().get(robot), take_over) as visit:
        state = confirmed(visit.session.request(Stop(), timeout_s=20.0)).state
    _tell(robot, state, as_json)


def _tell(robot: str, state: AgentState | None, as_json: bool) -> None:
    """The robot's state after it, in words or as the agent sends it."""
    import msgspec

    click.echo(msgspec.json.encode(state).decode() if as_json else f"{robot}: {_state_words(state)}")


def _state_words(state: AgentState | None) -> str:
    if state is None:
        return "confirmed"
    bundle = f"{state.bundle.name} {state.bundle.digest[:8]}" if state.bundle else "no bundle"
    return f"worker {state.worker.phase}, source {state.source or 'none'}, bundle {bundle}"
