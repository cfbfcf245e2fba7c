"""A record's entries about field testing become the state of its phases: the one place that decides. Pure.

timeline reads the entries, evidence says what counts, counting makes the figures, verdicts judges them, stopping counts towards
the stop rules. The checklist's fold calls `fold_phases`, then the gates, then `with_entry`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

import msgspec

from console.fieldtest.criteria import Rate
from console.fieldtest.running import together
from console.fieldtest.spans import span_s
from console.phases.cautions import cautions
from console.phases.counting import count
from console.phases.evidence import Evidence, Ground, grounds
from console.phases.schema import Entry, Phase
from console.phases.states import PASSED, FieldState, PhaseState, QuestionState, SessionState, Status, TrialState
from console.phases.stopping import stop_states
from console.phases.timeline import Heard, Session, Timeline, timeline
from console.phases.verdicts import question_state
from console.record import entries as record
from console.record.entries import ConditionSeen, Trial
from console.record.ledger import Ledger

Baselines = Callable[[str], "Rate | None"]
"""Gives the rate that an item of the checklist measured and that still counts; None where it has none."""


def fold_phases(
    ledger: Ledger, phases: Sequence[Phase], rules: Mapping[str, str], *, bundle: str, robot: str, baseline: Baselines
) -> FieldState:
    """How all phases stand by what was tried; what the checklist must fulfil before one begins is added by `with_entry`.

    Args:
        ledger: the record.
        phases: the pack's phases, in order; `rules` their digests by id.
        bundle: the digest of the campaign's bundle now.
        robot: the robot's fingerprint as last seen; empty where it never was.
        baseline: what an item measured in simulation.

    Raises:
        Trouble: as the ledger does.
    """
    told = timeline(ledger)
    found = grounds(phases, rules, bundle, robot, told)
    states: dict[str, PhaseState] = {}
    for ground in found.values():
        states[ground.phase.id] = _phase(ground, told, baseline, states)
    return FieldState(
        phases=tuple(states.values()),
        current=told.begun[-1].body.phase if told.begun else "",
        session=_open_session(told, found),
        sessions=tuple(_session(one, found) for one in told.sessions.values()),
        trials=tuple(_trial(number, one, told, found) for number, one in enumerate(told.trials, 1)),
        basis={id: _basis(state, found[id]) for id, state in states.items()},
    )


def with_entry(field: FieldState, seen: Callable[[Entry], ConditionSeen]) -> FieldState:
    """The same with every phase's entry conditions as they are; a phase that waits for one is locked."""
    return msgspec.structs.replace(field, phases=tuple(_entered(one, seen) for one in field.phases))


def _entered(state: PhaseState, seen: Callable[[Entry], ConditionSeen]) -> PhaseState:
    entry = tuple(seen(one) for one in state.phase.entry)
    unmet = [one.words for one in entry if not one.met]
    locked = state.status == "ready" and unmet
    return msgspec.structs.replace(
        state,
        entry=entry,
        status="locked" if locked else state.status,
        reason="; ".join(unmet) if locked else state.reason,
    )


# ------------------------------------------------------------ one phase


def _phase(ground: Ground, told: Timeline, baseline: Baselines, before: Mapping[str, PhaseState]) -> PhaseState:
    evidence = ground.counting(told)
    questions, running_s = _questions(ground.phase, evidence, baseline)
    stops = stop_states(ground.phase, evidence, told.lifted)
    state = PhaseState(
        phase=ground.phase,
        status="ready",
        reason="it may be begun",
        begun_seq=ground.begun.seq if ground.begun else None,
        begun_wall_ns=ground.begun.entry.wall_ns if ground.begun else None,
        questions=questions,
        stops=stops,
        trials=len(evidence.trials),
        left_out=ground.left_out(),
        running_s=running_s,
        cautions=cautions(ground, told, evidence),
    )
    status, reason = _status(ground, state, before) if ground.begun else ("ready", "it may be begun")
    if status not in (*PASSED, "fail", "stopped") and ground.begun is not None:
        status, reason = _stale(ground, told, baseline) or (status, reason)
    return msgspec.structs.replace(state, status=status, reason=reason)


def _questions(phase: Phase, evidence: Evidence, baseline: Baselines) -> tuple[tuple[QuestionState, ...], float]:
    running_s = together(kept.body.measured.running for kept in evidence.measured).known_s
    states = []
    for question in phase.questions:
        compared = baseline(question.baseline.item) if question.baseline else None
        states.append(question_state(question, phase, count(question, phase, evidence, compared), running_s))
    return tuple(states), running_s


def _status(ground: Ground, state: PhaseState, before: Mapping[str, PhaseState]) -> tuple[Status, str]:
    if ground.gone_back:
        return "ready", f"{ground.gone_back} was gone back to: it must be begun anew"
    reached = [stop for stop in state.stops if stop.reached]
    verdict, reason = _verdict(ground.phase, state.questions, state.running_s)
    if verdict == "fail":
        return verdict, reason
    if reached:
        return "stopped", "; ".join(f"{stop.title}: {stop.count} of {stop.at}" for stop in reached)
    missing = _not_passed(ground.phase, before)
    if missing and verdict in PASSED:
        return "stale", missing
    return verdict, reason


def _verdict(phase: Phase, questions: Sequence[QuestionState], running_s: float) -> tuple[Status, str]:
    """What the questions say together: one that failed decides."""
    by = {verdict: [one for one in questions if one.judgement.verdict == verdict] for verdict in _VERDICTS}
    if by["fail"]:
        return "fail", _said(by["fail"])
    if by["inconclusive"]:
        return "testing", _said(by["inconclusive"])
    if phase.min_running is not None and running_s < span_s(phase.min_running):
        return "testing", f"it has run {running_s / 3600:.1f} h of {phase.min_running}"
    if by["marginal"]:
        return "marginal", _said(by["marginal"])
    return "pass", _said(by["pass"])


_VERDICTS = ("pass", "marginal", "fail", "inconclusive")


def _said(questions: Sequence[QuestionState]) -> str:
    others = len(questions) - 1
    more = f"; and {others} more question{'s' * (others != 1)}" if others else ""
    return f"{questions[0].question.title}: {questions[0].words}{more}"


def _not_passed(phase: Phase, before: Mapping[str, PhaseState]) -> str:
    """The first of the phases that this one builds on that is not passed now; empty where all are."""
    needed = [before[one.phase] for one in phase.entry if one.phase is not None and one.phase in before]
    return next((f"{one.phase.id} is {one.status}: {one.reason}" for one in needed if one.status not in PASSED), "")


def _stale(ground: Ground, told: Timeline, baseline: Baselines) -> tuple[Status, str] | None:
    """Whether it was passed by what does not count any more, and why that does not."""
    former = ground.former(told)
    if former is None:
        return None
    why, evidence = former
    questions, running_s = _questions(ground.phase, evidence, baseline)
    return ("stale", why) if _verdict(ground.phase, questions, running_s)[0] in PASSED else None


def _basis(state: PhaseState, ground: Ground) -> str:
    """SHA-256 over what a go or a signature is given on. A further trial that changes no verdict changes nothing here."""
    verdicts = [(one.question.id, one.judgement.verdict) for one in state.questions]
    begun = ground.begun.digest if ground.begun else ""
    return hashlib.sha256(msgspec.json.encode([state.phase.id, state.status, ground.now, begun, verdicts])).hexdigest()


# ------------------------------------------------------------ sessions and trials


def _open_session(told: Timeline, found: Mapping[str, Ground]) -> SessionState | None:
    last = next((one for one in told.sessions.values() if one.over is None), None)
    return _session(last, found) if last is not None else None


def _session(session: Session, found: Mapping[str, Ground]) -> SessionState:
    body, over, paused = session.kept.body, session.over, session.paused
    trials = [one.kept.body for one in session.trials if not one.wrong]
    why_not = _session_why_not(session, found)
    return SessionState(
        seq=session.seq,
        phase=session.phase,
        person=session.kept.entry.person,
        began_wall_ns=session.kept.entry.wall_ns,
        ended_wall_ns=over.entry.wall_ns if over else None,
        ended=_ended_words(session) if over else "",
        paused=paused.body.why if paused and not over else "",
        paused_by=paused.body.condition if paused and not over else "",
        paused_wall_ns=paused.entry.wall_ns if paused and not over else None,
        conditions=dict(session.conditions),
        trials=len(trials),
        successes=sum(trial.outcome == "success" for trial in trials),
        frames_scored=sum(not one.wrong for one in session.frames),
        interventions=sum(trial.intervened for trial in trials) + sum(not one.wrong for one in session.interventions),
        open_trial=session.open_trial,
        open_trial_wall_ns=session.attempts.get(session.open_trial or 0),
        journal=body.journal,
        first_seq=body.first_seq,
        last_seq=session.ended.body.last_seq if session.ended else 0,
        measured=session.measured.body.measured if session.measured else None,
        counts=not why_not,
        why_not=why_not,
    )


def _ended_words(session: Session) -> str:
    ended = session.ended.body if session.ended else None
    return (ended.why or ended.stop or "ended") if ended else "another session was begun"


def _session_why_not(session: Session, found: Mapping[str, Ground]) -> str:
    ground = found.get(session.phase)
    if ground is None:
        return f"the pack has no phase '{session.phase}'"
    return ground.outside(session) or ground.why_not(session.identity)


def _trial(number: int, heard: Heard[Trial], told: Timeline, found: Mapping[str, Ground]) -> TrialState:
    kept = heard.kept
    state = trial_state(kept.entry, kept.body, number, _trial_why_not(heard, told, found))
    later = told.notes.get(kept.seq, ())
    return msgspec.structs.replace(state, note="; ".join(filter(None, (state.note, *later)))) if later else state


def trial_state(entry: record.Entry, trial: Trial, number: int, why_not: str = "") -> TrialState:
    """The trial of that entry, without what was said of it later; `why_not` says why it does not count."""
    return TrialState(
        seq=entry.seq,
        number=number,
        session=trial.session,
        phase=trial.phase,
        outcome=trial.outcome,
        conditions=trial.conditions,
        note=trial.note,
        person=entry.person,
        wall_ns=entry.wall_ns,
        intervened=trial.intervened,
        crashed=trial.crashed,
        measures=trial.measures,
        failures=trial.failures,
        counts=not why_not,
        why_not=why_not,
    )


def _trial_why_not(heard: Heard[Trial], told: Timeline, found: Mapping[str, Ground]) -> str:
    if heard.wrong:
        return heard.wrong
    session = told.sessions[heard.kept.body.session]
    ground = found.get(session.phase)
    return ground.reason(session, heard) if ground else f"the pack has no phase '{session.phase}'"
