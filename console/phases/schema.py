"""What a pack says of its phases of field testing, as msgspec structs. docs/phases.md explains it to people who write them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from console.fieldtest.criteria import Criterion
from console.fieldtest.parts import Id, Line, Part, Span, Text

Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Percent = Annotated[float, msgspec.Meta(gt=0, lt=100)]


class Plan(Part, frozen=True, kw_only=True):
    """How a rate is decided, stated before the first trial.

    `look: fixed` judges once `n` trials are there, by the exact bound; `look: sequential` may be looked at after every trial
    (console.fieldtest.sequential), and `n` is where it is given up as undecided. `expected` is the rate (per cent) that is
    hoped for; `power` the chance to pass if it is so: `fieldgate phase plan` says whether `n` is enough.
    """

    look: Literal["fixed", "sequential"] = "sequential"
    n: Count
    expected: Percent
    power: Annotated[float, msgspec.Meta(gt=0.5, lt=1)] = 0.8


class Baseline(Part, frozen=True, kw_only=True):
    """What reality is compared with: the rate that this item of the checklist measured (in simulation)."""

    item: Id


class Question(Part, frozen=True, kw_only=True):
    """One thing that a phase must show.

    `criterion.metric` is a name of console.fieldtest.measures.MEASURES, or of remote.metrics.METRICS for a live metric over all
    sessions of the phase. `denominator` says in words what a rate is of. `where`: only trials with these conditions count.
    `plan` belongs to rates of trials, `baseline` to measures that compare with simulation.
    """

    id: Id
    title: Line
    denominator: Line
    criterion: Criterion
    plan: Plan | None = None
    baseline: Baseline | None = None
    where: dict[Id, Line] = msgspec.field(default_factory=dict)


class Entry(Part, frozen=True, kw_only=True):
    """What must be so before a phase may begin; exactly one of the keys beside `title` is given.

    `stage`: that stage's gate is open. `items_of`: every item of that stage is settled. `item`: that item is settled.
    `phase`: that phase is passed.
    """

    title: Text = ""
    stage: Id | None = None
    items_of: Id | None = None
    item: Id | None = None
    phase: Id | None = None


class Holding(Part, frozen=True, kw_only=True):
    """What must go on being so during a session. When it is left, the session is paused and says so; only a person resumes it.

    Either `criterion` on a live metric (remote.metrics.METRICS), or `check`: the agent is reached and its data fresh (`link`),
    inference runs (`worker`), the campaign's bundle runs (`bundle`), the camera is alive (`camera`). `for_`, written `for`:
    it must be broken for so long.
    """

    id: Id
    title: Line
    check: Literal["link", "worker", "bundle", "camera"] | None = None
    criterion: Criterion | None = None
    for_: Span = msgspec.field(default="5 s", name="for")
    cure: Text = ""


class Stop(Part, frozen=True, kw_only=True):
    """When to stop trying: after `at` of `count` within the phase the session is ended, until a person writes down why it may
    go on.

    failures_in_a_row, failures, interventions, crashes: as counted for this bundle on this robot since the phase was begun.
    """

    id: Id
    title: Line
    count: Literal["failures_in_a_row", "failures", "interventions", "crashes"]
    at: Count
    cure: Text = ""


class Condition(Part, frozen=True, kw_only=True):
    """Something that differs from trial to trial and is written down with each: light, place, people, object, ...

    `values` are those that the phase means to cover (empty: any word); `required`: no trial without it.
    """

    id: Id
    title: Line
    values: tuple[Line, ...] = ()
    required: bool = False


class Phase(Part, frozen=True, kw_only=True):
    """One phase.

    trial: what one attempt is, in words ("one grasp of one object, from rest to rest"). success: what makes it one.
    aborted: whether an attempt that a person broke off counts as a failure or is left out (it is shown either way).
    conditions: what is written down with each trial. planned_n: trials meant to be run, all questions together.
    min_running: how long sessions must have run together before the phase may pass.
    """

    id: Id
    title: Line
    purpose: Text = ""
    trial: Line
    success: Line
    aborted: Literal["failure", "excluded"] = "failure"
    conditions: tuple[Condition, ...] = ()
    entry: tuple[Entry, ...] = ()
    holding: tuple[Holding, ...] = ()
    questions: Annotated[tuple[Question, ...], msgspec.Meta(min_length=1)]
    stop: tuple[Stop, ...] = ()
    planned_n: Count
    min_running: Span | None = None
