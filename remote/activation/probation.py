"""Whether a candidate on trial is kept: pure judgement of what was seen of it against what was seen before it.

What is a limit in itself (heat, memory, NaN, crashes) is judged at once. What is a statistic is judged by exact bounds, and
only at looks: asking each second until the answer pleases would keep a bad model, or give back a good one, far more often than
5 % of the time. Looks come at doubling numbers of frames, and look i (from 0) may err with 5 % / 2^(i+1): together at most 5 %
for keeping wrongly, and 5 % for giving back wrongly, for each check. A check that decides nothing is inconclusive, never pass.
The bounds hold for frames that do not depend on each other; those of one scene do, so `frames` should cover what the robot
sees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from remote.activation.bounds import lower_rank, lower_share, upper_rank, upper_share
from remote.activation.ground import Seen
from remote.histogram import RELATIVE_ERROR, Histogram
from remote.model_states import Probation
from remote.protocol import Scored
from remote.verdicts import Check, Verdict, overall

ALPHA = 0.05
FIRST_FAIL_LOOK = 32
QUANTILE = 0.99
FEWEST_FRAMES = 100
FEWEST_BOXES = 0.1
"""With fewer frames, or boxes a frame, of the model before its boxes are not compared."""
BLIND_BOXES = 500
"""A candidate without a single box is given back at a look before the last one where the model before found so many in as many
frames: a robot that sees nothing is dangerous sooner than an empty scene is likely."""
FRAMES_TO_COMPARE = 450
"""So many frames of the model before let the first look decide on its p99: its upper bound needs 368, as 0.99^368 < 2.5 %.

Of the candidate it needs 437, as 0.99^437 < 1.25 %: 5 % are halved for the first look, and again as both bounds may err.
"""
BAD_RESULTS = ("bad_output", "inference_error")
DEATHS = ("worker_crash", "worker_hang")


@dataclass(frozen=True)
class Looks:
    """How often the statistics were judged already, for failing and for passing, and at how many frames they are next.

    `calm_frames` and `calm_s` are what had been seen when the worker was last started: frames and seconds must be reached
    without an end of the worker in between, or one that crashes every 20 s would come through in pieces.
    """

    for_fail: int = 0
    fail_at: int = FIRST_FAIL_LOOK
    for_pass: int = 0
    pass_at: int = 0
    calm_frames: int = 0
    calm_s: float = 0.0

    def started(self, since: Seen) -> Looks:
        """The same after a start of the worker, when so much had been seen."""
        return replace(self, calm_frames=since.frames, calm_s=since.seconds)


@dataclass(frozen=True)
class _Errors:
    """How often this look may err: in giving back, in keeping; None: it is no look for that."""

    giving_back: float | None
    keeping: float | None


def judge(plan: Probation, before: Seen, since: Seen, looks: Looks = Looks()) -> tuple[Verdict, tuple[Check, ...]]:
    """Pass: keep it. Fail: the one before has to come back. Inconclusive: go on and ask again with `looked(...)`."""
    errors = _Errors(
        ALPHA / 2 ** (looks.for_fail + 1) if _tried(since) >= looks.fail_at else None,
        ALPHA / 2 ** (looks.for_pass + 1) if _is_pass_look(plan, since, looks) else None,
    )
    found = (
        _reached("frames", since.frames - looks.calm_frames, plan.frames, "frames"),
        _reached("seconds", since.seconds - looks.calm_s, plan.least_s, "s"),
        _none_of("bad_results", BAD_RESULTS, since, 0, "results were no numbers, or errors of the engine"),
        _none_of("worker_deaths", DEATHS, since, plan.restarts - 1, "ends of the worker that nobody asked for"),
        _worst("hottest", "the hottest sensor", since.hottest_c, plan.hottest_c, "C"),
        _worst("memory", "the worker's memory", since.memory_mb, plan.memory_mb, "MB"),
        _latency(plan, before.end_to_end_ms, since.end_to_end_ms, errors),
        _failed_frames(plan.failed_share, since, errors),
        _misses(plan.miss_share_more, before.scored, since.scored, errors),
        _boxes(plan.boxes_ratio, before, since, errors),
    )
    checks = tuple(check for check in found if check is not None)
    return overall(checks), checks


def frames_to_compare(plan: Probation) -> int:
    """How many frames of the model before this plan needs, to be decided at its first look; 0: it compares nothing."""
    if plan.p99_ratio is not None and plan.p99_ms is None:
        return FRAMES_TO_COMPARE
    misses = plan.miss_share_more is not None and plan.miss_share_more < 1
    return FEWEST_FRAMES if misses or plan.boxes_ratio is not None else 0


def looked(plan: Probation, since: Seen, looks: Looks) -> Looks:
    """The looks after `judge` was asked with these."""
    fails, fail_at = looks.for_fail, looks.fail_at
    if _tried(since) >= fail_at:
        fails += 1
        while fail_at <= _tried(since):
            fail_at *= 2
    if _is_pass_look(plan, since, looks):
        looks = replace(looks, for_pass=looks.for_pass + 1, pass_at=2 * max(since.frames, 1))
    return replace(looks, for_fail=fails, fail_at=fail_at)


def _tried(seen: Seen) -> int:
    return seen.frames + seen.failed


def _is_pass_look(plan: Probation, since: Seen, looks: Looks) -> bool:
    calm = since.frames - looks.calm_frames >= plan.frames and since.seconds - looks.calm_s >= plan.least_s
    return calm and since.frames >= looks.pass_at


def _reached(name: str, value: float, least: float, unit: str) -> Check:
    verdict: Verdict = "pass" if value >= least else "inconclusive"
    text = f"it ran {short(value)} of {short(least)} {unit} without a break"
    if value >= least:  # the other checks count all of them
        text = f"it ran {short(value)} {unit} without a break; at least {short(least)} asked"
    return Check(name=name, verdict=verdict, text=text, value=value, limit=least, unit=unit)


def _none_of(name: str, kinds: tuple[str, ...], since: Seen, most: int, what: str) -> Check:
    count = sum(since.failures.get(kind, 0) for kind in kinds)
    text = f"{count} {what}; {f'at most {most}' if most else 'none'} allowed"
    verdict: Verdict = "fail" if count > most else "pass"
    return Check(name=name, verdict=verdict, text=text, value=count, limit=most, n=_tried(since))


def _worst(name: str, what: str, value: float | None, most: float | None, unit: str) -> Check | None:
    if most is None:
        return None
    if value is None:
        return Check(name=name, verdict="skipped", text=f"{what} was not measured", limit=most, unit=unit)
    verdict: Verdict = "pass" if value <= most else "fail"  # a NaN is no pass
    text = f"{what} was {short(value)} {unit}; at most {short(most)} {unit} allowed"
    return Check(name=name, verdict=verdict, text=text, value=value, limit=most, unit=unit)


def _latency(plan: Probation, before: Histogram, since: Histogram, errors: _Errors) -> Check | None:
    """p99 of end_to_end. Against a multiple of the model before, both have half of the error."""
    if plan.p99_ms is not None:
        limit = plan.p99_ms
        return _quantile(since, errors, 1.0, (limit, limit, limit), "")
    if plan.p99_ratio is None:
        return None
    ratio, typical = plan.p99_ratio, before.quantile(QUANTILE)
    if typical is None:
        text = "p99 of end to end was not compared: nothing was seen of the model before"
        return Check(name="latency_p99", verdict="skipped", text=text, unit="ms")
    low, high = _bounds(before, ALPHA / 2, ALPHA / 2)
    limits = (ratio * (low or 0.0), ratio * typical, ratio * high if high else None)
    seen_for = "" if high else f", which was seen for only {before.count} frames"
    return _quantile(
        since, errors, 0.5, limits, f" ({ratio:g} times the {short(typical)} ms of the model before{seen_for})"
    )


def _quantile(
    since: Histogram, errors: _Errors, share: float, limits: tuple[float, float, float | None], why: str
) -> Check:
    """`limits`: what surely passes below it, the one that is shown, what surely fails above it (None: not known).

    `why` says where the limit comes from.
    """
    sure, shown, hopeless = limits
    value = since.quantile(QUANTILE)
    low, high = _bounds(since, _part(errors.giving_back, share), _part(errors.keeping, share))
    verdict = _decided(high is not None and high <= sure, low is not None and hopeless is not None and low > hopeless)
    bound = low if verdict == "fail" else high
    took = "not measured" if value is None else f"{short(value)} ms"
    text = f"p99 of end to end (99 of 100 frames are faster): {took}; at most {short(shown)} ms allowed{why}"
    text += _how_sure(bound, verdict, " ms")
    return Check(
        name="latency_p99", verdict=verdict, text=text, value=value, bound=bound, limit=shown, unit="ms", n=since.count
    )


def _bounds(times: Histogram, below: float | None, above: float | None) -> tuple[float | None, float | None]:
    """What p99 is at least and at most, each with its error; None where there is no look, or too few values."""
    low = lower_rank(times.count, QUANTILE, below) if below is not None else None
    high = upper_rank(times.count, QUANTILE, above) if above is not None and times.count else None
    return (
        _at_rank(times, low) * (1 - RELATIVE_ERROR) if low else None,
        _at_rank(times, high) * (1 + RELATIVE_ERROR) if high else None,
    )


def _at_rank(times: Histogram, rank: int) -> float:
    return times.quantile((rank - 0.5) / times.count) or 0.0


def _failed_frames(most: float | None, since: Seen, errors: _Errors) -> Check | None:
    if most is None:
        return None
    failed, tried = since.failed, _tried(since)
    low = _share(lower_share, failed, tried, errors.giving_back)
    high = _share(upper_share, failed, tried, errors.keeping)
    verdict = _decided(high is not None and high <= most, low is not None and low > most)
    bound = low if verdict == "fail" else high
    text = (
        f"{failed} of {tried} frames had no answer{_percent_of(failed, tried)}; at most {short(100 * most)} % allowed"
    )
    text += _how_sure(_percent(bound), verdict, " %")
    value = _percent(failed / tried if tried else None)
    return Check(
        name="failed_frames",
        verdict=verdict,
        text=text,
        value=value,
        bound=_percent(bound),
        limit=_percent(most),
        unit="%",
        n=tried,
    )


def _misses(more: float | None, before: Scored | None, since: Scored | None, errors: _Errors) -> Check | None:
    """The difference of two shares by both their exact bounds, each with half of the error: wider than need be, never too
    narrow.
    """
    if more is None:
        return None
    if before is None or since is None or not _known(before) or not _known(since):
        text = "it was not known which objects are in view: misses were not compared"
        return Check(name="misses", verdict="skipped", text=text, limit=_percent(more), unit="%")
    value = since.missed / _known(since) - before.missed / _known(before)
    low = _difference(since, before, _part(errors.giving_back, 0.5))
    high = _difference(before, since, _part(errors.keeping, 0.5))
    verdict = _decided(high is not None and -high <= more, low is not None and low > more)
    bound = low if verdict == "fail" else None if high is None else -high
    text = f"{since.missed} of {_known(since)} known objects were missed{_percent_of(since.missed, _known(since))}, "
    text += f"{before.missed} of {_known(before)} before{_percent_of(before.missed, _known(before))}; "
    text += f"at most {short(100 * more)} % more allowed{_how_sure(_percent(bound), verdict, ' % more')}"
    return Check(
        name="misses",
        verdict=verdict,
        text=text,
        value=_percent(value),
        bound=_percent(bound),
        limit=_percent(more),
        unit="%",
        n=_known(since),
    )


def _boxes(ratio: float | None, before: Seen, since: Seen, errors: _Errors) -> Check | None:
    """Boxes a frame against those of the model before. A rough bound without a confidence: frames of one scene are alike.

    So it decides where the candidate may be kept, and earlier only where it is blind.
    """
    if ratio is None:
        return None
    limit, few = round(ratio, 3), _too_little(before)
    if few:
        text = f"boxes were not compared: {few}"
        return Check(name="boxes", verdict="skipped", text=text, limit=limit, unit="times")
    then, now = before.boxes / before.frames, since.boxes / since.frames if since.frames else 0.0
    times = max(now / then, then / now) if now else None
    is_blind = errors.giving_back is not None and not since.boxes and then * since.frames >= BLIND_BOXES
    is_look = is_blind or errors.keeping is not None
    verdict: Verdict = "inconclusive" if not is_look else "fail" if times is None or times > ratio else "pass"
    text = f"{short(now)} boxes a frame, {short(then)} before; {short(then / ratio)} to {short(then * ratio)} allowed"
    return Check(name="boxes", verdict=verdict, text=text, value=times, limit=limit, unit="times", n=since.frames)


def _too_little(before: Seen) -> str:
    """Why the boxes of the model before are nothing to compare with; empty where they are."""
    if before.frames < FEWEST_FRAMES:
        return f"the model before was seen for {before.frames} frames, {FEWEST_FRAMES} are needed"
    if before.boxes < FEWEST_BOXES * before.frames:
        return f"the model before found {before.boxes} boxes in {before.frames} frames"
    return ""


def _difference(one: Scored, other: Scored, error: float | None) -> float | None:
    """How much larger the share missed in `one` is than in `other`, at least."""
    if error is None:
        return None
    return lower_share(one.missed, _known(one), error) - upper_share(other.missed, _known(other), error)


def _known(scored: Scored) -> int:
    return scored.found + scored.missed


def _share(bound: Callable[[int, int, float], float], count: int, n: int, error: float | None) -> float | None:
    return None if error is None or not n else bound(count, n, error)


def _part(error: float | None, share: float) -> float | None:
    return None if error is None else error * share


def _decided(passes: bool, fails: bool) -> Verdict:
    return "fail" if fails else "pass" if passes else "inconclusive"


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 6)


def _percent_of(count: int, n: int) -> str:
    return f" ({short(100 * count / n)} %)" if n else ""


def _how_sure(bound: float | None, verdict: Verdict, unit: str) -> str:
    if bound is None or verdict == "inconclusive":
        may_be = "" if bound is None else f", it may be {short(bound)}{unit}"
        return f"; not sure yet{may_be}"
    return f"; surely {'over' if verdict == 'fail' else 'below'} {short(bound)}{unit} (95 % confidence)"


def short(value: float) -> str:
    """A number as people want it: three digits that count, all of those before the point."""
    return f"{value:.0f}" if value % 1 == 0 or abs(value) >= 100 else f"{value:.3g}"
