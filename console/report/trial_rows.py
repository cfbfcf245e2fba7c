"""The trials of one phase as rows of the report's table, those that do not count among them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from console.checklist.wording import utc_words
from console.phases.states import TrialState

MOST_ROWS = 300
"""What a page still shows well; all of them are in the JSON record."""


class TrialRow(msgspec.Struct, frozen=True, kw_only=True):
    """One trial; `why_not` is empty where it counts."""

    number: int
    when: str
    person: str
    outcome: str
    conditions: str
    note: str
    why_not: str


class TrialTable(msgspec.Struct, frozen=True):
    """The newest rows, oldest of them first; `more` is a sentence about those that are not shown, or empty."""

    title: str
    rows: tuple[TrialRow, ...]
    more: str


def trial_table(trials: Sequence[TrialState], phase: str) -> TrialTable:
    """Every trial that was logged in that phase."""
    own = [one for one in trials if one.phase == phase]
    counted = sum(one.counts for one in own)
    older = len(own) - MOST_ROWS
    more = f"{older:,} older ones are in record.json and in `fieldgate trial list`" if older > 0 else ""
    title = f"All {len(own):,} trials, {counted:,} of which count" if len(own) != 1 else "The only trial"
    return TrialTable(title, tuple(_row(one) for one in own[-MOST_ROWS:]), more)


def _row(trial: TrialState) -> TrialRow:
    marks = ["a person helped"] if trial.intervened else []
    marks += ["the worker crashed"] if trial.crashed else []
    return TrialRow(
        number=trial.number,
        when=utc_words(trial.wall_ns),
        person=trial.person,
        outcome="; ".join([trial.outcome, *marks]),
        conditions=", ".join(f"{name} {word}" for name, word in sorted(trial.conditions.items())),
        note=trial.note,
        why_not="" if trial.counts else trial.why_not or "does not count",
    )
