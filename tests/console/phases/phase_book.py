"""A record in memory with sessions and trials, and small packs with phases, for tests of the fold."""

from __future__ import annotations

from typing import Any

from console.checklist.pack import Checklist, Gate, Pack, Stage
from console.checklist.packs.digests import phase_rule_of, revision_of, rule_of
from console.fieldtest.criteria import Criterion, Judgement, Rate
from console.fieldtest.running import Measured, Running
from console.phases.schema import Phase, Plan, Question
from console.phases.states import FieldState, PhaseState, QuestionState
from console.record.entries import (
    Attempt,
    Evidence,
    FrameScored,
    Intervention,
    Moment,
    PhaseBegun,
    SessionBegun,
    SessionEnded,
    SessionMeasured,
    SessionPaused,
    SessionResumed,
    StopLifted,
    Trial,
    TrialBegun,
)
from tests.console.checklist.fold_book import BUNDLE_A, Book, confirmed, stage

ROBOT_A, ROBOT_B = "aaaa" + "1" * 60, "bbbb" + "2" * 60


def rate(metric: str = "success_rate", comparison: Any = ">", threshold: float = 70, **more: Any) -> Criterion:
    """A criterion on a rate."""
    given = {"metric": metric, "statistic": "rate", "comparison": comparison, "threshold": threshold, "unit": "%"}
    return Criterion(**{**given, **more})


def question(id: str = "success", criterion: Criterion | None = None, **more: Any) -> Question:
    """A question, by default whether more than 70 % of the trials succeed, looked at after every trial."""
    given = {"id": id, "title": f"the {id}", "denominator": "trials", "criterion": criterion or rate()}
    plan = {"plan": Plan(n=60, expected=90)} if criterion is None else {}
    return Question(**{**given, **plan, **more})


def phase(id: str = "lab", *questions: Question, **more: Any) -> Phase:
    """A phase with these questions."""
    given = {"id": id, "title": f"the {id}", "trial": "one grasp", "success": "it holds", "planned_n": 60}
    return Phase(**{**given, "questions": questions or (question(),), **more})


def pack(*phases: Phase, stages: tuple[Stage, ...] = ()) -> Checklist:
    """A checklist with these phases; without stages of its own one whose gate wants all of them."""
    gate = Gate(phases=tuple(one.id for one in phases))
    made = Pack(
        format=1,
        name="small",
        title="A small pack",
        version="1",
        roles={"engineer": "builds", "safety": "keeps people safe"},
        stages=stages or (stage("work", confirmed("ready"), gate=gate),),
        phases=phases,
    )
    rules = {item.id: rule_of(item) for item in made.items()}
    phase_rules = {one.id: phase_rule_of(one) for one in phases}
    return Checklist(made, revision_of(made), rules, (("small.yaml", ""),), phase_rules)


class FieldBook(Book):
    """A record with short ways to write what a field test writes."""

    def __init__(self, goes_by: Checklist, *, bundle: str = BUNDLE_A, robot: str = ROBOT_A) -> None:
        super().__init__(goes_by, bundle=bundle)
        self.bundle, self.robot = bundle, robot
        self.session = 0
        self.at = ""

    @property
    def moment(self) -> Moment:
        return Moment(wall_ns=self.now_ns)

    @property
    def prints(self) -> dict[str, str]:
        return {"bundle": self.bundle, "robot": self.robot}

    def begin(self, id: str = "lab", *, back_from: str = "", sit: bool = True) -> int:
        """Begin the phase, and a session in it."""
        rule = self.checklist.phase_rules.get(id, "")
        seq = self.add(
            PhaseBegun(phase=id, rule=rule, back_from=back_from, reason="after a change" if back_from else "")
        )
        self.at = id
        if sit:
            self.sit(id)
        return seq

    def sit(self, id: str = "", **more: Any) -> int:
        """Begin a session of the phase that was begun last."""
        phase_id = id or self.at
        given = {"rule": self.checklist.phase_rules.get(phase_id, ""), "fingerprints": self.prints, **more}
        self.session = self.add(SessionBegun(phase=phase_id, moment=self.moment, **given))
        return self.session

    def end(self, *, stop: str = "") -> int:
        return self.add(SessionEnded(session=self.session, stop=stop, why="enough", moment=self.moment))

    def pause(self, condition: str = "") -> int:
        return self.add(
            SessionPaused(session=self.session, condition=condition, why="the link is gone", moment=self.moment)
        )

    def resume(self) -> int:
        return self.add(SessionResumed(session=self.session, moment=self.moment))

    def attempt(self) -> int:
        return self.add(TrialBegun(session=self.session))

    def trial(self, outcome: Any = "success", **more: Any) -> int:
        given = {"session": self.session, "phase": self.at, "fingerprints": self.prints, "moment": self.moment, **more}
        return self.add(Trial(outcome=outcome, **given))

    def trials(self, outcomes: str, **more: Any) -> list[int]:
        """`+` a success, `-` a failure, `x` one that was broken off."""
        words = {"+": "success", "-": "failure", "x": "aborted"}
        return [self.trial(words[one], **more) for one in outcomes]

    def frame(self, right: int, wrong: int = 0, missed: int = 0, **more: Any) -> int:
        given = {"session": self.session, "phase": self.at, "by": "person", "frame": len(self.lines), **more}
        body = FrameScored(
            right=right, wrong=wrong, missed=missed, fingerprints=self.prints, moment=self.moment, **given
        )
        return self.add(body)

    def intervene(self) -> int:
        return self.add(Intervention(session=self.session, moment=self.moment))

    def ran(self, hours: float, *, up: float = 1.0, session: int | None = None, **more: Any) -> int:
        """The session, which is open so long, was measured: so many hours known, that share of it up."""
        seconds = hours * 3600
        self.now_ns += round(more.get("wanted_s", seconds) * 1e9)
        running = Running(**{"wanted_s": seconds, "known_s": seconds, "up_s": up * seconds, **more})
        body = SessionMeasured(
            session=session or self.session,
            measured=Measured(running=running),
            fingerprints=self.prints,
            moment=self.moment,
        )
        return self.add(body)

    def lift(self, stop: str) -> int:
        return self.add(StopLifted(phase=self.at, stop=stop, reason="the cable was changed"))

    def see_robot(self, robot: str) -> int:
        self.robot = robot
        return self.see(robot=robot)

    def change_bundle(self, bundle: str) -> int:
        self.bundle = bundle
        return self.revise(bundle=bundle)

    def simulate(self, item: str, successes: int, n: int) -> int:
        """An item of the checklist measured that rate."""
        evidence = Evidence(
            source="success_table",
            measurement=Rate(successes, n),
            judgement=Judgement(verdict="pass"),
            moment=self.moment,
            rule=self.checklist.rules[item],
        )
        return self.add(Attempt(item=item, evidence=evidence))

    # ------------------------------------------------------------ reading

    @property
    def field(self) -> FieldState:
        return self.state().field

    def phase(self, id: str = "lab") -> PhaseState:
        return self.field.phase(id)

    def question(self, id: str = "success", phase: str = "lab") -> QuestionState:
        return next(one for one in self.phase(phase).questions if one.question.id == id)
