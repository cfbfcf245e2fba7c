"""`fieldgate model shadow`: a candidate beside the worker, compared and not used. stdout is how it ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from console import exits
from console.commands.campaign_words import as_json
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.visiting import Visit
    from remote.model_states import ShadowState

BEGIN_S = 30.0
LOOK_S = 0.5
LEASE_S = 10.0
TELL_EVERY_S = 5.0
LOST_S = 120.0
"""How long a robot whose link broke is waited for; the shadow goes on there meanwhile."""
_IN_TIME = "its time was over"


@click.command()
@click.argument("bundle")
@click.argument("robot")
@click.option(
    "--seconds",
    default=60.0,
    show_default=True,
    type=click.FloatRange(0, 86_400, min_open=True),
    help="How long it runs beside; the time stands still while the worker does.",
)
@click.option("--take-over", is_flag=True, help="Take the lease from whoever holds it; they are told.")
@as_json
def shadow(bundle: str, robot: str, seconds: float, take_over: bool, as_json: bool) -> None:
    """Let BUNDLE (a folder, or the digest of one that the robot has) run beside ROBOT's worker on the worker's own frames.

    Both bundles look at two frames a second at most; what the candidate says is counted and not used. Ends with 0 where it
    ran to its end, with 1 where it broke, with 7 where no frame came.
    """
    from console.commands.model_push import commanding
    from console.commands.model_validate import digest_there
    from console.commands.stored_bundles import one_stored, stored_on
    from console.robots import Robots
    from console.visiting import confirmed
    from remote.protocol import Shadow

    known = Robots().get(robot)
    digest = digest_there(bundle, known)
    with commanding(known, take_over) as visit:
        digest = one_stored(stored_on(visit), digest, robot).digest
        begun = confirmed(visit.session.request(Shadow(digest, seconds), timeout_s=BEGIN_S), BEGIN_S + 5.0)
        version = begun.state.version if begun.state is not None else 0
        confirmed(visit.session.release_lease(), LEASE_S)  # the robot goes on by itself; others may command it
        click.echo(f"{digest[:12]} runs beside on '{robot}' for {seconds:g} s", err=True)
        try:
            ended = _watched(visit, robot, version)
        except KeyboardInterrupt:
            confirmed(visit.session.take_lease(), LEASE_S)
            confirmed(visit.session.request(Shadow(""), timeout_s=BEGIN_S), BEGIN_S + 5.0)
            ended = _watched(visit, robot, version)
    _tell(ended, as_json)


def _watched(visit: Visit, robot: str, version: int) -> ShadowState:
    """Wait for its end, telling how it goes on stderr; states before `version` tell of an earlier one, and those of an agent
    that was started anew, which counts from 0 again, of none.

    Raises Trouble where the robot is lost meanwhile, or its agent tells of no shadow.
    """
    from console.models.wording import shadow_words

    told_s = seen_s = time.monotonic()
    is_begun = False
    while True:
        shot = visit.next(LOOK_S)
        now_s = time.monotonic()
        if shot.link.phase == "up":
            seen_s = now_s
        elif now_s - seen_s > LOST_S:
            cure = f"`fieldgate model list {robot}` tells how it goes once the robot is back"
            raise Trouble(
                f"'{robot}' is away for {LOST_S:g} s; the shadow goes on there", cure=cure, code="unreachable"
            )
        is_begun = is_begun or (shot.state is not None and shot.state.version >= version)
        if shot.link.phase != "up" or shot.state is None or not is_begun:
            continue
        state = shot.state.models.shadow if shot.state.models is not None else None
        if state is None:
            cure = f"run `fieldgate deploy {robot}`"
            raise Trouble(
                "the robot's agent does not tell of shadows, or was started anew", cure=cure, code="no_shadow"
            )
        if state.ended:
            return state
        if now_s - told_s >= TELL_EVERY_S:
            told_s = now_s
            click.echo("; ".join(shadow_words(state)), err=True)


def _tell(ended: ShadowState, as_json: bool) -> None:
    import msgspec

    from console.models.wording import shadow_words

    click.echo(msgspec.json.encode(ended).decode() if as_json else "\n".join(shadow_words(ended)))
    if ended.ended != _IN_TIME and not ended.ended.endswith("ended it"):
        raise click.exceptions.Exit(exits.TROUBLE)
    if not ended.frames:
        raise click.exceptions.Exit(exits.NO_DATA)
