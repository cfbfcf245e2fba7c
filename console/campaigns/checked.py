"""What one run of a checklist's sensed items came to: for a table, for JSON, for JUnit. docs/check.md lists the fields."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timezone
from typing import Literal, Union

import msgspec

from console.checklist.states import ChecklistState, ItemState, State
from console.checklist.wording import asked_words, value_words
from console.fieldtest.criteria import Comparison, Rate, Statistic, Verdict
from console.record.entries import Evidence
from remote.errors import Trouble
from remote.protocol import Scalar

FORMAT = 1
Outcome = Literal["pass", "fail", "undecided", "skipped"]
_OUTCOMES: dict[State, Outcome] = {
    "pass": "pass",
    "marginal": "pass",
    "fail": "fail",
    "pending": "undecided",
    "running": "undecided",
    "stale": "undecided",
    "unavailable": "undecided",
    "overridden": "skipped",
    "deferred": "skipped",
    "n/a": "skipped",
}


class CheckedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One item after the run.

    `outcome`: pass (also marginal), fail, undecided (unavailable, inconclusive, went stale, not reached in time), skipped (not
    applicable, overridden, deferred, or a person's to say). `why` and `cure` are sentences. `value`, `lower` and `upper` are in
    `unit`, None where there is no number; `measured` and `limit` are the same in words. `more`: further readings or trials that
    would decide. `seq` is the record's entry, None where nothing was recorded.
    """

    id: str
    title: str
    stage: str
    kind: str
    state: State
    outcome: Outcome
    why: str = ""
    cure: str = ""
    probe: str | None = None
    metric: str | None = None
    statistic: Statistic | None = None
    comparison: Comparison | None = None
    threshold: float | None = None
    unit: str = ""
    confidence: float | None = None
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    n: int | None = None
    successes: int | None = None
    more: int | None = None
    verdict: Verdict | None = None
    measured: str = "-"
    limit: str = ""
    took_ms: float | None = None
    seq: int | None = None
    fingerprints: dict[str, str] = {}
    details: dict[str, Scalar] = {}


class CheckedTrouble(msgspec.Struct, frozen=True):
    """Why the robot could not be looked at: a stable code, a sentence, what to do."""

    code: str
    what: str
    cure: str


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """The whole run. `campaign` is None where nothing was recorded; `trouble` None where the robot was reached.

    `counts` has every outcome. `exit` is the code that the command ends with. Times are ISO 8601 in UTC, by the laptop.
    """

    format: int = FORMAT
    software: str
    robot: str
    campaign: str | None
    pack: str
    revision: str
    bundle: str
    began: str
    ended: str
    counts: dict[Outcome, int]
    trouble: Union[CheckedTrouble, None] = None
    exit: int
    items: tuple[CheckedItem, ...]


def counts_of(items: Iterable[CheckedItem]) -> dict[Outcome, int]:
    """How many items had each outcome."""
    counts: dict[Outcome, int] = {"pass": 0, "fail": 0, "undecided": 0, "skipped": 0}
    for item in items:
        counts[item.outcome] += 1
    return counts


def trouble_of(trouble: Trouble | None) -> CheckedTrouble | None:
    """A Trouble as it stands in the report."""
    return CheckedTrouble(trouble.code, trouble.what, trouble.cure) if trouble is not None else None


def time_words(wall_ns: int) -> str:
    """A time as it stands in the report: ISO 8601 in UTC."""
    moment = datetime.fromtimestamp(wall_ns / 1e9, timezone.utc)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def checked_items(
    state: ChecklistState, wanted: Collection[str], looked: Collection[str], *, recorded: bool
) -> tuple[CheckedItem, ...]:
    """The items in order, or those `wanted` (empty: all). `looked` are the ids of those that were looked at in this run."""
    items = (one for one in state.items() if not wanted or one.item.id in wanted)
    return tuple(_checked(one, one.item.id in looked, recorded) for one in items)


def _checked(state: ItemState, looked: bool, recorded: bool) -> CheckedItem:
    item, criterion = state.item, state.item.criterion
    made = CheckedItem(
        id=item.id,
        title=item.title,
        stage=state.stage,
        kind=item.kind,
        state=state.state,
        outcome=_OUTCOMES[state.state],
        why=state.reason,
        cure=state.cure,
        probe=item.probe.name if item.probe else None,
        metric=criterion.metric if criterion else None,
        statistic=criterion.statistic if criterion else None,
        comparison=criterion.comparison if criterion else None,
        threshold=criterion.threshold if criterion else None,
        unit=criterion.unit if criterion else "",
        confidence=criterion.confidence if criterion else None,
        limit=asked_words(state),
    )
    if item.kind != "sensed" or item.act is not None:
        return msgspec.structs.replace(made, outcome="skipped", why=_of_a_person(state), cure="")
    if not looked:
        skipped = made.outcome == "skipped"
        why = made.why if skipped else "not looked at in this run: its time was over"
        return made if skipped else msgspec.structs.replace(made, outcome="undecided", why=why)
    evidence = state.basis.evidence if state.basis else None
    return _with_evidence(made, state, evidence, recorded) if evidence is not None else made


def _with_evidence(made: CheckedItem, state: ItemState, evidence: Evidence, recorded: bool) -> CheckedItem:
    judged, measurement = evidence.judgement, evidence.measurement
    made = msgspec.structs.replace(
        made,
        why=made.why or (judged.why if judged else evidence.unavailable),
        measured=value_words(state),
        took_ms=round(evidence.took_ms, 1),
        seq=state.basis.seq if state.basis and recorded else None,
        fingerprints=evidence.fingerprints,
        details=evidence.details,
        successes=measurement.successes if isinstance(measurement, Rate) else None,
    )
    if judged is None:
        return made
    return msgspec.structs.replace(
        made,
        verdict=judged.verdict,
        value=judged.value,
        lower=judged.lower,
        upper=judged.upper,
        n=judged.n,
        more=judged.more,
    )


def _of_a_person(state: ItemState) -> str:
    if state.state == "n/a":
        return state.reason
    asks = {
        "measured": "a person enters its value",
        "witnessed": "two people vouch for it",
        "sensed": "a person lets its command run",
    }
    return f"{asks.get(state.item.kind, 'a person vouches for it')} (it is {state.state})"
