"""Gates: what blocks one is said, and a change takes back every go and signature that was given before it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from console.checklist.folding.gate_fold import missing_signatures
from console.checklist.pack import Gate, Item, Signing, When
from console.record.entries import Meaning, Signature
from tests.console.checklist.fold_book import BUNDLE_B, PAPER, Book, checklist, confirmed, sensed, stage

PERFORMED = Signing(meaning="performed", roles=("engineer",))
APPROVED = Signing(meaning="approved", roles=("safety", "lead"))
SIGNED = Gate(signatures=(PERFORMED, APPROVED))
POLLED = Gate(poll=("engineer", "safety"))


def small(gate: Gate, *more: Item) -> Book:
    """One item `a` that passed, resting on the engine, before this gate; then a stage `field`."""
    item = sensed("a", override_by=("safety",), defer_by=("lead",), rests_on=("engine",))
    at = Book(checklist(stage("bench", item, *more, gate=gate), stage("field", sensed("b"))))
    at.see(engine="one", source="scene:")
    at.look("a", fingerprints={"engine": "one"})
    return at


def signed() -> Book:
    at = small(SIGNED)
    at.sign("bench", "performed", "engineer", "ada")
    at.sign("bench", "approved", "safety", "sue")
    return at


def voids(at: Book) -> list[str]:
    return [one.void for one in at.gate("bench").signatures]


# ------------------------------------------------------------ items


def test_items_that_are_not_settled_are_named_three_at_most() -> None:
    at = Book(checklist(*(sensed(id) for id in "abcde")))
    at.look("b", "fail")
    assert at.gate("work").blocked_by == ("not settled: a (pending), b (fail), c (pending) and 2 more",)
    at.look("a")
    at.look("b")
    assert at.gate("work").blocked_by == ("not settled: c (pending), d (pending), e (pending)",)
    for id in "cd":
        at.look(id)
    assert at.gate("work").blocked_by == ("not settled: e (pending)",)
    at.look("e", "marginal")
    assert at.gate("work").blocked_by == ()


@pytest.mark.parametrize("state", ["stale", "unavailable", "inconclusive"])
def test_nothing_but_a_pass_settles(state: str) -> None:
    at = small(Gate())
    assert at.gate("bench").blocked_by == ()
    if state == "stale":
        at.see(engine="two")
    elif state == "unavailable":
        at.blind("a")
    else:
        at.look("a", "inconclusive")
    assert at.gate("bench").blocked_by[0].startswith("not settled: a")


def test_a_gate_is_open_when_it_was_passed_and_only_while_that_stands() -> None:
    at = small(Gate())
    gate = at.gate("bench")
    assert (gate.blocked_by, gate.open, gate.passed_wall_ns) == ((), False, None)
    at.pass_gate("bench")
    assert (at.gate("bench").open, at.gate("bench").passed_wall_ns) == (True, at.now_ns)
    assert (at.state().stage, at.state().next_item) == ("field", "b")
    at.see(engine="two")
    assert not at.gate("bench").open
    assert (at.state().stage, at.state().next_item) == ("bench", "a")
    assert "an earlier gate is not open: bench" in at.gate("field").blocked_by


def test_a_gate_without_signatures_that_was_passed_for_another_bundle_is_passed_anew() -> None:
    at = small(Gate())
    at.pass_gate("bench")
    at.revise(bundle=BUNDLE_B)
    assert (at.gate("bench").open, at.gate("bench").blocked_by) == (False, ())
    at.pass_gate("bench")
    assert at.gate("bench").open


def test_the_last_stage_is_shown_when_all_gates_are_open() -> None:
    at = small(Gate())
    at.look("b")
    at.pass_gate("bench")
    at.pass_gate("field")
    assert (at.state().stage, at.state().next_item) == ("field", None)


# ------------------------------------------------------------ overrides and deferrals


def test_an_override_opens_a_gate_that_allows_it_and_blocks_every_later_one_that_does_not() -> None:
    item = sensed("a", override_by=("safety",))
    strict = Gate(overrides_allowed=False)
    at = Book(checklist(stage("bench", item), stage("field", sensed("b"), gate=strict)))
    override = at.override("a")
    at.look("b")
    at.pass_gate("bench")
    assert at.gate("bench").open
    assert at.gate("field").blocked_by == ("no override may stand here: a",)
    at.look("a")
    at.withdraw(override)
    assert at.gate("field").blocked_by == ()


def test_a_deferral_opens_its_own_gate_and_blocks_the_one_it_names() -> None:
    late = sensed("a", defer_by=("lead",))
    at = Book(checklist(stage("bench", late), stage("ground", sensed("b")), stage("field", sensed("c"))))
    at.defer("a", "field")
    for id in "bc":
        at.look(id)
    assert at.gate("bench").blocked_by == ()
    at.pass_gate("bench")
    at.pass_gate("ground")
    assert at.gate("ground").open
    assert at.gate("field").blocked_by == ("deferred until here: a (lea answers for it)",)
    at.look("a")
    assert at.gate("field").blocked_by == ()


@pytest.mark.parametrize("until", ["bench", "nowhere"])
def test_a_deferral_to_no_later_stage_puts_nothing_off(until: str) -> None:
    at = Book(checklist(stage("bench", sensed("a", defer_by=("lead",))), stage("field", sensed("b"))))
    at.defer("a", until)
    assert at.gate("bench").blocked_by == ("deferred until here: a (lea answers for it)",)


# ------------------------------------------------------------ poll


def test_every_role_must_say_go() -> None:
    at = small(POLLED)
    assert at.gate("bench").blocked_by == ("no go yet from: engineer, safety",)
    at.poll("bench", "engineer")
    at.poll("bench", "safety", go=False)
    assert at.gate("bench").blocked_by == ("no-go from: safety (safety)",)
    at.poll("bench", "safety")
    assert at.gate("bench").blocked_by == ()
    assert [one.go for one in at.gate("bench").poll] == [True, True]


def test_a_role_that_is_not_asked_and_a_withdrawn_go_count_for_nothing() -> None:
    at = small(POLLED)
    at.poll("bench", "lead")
    at.poll("bench", "engineer")
    at.withdraw(at.poll("bench", "safety"))
    assert at.gate("bench").blocked_by == ("no go yet from: safety (withdrawn by ada: it was a slip)",)


def test_a_go_on_something_else_is_none() -> None:
    at = small(POLLED)
    at.poll("bench", "engineer", basis="0" * 64)
    assert at.gate("bench").poll[0].go is None


def resets(at: Book) -> list[str]:
    return [one.reset for one in at.gate("bench").poll if one.go is None]


def polled(*more: Item) -> Book:
    at = small(POLLED, *more)
    for item in more:
        at.look(item.id)
    at.poll("bench", "engineer")
    at.poll("bench", "safety")
    assert at.gate("bench").blocked_by == ()
    return at


def test_a_new_look_resets_the_poll_and_names_the_item() -> None:
    at = polled()
    at.look("a", fingerprints={"engine": "one"})
    assert resets(at) == ["a was looked at again"] * 2
    at.look("a", "fail")
    assert resets(at) == ["a is fail: it is not"] * 2


def test_a_change_that_the_stage_rests_on_resets_the_poll_and_another_does_not() -> None:
    at = polled()
    at.see(source="v4l2:0")
    assert resets(at) == []
    at.see(engine="two")
    assert resets(at) == ["engine one -> two, a is stale"] * 2, "each cause is said once"
    at.see(engine="one")
    assert resets(at) == [], "it is again what they said go to"


def test_time_resets_the_poll() -> None:
    at = polled(sensed("old", valid_for="1 d"))
    later = at.gate("bench", later_s=2 * 86_400).poll[0]
    assert (later.go, later.reset) == (None, "old is stale: older than 1 d")


def test_an_override_and_its_end_reset_the_poll() -> None:
    at = polled(sensed("o", override_by=("safety",)))
    given = at.override("o")
    assert resets(at) == ["o has another override"] * 2
    at.poll("bench", "engineer")
    at.withdraw(given)
    assert resets(at) == ["the override of o ended"], "the safety role's go was given without it and counts again"
    again = at.override("o")
    at.poll("bench", "engineer")
    assert at.gate("bench", later_s=86_400).poll[0].reset == "the override of o ended"
    assert again


def test_an_override_in_an_earlier_stage_resets_the_poll_too() -> None:
    late = stage("field", sensed("b"), gate=Gate(poll=("lead",)))
    at = Book(checklist(stage("bench", sensed("a", override_by=("safety",))), late))
    at.poll("field", "lead")
    assert at.gate("field").poll[0].go is True
    at.override("a")
    assert at.gate("field").poll[0].reset == "a has another override"


def test_another_bundle_or_checklist_resets_the_poll() -> None:
    at = polled()
    at.revise(bundle=BUNDLE_B)
    assert resets(at)[0] == "bundle 3f2a -> 91bc"
    at.poll("bench", "engineer")
    at.poll("bench", "safety")
    gate = at.checklist.pack.stages[0].gate
    item = sensed("a", title="other words", override_by=("safety",), defer_by=("lead",), rests_on=("engine",))
    at.revise(goes_by=checklist(stage("bench", item, gate=gate), stage("field", sensed("b"))))
    assert resets(at)[0].startswith("checklist ")


def test_an_item_that_applies_no_more_resets_the_poll() -> None:
    at = polled(sensed("o"), sensed("p", when=When(item="o", states=("pass",))))
    at.look("o", "marginal")
    assert "o was looked at again" in resets(at)[0]


# ------------------------------------------------------------ signatures


def test_each_wanted_signature_is_asked_for_with_meaning_and_roles() -> None:
    at = small(SIGNED)
    assert at.gate("bench").blocked_by == (
        "signature missing: performed by engineer",
        "signature missing: approved by safety or lead",
    )
    at.sign("bench", "performed", "engineer", "ada")
    assert at.gate("bench").blocked_by == ("signature missing: approved by safety or lead",)
    at.sign("bench", "approved", "lead", "lea")
    assert at.gate("bench").blocked_by == ()


@pytest.mark.parametrize(("meaning", "role"), [("reviewed", "safety"), ("approved", "engineer")])
def test_another_meaning_or_role_is_not_what_is_wanted(meaning: Meaning, role: str) -> None:
    at = small(SIGNED)
    at.sign("bench", "performed", "engineer", "ada")
    at.sign("bench", meaning, role, "sue")
    assert at.gate("bench").blocked_by == ("signature missing: approved by safety or lead",)


@pytest.mark.parametrize(
    ("who", "name", "key"), [("ada", "", ""), ("sue", "ADA  Example", ""), ("sue", "", "SHA256:ada")]
)
def test_two_signatures_are_two_people_with_two_keys(who: str, name: str, key: str) -> None:
    at = small(Gate(signatures=(Signing(meaning="performed", roles=("engineer",)), PERFORMED)))
    at.sign("bench", "performed", "engineer", "ada")
    at.sign("bench", "performed", "engineer", who, name=name, key=key)
    assert at.gate("bench").blocked_by == ("signature missing: performed by engineer",)
    at.sign("bench", "performed", "engineer", "bo")
    assert at.gate("bench").blocked_by == ()


def test_who_did_the_work_does_not_approve_it() -> None:
    at = small(SIGNED)
    at.sign("bench", "performed", "engineer", "bo")
    at.sign("bench", "approved", "safety", "ada")
    assert voids(at) == ["", "given by one who performed a"]
    assert at.gate("bench").blocked_by == (
        "signature missing: approved by safety or lead (that of Ada Example is void: given by one who performed a)",
    )


def test_a_person_with_two_meanings_leaves_the_one_nobody_else_gave() -> None:
    """The fewest missing: a greedy choice would take the lead's approval for the first and miss the second."""
    one, two = Signing(meaning="approved", roles=("safety", "lead")), Signing(meaning="approved", roles=("lead",))
    given = [_signature("lea", "lead"), _signature("sue", "safety")]
    assert missing_signatures((one, two), given) == ()
    assert missing_signatures((one, two), given[:1]) in ((one,), (two,))
    assert missing_signatures((one, two), []) == (one, two)


def _signature(who: str, role: str) -> Signature:
    return Signature(
        stage="bench",
        meaning="approved",
        principal=who,
        name=who,
        role=role,
        key=who,
        statement=PAPER,
        armored="",
        covers={},
        head=1,
        local_time="",
    )


def test_signatures_stand_while_nothing_changes() -> None:
    at = signed()
    at.look("b")
    at.see(source="v4l2:0")
    assert voids(at) == ["", ""]
    at.pass_gate("bench")
    assert at.gate("bench", later_s=99 * 86_400).open


def test_new_evidence_voids() -> None:
    at = signed()
    at.look("a", fingerprints={"engine": "one"})
    assert voids(at) == ["a rests on other evidence now"] * 2


def test_what_failed_or_went_stale_voids_with_its_reason() -> None:
    at = signed()
    at.see(engine="two")
    assert voids(at) == ["a is stale: engine one -> two"] * 2
    at.look("a", "fail")
    assert voids(at) == ["a is fail: it is not"] * 2


def test_a_withdrawn_signature_is_void_and_says_who_and_why() -> None:
    at = signed()
    at.withdraw(at.gate("bench").signatures[1].seq, "sue")
    assert voids(at) == ["", "withdrawn by sue: it was a slip"]
    assert [one.history for one in at.gate("bench").signatures] == ["", "withdrawn"]
    assert at.gate("bench").blocked_by == ("signature missing: approved by safety or lead",), (
        "history is in nobody's way"
    )


def test_a_void_signature_is_history_once_one_that_counts_stands_in_its_place() -> None:
    at = signed()
    at.look("a", fingerprints={"engine": "one"})
    assert [one.history for one in at.gate("bench").signatures] == ["", ""], "nothing has replaced them yet"
    assert "is void" in " ".join(at.gate("bench").blocked_by)
    at.sign("bench", "performed", "engineer", "ada")
    newest = at.gate("bench").signatures[-1]
    assert [one.history for one in at.gate("bench").signatures] == [f"replaced by entry {newest.seq}", "", ""]
    at.sign("bench", "approved", "lead", "lea")  # another role that the gate takes for the same
    assert all(one.history.startswith("replaced by entry") for one in at.gate("bench").signatures[:2])
    assert at.gate("bench").blocked_by == ()
    at.look("a", fingerprints={"engine": "one"})
    assert [one.history for one in at.gate("bench").signatures] == [""] * 4, "the new ones are void too"


def test_the_void_signature_of_a_role_is_not_replaced_by_that_of_another_that_the_gate_wants_besides() -> None:
    wanted = tuple(Signing(meaning="reviewed", roles=(role,)) for role in ("safety", "lead"))
    at = small(Gate(signatures=wanted))
    at.sign("bench", "reviewed", "safety", "sue")
    at.sign("bench", "reviewed", "lead", "lea")
    at.look("a", fingerprints={"engine": "one"})
    at.sign("bench", "reviewed", "lead", "lea")
    assert [bool(one.history) for one in at.gate("bench").signatures] == [False, True, False]


def test_another_bundle_voids_also_where_no_item_rests_on_it() -> None:
    at = signed()
    at.revise(bundle=BUNDLE_B)
    assert voids(at) == ["bundle 3f2a -> 91bc"] * 2
    at.revise(bundle="3f2a" + "0" * 60)
    assert voids(at) == ["another bundle was in force meanwhile"] * 2
    at.sign("bench", "performed", "engineer", "bo")
    assert voids(at)[2] == "", "given right after the change, on what is in force"


def test_another_checklist_voids_and_another_roster_does_not() -> None:
    at = signed()
    at.revise()
    assert voids(at) == ["", ""]
    item = sensed("a", title="other words", override_by=("safety",), rests_on=("engine",))
    at.revise(goes_by=checklist(stage("bench", item, gate=SIGNED), stage("field", sensed("b"))))
    assert all(one.startswith("checklist ") for one in voids(at))


def test_an_override_that_came_voids_and_so_does_one_that_ends() -> None:
    at = signed()
    at.override("a")
    assert voids(at) == ["a has another override"] * 2
    at.sign("bench", "performed", "engineer", "bo")
    assert voids(at)[2] == ""
    assert at.gate("bench", later_s=86_400).signatures[2].void == "the override of a ended"


def test_an_override_between_statement_and_signature_voids() -> None:
    """It was not on the page that was signed."""
    at = small(SIGNED)
    at.override("a")
    at.sign("bench", "performed", "engineer", "bo", later=1)
    assert voids(at) == ["a has another override"]


def test_a_deferral_that_came_voids() -> None:
    at = small(SIGNED, sensed("d", defer_by=("lead",)))
    at.defer("d", "field")
    at.sign("bench", "performed", "engineer", "bo")
    assert voids(at) == [""]
    at.defer("d", "field")
    assert voids(at) == ["d has another deferral"]


def test_a_gate_that_was_passed_on_a_void_signature_is_shut_until_it_is_passed_anew() -> None:
    at = signed()
    at.pass_gate("bench")
    assert at.gate("bench").open
    at.withdraw(at.gate("bench").signatures[1].seq)
    at.sign("bench", "approved", "lead", "lea")
    assert (at.gate("bench").open, at.gate("bench").blocked_by) == (False, ())
    at.pass_gate("bench")
    assert at.gate("bench").open


# ------------------------------------------------------------ basis


def test_the_basis_is_the_same_for_the_same_and_another_for_anything_else() -> None:
    at = small(POLLED, confirmed("c"))
    bases = [at.gate("bench").basis]
    at.look("b")
    assert at.gate("bench").basis == bases[0], "another stage's item"
    changes: tuple[Callable[[], int], ...] = (
        lambda: at.say("c"),
        lambda: at.override("a"),
        lambda: at.defer("a", "field"),
        lambda: at.see(engine="two"),
        lambda: at.revise(bundle=BUNDLE_B),
    )
    for change in changes:
        change()
        bases.append(at.gate("bench").basis)
    assert len(set(bases)) == len(bases)
