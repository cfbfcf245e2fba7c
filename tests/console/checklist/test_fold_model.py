"""The fold against a slow and obvious model, over random records: no way through the entries to a tick that nobody gave."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from console.checklist.pack import Checklist, Item, Stage, When
from console.checklist.states import PASSED, ChecklistState
from remote.protocol import Scalar
from tests.console.checklist.fold_book import (
    BUNDLE_A,
    BUNDLE_B,
    DAY_NS,
    Book,
    checklist,
    confirmed,
    sensed,
    stage,
    witnessed,
)

SENSED, LATCHED, AGEING, FIRST, SECOND, AFTER, SAID, SEEN = (
    "sensed",
    "latched",
    "ageing",
    "first",
    "second",
    "after",
    "said",
    "seen",
)
ITEMS = (
    sensed(SENSED, override_by=("safety",), defer_by=("lead",)),
    sensed(LATCHED, latched=True),
    sensed(AGEING, valid_for="1 d"),
    sensed(FIRST, one_of="speed"),
    sensed(SECOND, one_of="speed", override_by=("safety",)),
    sensed(AFTER, when=When(item=SENSED, states=("pass", "marginal"))),
    confirmed(SAID),
    witnessed(SEEN),
)
IDS = tuple(item.id for item in ITEMS)
PEOPLE = ("ada", "bo")
ENGINES = ("one", "two")


def the_checklist() -> Checklist:
    other: Stage = stage("field", sensed("other"))
    return checklist(stage("bench", *ITEMS), other)


@dataclass
class Step:
    """One thing that happens; `pick` chooses among what is there (a failure to fix, an entry to withdraw)."""

    what: str
    item: str = SENSED
    person: str = "ada"
    verdict: str = "pass"
    pick: int = 0


_items = st.sampled_from(IDS)
_people = st.sampled_from(PEOPLE)
_pick = st.integers(0, 40)
STEPS = st.one_of(
    st.builds(Step, st.just("look"), _items, _people, st.sampled_from(["pass", "marginal", "fail", "inconclusive"])),
    st.builds(Step, st.just("blind"), _items),
    st.builds(Step, st.sampled_from(["performed", "witnessed", "no"]), _items, _people),
    st.builds(Step, st.sampled_from(["override", "defer"]), st.sampled_from([SENSED, SECOND, SAID])),
    st.builds(Step, st.sampled_from(["fix", "withdraw"]), _items, pick=_pick),
    st.builds(Step, st.sampled_from(["engine", "bundle", "wait"]), pick=_pick),
)
RECORDS = st.lists(STEPS, max_size=30)


def play(steps: list[Step], book: Book | None = None) -> Book:
    """Write the steps into a record."""
    at = book or Book(the_checklist())
    for step in steps:
        write(at, step)
    return at


def write(at: Book, step: Step) -> None:
    engine = at.state().fingerprints.get("engine", "one")
    prints = {"engine": engine, "bundle": at.state().bundle}
    if step.what == "look":
        at.look(step.item, step.verdict, person=step.person, fingerprints=prints)  # type: ignore[arg-type]
    elif step.what == "blind":
        at.blind(step.item)
    elif step.what in ("performed", "witnessed"):
        at.say(step.item, person=step.person, meaning=step.what, fingerprints=prints)  # type: ignore[arg-type]
    elif step.what == "no":
        at.say(step.item, False, person=step.person)
    elif step.what == "override":
        at.override(step.item)
    elif step.what == "defer":
        at.defer(step.item, "field")
    elif step.what == "fix":
        at.fix(step.item, step.pick)
    elif step.what == "withdraw":
        at.withdraw(step.pick)
    elif step.what == "engine":
        at.see(engine=ENGINES[step.pick % 2])
    elif step.what == "bundle":
        at.revise(bundle=(BUNDLE_A, BUNDLE_B)[step.pick % 2])
    else:
        at.now_ns += DAY_NS // 3
        at.see(engine=engine)


# ------------------------------------------------------------ the model


@dataclass
class Happened:
    """One entry about one item, in plain words."""

    seq: int
    wall_ns: int
    what: str
    person: str = ""
    verdict: str = ""
    prints: dict[str, str] = field(default_factory=dict)


class Model:
    """Reads every entry whole, from the first to the last, and keeps everything."""

    def __init__(self, at: Book) -> None:
        from console.record.canonical import entry_of

        self.now_ns = at.now_ns
        self.entries = [entry_of(row.line, "") for row in at.lines]
        gone = [(one.seq, one.body.seq) for one in self.entries if type(one.body).__name__ == "Withdrawal"]  # type: ignore[union-attr]
        kinds = {one.seq: type(one.body).__name__ for one in self.entries}
        self.withdrawn = {
            seq for by, seq in gone if seq < by and kinds.get(seq) in ("Confirmation", "Override", "Deferral")
        }
        self.bundle, self.engine = "", ""
        self.told: dict[str, list[Happened]] = {item: [] for item in IDS}
        self.fixes: list[tuple[int, str, int]] = []
        self.overrides: dict[str, int] = {}
        self.deferrals: set[str] = set()
        for entry in self.entries:
            self.read(entry)

    def read(self, entry: object) -> None:
        body = entry.body  # type: ignore[attr-defined]
        seq, wall_ns, person = entry.seq, entry.wall_ns, entry.person  # type: ignore[attr-defined]
        kind = type(body).__name__
        if kind == "Opened" or (kind == "Revised" and body.bundle is not None):
            self.bundle = body.bundle
        elif kind == "Seen":
            self.engine = body.fingerprints["engine"]
        elif kind == "Attempt" and body.item in self.told:
            judged = body.evidence.judgement
            verdict = judged.verdict if judged else "unavailable"
            self.told[body.item].append(Happened(seq, wall_ns, "look", person, verdict, body.evidence.fingerprints))
        elif kind == "Confirmation":
            what = body.meaning if body.holds else "no"
            self.told[body.item].append(Happened(seq, wall_ns, what, person, prints=body.fingerprints))
        elif kind == "Fix":
            self.fixes.append((seq, body.item, body.failure_seq))
        elif kind == "Override" and seq not in self.withdrawn:
            self.overrides[body.item] = body.expires_wall_ns
        elif kind == "Deferral" and seq not in self.withdrawn:
            self.deferrals.add(body.item)

    def own(self, item: Item) -> str:
        state, rests = self.decided(item)
        if item.latched and (failed := self.failures(item.id)):
            fixed = [
                seq for seq, of, failure in self.fixes if of == item.id and failure == failed[-1] and seq > failure
            ]
            if state not in PASSED or not fixed or any(one.seq < fixed[0] for one in rests):
                return "fail"
        if state in (*PASSED, "fail") and any(self.is_old(item, one) for one in rests):
            return "stale"
        return state

    def failures(self, id: str) -> list[int]:
        return [one.seq for one in self.told[id] if one.verdict == "fail" or one.what == "no"]

    def is_old(self, item: Item, one: Happened) -> bool:
        bundle = one.prints.get("bundle", self.bundle)
        engine = one.prints.get("engine", self.engine)
        aged = item.valid_for is not None and self.now_ns >= one.wall_ns + DAY_NS
        return bundle != self.bundle or (self.engine != "" and engine != self.engine) or aged

    def decided(self, item: Item) -> tuple[str, list[Happened]]:
        """Replays the item's story; each thing that happens takes the place of what was before."""
        state, rests = "pending", list[Happened]()
        performer: Happened | None = None
        without: tuple[str, list[Happened]] = ("pending", [])  # how it stands without anybody's yes
        for one in self.told[item.id]:
            if one.seq in self.withdrawn:
                if one.what == "no" and item.kind != "sensed":
                    state, rests, performer = *without, None
                continue
            if one.what == "no":
                state, rests, performer = "fail", [one], None
                without = (state, rests)
            elif one.what == "look":
                performer = None
                passes = one.verdict in PASSED and item.kind != "sensed"
                state = "pending" if passes or one.verdict == "inconclusive" else one.verdict
                rests = [one]
                without = (state, rests)
            elif item.kind == "sensed":
                if state == "fail" and rests and rests[0].what == "no":
                    state, rests = self.looks_before(item, one.seq)
            elif one.what == "performed":
                performer = one
                state, rests = ("pass", [one]) if item.kind == "confirmed" else ("pending", [])
            elif item.kind == "witnessed":
                done = performer is not None and performer.person != one.person
                state, rests = ("pass", [performer, one]) if done and performer is not None else ("pending", [])
            elif performer is None:
                state, rests = "pending", []
        return state, rests

    def looks_before(self, item: Item, seq: int) -> tuple[str, list[Happened]]:
        """A yes to a sensed item that somebody had said no to: the last look counts again."""
        looks = [one for one in self.told[item.id] if one.what == "look" and one.seq < seq]
        if not looks:
            return "pending", []
        verdict = looks[-1].verdict
        return ("pending" if verdict == "inconclusive" else verdict), [looks[-1]]

    def states(self) -> dict[str, str]:
        alone: dict[str, str] = {}
        for item in ITEMS:
            own = self.own(item)
            alone[item.id] = own
            if item.when is not None and alone[item.when.item] not in item.when.states:
                alone[item.id] = "n/a"
            elif self.overrides.get(item.id, 0) > self.now_ns and "safety" in item.override_by:
                alone[item.id] = "overridden"
            elif item.id in self.deferrals and "lead" in item.defer_by and own not in PASSED:
                alone[item.id] = "deferred"
        for one, other in ((FIRST, SECOND), (SECOND, FIRST)):
            if alone[other] in PASSED and alone[one] not in PASSED:
                alone[one] = "n/a"
        return alone


def shown(state: ChecklistState) -> dict[str, str]:
    return {one.item.id: one.state for one in state.stages[0].items}


# ------------------------------------------------------------ the promises


@settings(max_examples=400, deadline=None)
@given(RECORDS)
def test_the_fold_says_what_the_model_says(steps: list[Step]) -> None:
    at = play(steps)
    model, state = Model(at), at.state()
    assert shown(state) == model.states()
    for one in state.stages[0].items:
        assert one.failures == len(model.failures(one.item.id))
        assert one.attempts == len(model.told[one.item.id])


@settings(max_examples=150, deadline=None)
@given(RECORDS)
def test_nothing_passes_that_nobody_saw_to_pass_or_vouched_for(steps: list[Step]) -> None:
    for one in play(steps).state().stages[0].items:
        if one.state not in PASSED:
            continue
        assert one.basis is not None
        evidence, confirmation = one.basis.evidence, one.basis.confirmation
        if one.item.kind == "sensed":
            assert evidence is not None
            assert evidence.judgement is not None
            assert evidence.judgement.verdict == one.state
        else:
            assert confirmation is not None
            assert confirmation.holds


@settings(max_examples=150, deadline=None)
@given(RECORDS, RECORDS)
def test_without_a_pass_or_a_yes_no_story_ends_in_a_pass(steps: list[Step], more: list[Step]) -> None:
    words = ("performed", "witnessed")
    bad = [one for one in (*steps, *more) if one.what not in words and one.verdict not in PASSED]
    bad += [Step(one.what, one.item, pick=one.pick) for one in steps if one.what not in (*words, "look")]
    assert not set(shown(play(bad).state()).values()) & set(PASSED)


@settings(max_examples=100, deadline=None)
@given(RECORDS, st.sampled_from(IDS), st.sampled_from(["pass", "fail", "inconclusive"]))
def test_a_look_at_one_item_changes_no_other_that_is_not_tied_to_it(steps: list[Step], id: str, verdict: str) -> None:
    at = play(steps)
    before = shown(at.state())
    write(at, Step("look", id, verdict=verdict))
    tied = {SENSED: {AFTER}, FIRST: {SECOND}, SECOND: {FIRST}}.get(id, set()) | {id}
    after = shown(at.state())
    aged = {AGEING} if after[AGEING] == "stale" else set()  # the look came a second later
    assert {one for one in IDS if before[one] != after[one]} - aged <= tied


@settings(max_examples=60, deadline=None)
@given(RECORDS)
def test_each_beginning_of_a_record_folds_as_it_did_then(steps: list[Step]) -> None:
    """A state must not depend on how the record was read: at once, or entry by entry while it grew."""
    at = Book(the_checklist())
    seen = []
    for step in steps:
        write(at, step)
        seen.append((len(at.lines), at.now_ns, at.state()))
    for size, now_ns, state in seen:
        then = Book(the_checklist())
        then.lines, then.now_ns = at.lines[:size], now_ns
        assert then.state() == state


@settings(max_examples=60, deadline=None)
@given(RECORDS)
def test_no_gate_opens_over_an_item_that_is_not_settled(steps: list[Step]) -> None:
    at = play(steps)
    at.pass_gate("bench")
    state = at.state()
    open_ones = [one for one in state.stages[0].items if one.state in ("pending", "fail", "stale", "unavailable")]
    assert state.stages[0].gate.open == (not open_ones)
    if open_ones:
        assert (state.stage, state.next_item) == ("bench", open_ones[0].item.id)


HOSTILE = st.one_of(
    st.sampled_from(
        ['"verdict":"fail"', '"judgement":{"verdict":"fail"', 'verdict":"fail', '"holds":false', "holds", "verdict"]
    ),
    st.text(max_size=12),
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["pass", "marginal", "fail", "inconclusive"]),
    st.dictionaries(HOSTILE, st.one_of(HOSTILE, st.booleans(), st.none()), max_size=4),
    st.dictionaries(HOSTILE, HOSTILE, max_size=4),
    HOSTILE,
    st.booleans(),
)
def test_no_text_in_an_entry_makes_or_hides_a_failure(
    verdict: str, details: dict[str, Scalar], prints: dict[str, str], text: str, holds: bool
) -> None:
    at = Book(the_checklist())
    given_by = {"details": details, "fingerprints": prints, "limit": text, "source": text}
    at.look(SENSED, verdict, person=text, **given_by)  # type: ignore[arg-type]
    at.blind(SENSED, text, details=details, fingerprints=prints)
    at.say(SAID, holds, person=text, fingerprints=prints, note=text, statement=text, challenge=text)
    state = at.state()
    assert state.item(SENSED).failures == (verdict == "fail")
    assert state.item(SAID).failures == (not holds)
