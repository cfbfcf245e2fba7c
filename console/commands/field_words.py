"""What the commands of phases, sessions, trials and scores have in common."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
import msgspec

from console import exits
from console.commands.campaign_words import opened, print_json, sight_of

if TYPE_CHECKING:
    from console.fieldwork.field_test import FieldTest
    from console.looking import RobotSight
    from console.phases.states import PhaseState, SessionState, Status

FORMAT = 1
"""Of what `--json` prints; docs/phases.md lists the fields."""

with_conditions = click.option(
    "-c", "--condition", "conditions", metavar="NAME=VALUE", multiple=True, help="A condition; repeatable."
)
no_robot = click.option("--no-robot", is_flag=True, help="Do not look at the robot.")


@contextmanager
def field_test(name: str | None) -> Iterator[FieldTest]:
    """The field test of that campaign; what it has to say beside its results goes to stderr."""
    from console.fieldwork.field_test import FieldTest

    with opened(name) as campaign:
        yield FieldTest(campaign, tell)


@contextmanager
def looked_at(field: FieldTest, without: bool, patience_s: float | None = None) -> Iterator[RobotSight | None]:
    """A sight of the campaign's robot, of which the person is told before it is waited for; None `without` it."""
    if without:
        yield None
        return
    tell(f"reaching '{field.campaign.robot}' ...")
    with sight_of(field.campaign, patience_s, tell) as sight:
        yield sight


def tell(words: str) -> None:
    """A sentence for the person, on stderr."""
    from console.printing import in_line

    click.echo(in_line(words), err=True)


def pairs(given: tuple[str, ...]) -> dict[str, str]:
    """`light=dim` and the like as a mapping. Raises click's usage error for anything else."""
    found = [word.partition("=") for word in given]
    wrong = [word for word, (name, sign, _) in zip(given, found, strict=True) if not name or not sign]
    if wrong:
        raise click.UsageError(f"'{wrong[0]}' is no NAME=VALUE.")
    return {name.strip(): value.strip() for name, _, value in found}


def charset() -> Any:
    """What stdout can take."""
    from console.campaigns.state_text import charset_for

    return charset_for(sys.stdout.encoding)


def print_session(state: SessionState, as_json: bool) -> None:
    """The session as it stands now."""
    from console.fieldwork.phase_text import session_text

    if as_json:
        return print_json({"format": FORMAT, **msgspec.to_builtins(state)})
    return click.echo(session_text(state, charset()), nl=False)


def print_phase(state: PhaseState, as_json: bool) -> None:
    """The phase as it stands now."""
    from console.fieldwork.phase_text import phase_text

    if as_json:
        return print_json({"format": FORMAT, **msgspec.to_builtins(state)})
    return click.echo(phase_text(state, charset=charset()), nl=False)


def exit_of(status: Status | None) -> int:
    """0 where a phase is passed, 3 where it failed, was stopped or went stale, 7 where nothing is decided yet."""
    if status in ("pass", "marginal"):
        return exits.OK
    return exits.ALARM if status in ("fail", "stopped", "stale") else exits.NO_DATA
