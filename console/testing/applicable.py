"""Which actions of the field test apply now: the key line offers these, and no other key does anything."""

from __future__ import annotations

from console.phases.states import FieldState, PhaseState, SessionState

TRIALS = ("log_success", "log_failure", "log_aborted", "helped_success", "helped_failure")
"""Names of the actions that log a trial."""


def offered_now(field: FieldState, shown: str) -> tuple[str, ...]:
    """The names of the actions that apply, most wanted first. `shown` is the id of the phase that is looked at."""
    phase = next((one for one in field.phases if one.phase.id == shown), None)
    names = _in_session(field.session) if field.session is not None else _without(field, phase)
    if phase is not None and any(stop.reached for stop in phase.stops):
        names.insert(0, "lift_stop")
    if any(not one.why_not for one in field.trials) and "trial_note" not in names:
        names.append("trial_note")
    if field.sessions:
        names.append("measure_sessions")
    return tuple(dict.fromkeys([*names, "field_person", "field_retry"]))


def _in_session(session: SessionState) -> list[str]:
    said = ["undo"] if session.trials or session.frames_scored or session.interventions else []
    if session.paused:
        return ["pause_session", *said, "conditions", "intervene", "session", "trial_note"]
    names = [*TRIALS[:3], *said, "trial_note"]
    names += [] if session.open_trial is not None else ["begin_attempt"]
    return [*names, "pause_session", "intervene", "conditions", "score", "session", *TRIALS[3:], "measure_sessions"]


def _without(field: FieldState, phase: PhaseState | None) -> list[str]:
    if phase is None:
        return []
    begun = field.current == phase.phase.id
    stopped = any(stop.reached for stop in phase.stops)
    names = ["session", "phase"] if begun and not stopped else ["phase"]
    return [*names, "undo"] if stopped else names
