"""What a reader must know before believing a phase's figures: what was taken back, tried before, or not looked at.

None of it is forbidden, and some of it is normal work; what it does to the figures is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.fieldtest.running import together
from console.fieldtest.spans import span_s
from console.phases.evidence import Evidence, Ground
from console.phases.schema import Phase
from console.phases.timeline import Heard, Session, Timeline
from console.record.entries import Trial

UNDONE = "undone"
LONGER = 1.5
"""So much more running than was stated is worth a word."""
_EVENTS = ("mtbf_h", "crashes_per_day", "interventions_per_day")


def cautions(ground: Ground, told: Timeline, evidence: Evidence) -> tuple[str, ...]:
    """A sentence each, the gravest first; empty where there is nothing to say."""
    if ground.begun is None:
        return ()
    now = [one for one in ground.sessions if not ground.outside(one)]
    return (
        *_tries(ground, told),
        *_undone(ground, now),
        *_never_logged(now),
        *_not_scored(now),
        *_not_looked_at(evidence),
        *_run_on(ground.phase, evidence),
        *(f"session {one.seq}: {words}" for one in now for words in one.refused),
    )


def _tries(ground: Ground, told: Timeline) -> Iterator[str]:
    """How often this bundle on this robot was tried here before, and what that does to chance."""
    begins = [kept.seq for kept in told.begun if kept.body.phase == ground.phase.id]
    earlier: dict[int, list[Heard[Trial]]] = {}
    for session in ground.sessions:
        if ground.outside(session):
            begin = max((seq for seq in begins if seq < session.seq), default=0)
            earlier.setdefault(begin, []).extend(one for one in session.trials if _same(ground, one))
    tries = [trials for trials in earlier.values() if trials]
    if not tries:
        return
    trials = [one for found in tries for one in found]
    good = sum(one.kept.body.outcome == "success" for one in trials)
    before = "once before" if len(tries) == 1 else f"{len(tries)} times before"
    other = sum(one.identity.rule != ground.now.rule for one in trials)
    changed = f", {other} of them under another rule" if other else ""
    alpha = 100 * (1 - min(question.criterion.confidence for question in ground.phase.questions))
    chance = f"each try may pass by luck in {alpha:.3g} % of all cases, {len(tries) + 1} in up to "
    yield (
        f"this bundle was tried here {before}: {good} of {_count(len(trials), 'trial')} succeeded{changed}; "
        f"{chance}{min(100.0, alpha * (len(tries) + 1)):.3g} %"
    )


def _same(ground: Ground, heard: Heard[Trial]) -> bool:
    """Whether it was of what is tried now, by whatever rule."""
    found, now = heard.identity, ground.now
    return not heard.wrong and found.bundle == now.bundle and (not now.robot or found.robot == now.robot)


def _undone(ground: Ground, sessions: Sequence[Session]) -> Iterator[str]:
    """What was taken back, and how the successes would stand with it."""
    heard = [one for session in sessions for one in session.trials if _same(ground, one) or one.wrong == UNDONE]
    undone = [one for one in heard if one.wrong == UNDONE]
    if undone:
        worse = sum(one.kept.body.outcome != "success" for one in undone)
        shares = (_share(ground.phase, [one for one in heard if not one.wrong]), _share(ground.phase, heard))
        what = f"{_count(len(undone), 'trial')} undone, {worse} of them no success"
        yield f"{what}: {shares[0]} succeeded without, {shares[1]} with them"
    scores = sum(one.wrong == UNDONE for session in sessions for one in session.frames)
    if scores:
        yield f"the scores of {_count(scores, 'frame')} were undone"


def _share(phase: Phase, heard: Sequence[Heard[Trial]]) -> str:
    outcomes = [one.kept.body.outcome for one in heard]
    counted = [one for one in outcomes if not (one == "aborted" and phase.aborted == "excluded")]
    return f"{counted.count('success')} of {len(counted)}"


def _never_logged(sessions: Sequence[Session]) -> Iterator[str]:
    """Attempts whose outcome nobody wrote down, the one that is under way left out."""
    lost = sum(len(one.attempts.keys() - one.answered - {one.open_trial}) for one in sessions)
    if lost:
        yield f"{_count(lost, 'trial')} begun, and how it came out was never logged"


def _not_scored(sessions: Sequence[Session]) -> Iterator[str]:
    """Frames that were drawn together with scored ones, and are not scored: whoever chooses among them can choose the good."""
    bodies = [one.kept.body for session in sessions for one in session.frames if not one.wrong and one.kept.body.draw]
    drawn = {body.draw: body.draw_of for body in bodies}
    left = sum(max(0, of - sum(body.draw == name for body in bodies)) for name, of in drawn.items())
    if left:
        yield f"{left} of {_count(sum(drawn.values()), 'frame')} that were drawn to be scored are not scored"


def _not_looked_at(evidence: Evidence) -> Iterator[str]:
    blind = sum(kept.body.moment.robot_boot_id is None for kept in evidence.trials)
    if blind:
        what = f"{blind} of {_count(len(evidence.trials), 'trial')} logged without asking the robot"
        yield f"{what}: that this bundle ran is people's word"


def _run_on(phase: Phase, evidence: Evidence) -> Iterator[str]:
    """Figures of the running have no plan: whoever runs on until they pass gets more luck than `confidence` says."""
    names = [one.criterion.metric for one in phase.questions if one.criterion.metric in _EVENTS]
    known_s = together(kept.body.measured.running for kept in evidence.measured).known_s
    if names and phase.min_running is not None and known_s > LONGER * span_s(phase.min_running):
        what = f"{', '.join(names)}: it ran {known_s / 3600:.1f} h, {phase.min_running} were stated"
        yield f"{what}; where people run on until such a figure passes, luck passes it more often than its confidence says"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"
