"""What the commands of `fieldgate campaign` have in common: NAME that may be left out, who speaks, what is printed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from console import exits
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.campaigns.campaign import Campaign
    from console.checklist.states import ItemState, StageState
    from console.looking import RobotSight

F = TypeVar("F", bound=Callable[..., Any])

as_person = click.option("--as", "person", metavar="PERSON", help="Who you are; else $FIELDGATE_PERSON or your login.")
as_json = click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
a_file = click.Path(exists=True, dir_okay=False, path_type=Path)
with_files = click.option("--file", "files", type=a_file, multiple=True, help="Attach this file; repeatable.")


def words(metavar: str) -> Callable[[F], F]:
    """Arguments of which the first, NAME, may be left out."""
    return click.argument("words", nargs=-1, metavar=f"[NAME] {metavar}".rstrip())


def transcribed_options(command: F) -> F:
    """Options for what was written on paper first."""
    by = click.option("--transcribed-by", metavar="WHO", help="This was written on paper first, by whom.")
    at = click.option("--transcribed-at", metavar="TIME", help="When, as on the paper (2026-03-31T14:05).")
    return by(at(command))


def named(given: tuple[str, ...], count: int) -> tuple[str | None, tuple[str, ...]]:
    """NAME (None: left out) and the `count` words behind it. Raises click's usage error for any other number."""
    if len(given) not in (count, count + 1):
        what = "too many" if len(given) > count else "not enough"
        raise click.UsageError(f"There are {what} arguments.", click.get_current_context())
    return (None, given) if len(given) == count else (given[0], given[1:])


@contextmanager
def opened(name: str | None, *, read_only: bool = False) -> Iterator[Campaign]:
    """The campaign of that name or robot, or the only one there is; closed at the end."""
    from console.campaigns.opening import open_campaign

    found = open_campaign(name or _only(), read_only=read_only)
    try:
        yield found
    finally:
        found.close()


def sight_of(
    campaign: Campaign, patience_s: float | None = None, silent: Callable[[str], None] | None = None
) -> AbstractContextManager[RobotSight]:
    """A sight of the campaign's robot; Trouble where it can't be reached within `patience_s` (None: as usual). `silent` is told
    of a robot that lets wait."""
    from console.link.asking import asker_for_terminal
    from console.looking import looking_at
    from console.robots import Robots

    robot = Robots().get(campaign.robot)
    waits: dict[str, Any] = {} if patience_s is None else {"patience_s": patience_s}
    asker = asker_for_terminal()
    return looking_at(robot, files=campaign.files, bundle=campaign.bundle, asker=asker, silent=silent, **waits)


def print_json(value: object) -> None:
    """One JSON value on stdout."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_item(state: ItemState, now_ns: int, as_json: bool = False) -> None:
    """The item as it stands now; ends the command with 3 where it failed or went stale, 7 where nothing was decided."""
    from console.campaigns.state_text import charset_for, item_text

    if as_json:
        print_json(state)
    else:
        click.echo(item_text(state, now_ns, charset_for(sys.stdout.encoding)), nl=False)
    if state.state in ("fail", "stale"):
        raise click.exceptions.Exit(exits.ALARM)
    if state.state == "unavailable":
        raise click.exceptions.Exit(exits.NO_DATA)


def print_gate(state: StageState, as_json: bool = False) -> None:
    """A stage's gate as it stands now."""
    if as_json:
        return print_json(state.gate)
    ready = "shut, and nothing is in its way: `fieldgate campaign pass` opens it"
    word = "open" if state.gate.open else "shut" if state.gate.blocked_by else ready
    lines = [f"the gate of '{state.stage.id}' is {word}", *(f"  - {why}" for why in state.gate.blocked_by)]
    return click.echo("\n".join(lines))


def tell_entry(on: Campaign, kind: str, about: str, words: str = "") -> None:
    """The number of the entry just written, on stderr: `withdraw` takes it."""
    from console.printing import in_line

    seq = max((row.seq for row in on.record.rows() if (row.kind, row.item) == (kind, about)), default=None)
    if seq is not None:
        click.echo(in_line(f"recorded: entry {seq}{words}"), err=True)


def _only() -> str:
    from console.campaigns.opening import all_campaigns

    known = [one.name for one in all_campaigns()]
    if len(known) == 1:
        return known[0]
    if not known:
        cure = "`fieldgate campaign new ROBOT --bundle B --pack P` makes one"
        raise Trouble("there is no campaign on this laptop", cure=cure, code="unknown_campaign")
    what = f"there are {len(known)} campaigns: {', '.join(known)}"
    raise Trouble(what, cure="name one of them", code="which_campaign")
