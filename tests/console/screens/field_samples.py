"""A field test in every state, made by hand: for tests of what a person sees."""

from __future__ import annotations

from typing import Any

import msgspec

from console.checklist.states import ChecklistState
from console.fieldtest.criteria import Criterion, Judgement, Rate, Verdict
from console.phases.schema import Condition, Entry, Holding, Phase, Plan, Question, Stop
from console.phases.states import FieldState, PhaseState, QuestionState, SessionState, StopState, TrialState
from console.record.entries import ConditionSeen, Outcome
from tests.console.screens.checklist_samples import NOW, S, checklist

MIN = 60 * S


def question(id: str = "success", title: str = "Grasps succeed", threshold: float = 80, **more: Any) -> Question:
    limit = Criterion(metric="success_rate", statistic="rate", comparison=">", threshold=threshold, unit="%")
    given: dict[str, Any] = {"denominator": "grasps tried", "criterion": limit, "plan": Plan(n=60, expected=95), **more}
    return Question(id=id, title=title, **given)


def phase(id: str, title: str, **more: Any) -> Phase:
    given: dict[str, Any] = {
        "trial": "one grasp of one object, from rest to rest",
        "success": "the object is in the box",
        "conditions": (
            Condition(id="light", title="Light", values=("bright", "dim"), required=True),
            Condition(id="place", title="Place"),
        ),
        "entry": (Entry(title="Simulation is settled", stage="simulation"),),
        "holding": (
            Holding(id="link", title="Robot in reach", check="link"),
            Holding(id="worker", title="Inference runs", check="worker"),
        ),
        "questions": (question(), question("few_drops", "Nothing is dropped", 90, plan=None)),
        "stop": (
            Stop(id="row", title="Failures in a row", count="failures_in_a_row", at=3, cure="Look at the gripper."),
            Stop(id="crashes", title="Crashes of the worker", count="crashes", at=2),
        ),
        "planned_n": 60,
        **more,
    }
    return Phase(id=id, title=title, **given)


LAB = phase("lab", "Grasping in the lab")
OFFICE = phase("office", "Grasping in the office")
TARGET = phase("target", "Grasping where it will work")
FREE = phase("production", "Grasping alone")


def asked(verdict: Verdict, words: str, one: Question, *, more: int | None = None, n: int = 12) -> QuestionState:
    return QuestionState(
        question=one,
        measurement=Rate(9, n) if n else None,
        judgement=Judgement(verdict=verdict, value=75.0, lower=45.0, upper=92.0, n=n),
        words=words,
        why="no trials yet" if not n else "",
        more=more,
    )


def office(**more: Any) -> PhaseState:
    given: dict[str, Any] = {
        "status": "testing",
        "reason": "2 questions are not yet decided",
        "begun_wall_ns": NOW - 90 * MIN,
        "entry": (ConditionSeen(id="stage", met=True, words="the gate of 'simulation' is open"),),
        "questions": (
            asked(
                "inconclusive",
                "9 of 12 = 75.0 % [42.8, 94.5] against > 80 %: not yet decided, about 31 more trials",
                OFFICE.questions[0],
                more=31,
            ),
            asked("pass", "12 of 12 = 100.0 % [77.9, -] against > 70 %: pass", OFFICE.questions[1]),
        ),
        "stops": (
            StopState(id="row", title="Failures in a row", count=1, at=3, cure="Look at the gripper."),
            StopState(id="crashes", title="Crashes of the worker", count=0, at=2),
        ),
        "trials": 12,
        "left_out": {"bundle 3f2a -> 4f1d": 3},
        "running_s": 5400.0,
        **more,
    }
    return PhaseState(phase=OFFICE, **given)


def trial(number: int, outcome: Outcome, **more: Any) -> TrialState:
    given: dict[str, Any] = {
        "conditions": {"light": "dim", "place": "aisle 3"},
        "note": "",
        "person": "ada",
        "wall_ns": NOW - (60 - number) * MIN,
        **more,
    }
    return TrialState(seq=100 + number, number=number, session=90, phase="office", outcome=outcome, **given)


def trials() -> tuple[TrialState, ...]:
    made = [trial(n, "failure" if n in (4, 9) else "success") for n in range(1, 11)]
    made[2] = trial(3, "aborted", note="cable caught", measures={"took_s": 12.5})
    undone = trial(11, "failure", counts=False, why_not="undone by ada: undone at once")
    other = trial(0, "success", counts=False, why_not="bundle 3f2a -> 4f1d")
    return (other, *made, undone, trial(12, "success", intervened=True), trial(13, "success"))


def session(**more: Any) -> SessionState:
    given: dict[str, Any] = {
        "began_wall_ns": NOW - 34 * MIN,
        "conditions": {"light": "dim", "place": "aisle 3"},
        "trials": 12,
        "successes": 9,
        "interventions": 1,
        "frames_scored": 4,
        **more,
    }
    return SessionState(seq=90, phase="office", person="ada", **given)


def field(**more: Any) -> FieldState:
    """A session runs in the office; `more` replaces fields."""
    lab = PhaseState(
        phase=LAB, status="pass", reason="every question is decided", begun_wall_ns=NOW - 3000 * MIN, trials=40
    )
    target = PhaseState(
        phase=TARGET,
        status="locked",
        reason="'office' is not passed",
        entry=(ConditionSeen(id="phase", met=False, words="'office' is not passed: it is being tested"),),
        questions=(asked("inconclusive", "", TARGET.questions[0], n=0),),
    )
    free = PhaseState(phase=FREE, status="locked", reason="'target' is not passed")
    given: dict[str, Any] = {
        "phases": (lab, office(), target, free),
        "current": "office",
        "session": session(),
        "sessions": (session(),),
        "trials": trials(),
        **more,
    }
    return FieldState(**given)


def paused(**more: Any) -> FieldState:
    why = "Robot in reach: the link is down, last heard 8.2 s ago: no route to orin, for 5 s"
    return field(session=session(paused=why, paused_by="fieldgate", paused_wall_ns=NOW - 34 * S), **more)


def stopped() -> FieldState:
    reached = StopState(id="row", title="Failures in a row", count=3, at=3, reached=True, cure="Look at the gripper.")
    lab, now, *rest = field().phases
    state = msgspec.structs.replace(now, status="stopped", reason="3 failures in a row", stops=(reached, now.stops[1]))
    return field(session=None, phases=(lab, state, *rest))


def with_field(made: FieldState, **more: Any) -> ChecklistState:
    """The checklist of the samples with this field test."""
    return checklist(field=made, **more)
