"""What a comparison means and what to do about it: each finding with the numbers that it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from console.gap.comparing import Comparison, Verdict
from console.gap.episodes import figure_words


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One finding. `figures` are those that it rests on, `advice` what to try first; empty where nothing is to be done."""

    title: str
    verdict: Verdict
    figures: tuple[str, ...]
    why: str
    advice: str = ""


class Rule(msgspec.Struct, frozen=True):
    """When something is found: `holds` is asked with the comparisons by figure; the first of `figures` gives the sentence."""

    title: str
    figures: tuple[str, ...]
    holds: Callable[[Mapping[str, Comparison]], bool]
    advice: str


def _higher(figure: str) -> Callable[[Mapping[str, Comparison]], bool]:
    return lambda found: _is_gap(found, figure) and found[figure].real.mean > found[figure].sim.mean


def _lower(figure: str) -> Callable[[Mapping[str, Comparison]], bool]:
    return lambda found: _is_gap(found, figure) and found[figure].real.mean < found[figure].sim.mean


def _is_gap(found: Mapping[str, Comparison], figure: str) -> bool:
    return figure in found and found[figure].verdict == "gap"


def _estimation(found: Mapping[str, Comparison]) -> bool:
    """The robot tracks worse, and neither a lag nor noise of the measurement explains it."""
    explained = any(_is_gap(found, one) for one in ("lag_s", "position_noise"))
    return _higher("tracking_error")(found) and not explained


RULES: tuple[Rule, ...] = (
    Rule(
        "Less success than in simulation",
        ("success",),
        _lower("success"),
        "Randomise more, and first what the failed trials have in common (`fieldgate failures patterns`): light, texture, "
        "friction, mass, camera pose. See that the measured values lie inside of the ranges.",
    ),
    Rule(
        "The robot follows later",
        ("lag_s",),
        _higher("lag_s"),
        "Give the simulated actuators this delay, randomised around it, and train again; or predict the state that far ahead.",
    ),
    Rule(
        "The measured position is noisier",
        ("position_noise",),
        _higher("position_noise"),
        "Add sensor noise of this size to the observations in simulation; filter the measurement, and count what the filter "
        "delays.",
    ),
    Rule(
        "The robot tracks worse",
        ("tracking_error",),
        _estimation,
        "Look at the state estimation: calibration, frames and their offsets, encoder zero; then at friction, backlash and "
        "payload in the simulated model.",
    ),
    Rule(
        "It answers later",
        ("latency_ms",),
        _higher("latency_ms"),
        "Compensate the latency: run simulation with this delay between picture and action; shorten the longest stage "
        "(`fieldgate running`).",
    ),
    Rule(
        "It needs more effort",
        ("control_effort",),
        _higher("control_effort"),
        "Smooth the actions: penalise their size and change in training, or filter them; look for friction that simulation "
        "lacks.",
    ),
    Rule(
        "Its actions jump",
        ("action_change",),
        _higher("action_change"),
        "Smooth the actions: penalise their change from step to step in training; limit their rate on the robot.",
    ),
    Rule(
        "Its actions go further",
        ("peak_action",),
        _higher("peak_action"),
        "Set safety limits on the robot below what hardware and people stand, and train with the same limits.",
    ),
    Rule(
        "Episodes take longer",
        ("episode_length",),
        _higher("episode_length"),
        "See whether it is slower or tries again more often; a longer time limit in simulation shows what it then does.",
    ),
)


def findings_of(comparisons: Iterable[Comparison]) -> tuple[Finding, ...]:
    """Every gap with its advice, then what is not decided. Empty where all figures are close."""
    found = {one.figure: one for one in comparisons}
    gaps = [_finding(rule, found) for rule in RULES if rule.holds(found)]
    told = {figure for one in gaps for figure in one.figures}
    if told & {"lag_s", "position_noise"}:
        told.add("tracking_error")  # these explain it
    other = [_unruled(one) for one in found.values() if one.verdict == "gap" and one.figure not in told]
    undecided = [one for one in found.values() if one.verdict == "inconclusive"]
    return (*gaps, *other, *((_open(undecided),) if undecided else ()))


def _finding(rule: Rule, found: Mapping[str, Comparison]) -> Finding:
    why = found[rule.figures[0]].why
    return Finding(title=rule.title, verdict="gap", figures=rule.figures, why=why, advice=rule.advice)


def _unruled(one: Comparison) -> Finding:
    better = f"Reality and simulation differ in {figure_words(one.figure)}"
    advice = (
        "It is no failing by itself, but the simulated robot is another one: find what differs before you trust it."
    )
    return Finding(title=better, verdict="gap", figures=(one.figure,), why=one.why, advice=advice)


def _open(undecided: Sequence[Comparison]) -> Finding:
    names = tuple(one.figure for one in undecided)
    fewest = min(min(one.sim.n, one.real.n) for one in undecided)
    return Finding(
        title=f"Not decided: {', '.join(map(figure_words, names))}",
        verdict="inconclusive",
        figures=names,
        why="; ".join(f"{figure_words(one.figure)}: {one.why}" for one in undecided[:3]),
        advice=f"Run more episodes: four times as many as the {fewest} of the smaller side halve the bounds.",
    )
