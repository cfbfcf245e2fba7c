"""Passes that nobody earned: what a person, a clock or a file can do so that a checklist, a gate or `verify` takes them."""

from __future__ import annotations

import threading

import msgspec
import pytest

from console.campaigns.campaign import Campaign
from console.campaigns.in_force import attach_text
from console.campaigns.standing_now import now_of
from console.checklist.pack import Gate, Signing
from console.checklist.packs.sources import Source
from console.checklist.probes.randomisation import RandomisationParameters, look_at_randomisation
from console.record.entries import Attachment, Note, Signature
from console.record.record import Record
from remote.errors import Trouble
from tests.console.checklist.campaign_world import World
from tests.console.checklist.fold_book import Book, checklist, confirmed, sensed, stage, witnessed
from tests.console.checklist.given_robot import BUNDLE
from tests.console.checklist.test_campaign_gates import settle
from tests.console.checklist.test_campaign_vouching import refused

BOTH = Gate(
    signatures=(Signing(meaning="performed", roles=("engineer",)), Signing(meaning="reviewed", roles=("safety",)))
)


# ------------------------------------------------------------ taking back


def test_a_no_that_is_taken_back_is_no_yes() -> None:
    """Whoever may write may withdraw: Bo's no would turn into the yes that Anna gave before it."""
    at = Book(checklist(confirmed("c")))
    at.say("c", person="anna")
    no = at.say("c", False, person="bo")
    at.withdraw(no, "anna")
    assert at.item("c").state == "pending"
    assert "no in entry 3 was withdrawn by anna" in at.item("c").reason
    at.say("c", person="bo")
    assert at.item("c").state == "pass"


def test_a_witnesss_no_that_is_taken_back_wants_both_again() -> None:
    at = Book(checklist(witnessed("w")))
    at.say("w", person="anna")
    at.say("w", person="bo", meaning="witnessed")
    at.withdraw(at.say("w", False, person="bo", meaning="witnessed"), "anna")
    assert at.item("w").state == "pending"
    at.say("w", person="bo", meaning="witnessed")
    assert at.item("w").state == "pending"
    at.say("w", person="anna")
    at.say("w", person="bo", meaning="witnessed")
    assert at.item("w").state == "pass"


@pytest.mark.parametrize("first", [True, False])
def test_a_poll_answer_that_is_taken_back_brings_none_back(first: bool) -> None:
    """The go from before a no-go says nothing any more, whoever withdraws the no-go."""
    at = Book(checklist(stage("bench", sensed("a"), gate=Gate(poll=("safety",)))))
    at.look("a")
    at.poll("bench", "safety", first)
    at.withdraw(at.poll("bench", "safety", not first), "eve")
    answer = at.gate("bench").poll[0]
    assert answer.go is None
    assert answer.reset == "withdrawn by eve: it was a slip"
    at.poll("bench", "safety")
    assert at.gate("bench").blocked_by == ()


# ------------------------------------------------------------ what `verify` counts


def signed_by(first: str, second: str, *, key: str = "", name: str = "") -> Book:
    at = Book(checklist(stage("bench", sensed("a"), gate=BOTH)))
    at.look("a", person="dora")
    at.sign("bench", "performed", "engineer", first, name=f"{first.title()} Example")
    at.sign("bench", "reviewed", "safety", second, key=key, name=name)
    return at


def test_two_signatures_of_one_person_are_not_two_people() -> None:
    """Else `verify` ends with 0 where the gate itself stays shut."""
    assert now_of(signed_by("ada", "sue").state()).counts
    for given in (
        signed_by("ada", "ada"),
        signed_by("ada", "sue", key="SHA256:ada"),
        signed_by("ada", "sue", name="ADA  Example"),
    ):
        now = now_of(given.state())
        assert not now.counts
        assert len(now.unsigned) == 1


@pytest.mark.parametrize("how", ["pending", "deferred", "unavailable", "inconclusive"])
def test_what_is_not_settled_does_not_count(how: str) -> None:
    """A stage whose gate asks for no signature would else count with nothing done in it."""
    at = Book(checklist(stage("bench", sensed("a", defer_by=("lead",))), stage("field", sensed("b"))))
    at.look("b")
    if how == "deferred":
        at.defer("a", "field")
    elif how == "unavailable":
        at.blind("a")
    elif how == "inconclusive":
        at.look("a", "inconclusive")
    now = now_of(at.state())
    assert not now.counts
    assert any(one.startswith("a is ") for one in now.sentences)
    at.look("a")
    assert now_of(at.state()).counts


def test_a_checklist_that_is_not_the_one_in_force_does_not_count() -> None:
    """A record may name the strict pack's revision and carry a weak pack."""
    at = Book(checklist(sensed("a")))
    at.look("a")
    assert now_of(at.state()).counts
    weak = checklist(sensed("a", title="another"))
    at.checklist = msgspec.structs.replace(weak, rules=at.checklist.rules)
    assert not now_of(at.state()).counts


def test_a_record_from_the_future_does_not_count() -> None:
    """Evidence that is dated next year would stay young for a year."""
    at = Book(checklist(sensed("a", valid_for="30 d")))
    at.look("a")
    assert now_of(at.state()).counts
    assert now_of(at.state(later_s=-60.0)).counts, "clocks of two laptops may differ by a minute"
    late = now_of(at.state(later_s=-86_400.0))
    assert not late.counts
    assert any("time untrusted" in one for one in late.sentences)


# ------------------------------------------------------------ gates


@pytest.fixture
def campaign(world: World) -> Campaign:
    made = world.campaign()
    settle(made, world)
    return made


def test_a_gate_does_not_open_on_a_signature_that_nobody_gave(campaign: Campaign, world: World) -> None:
    """The entry alone proves nothing: whoever may write the file may write one in Bo's name."""
    given = campaign.sign("bench", "performed", "anna", world.key("anna"))
    state = campaign.state()
    forged = msgspec.structs.replace(
        given.signature, meaning="reviewed", principal="bo", name="Bo Berg", role="safety", key="SHA256:bo",
        head=state.entries,
    )  # fmt: skip
    assert isinstance(forged, Signature)
    campaign.record.append("bo", forged)
    trouble = refused("record_forged", campaign.pass_gate, "bench", "anna")
    assert "entry" in trouble.what
    assert not campaign.stage_state("bench").gate.open


def test_what_is_signed_is_what_the_files_say_now(campaign: Campaign, world: World) -> None:
    """The table was edited after the check: its item is stale, also where nobody looked again."""
    world.results(1, 20)
    statement = campaign.statement("bench", "performed", "anna", world.key("anna")).decode()
    assert "results.csv" in statement
    assert campaign.item_state("results").state == "stale"


def test_a_gate_does_not_open_on_files_that_were_edited_since(campaign: Campaign, world: World) -> None:
    campaign.sign("bench", "performed", "anna", world.key("anna"))
    campaign.sign("bench", "reviewed", "bo", world.key("bo"))
    world.results(1, 20)
    refused("gate_blocked", campaign.pass_gate, "bench", "anna")
    assert campaign.item_state("results").state == "stale"


def test_a_go_is_said_on_what_the_files_say_now(campaign: Campaign, world: World) -> None:
    world.results(1, 20)
    campaign.poll("bench", "safety", True, "bo")
    assert campaign.item_state("results").state == "stale"


def test_a_note_between_does_not_hinder(campaign: Campaign, world: World) -> None:
    """The mends above must not refuse a plain sign-off."""
    campaign.sign("bench", "performed", "anna", world.key("anna"))
    campaign.record.append("cy", Note(text="lunch"))
    campaign.sign("bench", "reviewed", "bo", world.key("bo"))
    assert campaign.pass_gate("bench", "anna").gate.open


# ------------------------------------------------------------ beginning


def test_two_that_begin_one_campaign_at_once_do_not_remove_each_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second would find an empty record, take it for what a kill has left, and remove it under the first."""
    refusals: list[str] = []

    def begin() -> None:
        try:
            world.campaign(name="both", bundle="cd" * 32).close()
        except Trouble as trouble:
            refusals.append(trouble.code)

    second = threading.Thread(target=begin)

    def meanwhile(record: Record, source: Source) -> Attachment:
        if not second.ident:
            second.start()
            second.join(0.5)  # it is in the first one's way now, or waits for it
        return attach_text(record, source)

    monkeypatch.setattr("console.campaigns.opening.attach_text", meanwhile)
    made = world.campaign(name="both")
    second.join(30)
    assert refusals == ["campaign_exists"]
    assert made.bundle != "cd" * 32
    assert made.state().entries == 1


# ------------------------------------------------------------ probes


def test_a_value_cannot_hide_behind_a_twin_of_its_name(world: World) -> None:
    """`gain` was measured outside its range; the same name written as one key would hide it, or widen the range."""
    (world.files / "range.yaml").write_text("light: {gain: {low: 1, high: 2}}\n")
    (world.files / "wide.yaml").write_text("light: {gain: {low: 1, high: 2}}\nlight.gain: {low: 0, high: 9}\n")
    (world.files / "real.yaml").write_text("light: {gain: 5}\n")
    (world.files / "twin.yaml").write_text("light: {gain: 5}\nlight.gain: 1.5\n")
    for ranges, real in (("range.yaml", "twin.yaml"), ("wide.yaml", "real.yaml")):
        parameters = RandomisationParameters(file=ranges, real_values=real)
        trouble = refused("bad_randomisation", look_at_randomisation, world.offline(), parameters)
        assert "light.gain is given twice" in trouble.what


def test_the_results_of_another_bundle_are_not_those_of_this_one(world: World) -> None:
    """The new bundle would pass by the old one's trials: the table itself has not changed."""
    made = world.campaign()
    world.results(20, 20)
    assert made.attempt("results", world.offline(), "anna").state == "pass"
    made.revise("a new model came", "anna", bundle="cd" * 32)
    state = made.attempt("results", world.offline(), "anna")
    assert state.state == "unavailable"
    assert "was judged by this very results.csv" in state.reason
    world.results(21, 21)
    assert made.attempt("results", world.offline(), "anna").state == "pass"
    made.revise("back to the old model", "anna", bundle=BUNDLE)
    world.results(20, 20)
    assert made.attempt("results", world.offline(), "anna").state == "pass", "these trials are of this bundle"
