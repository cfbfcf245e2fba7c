"""What the field test's desk says."""

from __future__ import annotations

from console.phases.states import FieldState, TrialState
from remote.errors import Trouble

KEY_CURES: dict[str, str] = {
    "no_phase": "g begins the shown phase",
    "phase_changed": "g begins the phase anew, with a reason",
    "no_session": "x begins one",
    "session_open": "x ends it",
    "session_paused": "mend it, then p lets it go on",
    "not_paused": "go on testing",
    "condition_missing": "c sets the conditions",
    "phase_stopped": "l writes down why it may go on",
    "trial_open": "s, f or a logs it",
    "nothing_to_undo": "older words are taken back in the checklist (2), with x",
}
"""By a Trouble's code the key that cures it here, where its own words name a command."""


def by_key(trouble: Trouble) -> Trouble:
    """The same trouble with the key that cures it on this screen."""
    cure = KEY_CURES.get(trouble.code)
    return trouble if cure is None else Trouble(trouble.what, cure=cure, code=trouble.code)


def counted(n: int, what: str) -> str:
    """`1 trial`, `3 trials`."""
    return f"{n} {what}{'' if n == 1 else 's'}"


def echo_words(trial: TrialState, field: FieldState | None) -> str:
    """`trial 12: success, 9 of 12`; without a fold that has it, the counts are left out."""
    said = f"trial {trial.number}: {trial.outcome}{' with help' if trial.intervened else ''}"
    took = trial.measures.get("took_s")
    said += f" after {took:.1f} s" if took is not None else ""
    if field is None:
        return said
    why = next((one.why_not for one in field.trials if one.seq == trial.seq and not one.counts), "")
    if why:
        return f"{said}, which does not count: {why}"
    return f"{said}, {succeeded(field, trial.phase)}"


def succeeded(field: FieldState, phase_id: str) -> str:
    """`9 of 12`: of the phase's trials that count; aborted ones are among them unless the phase leaves them out."""
    phase = next((one.phase for one in field.phases if one.phase.id == phase_id), None)
    without_aborted = phase is not None and phase.aborted == "excluded"
    counted = [one for one in field.trials if one.phase == phase_id and one.counts]
    tried = [one for one in counted if not (without_aborted and one.outcome == "aborted")]
    return f"{sum(one.outcome == 'success' for one in tried)} of {len(tried)}"
