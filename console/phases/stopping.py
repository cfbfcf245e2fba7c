"""Stop rules: how far each one's count is, and whether it was reached and not lifted since."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from console.phases.evidence import Evidence
from console.phases.schema import Phase, Stop
from console.phases.states import StopState
from console.record.entries import StopLifted
from console.record.ledger import Kept


def stop_states(phase: Phase, evidence: Evidence, lifted: Sequence[Kept[StopLifted]]) -> tuple[StopState, ...]:
    """Every stop rule of the phase. A count begins anew where somebody wrote why testing may go on."""
    since = {kept.body.stop: kept.seq for kept in lifted if kept.body.phase == phase.id}
    return tuple(_state(stop, phase, evidence, since.get(stop.id, 0)) for stop in phase.stop)


def _state(stop: Stop, phase: Phase, evidence: Evidence, since: int) -> StopState:
    count = _COUNTS[stop.count](stop, phase, evidence, since)
    return StopState(id=stop.id, title=stop.title, count=count, at=stop.at, reached=count >= stop.at, cure=stop.cure)


def _failed(phase: Phase, evidence: Evidence, since: int) -> Iterator[bool]:
    """Of each trial since, whether it failed; broken-off ones only where they count as failures."""
    for kept in evidence.trials:
        aborted = kept.body.outcome == "aborted"
        if kept.seq > since and not (aborted and phase.aborted == "excluded"):
            yield kept.body.outcome != "success"


def _failures(stop: Stop, phase: Phase, evidence: Evidence, since: int) -> int:
    return sum(_failed(phase, evidence, since))


def _in_a_row(stop: Stop, phase: Phase, evidence: Evidence, since: int) -> int:
    """The failures at the end; where there ever were enough, those: a later success does not lift the rule."""
    row = 0
    for failed in _failed(phase, evidence, since):
        if row >= stop.at:
            break
        row = row + 1 if failed else 0
    return row


def _interventions(stop: Stop, phase: Phase, evidence: Evidence, since: int) -> int:
    within = sum(kept.seq > since and kept.body.intervened for kept in evidence.trials)
    return within + sum(kept.seq > since for kept in evidence.interventions)


def _crashes(stop: Stop, phase: Phase, evidence: Evidence, since: int) -> int:
    """Of each session since the crashes that its trials saw, or those that its journal tells of, whichever are more."""
    told: dict[int, int] = {}
    for trial in evidence.trials:
        if trial.seq > since and trial.body.crashed:
            told[trial.body.session] = told.get(trial.body.session, 0) + 1
    measured = {kept.body.session: kept.body.measured.running for kept in evidence.measured}
    known = {session: running.crashes + running.hangs for session, running in measured.items() if session > since}
    return sum(max(told.get(session, 0), known.get(session, 0)) for session in told.keys() | known.keys())


_COUNTS: dict[str, Callable[[Stop, Phase, Evidence, int], int]] = {
    "failures_in_a_row": _in_a_row,
    "failures": _failures,
    "interventions": _interventions,
    "crashes": _crashes,
}
