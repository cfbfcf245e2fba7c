"""From what counts to the measurement of one question. console.fieldtest.measures says what each figure is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from console.fieldtest.criteria import Criterion, Distribution, Estimate, Measurement, Number, Rate
from console.fieldtest.measures import MEASURES
from console.fieldtest.running import Running, together
from console.fieldtest.spans import time_words
from console.phases.evidence import Evidence
from console.phases.schema import Phase, Question
from console.record.entries import FrameScored, Trial
from console.record.ledger import Kept
from remote.histogram import Histogram
from remote.metrics import METRICS

DAY_S = 86_400.0


class Counted(NamedTuple):
    """What a question rests on. `measurement` is None where there is nothing yet; `why` says so or what was left out.

    `outcomes` are the trials (or frames) of a rate one by one, in order: True counts as what the rate is of.
    """

    measurement: Measurement | None
    why: str = ""
    outcomes: tuple[bool, ...] = ()


def count(question: Question, phase: Phase, evidence: Evidence, baseline: Rate | None) -> Counted:
    """The measurement of one question; `baseline` is the rate that its item of the checklist measured, if it did."""
    criterion = question.criterion
    home = MEASURES[criterion.metric].home if criterion.metric in MEASURES else "live"
    if home == "trials":
        return _of_trials(question, phase, evidence.trials, baseline)
    if home == "frames":
        return _of_frames(question, evidence.frames)
    if home == "labelled":
        return _labelled(criterion.metric, evidence)
    running = together(kept.body.measured.running for kept in evidence.measured)
    if home == "running":
        return _of_running(criterion, running, _interventions(evidence))
    return _live(criterion, evidence)


# ------------------------------------------------------------ trials


def _of_trials(question: Question, phase: Phase, trials: Sequence[Kept[Trial]], baseline: Rate | None) -> Counted:
    metric, chosen = (
        question.criterion.metric,
        [kept.body for kept in trials if _is_where(question, kept.body.conditions)],
    )
    known = [(trial, _OUTCOMES[metric](trial, phase)) for trial in chosen]
    outcomes = tuple(outcome for _, outcome in known if outcome is not None)
    left_out = len(known) - len(outcomes)
    why = _LEFT_OUT[metric].format(left_out) if left_out else ""
    if not outcomes:
        return Counted(None, why or _no_trials(question), outcomes)
    if question.plan is not None and metric in ("transfer_ratio", "success_drop"):
        outcomes = outcomes[: question.plan.n]
    rate = Rate(sum(outcomes), len(outcomes))
    if metric not in ("transfer_ratio", "success_drop"):
        return Counted(rate, why, outcomes)
    if baseline is None:
        item = question.baseline.item if question.baseline else "simulation"
        return Counted(None, f"'{item}' has not measured the rate that it is compared with", outcomes)
    if metric == "transfer_ratio" and baseline.successes == 0:
        return Counted(None, "nothing succeeded in simulation: there is no ratio to it", outcomes)
    return Counted(_compared(metric, rate, baseline, question.criterion.confidence), why, outcomes)


def _success(trial: Trial, phase: Phase) -> bool | None:
    if trial.outcome == "aborted" and phase.aborted == "excluded":
        return None
    return trial.outcome == "success"


_OUTCOMES: dict[str, Callable[[Trial, Phase], bool | None]] = {
    "success_rate": _success,
    "transfer_ratio": _success,
    "success_drop": _success,
    "intervention_rate": lambda trial, phase: trial.intervened,
    "crash_rate": lambda trial, phase: trial.crashed,
}
_ABORTED = "{} aborted left out"
_LEFT_OUT = {
    "success_rate": _ABORTED,
    "transfer_ratio": _ABORTED,
    "success_drop": _ABORTED,
    "intervention_rate": "",
    "crash_rate": "{} left out of which it is not known whether the worker crashed",
}


def _is_where(question: Question, conditions: Mapping[str, str]) -> bool:
    return all(conditions.get(name) == value for name, value in question.where.items())


def _no_trials(question: Question) -> str:
    if not question.where:
        return "no trials yet"
    return "no trials yet with " + ", ".join(f"{name} {value}" for name, value in question.where.items())


def _compared(metric: str, real: Rate, simulated: Rate, confidence: float) -> Estimate:
    from console.fieldtest.transfer import success_drop, transfer_ratio

    compare = transfer_ratio if metric == "transfer_ratio" else success_drop
    return compare(real, simulated, confidence)


# ------------------------------------------------------------ frames


def _of_frames(question: Question, frames: Sequence[Kept[FrameScored]]) -> Counted:
    metric, chosen = question.criterion.metric, [kept for kept in frames if _is_where(question, kept.body.conditions)]
    if metric != "frame_accuracy":  # a frame in which there was nothing to find says nothing of what was found
        chosen = [kept for kept in chosen if _SHARES[metric](kept.body)[1]]
    if not chosen:
        return Counted(None, "no frames scored yet" if not frames else f"no {MEASURES[metric].denominator} yet")
    if metric == "frame_accuracy":
        outcomes = tuple(not kept.body.wrong and not kept.body.missed for kept in chosen)
        return Counted(Rate(sum(outcomes), len(outcomes)), "", outcomes)
    first = chosen[: question.plan.n] if question.plan is not None else chosen
    pairs = tuple(_SHARES[metric](kept.body) for kept in first)
    seed = hashlib.sha256("".join(kept.digest for kept in first).encode()).digest()
    return Counted(_bootstrapped(pairs, question.criterion.confidence, int.from_bytes(seed[:8], "big")))


_SHARES: dict[str, Callable[[FrameScored], tuple[int, int]]] = {
    "detection_accuracy": lambda frame: (frame.right, frame.right + frame.wrong + frame.missed),
    "false_positive_rate": lambda frame: (frame.wrong, frame.right + frame.wrong),
    "false_negative_rate": lambda frame: (frame.missed, frame.right + frame.missed),
}


@lru_cache(maxsize=64)
def _bootstrapped(pairs: tuple[tuple[int, int], ...], confidence: float, seed: int) -> Estimate:
    """The share in per cent; its dice are thrown by the evidence itself, so that the same record gives the same bounds."""
    import numpy as np

    from console.fieldtest.bootstrap import ratio_of_sums

    right, whole = zip(*pairs, strict=True)
    return ratio_of_sums(right, whole, confidence, np.random.default_rng(seed))


# ------------------------------------------------------------ running


def _interventions(evidence: Evidence) -> int:
    """Those of the sessions that were measured, within trials and outside of them."""
    measured = {kept.body.session for kept in evidence.measured}
    within = sum(kept.body.intervened and kept.body.session in measured for kept in evidence.trials)
    return within + sum(kept.body.session in measured for kept in evidence.interventions)


def _of_running(criterion: Criterion, running: Running, interventions: int) -> Counted:
    if running.known_s <= 0:
        return Counted(None, "no session has been measured yet")
    known_s, metric, confidence = running.known_s, criterion.metric, criterion.confidence
    why = f"{time_words(running.unknown_s)} of the sessions are not known" if running.unknown_s >= 60 else ""
    if metric == "running_hours":
        return Counted(Number(known_s / 3600, "h"), why)
    if metric == "uptime":
        return Counted(Number(100 * running.up_s / known_s, "%"), why)
    if metric == "throttled_share":
        if running.throttled_s is None:
            return Counted(None, "it is not known when the clocks were throttled")
        return Counted(Number(100 * running.throttled_s / known_s, "%"), why)
    from console.fieldtest.mtbf import mtbf, rate_per_day

    if metric == "mtbf_h":
        return Counted(mtbf(known_s / 3600, running.breakdowns, confidence), why)
    events = interventions if metric == "interventions_per_day" else running.crashes + running.hangs
    return Counted(rate_per_day(events, known_s / DAY_S, confidence), why)


# ------------------------------------------------------------ labelled pictures, live metrics


def _labelled(metric: str, evidence: Evidence) -> Counted:
    for kept in reversed(evidence.evaluated):
        if metric in kept.body.figures:
            return Counted(Number(kept.body.figures[metric], "%", kept.body.pictures))
    return Counted(None, "this bundle has not been scored on labelled pictures")


_FRAMES: dict[str, Callable[[Running], int]] = {
    "fps": lambda running: running.frames,
    "dropped_frames": lambda running: running.dropped_frames,
    "failed_frames": lambda running: running.failed_frames,
}
"""Figures of the live screen that sessions count: as many a second of the time known."""
NOT_REPORTED = "the robot reported none in the sessions that were measured"


def _live(criterion: Criterion, evidence: Evidence) -> Counted:
    metric, unit = criterion.metric, METRICS[criterion.metric].unit if criterion.metric in METRICS else ""
    parts = [kept.body.measured for kept in evidence.measured]
    known = together(part.running for part in parts)
    missing = Counted(None, NOT_REPORTED if known.known_s > 0 else "no session has measured it yet")
    if metric in _FRAMES and criterion.statistic in ("mean", "value"):
        if known.known_s <= 0:
            return missing
        return Counted(Number(_FRAMES[metric](known) / known.known_s, unit, max(1, int(known.known_s))))
    spreads = [part.spreads[metric] for part in parts if metric in part.spreads]
    if spreads:
        return Counted(Distribution(Histogram.merge(spreads), unit))
    if criterion.statistic == "max":
        highest = [part.highest[metric] for part in parts if metric in part.highest]
        n = sum(part.readings.get(metric, 1) for part in parts if metric in part.highest)
        return Counted(Number(max(highest), unit, n)) if highest else missing
    means = [(part.means[metric], part.readings.get(metric, 1)) for part in parts if metric in part.means]
    n = sum(readings for _, readings in means)
    if not n:
        return missing
    return Counted(Number(sum(mean * readings for mean, readings in means) / n, unit, n))
