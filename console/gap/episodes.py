"""What one side did, episode by episode: from a table of episodes, or from the steps of each one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from console.fieldtest.criteria import Rate
from console.gap.names import ALIASES, column_of, nearest, vector_of
from console.gap.steps import figures_of_steps
from console.phases.states import TrialState
from console.tables.cells import is_true, number
from console.tables.reading import CODE, Row, Table
from remote.errors import Trouble

FIGURES: dict[str, tuple[str, str]] = {
    "tracking_error": ("", "root mean square of target minus position, over the episode"),
    "control_effort": ("", "mean of the squared actions"),
    "episode_length": ("", "time from its first step to its last, or the column as it is"),
    "latency_ms": ("ms", "mean over the episode"),
    "peak_action": ("", "largest absolute action"),
    "action_change": ("", "root mean square of the change of the action from step to step"),
    "position_noise": ("", "noise of the measured position, from its second differences (von Neumann 1941)"),
    "lag_s": ("s", "by how much the position follows the target, where they fit best"),
}
"""The figures that are compared beside success: unit and meaning. A unit that is empty is the file's own."""


def figure_words(figure: str) -> str:
    """The figure as people read it; its unit stands with the number."""
    return figure.removesuffix("_ms").removesuffix("_s").replace("_", " ")


class Episodes(NamedTuple):
    """One side. `values` maps a figure to one number for each episode that has it; `columns` says where each came from."""

    name: str
    n: int
    success: Rate | None
    values: dict[str, tuple[float, ...]]
    columns: dict[str, str]
    warnings: tuple[str, ...] = ()


def episodes_of(table: Table, chosen: Mapping[str, str]) -> Episodes:
    """The episodes of a table.

    Args:
        table: a row for each episode, or for each step (then it has a time and a position or an action; steps of one
            episode follow one another).
        chosen: a meaning of names.ALIASES and the column that a person chose for it.

    Raises:
        Trouble: `bad_table`: a chosen column that is not there, a cell that is no number or no outcome, nothing to compare.
    """
    _check_chosen(table, chosen)
    has_vectors = any(vector_of(name, table.columns) for name in ("position", "action"))
    is_steps = has_vectors and column_of("time", table.columns, chosen) is not None
    found = _from_steps(table, chosen) if is_steps else _from_rows(table, chosen)
    if found.success is None and not found.values:
        known = ", ".join(sorted({*ALIASES} - {"time", "episode"}))
        what = f"{table.name} has nothing to compare: none of {known}, nor positions or actions with a time"
        cure = f"name a column, as in `--column success=NAME`; it has: {', '.join(table.columns[:20])}"
        raise Trouble(what, cure=cure, code=CODE)
    return found


def _check_chosen(table: Table, chosen: Mapping[str, str]) -> None:
    for meaning, column in chosen.items():
        if meaning not in ALIASES:
            known = ", ".join(ALIASES)
            raise Trouble(f"`{meaning}` is nothing that is compared", cure=f"one of: {known}", code=CODE)
        if column not in table.columns:
            raise Trouble(f"{table.name} has no column `{column}`", cure=nearest(column, table.columns), code=CODE)


# ------------------------------------------------------------ a row for each episode


def _from_rows(table: Table, chosen: Mapping[str, str]) -> Episodes:
    columns, values = {}, {}
    for figure in FIGURES:
        column = column_of(figure, table.columns, chosen) if figure in ALIASES else None
        if column is None:
            continue
        numbers = [found for row in table.rows if (found := _optional(table, row, column)) is not None]
        if numbers:
            columns[figure], values[figure] = column, tuple(numbers)
    success_column = column_of("success", table.columns, chosen)
    success = _successes(table, table.rows, success_column) if success_column else None
    if success_column:
        columns["success"] = success_column
    return Episodes(table.name, len(table.rows), success, values, columns, table.warnings)


def _successes(table: Table, rows: Iterable[Row], column: str) -> Rate:
    outcomes = [is_true(table, row, column) for row in rows]
    return Rate(sum(outcomes), len(outcomes))


def _optional(table: Table, row: Row, column: str) -> float | None:
    cell = row.cells.get(column)
    return None if cell is None or cell == "" else number(table, row, column)


# ------------------------------------------------------------ a row for each step


def _from_steps(table: Table, chosen: Mapping[str, str]) -> Episodes:
    time, episode = column_of("time", table.columns, chosen), column_of("episode", table.columns, chosen)
    success, latency = column_of("success", table.columns, chosen), column_of("latency_ms", table.columns, chosen)
    assert time is not None
    vectors = {meaning: vector_of(meaning, table.columns) for meaning in ("position", "target", "action")}
    gathered: dict[str, list[float]] = {}
    last_rows: list[Row] = []
    for rows in _runs(table, episode):
        last_rows.append(rows[-1])
        times = [number(table, row, time) for row in rows]
        _check_times(table, rows, times)
        parts = {
            meaning: _matrix(table, rows, list(names.values())) for meaning, names in _paired(vectors).items() if names
        }
        found = figures_of_steps(times, parts.get("position"), parts.get("target"), parts.get("action"))
        if latency:
            found["latency_ms"] = math.fsum(number(table, row, latency) for row in rows) / len(rows)
        for figure, value in found.items():
            if value is not None:
                gathered.setdefault(figure, []).append(value)
    columns = {figure: "steps" for figure in gathered} | ({"success": success} if success else {})
    rate = _successes(table, last_rows, success) if success else None
    values = {figure: tuple(numbers) for figure, numbers in gathered.items()}
    return Episodes(table.name, len(last_rows), rate, values, columns, table.warnings)


def _runs(table: Table, episode: str | None) -> list[list[Row]]:
    """The rows of each episode. Raises Trouble where an episode's rows are torn apart."""
    if episode is None:
        return [table.rows]
    runs = [(str(name), list(rows)) for name, rows in groupby(table.rows, lambda row: row.cells.get(episode))]
    seen: set[str] = set()
    for name, rows in runs:
        if name in seen:
            what = f"{table.name}, {rows[0].place}: steps of episode {name} stand in two places"
            raise Trouble(what, cure="sort the rows by episode and time", code=CODE)
        seen.add(name)
    return [rows for _, rows in runs]


def _check_times(table: Table, rows: Sequence[Row], times: Sequence[float]) -> None:
    for row, before, after in zip(rows[1:], times, times[1:], strict=False):
        if after <= before:
            what = f"{table.name}, {row.place}: its time {after:g} does not follow {before:g}"
            raise Trouble(what, cure="sort the steps of each episode by time, in seconds", code=CODE)


def _paired(vectors: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Position and target with the components that both have, in the same order, where there is a target."""
    position, target = vectors["position"], vectors["target"]
    both = [axis for axis in position if axis in target]
    if both:
        return {
            **vectors,
            "position": {axis: position[axis] for axis in both},
            "target": {axis: target[axis] for axis in both},
        }
    return {**vectors, "target": {}}


def _matrix(table: Table, rows: Sequence[Row], columns: Sequence[str]) -> list[list[float]]:
    return [[number(table, row, column) for column in columns] for row in rows]


# ------------------------------------------------------------ trials of a campaign


def episodes_of_trials(name: str, trials: Iterable[TrialState]) -> Episodes:
    """The trials of a campaign that count, each an episode. What a trial measured (`tracking_error_mm`) is compared under
    the figure that its name begins with."""
    counted = [one for one in trials if one.counts]
    values: dict[str, list[float]] = {}
    columns: dict[str, str] = {}
    for trial in counted:
        for measure, value in trial.measures.items():
            figure = next(
                (known for known in FIGURES if measure in ALIASES.get(known, ()) or measure.startswith(known)), None
            )
            if figure is not None:
                values.setdefault(figure, []).append(value)
                columns[figure] = measure
    successes = sum(one.outcome == "success" for one in counted)
    return Episodes(
        name,
        len(counted),
        Rate(successes, len(counted)) if counted else None,
        {figure: tuple(found) for figure, found in values.items()},
        {**columns, "success": "outcome"},
    )
