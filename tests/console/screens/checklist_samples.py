"""A checklist in every state, made by hand, and a campaign that only shows it: for tests of what a person sees."""

from __future__ import annotations

from typing import Any

import msgspec

from console.checklist.pack import Act, Gate, Item, Probe, Signing, Stage
from console.checklist.states import (
    Basis,
    ChecklistState,
    GateState,
    ItemState,
    PollState,
    SignatureState,
    StageState,
)
from console.fieldtest.criteria import Answer, Criterion, Judgement, Number, Rate
from console.record.entries import Attachment, Confirmation, Evidence, Moment, Override, Signature
from console.record.roster import Roster

S = 1_000_000_000
DAY = 86_400 * S
NOW = 1_795_000_000 * S
BUNDLE = "4f1d2c3b" * 8
REVISION = "a1b2c3d4" * 8
RULE = "c0ffee00" * 8


def item(id: str, title: str, kind: Any = "sensed", **more: Any) -> Item:
    if kind == "sensed":
        more.setdefault("probe", Probe(name="live_metric"))
    return Item(id=id, title=title, kind=kind, **more)


def evidence(
    value: float | None, limit: Criterion | None, verdict: Any, *, n: int = 1, age: int = 60 * S, **more: Any
) -> Basis:
    """What a look `age` ago found."""
    found = (
        None
        if value is None
        else (Rate(round(value * n / 100), n) if limit and limit.unit == "%" else Number(value, "ms", n))
    )
    judgement = None
    if found is not None:
        judgement = Judgement(verdict=verdict, value=value, n=n, **more.pop("judged", {}))
    made = Evidence(
        source="live_metric",
        measurement=found,
        judgement=judgement,
        limit="p99 < 500 ms, upper bound at 95 %, n >= 299" if limit else "",
        moment=Moment(wall_ns=NOW - age, clock_offset_ms=12.0, link_age_ms=180.0),
        fingerprints={"bundle": BUNDLE, "power_mode": "9a" * 32},
        rule=RULE,
        **more,
    )
    return Basis(seq=41, digest="5e" * 32, wall_ns=NOW - age, person="ada", evidence=made)


def seen(words: str, *, age: int = 60 * S) -> Basis:
    """What a look without a number found."""
    basis = evidence(None, None, "pass", age=age)
    assert basis.evidence is not None
    answer = msgspec.structs.replace(
        basis.evidence, measurement=Answer(True, words), judgement=Judgement(verdict="pass", n=1, why=words)
    )
    return msgspec.structs.replace(basis, evidence=answer)


def vouched(person: str, holds: bool = True, *, age: int = 3600 * S, meaning: Any = "performed") -> Basis:
    """What a person said `age` ago."""
    said = Confirmation(
        item="x", meaning=meaning, holds=holds, statement="It was so.", looked_ms=4200, rule=RULE, note="by the bench"
    )
    return Basis(seq=52, digest="7b" * 32, wall_ns=NOW - age, person=person, confirmation=said)


LATENCY = Criterion(metric="end_to_end_ms", statistic="p99", comparison="<", threshold=500, unit="ms", n_min=299)
SUCCESS = Criterion(metric="success_rate", statistic="rate", comparison=">", threshold=70, unit="%")
REAL = Criterion(metric="success_rate", statistic="rate", comparison=">", threshold=30, unit="%")
GRIP = Criterion(metric="grip_force", comparison=">=", threshold=12, unit="N")


def simulation() -> StageState:
    made = Stage(
        id="simulation",
        title="Simulation",
        items=(
            item("bundle_ok", "Bundle is whole and warms up"),
            item("canary", "Journal takes and gives back a canary"),
            item("camera", "Camera gives pictures"),
            item("sim_rate", "Success in simulation above 70 %", criterion=SUCCESS),
            item("tiers", "Domain randomisation covers the critical and important tiers", "sensed"),
            item("insurance", "Insurance covers work with the robot", "confirmed", statement="The policy is in force."),
        ),
        gate=Gate(poll=("lead",), signatures=(Signing(meaning="performed", roles=("lead",)),)),
    )
    items = [
        ItemState(item=one, stage=made.id, state="pass", basis=seen("holds"), attempts=1, performers=("ada",))
        for one in made.items[:3]
    ]
    rate = evidence(
        87, SUCCESS, "pass", n=100, age=3 * DAY, judged={"lower": 80.1, "upper": 92.2, "meets_letter": True}
    )
    items.append(ItemState(item=made.items[3], stage=made.id, state="pass", basis=rate, attempts=2, failures=1))
    stale = evidence(92, SUCCESS, "pass", n=12, age=9 * DAY)
    items.append(
        ItemState(
            item=msgspec.structs.replace(made.items[4], criterion=SUCCESS),
            stage=made.id,
            state="stale",
            reason="bundle 3f2a -> 91bc",
            cure="r looks again",
            need="probe",
            basis=stale,
            attempts=1,
        )
    )
    items.append(
        ItemState(
            item=made.items[5],
            stage=made.id,
            state="pass",
            basis=vouched("ada"),
            performers=("ada",),
            attempts=1,
            flags=("too quick",),
        )
    )
    given = Signature(
        stage=made.id,
        meaning="performed",
        principal="ada",
        name="Ada Lovelace",
        role="lead",
        key="SHA256:abcdefghijklmnop",
        statement=Attachment(digest="aa" * 32, name="statement.txt", media="text/plain", bytes=900),
        armored="-----BEGIN SSH SIGNATURE-----",
        covers={},
        head=60,
        local_time="2026-11-21T07:00:00+01:00",
    )
    gate = GateState(
        poll=(PollState(role="lead", go=True, person="ada", wall_ns=NOW - 1800 * S),),
        signatures=(SignatureState(seq=61, wall_ns=NOW - 1700 * S, signature=given, void="tiers went stale"),),
        blocked_by=("'tiers' is stale: bundle 3f2a -> 91bc", "no `performed` signature counts"),
        basis="b1" * 32,
    )
    return StageState(stage=made, items=tuple(items), gate=gate)


def real() -> StageState:
    made = Stage(
        id="real",
        title="On the robot",
        purpose="The robot itself, watched by two people.",
        items=(
            item("latency", "End-to-end latency below 500 ms", criterion=LATENCY, hold="30 s", rests_on=("bundle",)),
            item("trials", "Real test run of 5 trials above 30 %", "measured", criterion=REAL, override_by=("safety",)),
            item("grip", "Gripper closes with enough force", "measured", criterion=GRIP, defer_by=("lead",)),
            item("fallback", "Fallback policy takes over", "sensed", act=Act(says="cut the camera", argv=("true",))),
            item(
                "stuck", "Recovery from a stuck gripper", "witnessed", statement="It let go within 5 s.", critical=True
            ),
            item("arm", "Recovery when the arm collides", "confirmed", statement="It stopped and backed off."),
            item("review", "Safety reviewed by a second person", "witnessed", hazard="HAZ-7", requirement="REQ-1.2"),
            item("power", "Power mode is the one of the tests"),
            item("tether", "Tether attached", "confirmed"),
            item("gpu", "GPU engine is the one of the tests"),
        ),
        gate=Gate(
            poll=("lead", "safety"),
            signatures=(
                Signing(meaning="performed", roles=("lead",)),
                Signing(meaning="reviewed", roles=("safety",)),
            ),
            overrides_allowed=False,
        ),
    )
    a, b, c, d, e, f, g, h, i, j = made.items
    late = evidence(
        612,
        LATENCY,
        "fail",
        n=900,
        age=40 * S,
        judged={"lower": 560.0, "upper": 655.0, "why": "p99 is 612 ms, its lower bound 560"},
    )
    few = evidence(
        40,
        REAL,
        "inconclusive",
        n=5,
        age=7200 * S,
        judged={"lower": 7.6, "more": 2, "meets_letter": True, "why": "lower bound 7.6 %"},
    )
    blind = evidence(None, None, "pass", age=12 * S, unavailable="the robot does not say its power mode")
    over = Override(item="arm", role="safety", reason="arm is blocked mechanically", expires_wall_ns=NOW + 3 * DAY)
    items = (
        ItemState(
            item=a,
            stage=made.id,
            state="fail",
            reason="p99 is 612 ms, its lower bound 560 ms is above 500 ms (n 900)",
            cure="Take predictive control, or a smaller model; then look again.",
            need="probe",
            basis=late,
            attempts=3,
            failures=1,
            last_failure_seq=41,
        ),
        ItemState(
            item=b,
            stage=made.id,
            state="pending",
            reason="2 of 5 meets the letter, but the lower bound is 7.6 %: 2 more successes would decide",
            cure="Run more trials.",
            need="value",
            basis=few,
            attempts=1,
        ),
        ItemState(item=c, stage=made.id, state="pending", need="value"),
        ItemState(item=d, stage=made.id, state="pending", need="command"),
        ItemState(item=e, stage=made.id, state="pending", need="witness", basis=vouched("ada"), performers=("ada",)),
        ItemState(
            item=f,
            stage=made.id,
            state="overridden",
            below="pending",
            reason="overridden by bob (safety) for 3 d: arm is blocked mechanically",
            override=over,
            expires_wall_ns=over.expires_wall_ns,
        ),
        ItemState(
            item=g,
            stage=made.id,
            state="deferred",
            below="pending",
            reason="until flight, ada answers for it",
            owner="ada",
        ),
        ItemState(
            item=h,
            stage=made.id,
            state="unavailable",
            reason="the robot does not say its power mode",
            cure="Install nvpmodel, or give the item another probe.",
            need="probe",
            basis=blind,
            attempts=1,
        ),
        ItemState(item=i, stage=made.id, state="n/a", reason="only where the robot flies"),
        ItemState(item=j, stage=made.id, state="marginal", basis=evidence(97, SUCCESS, "marginal", n=400), attempts=1),
    )
    items = (*items[:-1], msgspec.structs.replace(items[-1], item=msgspec.structs.replace(j, criterion=SUCCESS)))
    gate = GateState(
        poll=(
            PollState(role="lead"),
            PollState(role="safety", go=False, person="bob", wall_ns=NOW - 600 * S, note="noise"),
        ),
        blocked_by=("6 items are open", "no `reviewed` signature", "safety says no-go"),
        basis="b2" * 32,
    )
    return StageState(stage=made, items=items, gate=gate)


def checklist(*stages: StageState, **more: Any) -> ChecklistState:
    """The hand-made checklist; `more` replaces its fields."""
    made = ChecklistState(
        campaign="grasp-orin",
        robot="orin",
        bundle=BUNDLE,
        bundle_name="tabletop",
        revision=REVISION,
        wall_ns=NOW,
        stages=stages or (simulation(), real()),
        stage="simulation",
        next_item="tiers",
        recheck=("tiers",),
        overrides=1,
        deferrals=1,
        fingerprints={"bundle": "91bc" * 16, "power_mode": "9a" * 32},
        entries=64,
        head="ee" * 32,
    )
    return msgspec.structs.replace(made, **more)


class ShownCampaign:
    """Only what the screen needs to show a state; it does nothing that a record would have to hold."""

    name = robot = "orin"
    roster = Roster()

    def __init__(self, state: ChecklistState) -> None:
        self.shown = state

    def state(self) -> ChecklistState:
        return self.shown

    def seen_facts(self) -> dict[str, str]:
        return {"serial": "1420923057123", "serial_source": "device-tree"}

    def close(self) -> None:
        return None
