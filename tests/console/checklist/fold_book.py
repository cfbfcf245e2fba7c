"""A record in memory and short ways to write into it, for tests of the fold."""

from __future__ import annotations

from typing import Any

from console.checklist.folding.fold import fold
from console.checklist.pack import Checklist, Gate, Item, Pack, Probe, Stage
from console.checklist.packs.digests import revision_of, rule_of
from console.checklist.states import ChecklistState, GateState, ItemState
from console.fieldtest.criteria import Answer, Judgement, Verdict
from console.record.canonical import FIRST_PREV, digest_of, item_of, kind_of, line_of
from console.record.entries import (
    Act,
    Attachment,
    Attempt,
    Body,
    Confirmation,
    Deferral,
    Entry,
    Evidence,
    Fix,
    GatePassed,
    Meaning,
    Moment,
    Opened,
    Override,
    Poll,
    Revised,
    Seen,
    Signature,
    Withdrawal,
)
from console.record.rows import Head, Row

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
START_NS = 1_800_000_000 * SECOND_NS
BUNDLE_A, BUNDLE_B = "3f2a" + "0" * 60, "91bc" + "0" * 60
PHOTO = Attachment(digest="d" * 64, name="grip.jpg", media="image/jpeg", bytes=4)
PAPER = Attachment(digest="e" * 64, name="paper.pdf", media="application/pdf", bytes=4)
WHY: dict[Verdict, str] = {"pass": "it is well", "marginal": "just so", "fail": "it is not", "inconclusive": "too few"}


def sensed(id: str, **more: Any) -> Item:
    """An item that a probe decides; each looks at its own file."""
    probe = Probe(name="file_present", parameters={"path": f"{id}.csv"})
    return Item(**{"id": id, "title": f"the {id}", "kind": "sensed", "probe": probe, "cure": f"mend the {id}", **more})


def confirmed(id: str, **more: Any) -> Item:
    """An item that a person vouches for."""
    return Item(**{"id": id, "title": f"the {id}", "kind": "confirmed", "statement": f"The {id} is well.", **more})


def witnessed(id: str, **more: Any) -> Item:
    """An item that two people vouch for."""
    return confirmed(id, kind="witnessed", **more)


def stage(id: str, *items: Item, gate: Gate | None = None) -> Stage:
    """A stage of these items."""
    return Stage(id=id, title=f"the stage {id}", items=items, gate=gate or Gate())


def checklist(*given: Stage | Item) -> Checklist:
    """A checklist of these stages; items alone make up one stage, `work`."""
    items = tuple(one for one in given if isinstance(one, Item))
    stages = tuple(one for one in given if isinstance(one, Stage)) or (stage("work", *items),)
    roles = {"engineer": "builds", "safety": "keeps people safe", "lead": "answers for it"}
    pack = Pack(format=1, name="small", title="A small pack", version="1", roles=roles, stages=stages)
    rules = {item.id: rule_of(item) for item in pack.items()}
    return Checklist(pack=pack, revision=revision_of(pack), rules=rules, sources=(("small.yaml", ""),))


class Book:
    """A record in memory; each entry comes a second after the one before. Every `add` gives the entry's number."""

    def __init__(self, goes_by: Checklist, *, bundle: str = BUNDLE_A) -> None:
        self.checklist = goes_by
        self.now_ns = START_NS
        self.lines: list[Row] = []
        opened = Opened(
            campaign="kitchen",
            robot="orin",
            bundle=bundle,
            bundle_name="grip",
            pack_name=goes_by.pack.name,
            revision=goes_by.revision,
            pack=PAPER,
            software="0",
        )
        self.add(opened)

    # ------------------------------------------------------------ a record

    def rows(self) -> list[Row]:
        return list(self.lines)

    def attachment(self, digest: str) -> bytes:
        return b""

    def head(self) -> Head:
        return Head(self.lines[-1].seq, self.lines[-1].digest) if self.lines else Head()

    # ------------------------------------------------------------ writing

    def add(self, body: Body, person: str = "ada", *, back_ms: float = 0.0) -> int:
        self.now_ns += SECOND_NS
        prev = self.lines[-1].digest if self.lines else FIRST_PREV
        seq = len(self.lines) + 1
        entry = Entry(seq=seq, prev=prev, wall_ns=self.now_ns, clock_back_ms=back_ms, person=person, body=body)
        line = line_of(entry)
        self.lines.append(Row(seq, kind_of(body), item_of(body), digest_of(line), line))
        return seq

    def look(
        self, id: str, verdict: Verdict = "pass", *, person: str = "ada", back_ms: float = 0.0, **more: Any
    ) -> int:
        judged = Judgement(verdict=verdict, why=WHY[verdict], more=more.pop("lacking", None))
        given = {
            "source": "file_present",
            "measurement": Answer(verdict == "pass", "seen"),
            "judgement": judged,
            "moment": Moment(wall_ns=self.now_ns),
            "rule": self.checklist.rules.get(id, "0" * 64),
            **more,
        }
        return self.add(Attempt(item=id, evidence=Evidence(**given)), person, back_ms=back_ms)

    def blind(self, id: str, why: str = "the robot is off", **more: Any) -> int:
        return self.look(id, judgement=None, measurement=None, unavailable=why, **more)

    def say(
        self, id: str, holds: bool = True, *, person: str = "ada", meaning: Meaning = "performed", **more: Any
    ) -> int:
        rule = self.checklist.rules.get(id, "0" * 64)
        given = {"item": id, "meaning": meaning, "holds": holds, "statement": "It is well.", "rule": rule, **more}
        return self.add(Confirmation(**given), person)

    def act(self, id: str, exit: int | None = 0) -> int:
        return self.add(Act(item=id, command="disarm", exit=exit, output=""))

    def fix(self, id: str, failure: int) -> int:
        return self.add(Fix(item=id, failure_seq=failure, text="changed the cable"))

    def override(self, id: str, *, role: str = "safety", days: float = 1.0, person: str = "sue") -> int:
        ends = self.now_ns + SECOND_NS + round(days * DAY_NS)
        return self.add(Override(item=id, role=role, reason="we know why", expires_wall_ns=ends), person)

    def defer(self, id: str, until: str, *, role: str = "lead") -> int:
        body = Deferral(item=id, role=role, until_stage=until, owner="lea", reason="no tether yet")
        return self.add(body, "lea")

    def withdraw(self, seq: int, person: str = "ada") -> int:
        return self.add(Withdrawal(seq=seq, reason="it was a slip"), person)

    def see(self, **fingerprints: str) -> int:
        named = {name.replace("file_", "file:"): value for name, value in fingerprints.items()}
        return self.add(Seen(fingerprints=named, moment=Moment(wall_ns=self.now_ns)))

    def revise(self, *, bundle: str | None = None, goes_by: Checklist | None = None) -> int:
        if goes_by is not None:
            self.checklist = goes_by
        revision = goes_by.revision if goes_by is not None else None
        return self.add(Revised(reason="a better one", bundle=bundle, revision=revision))

    def poll(self, stage: str, role: str, go: bool = True, *, basis: str | None = None) -> int:
        basis = self.gate(stage).basis if basis is None else basis
        return self.add(Poll(stage=stage, role=role, go=go, basis=basis), role)

    def sign(
        self,
        stage: str,
        meaning: Meaning,
        role: str,
        who: str,
        *,
        key: str = "",
        name: str = "",
        later: int = 0,
        **more: Any,
    ) -> int:
        """`later`: so many entries came between the statement and the signature."""
        state = self.state()
        found = next(one for one in state.stages if one.stage.id == stage)
        body = Signature(
            stage=stage,
            meaning=meaning,
            principal=who,
            name=name or f"{who.title()} Example",
            role=role,
            key=key or f"SHA256:{who}",
            statement=PAPER,
            armored="",
            covers={one.item.id: one.basis.digest if one.basis else "" for one in found.items},
            head=state.entries - later,
            local_time="2027-01-15T09:00:00+01:00",
            **more,
        )
        return self.add(body, who)

    def pass_gate(self, stage: str) -> int:
        counting = tuple(one.seq for one in self.gate(stage).signatures if not one.void)
        return self.add(GatePassed(stage=stage, signatures=counting))

    # ------------------------------------------------------------ reading

    def state(self, *, later_s: float = 0.0, running: tuple[str, ...] = ()) -> ChecklistState:
        return fold(self, self.checklist, self.now_ns + round(later_s * SECOND_NS), running)

    def item(self, id: str, *, later_s: float = 0.0) -> ItemState:
        return self.state(later_s=later_s).item(id)

    def gate(self, stage: str, *, later_s: float = 0.0) -> GateState:
        return next(one.gate for one in self.state(later_s=later_s).stages if one.stage.id == stage)
