"""`fieldgate model list` and `remove`: what is on a robot, which runs, and how a change goes. stdout is data."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click
import msgspec

from console.commands.campaign_words import as_json
from console.commands.leased import take_over_option
from remote.errors import Trouble
from remote.model_states import ModelsState, StoredBundle

_S_NS = 1_000_000_000


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
    found = [_asked(robot)] if robot is not None else _known()
    if as_json:
        click.echo(msgspec.json.encode(found[0] if robot is not None else found).decode())
        return
    for one in found:
        click.echo("\n".join(_lines(one)))


@click.command()
@click.argument("digest")
@click.argument("robot")
@take_over_option
def remove(digest: str, robot: str, take_over: bool) -> None:
    """Remove the bundle DIGEST (8 characters or more) from ROBOT's store; one that runs or ran before is kept."""
    from console.commands.model_push import commanding
    from console.models.wording import named
    from console.robots import Robots
    from console.visiting import confirmed
    from remote.protocol import GetStored, RemoveBundle

    with commanding(Robots().get(robot), take_over) as visit:
        stored = confirmed(visit.session.request(GetStored(), timeout_s=30.0), 35.0).stored
        found = _one_of(stored, digest, robot)
        confirmed(visit.session.request(RemoveBundle(found.digest), timeout_s=30.0), 35.0)
    click.echo(f"{robot}: {named(found.digest, found.name)} is removed")


def _one_of(stored: Sequence[StoredBundle], digest: str, robot: str) -> StoredBundle:
    """The bundle meant. Raises Trouble: `unknown_bundle`, `ambiguous_bundle` with those that may be removed;
    `bundle_in_use`.
    """
    from console.models.wording import SHORT_DIGEST, named

    there = [one for one in stored if one.digest.startswith(digest)]
    free = ", ".join(named(one.digest, one.name) for one in stored if not one.use) or "none: all are in use"
    cure = f"give {SHORT_DIGEST} characters or more of one; to be removed are {free}"
    if len(digest) < SHORT_DIGEST:
        raise Trouble(f"{digest!r} is too short to name a bundle", cure=cure, code="unknown_bundle")
    if len(there) != 1:
        what = f"{robot} has {'no bundle' if not there else f'{len(there)} bundles'} {digest[:12]}"
        raise Trouble(what, cure=cure, code="ambiguous_bundle" if there else "unknown_bundle")
    if there[0].use:
        what = f"{named(there[0].digest, there[0].name)} is in use ({there[0].use}): it stays"
        raise Trouble(what, cure=f"to be removed are {free}", code="bundle_in_use")
    return there[0]


def _asked(name: str) -> Listed:
    from console.link.asking import asker_for_terminal
    from console.link.opening import open_session
    from console.robots import Robots
    from console.visiting import confirmed, visiting
    from remote.protocol import GetStored

    with visiting(open_session(Robots().get(name), asker=asker_for_terminal())) as visit:
        state = visit.arrive(silent=lambda line: click.echo(line, err=True)).state
        reply = confirmed(visit.session.request(GetStored(), timeout_s=30.0), 35.0)
    return Listed(robot=name, age_s=0.0, state=state.models if state else None, stored=reply.stored)


def _known() -> list[Listed]:
    from console.robots import Robots
    from console.store.known_models import known_models

    found = []
    for robot in Robots().all():
        known = known_models(robot.name)
        age_s = max(0.0, (time.time_ns() - known[1]) / _S_NS) if known else None
        found.append(Listed(robot=robot.name, age_s=age_s, state=known[0] if known else None))
    return found


def _lines(one: Listed) -> Sequence[str]:
    from console.checklist.wording import age_words
    from console.models.wording import outcome_words, slot_words, step_words

    state = one.state
    if state is None:
        return [f"{one.robot}: nothing is known of its models yet"]
    age = f" (known {age_words(one.age_s)} ago)" if one.age_s is not None and one.stored is None else ""
    lines = [f"{one.robot}: {step_words(state)}{age}", f"  current   {slot_words(state.current)}"]
    lines.append(f"  previous  {slot_words(state.previous)}")
    if state.candidate is not None:
        lines.append(f"  candidate {slot_words(state.candidate)}")
    if state.last is not None:
        lines += [f"  last      {outcome_words(state.last)}", *_check_lines(state)]
    return [*lines, *(_stored_line(bundle) for bundle in one.stored or ())]


def _check_lines(state: ModelsState) -> list[str]:
    checks = state.last.checks if state.last else ()
    return [f"            {check.verdict}: {check.text}" for check in checks]


def _stored_line(bundle: StoredBundle) -> str:
    use = f", {bundle.use}" if bundle.use else ""
    trouble = f", unusable: {bundle.trouble}" if bundle.trouble else ""
    return f"  stored    {bundle.digest[:12]} {bundle.name or '?'}, {bundle.bytes / 1e6:.1f} MB{use}{trouble}"
