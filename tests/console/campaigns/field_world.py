"""A laptop with a campaign whose pack has phases, and a robot of given snapshots."""

from __future__ import annotations

from typing import Any

import msgspec

from console.campaigns.campaign import Campaign
from console.campaigns.field_test import FieldTest
from tests.console.checklist.campaign_world import World

PACK = """\
format: 1
name: phased
title: A pack with phases
version: "1"
roles: {engineer: builds it}
stages:
  - id: bench
    title: On the bench
    items:
      - {id: fence, title: The fence is shut, kind: confirmed, statement: The fence is shut.}
phases:
  - id: lab
    title: In the lab
    trial: one object shown
    success: it is named
    conditions:
      - {id: light, title: Light, values: [bright, dim], required: true}
      - {id: place, title: Place}
    entry: [{item: fence}]
    holding:
      - {id: link, title: The robot is reached, check: link, for: 5 s, cure: Look at the cable.}
      - {id: bundle, title: The right bundle runs, check: bundle}
      - id: latency
        title: It is quick enough
        criterion: {metric: end_to_end_ms, statistic: p95, comparison: "<", threshold: 200, unit: ms}
        for: 3 s
        cure: Cool it down.
    questions:
      - id: success
        title: It names what it is shown
        denominator: trials
        criterion: {metric: success_rate, statistic: rate, comparison: ">=", threshold: 80, unit: "%"}
        plan: {look: sequential, n: 60, expected: 95}
    stop:
      - {id: row, title: Three failures in a row, count: failures_in_a_row, at: 3, cure: Find out why.}
      - {id: help, title: Five interventions, count: interventions, at: 5}
    planned_n: 60
  - id: bench_trials
    title: Without a link
    trial: one object shown
    success: it is named
    questions:
      - id: success
        title: It names what it is shown
        denominator: trials
        criterion: {metric: success_rate, statistic: rate, comparison: ">=", threshold: 50, unit: "%"}
        plan: {look: fixed, n: 20, expected: 90}
    planned_n: 20
"""


class FieldWorld(World):
    """A World whose campaigns have the phases `lab` and `bench_trials`; `tells` are the sentences that were told."""

    def field(self, pack: str = PACK, **other: Any) -> FieldTest:
        """The field test of a new campaign."""
        self.pack.write_text(pack)
        return self.of(self.campaign(**other))

    def of(self, campaign: Campaign) -> FieldTest:
        self.tells: list[str] = []
        return FieldTest(campaign, self.tells.append)

    def unlinked(self, pack: str = PACK) -> FieldTest:
        """One with an open session without a robot."""
        field = self.field(pack)
        field.begin_phase("bench_trials", "anna")
        field.begin_session(None, "anna")
        return field

    def pass_time(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


def replaced(shot: Any, **parts: Any) -> Any:
    """The snapshot with other parts."""
    return msgspec.structs.replace(shot, **parts)
