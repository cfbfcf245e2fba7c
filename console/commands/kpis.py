"""`fieldgate kpis`: a campaign's figures with their limits; stdout is data, stderr is narration."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from console import exits
from console.commands.campaign_words import as_json, opened, print_json

if TYPE_CHECKING:
    from console.fieldtest.kpis import Kpi, Kpis
    from console.fieldwork.figures import Figure
    from console.link.snapshot import Snapshot

FORMAT = 1
LIVE_S = 15.0
_WORDS = {"pass": "pass", "marginal": "marginal", "fail": "FAIL", "inconclusive": "not decided"}


@click.command()
@click.argument("name", required=False)
@click.option("--session", type=click.IntRange(1), help="Only of the session that this entry began.")
@click.option("--live", is_flag=True, help="As the robot is now, over each figure's window.")
@as_json
def kpis(name: str | None, session: int | None, live: bool, as_json: bool) -> None:
    """The KPIs of campaign NAME (or of its robot's): formula, value with bounds, limit and verdict.

    Ends with 0 where every figure passes, 3 where one fails, 7 where something is not decided or can't be seen.
    """
    from console.fieldwork.figures import figures, kpis_in_force, with_reasons
    from console.store.reasons import robot_reasons

    if live and session:
        raise click.UsageError("--live and --session exclude each other.")
    with opened(name, read_only=True) as campaign:
        robot, rules = campaign.robot, kpis_in_force(campaign)
        found = () if live else with_reasons(figures(campaign, session), robot_reasons(robot))
    rows = _live_rows(robot, rules) if live else [_row(one) for one in found]
    if as_json:
        print_json({"format": FORMAT, "robot": robot, "session": session, "live": live, "kpis": rows})
    else:
        _show(rows)
    verdicts = {row["verdict"] for row in rows}
    code = exits.ALARM if "fail" in verdicts else exits.NO_DATA if "inconclusive" in verdicts else exits.OK
    if code != exits.OK:
        raise click.exceptions.Exit(code)


def _row(figure: Figure) -> dict[str, Any]:
    judgement = figure.state.judgement
    numbers = {name: getattr(judgement, name) for name in ("value", "lower", "upper", "n", "verdict")}
    return {**_about(figure.kpi), **numbers, "words": figure.state.words}


def _about(kpi: Kpi) -> dict[str, Any]:
    from console.fieldtest.judging import limit_words

    about = {name: getattr(kpi, name) for name in ("id", "title", "formula", "denominator", "cure")}
    return {**about, "unit": kpi.criterion.unit, "limit": limit_words(kpi.criterion)}


def _show(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        word = _WORDS[row["verdict"]] if row["value"] is not None else "not measured"
        click.echo(f"{row['title']}: {word}\n  {row['words']}\n  {row['formula']}, of {row['denominator']}")
        if row["verdict"] == "fail":
            click.echo(f"  -> {row['cure']}")


# ---------------------------------------------------------------- live


def _live_rows(robot: str, rules: Kpis) -> list[dict[str, Any]]:
    """Every live figure over its own window, once the longest window is full or LIVE_S have passed."""
    from console.link.asking import asker_for_terminal
    from console.link.opening import open_session
    from console.robots import Robots
    from console.visiting import visiting

    longest_s = max((kpi.window_s for kpi in rules.kpis if kpi.is_live), default=0.0)
    with visiting(open_session(Robots().get(robot), asker=asker_for_terminal(accept_new=False))) as visit:
        visit.arrive()
        click.echo(f"watching {robot} for at most {LIVE_S:.0f} s", err=True)
        visit.wait(lambda shot: _span_s(shot) >= longest_s, LIVE_S)
        shot, now_ns = visit.session.snapshot, time.monotonic_ns()
    return [_live_row(kpi, rules, shot, now_ns) for kpi in rules.kpis if kpi.is_live]


def _span_s(shot: Snapshot) -> float:
    known = [seen for seen in shot.windows if seen.at_ns is not None]
    return sum(seen.body.span_ms for seen in known) / 1000 if shot.hosts else 0.0


def _live_row(kpi: Kpi, rules: Kpis, shot: Snapshot, now_ns: int) -> dict[str, Any]:
    from console.fieldtest.criteria import holds
    from console.fieldtest.judging import number_words
    from console.readings import Merged, age_of, live_value

    criterion, age_s = kpi.criterion, age_of(kpi, shot, now_ns)
    value, n, why = live_value(kpi, shot, Merged())
    if age_s is None or age_s > rules.stale_after_s:
        value, why = None, "no data yet" if age_s is None else f"no data for {age_s:.0f} s"
    if value is None:
        return {**_about(kpi), **_numbers(None, n, "inconclusive"), "age_s": age_s, "words": why}
    good = holds(value, criterion.comparison, criterion.threshold)
    seen = f"{number_words(value, criterion.unit)} over {kpi.window} (n {n}), {age_s:.1f} s old, "
    words = f"{seen}against {criterion.comparison} {number_words(criterion.threshold, criterion.unit)}"
    return {**_about(kpi), **_numbers(value, n, "pass" if good else "fail"), "age_s": age_s, "words": words}


def _numbers(value: float | None, n: int, verdict: str) -> dict[str, Any]:
    return {"value": value, "lower": None, "upper": None, "n": n, "verdict": verdict}
