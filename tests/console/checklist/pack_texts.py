"""A pack that may be used, from which tests make broken ones."""

from __future__ import annotations

from pathlib import Path

from console.checklist.pack import Pack
from remote import strict_yaml

GOOD = """\
format: 1
name: cell
title: A small cell
version: "1"
roles:
  engineer: builds it
  safety: reviews it
  lead: answers for it
stages:
  - id: bench
    title: On the bench
    items:
      - id: latency
        title: Quick enough
        kind: sensed
        one_of: reaction
        probe: {name: live_metric, parameters: {metric: end_to_end_ms}}
        criterion: {metric: end_to_end_ms, statistic: p99, comparison: "<", threshold: 500, unit: ms, n_min: 299}
        rests_on: [bundle, robot]
        valid_for: 30 d
        cure: See which stage grew.
      - id: predicts
        title: Control predicts
        kind: confirmed
        one_of: reaction
        statement: The controller predicts over the delay.
        rests_on: [bundle]
      - id: camera
        title: The camera lives
        kind: sensed
        hold: 10 s
        probe: {name: camera_alive}
        valid_for: 8 h
        override_by: [engineer]
        cure: Check the cable.
    gate: {poll: [engineer]}
  - id: release
    title: Release
    items:
      - id: trials
        title: Real trials
        kind: sensed
        when: {item: camera, states: [pass, marginal]}
        probe: {name: success_table, parameters: {file: trials.csv}}
        criterion: {metric: success_rate, statistic: rate, comparison: ">", threshold: 30, unit: "%", n_min: 5}
        cure: Run more trials.
      - id: force
        title: Gripping force
        kind: measured
        criterion: {metric: grip_force_n, comparison: "<", threshold: 40, unit: N}
        valid_for: 30 d
        cure: Lower it.
      - id: limits
        title: Limits hold
        kind: witnessed
        critical: true
        latched: true
        hazard: HAZ-01
        statement: A pose outside the workspace was refused.
        rests_on: [bundle, robot]
    gate:
      poll: [safety]
      signatures:
        - {meaning: performed, roles: [engineer]}
        - {meaning: reviewed, roles: [safety, lead]}
      overrides_allowed: false
"""
"""Nothing is wrong with it, and lint has nothing to say."""

OVERLAY = """\
format: 1
overlay: old_arm
pack: cell
reason: the old arm is slower
items:
  latency:
    criterion: {threshold: 800}
"""


def written(folder: Path, text: str = GOOD, name: str = "checklist.yaml") -> Path:
    """The text as a file in that folder."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def changed(*changes: tuple[str, str], text: str = GOOD) -> str:
    """The text with each first string replaced by the second; every one of them must be there."""
    for old, new in changes:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    return text


def pack_of(text: str) -> Pack:
    """The pack in that text, of which only the types are checked."""
    return strict_yaml.parse(text, Pack, where="pack", code="bad_pack")


def line_of(text: str, part: str) -> int:
    """The line (from 1) on which that part of the text first stands."""
    return text[: text.index(part)].count("\n") + 1
