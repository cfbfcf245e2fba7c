"""`fieldgate watch`: one line a second, or JSON, and an exit code for scripts."""

from __future__ import annotations

import re
import time
from pathlib import Path

import click

from console import exits
from console.alarms import AlarmBook
from console.fieldtest.kpis import load_kpis
from console.link.snapshot import Snapshot
from console.visiting import PATIENCE_S, Visit, visiting
from console.watching import STALE_S, Row, last_seq, lines_of, row_of
from remote.errors import Trouble

_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Duration(click.ParamType["float"]):
    """`90`, `90s`, `1.5m`, `8h`: seconds as a float, above 0."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse, or fail with an example."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|)", str(value))
        seconds = float(found.group(1)) * _UNITS[found.group(2)] if found else 0.0
        if seconds <= 0:
            self.fail(f"{value!r} is no duration; write 90s, 1.5m or 8h", param, ctx)
        return seconds


@click.command()
@click.argument("robot")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--once", is_flag=True, help="Print the first complete window and end.")
@click.option("--for", "for_s", type=Duration(), help="End after this time (90s, 5m, 8h).")
@click.option("--every", "every_s", type=Duration(), default="1s", show_default=True, help="Time between rows.")
@click.option(
    "--fail-on",
    type=click.Choice(["alarm", "failure", "link", "stale"]),
    multiple=True,
    help="End with exit code 3 when it comes.",
)
@click.option("--kpis", type=click.Path(path_type=Path), help="Alarm rules, instead of those of the robot's campaign.")
@click.option("--accept-new", is_flag=True, help="Trust a host key seen for the first time; never a changed one.")
def watch(
    robot: str,
    as_json: bool,
    once: bool,
    for_s: float | None,
    every_s: float,
    fail_on: tuple[str, ...],
    kpis: Path | None,
    accept_new: bool,
) -> None:
    """Watch ROBOT without a screen: a line a second on stdout (`demo`: the embedded robot)."""
    from console.fieldwork.figures import kpis_of_robot
    from console.link.asking import asker_for_terminal
    from console.link.opening import open_session
    from console.robots import Robots

    book = AlarmBook(load_kpis(kpis) if kpis else kpis_of_robot(robot))
    session = open_session(Robots().get(robot), asker=asker_for_terminal(accept_new=accept_new))
    with visiting(session) as visit:
        shot = visit.arrive()
        click.echo(f"watching {robot} over {shot.link.transport}", err=True)
        watcher = _Watcher(visit, book, as_json=as_json, fail_on=fail_on)
        code = watcher.once() if once else watcher.run(for_s, every_s)
    raise click.exceptions.Exit(code)


def _is_fresh(shot: Snapshot) -> bool:
    """Whether the worker runs, and a window that is not stale is here, whatever was fetched of the past."""
    if shot.state is None or shot.state.worker.phase != "running":
        return False
    at_ns = shot.windows[-1].at_ns if shot.windows else None
    return bool(shot.hosts) and at_ns is not None and time.monotonic_ns() - at_ns < STALE_S * 1e9


class _Watcher:
    """Prints rows and watches for the condition that ends with exit code 3."""

    def __init__(self, visit: Visit, book: AlarmBook, *, as_json: bool, fail_on: tuple[str, ...]) -> None:
        self._visit = visit
        self._book = book
        self._as_json = as_json
        self._fail_on = fail_on
        self._told: Row | None = None
        self._begin_s = time.monotonic()
        state = visit.session.snapshot.state
        # What happened before we came is history, also where it is only now being fetched.
        self._told_seq = state.journal.last_seq if state else 0

    def once(self) -> int:
        """Print one row as soon as a fresh window and the host's numbers are here."""
        fresh = self._visit.wait(_is_fresh, PATIENCE_S)
        if fresh is None:
            shot = self._visit.session.snapshot
            worker = shot.state.worker.phase if shot.state else "unknown"
            cure = f"start it with `fieldgate start {shot.robot}`" if worker == "stopped" else ""
            raise Trouble(f"no window came within {PATIENCE_S:.0f} s (worker {worker})", cure=cure, code="no_data")
        return self._end(self._show(fresh), fresh)

    def run(self, for_s: float | None, every_s: float) -> int:
        """Print a row each `every_s` until `for_s` is over or a `--fail-on` condition comes true."""
        begin = time.monotonic()
        due = begin + every_s
        while for_s is None or due - begin <= for_s + every_s / 2:
            shot = self._collect_until(due)
            code = self._end(self._show(shot), shot)
            if code:
                return code
            due = max(due + every_s, time.monotonic())
        click.echo(f"ended after {for_s:g} s", err=True)
        return exits.OK

    def _collect_until(self, due: float) -> Snapshot:
        """Fold snapshots into the alarms as they come, so that dwell times are those of the data."""
        shot = self._visit.session.snapshot
        while (left := due - time.monotonic()) > 0:
            shot = self._visit.next(left)
            self._book.fold(shot)
        return shot

    def _show(self, shot: Snapshot) -> Row:
        alarms = self._book.fold(shot)
        row = row_of(shot, alarms, now_ns=time.monotonic_ns(), wall_s=time.time(), since_seq=self._told_seq)
        self._told_seq = max(self._told_seq, last_seq(shot))
        if self._as_json:
            import msgspec

            click.echo(msgspec.json.encode(row))
        else:
            click.echo("\n".join(lines_of(row, self._told)))
            self._told = row
        return row

    def _end(self, row: Row, shot: Snapshot) -> int:
        reasons = {
            "alarm": next((a.title for a in row.alarms if a.state == "raised"), None),
            "failure": next((f"{f.name}: {f.text}" for f in row.failures), None),
            "stale": self._stale(row),
            "link": None if shot.link.phase == "up" else f"link {shot.link.phase} {shot.link.reason}".strip(),
        }
        for condition in self._fail_on:
            if reasons[condition]:
                click.echo(f"ended by --fail-on {condition}: {reasons[condition]}", err=True)
                return exits.ALARM
        return exits.OK

    def _stale(self, row: Row) -> str | None:
        """Why there is no fresh window, after a moment in which the first may come."""
        if time.monotonic() - self._begin_s < 2 * STALE_S or (row.age_s is not None and row.age_s <= STALE_S):
            return None
        age = "there is none" if row.age_s is None else f"the newest is {row.age_s:.0f} s old"
        return f"no fresh window ({age}, worker {row.worker or 'unknown'})"
