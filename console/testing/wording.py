"""What the field test's desk says."""

from __future__ import annotations

from console.phases.schema import Entry
from console.phases.states import PASSED, FieldState, TrialState
from console.record.entries import ConditionSeen
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
    """`trial 12: success, 9 of 12 succeeded`; without a fold that has it, the counts are left out."""
    said = f"trial {trial.number}: {trial.outcome}{' with help' if trial.intervened else ''}"
    took = trial.measures.get("took_s")
    said += f" after {took:.1f} s" if took is not None else ""
    if field is None:
        return said
    why = next((one.why_not for one in field.trials if one.seq == trial.seq and not one.counts), "")
    if why:
        return f"{said}, which does not count: {why}"
    return f"{said}, {succeeded(field, trial.phase)}"


def succeeded(field: FieldState, phase_id: str, session: int | None = None) -> str:
    """`9 of 10 succeeded, 1 aborted`: of the phase's trials that count, or of those of one session.

    Aborted ones are among them unless the phase leaves them out; then they are named behind.
    """
    phase = next((one.phase for one in field.phases if one.phase.id == phase_id), None)
    without_aborted = phase is not None and phase.aborted == "excluded"
    counted = [one for one in field.trials if one.phase == phase_id and one.counts and session in (None, one.session)]
    tried = [one for one in counted if not (without_aborted and one.outcome == "aborted")]
    aborted = len(counted) - len(tried)
    words = f"{sum(one.outcome == 'success' for one in tried)} of {len(tried)} succeeded"
    return f"{words}, {aborted} aborted" if aborted else words


def session_name(field: FieldState, seq: int) -> str:
    """`session 2 (entry 90)`: the campaign's sessions are counted from 1."""
    number = next((n for n, one in enumerate(field.sessions, 1) if one.seq == seq), len(field.sessions) + 1)
    return f"session {number} (entry {seq})"


def span_words(seconds: float) -> str:
    """`4.2 min`, from an hour on `1.25 h`."""
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.2f} h"


def entry_words(condition: Entry, seen: ConditionSeen) -> str:
    """An entry condition by its title with what was found; where it is not met, with the key that leads to it."""
    found = f"{condition.title}: {seen.words}" if condition.title else seen.words
    return found if seen.met else f"{found}; {_entry_cure(condition)}"


def _entry_cure(condition: Entry) -> str:
    if condition.stage:
        return f"open the gate of '{condition.stage}' on the checklist (2, then G)"
    if condition.items_of:
        return f"settle the items of '{condition.items_of}' on the checklist (2)"
    if condition.item:
        return f"settle '{condition.item}' on the checklist (2)"
    return f"pass the phase '{condition.phase}' first (left shows it)"


def falling(field: FieldState, back_to: str) -> str:
    """What loses its standing where one goes back to that phase: its trials, and those of all phases behind it."""
    order = [one.phase.id for one in field.phases]
    parts = []
    for phase in field.phases[order.index(back_to) if back_to in order else 0 :]:
        if phase.begun_wall_ns is None:
            continue
        passed = ", PASSED" if phase.status in PASSED else ""
        parts.append(f"{phase.phase.id} ({counted(phase.trials, 'trial')}{passed})")
    return ", ".join(parts)
