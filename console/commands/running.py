"""`fieldgate running`: what a robot's journals on this laptop say of a stretch of time. stdout is data, stderr is narration."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import click

from console import exits
from console.commands.campaign_words import as_json, as_person, print_json
from remote.errors import Trouble
from remote.lazy_commands import LazyGroup

if TYPE_CHECKING:
    from console.fieldtest.running import Measured
    from console.store.store import Store

_HERE = "console.commands.running"
_COMMANDS = {
    "show": (_HERE, "show", "Uptime, crashes, MTBF, percentiles and drift (`running ROBOT` is the same)."),
    "calibrate": (_HERE, "calibrate", "Name a span healthy: from then on drift is told against it."),
}
_UNITS_S = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
_AGO = re.compile(r"([1-9]\d{0,5}) ?(s|min|h|d)\Z")
_S_NS = 1_000_000_000
_DEFAULT_S = 8 * 3600
_MANY = 200_000
_ENTRIES_A_S = 40_000


class Moment(click.ParamType["int"]):
    """`2026-03-31T14:05` (local time unless it names another), `14:05` (today), `8h` (ago) or `now`: nanoseconds since 1970."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse, or fail with examples."""
        if isinstance(value, int):
            return value
        text = str(value).strip()
        if text == "now":
            return time.time_ns()
        if ago := _AGO.match(text):
            return time.time_ns() - int(ago.group(1)) * _UNITS_S[ago.group(2)] * _S_NS
        try:
            if re.fullmatch(r"\d\d:\d\d(:\d\d)?", text):
                text = f"{datetime.now().date().isoformat()}T{text}"
            return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()) * _S_NS
        except (ValueError, OverflowError, OSError):
            self.fail(f"{value!r} is no time; write 2026-03-31T14:05, 14:05, 8h (ago) or now", param, ctx)


class _Running(LazyGroup):
    """A first word that is no command is a robot or a campaign: `running orin` is `running show orin`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.lazy and not args[0].startswith("-"):
            args = ["show", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=_Running, lazy=_COMMANDS)
def running() -> None:
    """What a robot did over a stretch of time, as far as this laptop has its journal: `fieldgate running ROBOT --from 8h`."""


@click.command()
@click.argument("name", metavar="ROBOT|CAMPAIGN")
@click.option(
    "--from", "from_ns", type=Moment(), help="Since when (2026-03-31T14:05, 14:05, 8h). A robot: the last 8 h."
)
@click.option(
    "--to", "to_ns", type=Moment(), help="Until when, else now. A campaign without both: each of its sessions."
)
@click.option(
    "--confidence",
    type=click.FloatRange(50, 100, min_open=True, max_open=True),
    default=95.0,
    show_default=True,
    help="Of the bounds, in per cent.",
)
@as_json
def show(name: str, from_ns: int | None, to_ns: int | None, confidence: float, as_json: bool) -> None:
    """Uptime, crashes, MTBF with bounds, interventions, throttling, percentiles and drift.

    Time that the journal does not tell of is unknown, neither up nor down. Ends with 0, with 3 where a drift alarm stands,
    with 7 where nothing of the time is known.
    """
    from console.commands.running_text import report, report_lines
    from console.store.drift import drift_between
    from console.store.store import Store

    store = Store()
    try:
        asked = _asked(store, name, from_ns, to_ns)
        _add_up(store, asked.robot)
        found = _measured(store, asked, digests=as_json)
        drift = drift_between(store, asked.robot, asked.spans[0][0], asked.spans[-1][1])
    finally:
        store.close()
    told = report(name, asked.robot, asked.spans, found, drift, confidence / 100, interventions=asked.counts_people)
    if as_json:
        print_json(told)
    else:
        click.echo("\n".join(report_lines(told)))
    if drift.alarms:
        raise click.exceptions.Exit(exits.ALARM)
    if found.running.known_s <= 0:
        raise click.exceptions.Exit(exits.NO_DATA)


@click.command()
@click.argument("robot")
@click.option(
    "--from", "from_ns", type=Moment(), required=True, help="Since when it was healthy (2026-03-31T14:05, 14:05, 8h)."
)
@click.option("--to", "to_ns", type=Moment(), default="now", show_default=True, help="Until when.")
@click.option(
    "--false-alarm-hours",
    type=click.FloatRange(1, 10_000),
    default=None,
    help="One false alarm in so many hours of work, all figures together; else 83. The rarer, the more healthy data it takes.",
)
@as_json
@as_person
def calibrate(
    robot: str, from_ns: int, to_ns: int, false_alarm_hours: float | None, as_json: bool, person: str | None
) -> None:
    """Name a span in which ROBOT was healthy. Drift of the bundle and source that ran then is told against it from now on.

    Kept with its digest on this laptop; a new one replaces it. Ends with 0, with 7 where there is nothing of that span, with 1
    where there is too little.
    """
    from console.commands.running_text import calibration_lines
    from console.people import who
    from console.store.drift import BLOCKS_BETWEEN_FALSE_ALARMS, calibrate_on
    from console.store.store import Store

    name = who(person)
    blocks = BLOCKS_BETWEEN_FALSE_ALARMS if false_alarm_hours is None else false_alarm_hours * 60
    store = Store()
    try:
        _check_span(from_ns, to_ns)
        _add_up(store, robot)
        made = calibrate_on(store, robot, from_ns, to_ns, name, blocks_between_false_alarms=blocks)
    finally:
        store.close()
    if as_json:
        print_json({"digest": made.digest, **{n: getattr(made, n) for n in ("robot", "origin", "blocks", "spans")}})
    else:
        click.echo("\n".join(calibration_lines(made)))


class _Asked(NamedTuple):
    """Which robot, which spans with the interventions in each; whether people's interventions were counted at all."""

    robot: str
    spans: tuple[tuple[int, int], ...]
    interventions: tuple[int, ...]
    counts_people: bool


def _asked(store: Store, name: str, from_ns: int | None, to_ns: int | None) -> _Asked:
    """A robot that the store knows, else a campaign: its sessions, or a span of its robot."""
    from console.robots import Robots

    now = time.time_ns()
    is_robot = bool(store.journals(name)) or name in {one.name for one in Robots().all()}
    robot, sessions = (name, ()) if is_robot else _sessions(name, now)
    if is_robot or from_ns is not None or to_ns is not None:
        end = now if to_ns is None else to_ns
        begin = end - _DEFAULT_S * _S_NS if from_ns is None else from_ns
        _check_span(begin, end)
        return _Asked(robot, ((begin, end),), (0,), counts_people=False)
    if not sessions:
        cure = "begin one, or name a span: --from TIME --to TIME"
        raise Trouble(f"campaign '{name}' has no session yet", cure=cure, code="no_data")
    spans = tuple((begin, end) for begin, end, _ in sessions)
    return _Asked(robot, spans, tuple(count for _, _, count in sessions), counts_people=True)


def _sessions(name: str, now_ns: int) -> tuple[str, tuple[tuple[int, int, int], ...]]:
    """A campaign's robot, and begin, end and interventions of each session. Raises Trouble `unknown_campaign`."""
    from console.campaigns.opening import open_campaign

    try:
        campaign = open_campaign(name, read_only=True)
    except Trouble as trouble:
        if trouble.code != "unknown_campaign":
            raise
        cure = "`fieldgate robot list` and `fieldgate campaign list` show what there is"
        raise Trouble(f"neither a robot nor a campaign is called '{name}'", cure=cure, code=trouble.code) from trouble
    try:
        found = campaign.state().field.sessions
        return campaign.robot, tuple(
            (one.began_wall_ns, one.ended_wall_ns or max(now_ns, one.began_wall_ns), one.interventions) for one in found
        )
    finally:
        campaign.close()


def _check_span(from_ns: int, to_ns: int) -> None:
    if from_ns >= to_ns:
        raise click.UsageError("--from must lie before --to.")


def _add_up(store: Store, robot: str) -> None:
    """Bring the roll-ups up to date; where that takes long, say so first."""
    from console.store.rolling import backlog, roll

    entries = backlog(store, robot)
    if entries > _MANY:
        click.echo(f"adding up {entries:,} journal entries once: about {entries / _ENTRIES_A_S:.0f} s", err=True)
    for journal in store.journals(robot):
        roll(store, journal.id)


def _measured(store: Store, asked: _Asked, *, digests: bool) -> Measured:
    from console.store.running import measured_together, running_between

    pairs = zip(asked.spans, asked.interventions, strict=True)
    return measured_together(
        running_between(store, asked.robot, *span, interventions=count, digests=digests) for span, count in pairs
    )
