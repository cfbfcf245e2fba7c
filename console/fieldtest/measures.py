"""Every figure of a field test once: name, unit, what it is a share of, formula. Phases, KPIs, screens and reports use these
names.

Live metrics of the robot are in remote.metrics.METRICS; a criterion may name either.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Home = Literal["trials", "frames", "running", "labelled"]
Shape = Literal["rate", "estimate", "number"]


class Measure(msgspec.Struct, frozen=True):
    """One figure. `home`: what it is counted from. `shape`: a rate of independent trials, an estimate with an interval of its
    own, or a plain number.
    """

    name: str
    unit: str
    home: Home
    shape: Shape
    denominator: str
    formula: str


_ALL = (
    Measure("success_rate", "%", "trials", "rate", "trials that count", "successes / trials"),
    Measure(
        "intervention_rate", "%", "trials", "rate", "trials that count", "trials in which a person intervened / trials"
    ),
    Measure("crash_rate", "%", "trials", "rate", "trials that count", "trials in which the worker crashed / trials"),
    Measure(
        "transfer_ratio",
        "",
        "trials",
        "estimate",
        "success rate in simulation",
        "success rate in reality / success rate in simulation",
    ),
    Measure(
        "success_drop",
        "%",
        "trials",
        "estimate",
        "percentage points",
        "success rate in simulation - success rate in reality",
    ),
    Measure(
        "frame_accuracy",
        "%",
        "frames",
        "rate",
        "frames drawn at random and scored",
        "frames with nothing wrong and nothing missed / frames",
    ),
    Measure(
        "detection_accuracy",
        "%",
        "frames",
        "estimate",
        "objects shown or reported in scored frames",
        "right / (right + wrong + missed), interval by bootstrap over frames",
    ),
    Measure(
        "false_positive_rate",
        "%",
        "frames",
        "estimate",
        "boxes reported in scored frames",
        "wrong / (right + wrong), interval by bootstrap over frames",
    ),
    Measure(
        "false_negative_rate",
        "%",
        "frames",
        "estimate",
        "objects present in scored frames",
        "missed / (right + missed), interval by bootstrap over frames",
    ),
    Measure(
        "map_50_95",
        "%",
        "labelled",
        "number",
        "labelled pictures",
        "COCO's AP: mean over IoU .50:.05:.95 and labels, 101 recall points",
    ),
    Measure("map_50", "%", "labelled", "number", "labelled pictures", "COCO's AP50: mean over labels at IoU .50"),
    Measure("uptime", "%", "running", "number", "time known of sessions", "time with frames processed / time known"),
    Measure("running_hours", "h", "running", "number", "sessions", "time known of sessions"),
    Measure(
        "crashes_per_day",
        "1/d",
        "running",
        "estimate",
        "days of running known",
        "(crashes + hangs) / days, interval exact for a Poisson count",
    ),
    Measure(
        "interventions_per_day",
        "1/d",
        "running",
        "estimate",
        "days of running known",
        "interventions / days, interval exact for a Poisson count",
    ),
    Measure(
        "mtbf_h",
        "h",
        "running",
        "estimate",
        "crashes, hangs and reboots",
        "hours of running / breakdowns, chi-square bounds for a run ended by time",
    ),
    Measure(
        "throttled_share",
        "%",
        "running",
        "number",
        "time known of sessions",
        "time with clocks held down by heat / time known",
    ),
)

MEASURES: dict[str, Measure] = {measure.name: measure for measure in _ALL}
