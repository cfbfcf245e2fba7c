"""`checklist show`: a reviewer reads everything that decides, and sees what is not there."""

from __future__ import annotations

import pytest

from console.checklist.packs.loading import parse_checklist
from console.checklist.packs.showing import item_text, pack_text
from tests.console.checklist.pack_texts import GOOD, changed

LATENCY = """\
latency  Quick enough
stage bench, sensed, one of reaction

passes when:    end_to_end_ms p99 < 500 ms, upper bound at 95 %, n >= 299
when it fails:  See which stage grew.
probe:          live_metric(metric end_to_end_ms)
rests on:       bundle, robot, contract, engine, power_mode
valid for:      30 d
override by:    nobody
defer by:       nobody
rule:           RULE
"""
TRIALS = """\
trials  Real trials
stage release, sensed, conditional

passes when:    success_rate > 30 %, lower bound at 95 %, n >= 5
when it fails:  Run more trials.
probe:          success_table(file trials.csv)
rests on:       bundle
only when:      camera is pass or marginal
override by:    nobody
defer by:       nobody
rule:           RULE
"""
LIMITS = """\
limits  Limits hold
stage release, witnessed, critical, latched

passes when:    two people vouch
statement:      A pose outside the workspace was refused.
rests on:       bundle, robot
override by:    nobody
defer by:       nobody
hazard:         HAZ-01
rule:           RULE
"""
PREDICTS = """\
predicts  Control predicts
stage bench, confirmed, one of reaction

passes when:    one person vouches
statement:      The controller predicts over the delay.
rests on:       bundle
override by:    nobody
defer by:       nobody
rule:           RULE
"""
CAMERA = """\
camera  The camera lives
stage bench, sensed, held 10 s, n/a

passes when:    the camera gives pictures that change and are not black
when it fails:  Check the cable.
probe:          camera_alive()
rests on:       source
valid for:      8 h
override by:    engineer
defer by:       lead
requirement:    REQ-1
not applicable: no camera
rule:           RULE
"""
ADDED = (
    "hold: 10 s",
    "hold: 10 s\n        defer_by: [lead]\n        requirement: REQ-1\n        not_applicable: no camera",
)


@pytest.mark.parametrize(
    ("id", "text"),
    [("latency", LATENCY), ("trials", TRIALS), ("limits", LIMITS), ("predicts", PREDICTS), ("camera", CAMERA)],
)
def test_an_item_tells_all_that_it_says_and_nothing_else(id: str, text: str) -> None:
    known = parse_checklist([("pack", changed(ADDED))])
    item = next(item for item in known.pack.items() if item.id == id)
    assert item_text(known, item) == text.replace("RULE", known.rules[id][:16])


def test_the_whole_pack_tells_each_stage_item_and_gate() -> None:
    text = pack_text(parse_checklist([("pack", GOOD)]))
    start = """
1. On the bench (bench)

   Quick enough [latency]
     sensed, one of reaction: end_to_end_ms p99 < 500 ms, upper bound at 95 %, n
     >= 299
     rests on bundle, robot, contract, engine, power_mode; valid for 30 d

   Control predicts [predicts]
     confirmed, one of reaction: one person vouches
     rests on bundle
"""
    assert text.startswith("cell 1  A small cell\nrevision ")
    assert start in text
    assert "   gate: every item settled; go of engineer\n" in text
    assert text.endswith(
        "   gate: every item settled; go of safety; performed signed by engineer;\n"
        "         reviewed signed by safety or lead; no overrides\n"
    )
