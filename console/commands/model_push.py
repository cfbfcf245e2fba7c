"""`fieldgate model push`, `cancel` and `back`: stdout is how it ended, stderr is narration. The robot does the work."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from console import exits
from console.commands.campaign_words import as_json, as_person
from console.commands.leased import take_lease, take_over_option
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.models.pushing import Following
    from console.robots import Robot
    from console.visiting import Visit
    from remote.model_states import ModelsState, Outcome, Probation
    from remote.protocol import Command, Reply

LOST_S = 120.0
"""How long a robot whose link broke is waited for."""
LOOK_S = 0.5
BEGIN_S = 30.0
_EXIT = {
    "committed": exits.OK,
    "returned": exits.ALARM,
    "refused": exits.ALARM,
    "cancelled": exits.TROUBLE,
    "went_back": exits.TROUBLE,
}
_BACK = ("went_back", "returned")
"""The one before runs again, by the person or by the robot: what `back` wanted."""

_no_wait = click.option("--no-wait", is_flag=True, help="End when the change has begun; the robot goes on by itself.")
_PROBATION = (
    click.option(
        "--probation-frames",
        "frames",
        type=click.IntRange(1, 10_000_000),
        help="Frames of probation [450]: 437 or more, or p99 is decided later.",
    ),
    click.option("--least-s", type=click.FloatRange(0, 7 * 86_400), help="Seconds of probation at least [30]."),
    click.option(
        "--most-s", type=click.FloatRange(0, 7 * 86_400, min_open=True), help="Undecided by then: back [3600]."
    ),
    click.option(
        "--p99-ms", type=click.FloatRange(0, min_open=True), help="Bound of the 99th percentile of end to end."
    ),
    click.option("--p99-ratio", type=click.FloatRange(0), help="The same as a multiple of before; 0: not asked [1.5]."),
    click.option("--failed-share", type=click.FloatRange(0, 1), help="Of frames without an answer [0.01]."),
    click.option("--miss-share-more", type=click.FloatRange(0, 1), help="More known objects missed than before [0.1]."),
    click.option("--boxes-ratio", type=click.FloatRange(0), help="Boxes a frame beside before; 0: not asked [3]."),
    click.option("--hottest-c", type=float, help="Bound of the hottest sensor [95]."),
    click.option("--memory-mb", type=click.FloatRange(0, min_open=True), help="Bound of the worker's memory."),
    click.option("--restarts", type=click.IntRange(1, 3), help="Starts of the worker before it comes back [3]."),
)


def _probation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_PROBATION):
        command = option(command)
    return command


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("robot")
@_probation_options
@_no_wait
@take_over_option
@as_person
@as_json
def push(
    folder: Path, robot: str, no_wait: bool, take_over: bool, person: str | None, as_json: bool, **asked: Any
) -> None:
    """Bring the bundle in FOLDER into use on ROBOT: send, verify, build, self-test, wait for safe, switch, probation.

    The bundle before comes back by itself where the new one does worse, also without this laptop. Ends with 0 where it is kept,
    with 3 where it was refused or taken back, with 6 where somebody else commands or another change is under way.
    """
    from console.models.pushing import Following
    from console.robots import Robots
    from remote.protocol import Activate

    known = Robots().get(robot)
    wanted = _looked_at(folder)
    with commanding(known, take_over, first=_must_be_free, person=person) as visit:
        before = _must_be_free(visit)
        if before.current is not None and before.current.digest == wanted:
            _say_runs_already(robot, before, as_json)
            return
        digest = _sent(known, folder)
        before = _models(visit)
        done = _given(visit, Activate(digest, _probation(asked)))
        if not no_wait:
            _follow_to_the_end(visit, robot, Following(digest, before.last), as_json)
    click.echo(f"{robot}: the change has begun; `fieldgate model list {robot}` tells how it goes", err=True)
    click.echo(_no_wait_text(done, as_json))


@click.command()
@click.argument("robot")
@click.option("--reason", default="", help="Kept in the robot's journal, beside your name.")
@take_over_option
@as_person
@as_json
def cancel(robot: str, reason: str, take_over: bool, person: str | None, as_json: bool) -> None:
    """End the change that is under way on ROBOT: before the switch nothing changes, in probation the one before comes back."""
    from console.models.pushing import called_off_line
    from console.robots import Robots
    from remote.protocol import CancelChange

    with commanding(Robots().get(robot), take_over, person=person) as visit:
        done = _given(visit, CancelChange(reason))
    models = done.state.models if done.state else None
    told = called_off_line(models, robot) if models else "called off"
    click.echo(_no_wait_text(done, as_json=True) if as_json and models else f"{robot}: {told}")


@click.command()
@click.argument("robot")
@click.option("--reason", default="", help="Kept in the robot's journal, beside your name.")
@_no_wait
@take_over_option
@as_person
@as_json
def back(robot: str, reason: str, no_wait: bool, take_over: bool, person: str | None, as_json: bool) -> None:
    """Bring back the bundle that ran on ROBOT before the present one."""
    from console.models.pushing import Following
    from console.robots import Robots
    from remote.protocol import GoBack

    with commanding(Robots().get(robot), take_over, person=person) as visit:
        before = _models(visit)
        left = before.current.digest if before.current else ""
        done = _given(visit, GoBack(reason))
        if not no_wait:
            wanted = before.previous.digest if before.previous else None
            _follow_to_the_end(visit, robot, Following(left, before.last, also=wanted), as_json, wanted=_BACK)
    click.echo(f"{robot}: the way back has begun; `fieldgate model list {robot}` tells how it goes", err=True)
    click.echo(_no_wait_text(done, as_json))


# ------------------------------------------------------------ with the lease


@contextmanager
def commanding(
    robot: Robot,
    take_over: bool,
    first: Callable[[Visit], object] | None = None,
    person: str | None = None,
) -> Iterator[Visit]:
    """A visit that holds the lease, which is given back at its end. Raises Trouble (`lease_held`) where another commands.

    `first` sees the robot before the lease is taken: what it refuses with Trouble takes no lease from anybody. `person`
    (--as) is who the robot is told.
    """
    from console.link.asking import asker_for_terminal
    from console.link.opening import open_session
    from console.visiting import visiting

    with visiting(open_session(robot, asker=asker_for_terminal(), person=person)) as visit:
        state = visit.arrive(silent=lambda line: click.echo(line, err=True)).state
        if first is not None:
            first(visit)
        take_lease(visit, state, take_over)
        try:
            yield visit
        finally:
            with contextlib.suppress(Trouble):  # a link that is gone: the lease runs out by itself
                _give_back(visit)


def _give_back(visit: Visit) -> None:
    """The lease is free for others: the robot goes on by itself."""
    from console.visiting import confirmed

    if visit.session.holds_lease:
        confirmed(visit.session.release_lease(), 10.0)


def _given(visit: Visit, command: Command) -> Reply:
    from console.visiting import confirmed

    try:
        done = confirmed(visit.session.request(command, timeout_s=BEGIN_S), BEGIN_S + 5.0)
    except Trouble as trouble:
        if trouble.code != "update_underway":
            raise
        cure = _wait_or_cancel(visit)  # the robot does not know under which name it is known here
        raise Trouble(trouble.what, cure=cure, code=trouble.code) from trouble
    _give_back(visit)
    return done


def _wait_or_cancel(visit: Visit) -> str:
    return f"wait for its end, or `fieldgate model cancel {visit.session.snapshot.robot}`"


def _models(visit: Visit) -> ModelsState:
    state = visit.session.snapshot.state
    if state is None or state.models is None:
        cure = f"update it with `fieldgate deploy {visit.session.snapshot.robot}`"
        raise Trouble("the robot's agent is too old to change models by steps", cure=cure, code="too_old")
    return state.models


def _must_be_free(visit: Visit) -> ModelsState:
    """What holds. Said before megabytes are sent; the agent itself is who refuses."""
    from console.models.wording import step_words

    models = _models(visit)
    if models.step != "idle":
        what = f"another change is under way: {step_words(models)}"
        raise Trouble(what, cure=_wait_or_cancel(visit), code="update_underway")
    return models


def _looked_at(folder: Path) -> str:
    """The bundle's digest; what lies in its folder and is none of it is said."""
    from console.link.bundle_send import look_at

    found = look_at(folder)
    if found.unnamed:
        click.echo(f"not sent, as the manifest does not name it: {', '.join(found.unnamed)}", err=True)
    return found.digest


def _say_runs_already(robot: str, models: ModelsState, as_json: bool) -> None:
    import msgspec

    from console.models.wording import slot_words

    click.echo(f"{robot} runs it already ({slot_words(models.current)}): nothing was sent", err=True)
    click.echo(msgspec.json.encode(models).decode() if as_json else "runs already")


def _sent(robot: Robot, folder: Path) -> str:
    from console.commands.bundle_made import tell_failures
    from console.commands.failures_progress import Progress
    from console.link.bundle_send import put_bundle

    tell_failures(folder)
    progress = Progress(f"sending {folder.name}, bytes")
    begun = time.monotonic()
    digest = put_bundle(robot, folder, tick=lambda _name, done, whole: progress.tell(done, whole), staged=True)
    click.echo(f"{digest[:12]} is on '{robot.name}' ({time.monotonic() - begun:.1f} s)", err=True)
    return digest


def _probation(asked: dict[str, Any]) -> Probation | None:
    from remote.model_states import Probation

    given = {name: value for name, value in asked.items() if value is not None}
    for name in ("p99_ratio", "boxes_ratio"):
        if given.get(name) == 0:
            given[name] = None
    if (given.get("boxes_ratio") or 2.0) <= 1:
        raise click.UsageError("--boxes-ratio must be more than 1, or 0.")
    return Probation(**given) if given else None


def _no_wait_text(done: Reply, as_json: bool) -> str:
    import msgspec

    from console.models.wording import STEP_WORDS

    models = done.state.models if done.state else None
    return msgspec.json.encode(models).decode() if as_json else (STEP_WORDS[models.step] if models else "begun")


# ------------------------------------------------------------ to the end


def _follow_to_the_end(
    visit: Visit, robot: str, following: Following, as_json: bool, wanted: tuple[str, ...] = ("committed",)
) -> NoReturn:
    try:
        outcome = _followed(visit, robot, following)
    except KeyboardInterrupt:
        click.echo(f"'{robot}' goes on by itself; `fieldgate model list {robot}` tells how it went", err=True)
        raise click.exceptions.Exit(exits.INTERRUPTED) from None
    _print_end(outcome, as_json)
    raise click.exceptions.Exit(exits.OK if outcome.ended in wanted else _EXIT[outcome.ended])


def _followed(visit: Visit, robot: str, following: Following) -> Outcome:
    lost_s: float | None = None
    while following.outcome is None:
        shot = visit.next(LOOK_S)
        if shot.link.phase == "refused":
            raise Trouble(shot.link.reason, cure=shot.link.cure, code=shot.link.code or "refused")
        if shot.link.phase == "up" and shot.state is not None and shot.state.models is not None:
            lost_s = None
            _narrate(following, shot.state.models, robot)
        else:
            lost_s = _still_lost(robot, lost_s)
    return following.outcome


def _narrate(following: Following, models: ModelsState, robot: str) -> None:
    for line in following.take(models):
        click.echo(line, err=True)
    if following.overtaken:
        cure = f"look with `fieldgate model list {robot}` and in the journal (`fieldgate watch {robot}`)"
        raise Trouble("it ended while nobody looked, and another change followed", cure=cure, code="no_data")


def _still_lost(robot: str, lost_s: float | None) -> float:
    """Since when the link is lost, said once; raises Trouble (`unreachable`) after LOST_S."""
    now_s = time.monotonic()
    if lost_s is None:
        click.echo(f"no word from '{robot}'; it goes on by itself and is waited for", err=True)
        return now_s
    if now_s - lost_s > LOST_S:
        cure = f"`fieldgate model list {robot}` tells how it went as soon as the robot is there again"
        raise Trouble(
            f"'{robot}' was silent for {LOST_S:.0f} s; the change goes on there", cure=cure, code="unreachable"
        )
    return lost_s


def _print_end(outcome: Outcome, as_json: bool) -> None:
    import msgspec

    from console.models.pushing import ended_lines, result_line

    for line in ended_lines(outcome):
        click.echo(line, err=True)
    click.echo(msgspec.json.encode(outcome).decode() if as_json else result_line(outcome))
