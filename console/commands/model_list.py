"""`fieldgate model list` and `remove`: what is on a robot, which runs, and how a change goes. stdout is data."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click
import msgspec

from console.commands.campaign_words import as_json, as_person
from console.commands.leased import take_over_option
from remote.errors import Trouble
from remote.model_states import ModelsState, StoredBundle

_S_NS = 1_000_000_000
_USE_WORDS = {"agent": "came with the agent"}
CLOCK_S = 2.0
"""So long the robot's clock is waited for, to tell how old its last change is."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One robot of the list. `age_s` is how old what is known is; None where nothing is. `stored` is None where it was not
    asked.
    """

    robot: str
    age_s: float | None
    state: ModelsState | None
    stored: tuple[StoredBundle, ...] | None = None


@click.command("list")
@click.argument("robot", required=False)
@as_json
def list_models(robot: str | None, as_json: bool) -> None:
    """The bundles on ROBOT: what runs, what ran before, how a change goes, and all that is stored with its size.

    Without ROBOT: every robot of this laptop, as it was known last, with the age of that.
    """
    asked, clock_ns = _asked(robot) if robot is not None else (None, None)
    found = [asked] if asked is not None else _known()
    if as_json:
        click.echo(msgspec.json.encode(found[0] if robot is not None else found).decode())
        return
    for one in found:
        click.echo("\n".join(_lines(one, clock_ns)))


@click.command()
@click.argument("digest")
@click.argument("robot")
@take_over_option
@as_person
@as_json
def remove(digest: str, robot: str, take_over: bool, person: str | None, as_json: bool) -> None:
    """Remove the bundle DIGEST (8 characters or more) from ROBOT's store; one that runs or ran before is kept."""
    from console.commands.model_push import commanding
    from console.models.wording import named
    from console.robots import Robots
    from console.visiting import confirmed
    from remote.protocol import GetStored, RemoveBundle

    with commanding(Robots().get(robot), take_over, person=person) as visit:
        stored = confirmed(visit.session.request(GetStored(), timeout_s=30.0), 35.0).stored
        found = _one_of(stored, digest, robot)
        confirmed(visit.session.request(RemoveBundle(found.digest), timeout_s=30.0), 35.0)
    said = f"{robot}: {named(found.digest, found.name)} is removed"
    click.echo(msgspec.json.encode(found).decode() if as_json else said)


def _one_of(stored: Sequence[StoredBundle], digest: str, robot: str) -> StoredBundle:
    """The bundle meant. Raises Trouble: `unknown_bundle`, `ambiguous_bundle` with those that may be removed;
    `bundle_in_use`.
    """
    from console.commands.stored_bundles import one_stored
    from console.models.wording import named

    free = ", ".join(named(one.digest, one.name) for one in stored if not one.use) or "none: all are in use"
    found = one_stored(
        stored, digest, robot, may=lambda one: not one.use, listed="to be removed are", none="none: all are in use"
    )
    if found.use:
        what = f"{named(found.digest, found.name)} is in use ({found.use}): it stays"
        raise Trouble(what, cure=f"to be removed are {free}", code="bundle_in_use")
    return found


def _asked(name: str) -> tuple[Listed, int | None]:
    """What the robot says, and what its wall clock shows now; None where that was not measured in time."""
    from console.link.asking import asker_for_terminal
    from console.link.opening import open_session
    from console.robots import Robots
    from console.visiting import confirmed, visiting
    from remote.protocol import GetStored

    with visiting(open_session(Robots().get(name), asker=asker_for_terminal())) as visit:
        state = visit.arrive(silent=lambda line: click.echo(line, err=True)).state
        reply = confirmed(visit.session.request(GetStored(), timeout_s=30.0), 35.0)
        shot = visit.wait(lambda one: one.link.robot_wall_offset_ms is not None, CLOCK_S)
    offset_ms = shot.link.robot_wall_offset_ms if shot is not None else None
    clock_ns = time.time_ns() + int(offset_ms * 1e6) if offset_ms is not None else None
    return Listed(robot=name, age_s=0.0, state=state.models if state else None, stored=reply.stored), clock_ns


def _known() -> list[Listed]:
    from console.robots import Robots
    from console.store.known_models import known_models

    found = []
    for robot in Robots().all():
        known = known_models(robot.name)
        age_s = max(0.0, (time.time_ns() - known[1]) / _S_NS) if known else None
        found.append(Listed(robot=robot.name, age_s=age_s, state=known[0] if known else None))
    return found


def _lines(one: Listed, clock_ns: int | None) -> Sequence[str]:
    """`clock_ns` is what the robot's wall clock shows; None: no age of what it told is said."""
    from console.checklist.wording import age_words
    from console.models.wording import ago_words, chosen_since, outcome_words, slot_words, step_words

    state = one.state
    if state is None:
        return [f"{one.robot}: nothing is known of its models yet"]
    age = f" (known {age_words(one.age_s)} ago)" if one.age_s is not None and one.stored is None else ""
    lines = [f"{one.robot}: {step_words(state)}{age}", f"  current   {slot_words(state.current)}"]
    lines.append(f"  previous  {slot_words(state.previous)}")
    if state.candidate is not None:
        lines.append(f"  candidate {slot_words(state.candidate)}")
    if state.last is not None:
        before = "before that one was chosen: " if chosen_since(state) is not None else ""
        ago = ago_words(state.last.wall_ns, clock_ns)
        lines += [f"  last      {before}{outcome_words(state.last)}{f' ({ago})' if ago else ''}", *_check_lines(state)]
    return [*lines, *(_stored_line(bundle) for bundle in one.stored or ())]


def _check_lines(state: ModelsState) -> list[str]:
    checks = state.last.checks if state.last else ()
    return [f"            {check.verdict}: {check.text}" for check in checks]


def _stored_line(bundle: StoredBundle) -> str:
    use = f", {_USE_WORDS.get(bundle.use, bundle.use)}" if bundle.use else ""
    trouble = f", unusable: {bundle.trouble}" if bundle.trouble else ""
    return f"  stored    {bundle.digest[:12]} {bundle.name or '?'}, {bundle.bytes / 1e6:.1f} MB{use}{trouble}"
