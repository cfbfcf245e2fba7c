"""What the entries about one item make of it: nothing counts as passed that nobody saw or vouched for."""

from __future__ import annotations

from typing import Any

import pytest

from console.checklist.pack import Act, Item, When
from console.checklist.states import PASSED
from console.fieldtest.criteria import Verdict
from console.record.entries import Transcribed
from tests.console.checklist.fold_book import (
    DAY_NS,
    PAPER,
    PHOTO,
    SECOND_NS,
    Book,
    checklist,
    confirmed,
    sensed,
    stage,
    witnessed,
)


def book(*items: Item) -> Book:
    return Book(checklist(*items))


# ------------------------------------------------------------ looks and words


def test_an_item_nobody_looked_at_is_pending_and_says_what_it_asks_for() -> None:
    at = book(
        sensed("a"), confirmed("c"), witnessed("w"), confirmed("p", inspect="photo"), sensed("x", kind="measured")
    )
    assert [(one.state, one.need) for one in at.state().items()] == [
        ("pending", "probe"),
        ("pending", "confirmation"),
        ("pending", "confirmation"),
        ("pending", "photo"),
        ("pending", "value"),
    ]
    assert at.state().next_item == "a"


@pytest.mark.parametrize(
    ("verdict", "state", "need"),
    [
        ("pass", "pass", "nothing"),
        ("marginal", "marginal", "nothing"),
        ("fail", "fail", "probe"),
        ("inconclusive", "pending", "probe"),
    ],
)
def test_the_last_look_decides(verdict: Verdict, state: str, need: str) -> None:
    at = book(sensed("a"))
    at.look("a", "pass" if verdict == "fail" else "fail")
    seq = at.look("a", verdict)
    found = at.item("a")
    assert (found.state, found.need, found.attempts) == (state, need, 2)
    assert found.basis is not None
    assert (found.basis.seq, found.basis.digest) == (seq, at.lines[-1].digest)
    assert found.since_wall_ns == at.now_ns


def test_a_failed_item_says_why_and_what_to_do() -> None:
    at = book(sensed("a", cure="turn the light on"))
    at.look("a", "fail")
    found = at.item("a")
    assert (found.reason, found.cure, found.failures, found.last_failure_seq) == (
        "it is not",
        "turn the light on",
        1,
        2,
    )


def test_each_state_says_what_to_do_about_it() -> None:
    shared = {"how": "hold a ruler to it", "cure": "tighten it", "valid_for": "1 d"}
    at = book(
        sensed("a", **shared),
        sensed("b", latched=True, cure=""),
        *(confirmed(id, **shared) for id in "cd"),
        witnessed("w"),
    )
    at.blind("a")
    at.look("b", "fail")
    at.say("c")
    at.say("d", False)
    assert [one.cure for one in at.state().items()] == [
        "hold a ruler to it",
        "mend it; then record what was done about entry 3",
        "",
        "tighten it",
        "",
    ]
    at.look("a")
    assert [at.item(id, later_s=86_400).cure for id in "ac"] == ["look again", "confirm it again"]
    at.look("b", "fail")
    assert at.item("b").cure == "mend it; then record what was done about entry 7"


def test_too_few_trials_say_how_many_more_would_decide() -> None:
    at = book(sensed("a"))
    at.look("a", "inconclusive", lacking=7)
    assert at.item("a").reason == "too few; 7 more would decide"


def test_a_look_that_saw_nothing_takes_the_tick_away_and_keeps_the_probes_cure() -> None:
    at = book(sensed("a"))
    at.look("a")
    at.blind("a", "the robot is off", details={"cure": "switch it on"})
    found = at.item("a")
    assert (found.state, found.reason, found.cure, found.failures) == (
        "unavailable",
        "the robot is off",
        "switch it on",
        0,
    )


def test_nobodys_word_settles_a_sensed_item_but_a_no_counts() -> None:
    at = book(sensed("a"))
    at.say("a")
    assert at.item("a").state == "pending"
    at.look("a")
    at.say("a", False, note="the light lies")
    assert (at.item("a").state, at.item("a").reason) == ("fail", "ada says that it does not hold: the light lies")
    at.look("a")
    assert at.item("a").state == "pass"


def test_no_look_settles_what_a_person_must_vouch_for() -> None:
    at = book(confirmed("c"))
    at.look("c")
    assert at.item("c").state == "pending"
    at.say("c")
    assert at.item("c").state == "pass"
    at.blind("c")
    assert at.item("c").state == "unavailable"


def test_a_confirmation_passes_and_a_no_fails() -> None:
    at = book(confirmed("c"))
    at.say("c")
    assert (at.item("c").state, at.item("c").performers) == ("pass", ("ada",))
    at.say("c", False)
    assert (at.item("c").state, at.item("c").failures) == ("fail", 1)


def test_a_withdrawn_yes_counts_no_more_and_the_one_before_does_again() -> None:
    at = book(confirmed("c"))
    yes = at.say("c")
    at.withdraw(yes)
    assert (at.item("c").state, at.item("c").attempts) == ("pending", 1)
    at.say("c", False)
    at.withdraw(at.say("c"))
    assert at.item("c").state == "fail"


def test_what_was_seen_can_not_be_withdrawn() -> None:
    """Else a failure would vanish with one line."""
    at = book(sensed("a"))
    at.withdraw(at.look("a", "fail"))
    assert at.item("a").state == "fail"


def test_a_withdrawal_of_what_comes_later_is_nothing() -> None:
    at = book(confirmed("c"))
    at.withdraw(3)
    at.say("c")
    assert at.item("c").state == "pass"


@pytest.mark.parametrize(("inspect", "attached", "state"), [("photo", PHOTO, "pass"), ("photo", PAPER, "pending")])
def test_a_photo_is_a_picture(inspect: str, attached: object, state: str) -> None:
    at = book(confirmed("c", inspect=inspect))
    at.say("c", attachments=(attached,))
    assert at.item("c").state == state
    assert at.item("c").need == ("nothing" if state == "pass" else "photo")


def test_any_file_will_do_where_a_file_is_asked_for_and_none_will_not() -> None:
    at = book(confirmed("c", inspect="file"))
    at.say("c")
    assert (at.item("c").state, at.item("c").need) == ("pending", "file")
    at.say("c", attachments=(PHOTO,))
    assert at.item("c").state == "pass"


def test_what_needs_a_second_look_is_flagged() -> None:
    at = book(confirmed("c"), sensed("a", valid_for="1 d"), sensed("b"))
    at.say("c", too_quick=True, transcribed=Transcribed("bo", "2027-01-15"))
    at.look("a", details={"transcribed_by": "bo"}, back_ms=5.0)
    at.look("b")
    assert [one.flags for one in at.state().items()] == [
        ("too quick", "transcribed"),
        ("transcribed", "time untrusted"),
        (),
    ]


# ------------------------------------------------------------ two people


def test_a_witnessed_item_wants_another_person_after_the_first() -> None:
    at = book(witnessed("w"))
    at.say("w")
    assert (at.item("w").state, at.item("w").need, at.item("w").performers) == ("pending", "witness", ("ada",))
    at.say("w", person=" ADA ", meaning="witnessed")
    assert (at.item("w").state, at.item("w").need) == ("pending", "witness")
    assert "another person must" in at.item("w").reason
    at.say("w", person="bo", meaning="witnessed")
    found = at.item("w")
    assert (found.state, found.performers) == ("pass", ("ada",))
    assert found.reason == "performed by ada; witnessed by bo"


def test_a_witness_who_came_first_saw_nothing() -> None:
    at = book(witnessed("w"))
    at.say("w", person="bo", meaning="witnessed")
    assert (at.item("w").state, at.item("w").need) == ("pending", "confirmation")
    at.say("w")
    assert (at.item("w").state, at.item("w").need) == ("pending", "witness")


def test_a_no_of_the_witness_fails_and_both_must_come_again() -> None:
    at = book(witnessed("w"))
    at.say("w")
    at.say("w", False, person="bo", meaning="witnessed")
    assert at.item("w").state == "fail"
    at.say("w", person="bo", meaning="witnessed")
    assert (at.item("w").state, at.item("w").need) == ("pending", "confirmation")


def test_without_the_first_persons_word_the_witness_stands_alone() -> None:
    at = book(witnessed("w"))
    first = at.say("w")
    at.say("w", person="bo", meaning="witnessed")
    at.withdraw(first)
    assert at.item("w").state == "pending"


# ------------------------------------------------------------ command and verify


def test_a_command_passes_by_the_look_that_follows_it() -> None:
    at = book(sensed("a", act=Act(says="disarm", argv=("disarm",))))
    assert (at.item("a").state, at.item("a").need) == ("pending", "command")
    at.look("a")
    assert (at.item("a").state, at.item("a").reason) == ("pending", "its command was not run yet")
    at.act("a")
    assert (at.item("a").state, at.item("a").need) == ("pending", "command")
    at.look("a")
    assert at.item("a").state == "pass"


@pytest.mark.parametrize(
    ("exit", "reason"),
    [
        (0, "its command ended with 0, not 3"),
        (None, "its command did not end"),
        (3, "its command ran, its effect was not looked at since"),
    ],
)
def test_a_command_that_ended_otherwise_verifies_nothing(exit: int | None, reason: str) -> None:
    at = book(sensed("a", act=Act(says="disarm", argv=("disarm",), expect_exit=3)))
    at.act("a", exit)
    assert (at.item("a").state, at.item("a").reason, at.item("a").need) == ("pending", reason, "command")
    at.look("a", "inconclusive")
    assert at.item("a").reason == ("too few" if exit == 3 else reason)
    at.look("a")
    assert at.item("a").state == ("pass" if exit == 3 else "pending")
    at.look("a", "fail")
    assert (at.item("a").state, at.item("a").need) == ("fail", "command")


# ------------------------------------------------------------ latched


def test_a_latched_failure_needs_a_fix_and_then_a_new_pass() -> None:
    at = book(sensed("a", latched=True))
    failed = at.look("a", "fail")
    assert (at.item("a").state, at.item("a").need) == ("fail", "fix")
    at.look("a")
    found = at.item("a")
    assert (found.state, found.need, found.basis and found.basis.seq) == ("fail", "fix", failed)
    at.fix("a", failed)
    assert (at.item("a").state, at.item("a").need) == ("fail", "probe"), "the pass from before the fix does not count"
    at.look("a")
    assert at.item("a").state == "pass"


def test_without_latch_the_next_pass_is_enough() -> None:
    at = book(sensed("a"))
    at.look("a", "fail")
    at.look("a")
    assert at.item("a").state == "pass"


def test_a_fix_of_another_failure_frees_nothing() -> None:
    at = book(sensed("a", latched=True), sensed("b", latched=True))
    first, other = at.look("a", "fail"), at.look("b", "fail")
    at.fix("a", other)
    at.fix("b", first)
    at.look("a")
    assert at.item("a").state == "fail"
    again = at.look("a", "fail")
    at.fix("a", first)
    at.look("a")
    assert (at.item("a").state, at.item("a").last_failure_seq) == ("fail", again)


def test_a_fix_written_before_the_failure_frees_nothing() -> None:
    at = book(sensed("a", latched=True))
    at.fix("a", len(at.lines) + 2)
    at.look("a", "fail")
    at.look("a")
    assert at.item("a").state == "fail"


def test_a_latched_no_is_not_freed_by_withdrawing_it() -> None:
    at = book(confirmed("c", latched=True))
    no = at.say("c", False)
    at.withdraw(no)
    at.say("c")
    assert at.item("c").state == "fail"
    at.fix("c", no)
    at.say("c")
    assert at.item("c").state == "pass"


def test_a_latched_no_that_was_fixed_and_done_again_waits_for_its_witness() -> None:
    """Else the witness is told that there is nothing to witness, and the fix frees nothing."""
    at = book(witnessed("w", latched=True))
    no = at.say("w", False)
    at.say("w")
    assert at.item("w").state == "fail"
    at.fix("w", no)
    assert (at.item("w").state, at.item("w").need) == ("fail", "witness")
    at.say("w", person="anna")
    again = at.item("w")
    assert (again.state, again.need) == ("pending", "witness")
    assert again.reason == "done again by anna; a second person must witness it"
    at.say("w", meaning="witnessed", person="bo")
    assert at.item("w").state == "pass"


def test_a_latched_failure_outlasts_blindness_and_change() -> None:
    at = book(sensed("a", latched=True, valid_for="1 d", rests_on=("engine",)))
    at.see(engine="one")
    at.look("a", "fail", fingerprints={"engine": "one"})
    at.see(engine="two")
    at.blind("a")
    assert at.item("a", later_s=9 * 86_400).state == "fail"


@pytest.mark.parametrize(
    "imitation",
    [
        {"details": {"verdict": "fail"}},
        {"details": {"note": '"verdict":"fail"'}},
        {"fingerprints": {"verdict": "fail"}},
        {"limit": '{"judgement":{"verdict":"fail"}}'},
        {"details": {'judgement":{"verdict": "fail"': "fail", "judgement": '{"verdict":"fail"'}},
    ],
)
def test_words_that_look_like_a_failure_are_none(imitation: dict[str, Any]) -> None:
    """A note would latch an item otherwise."""
    at = book(sensed("a", latched=True))
    at.look("a", **imitation)
    assert (at.item("a").state, at.item("a").failures) == ("pass", 0)


def test_a_failure_hides_behind_no_words() -> None:
    at = book(sensed("a", latched=True))
    details = {"verdict": "pass", "judgement": '{"verdict":"pass"'}
    failed = at.look("a", "fail", details=details, limit='"judgement":{"verdict":"pass"')
    at.look("a")
    assert (at.item("a").state, at.item("a").last_failure_seq) == ("fail", failed)


# ------------------------------------------------------------ overrides and deferrals


def test_an_override_stands_until_it_ends_and_shows_what_lies_below() -> None:
    at = book(sensed("a", override_by=("safety",)))
    at.look("a", "fail")
    at.override("a", days=2)
    found = at.item("a")
    assert (found.state, found.below, found.reason) == ("overridden", "fail", "sue (safety): we know why")
    assert found.expires_wall_ns == at.now_ns + 2 * DAY_NS
    assert at.state().overrides == 1
    assert at.item("a", later_s=2 * 86_400 - 1).state == "overridden"
    assert at.item("a", later_s=2 * 86_400).state == "fail"


def test_an_override_by_a_role_that_may_not_is_none() -> None:
    at = book(sensed("a", override_by=("safety",)), sensed("b"))
    at.override("a", role="engineer")
    at.override("b")
    assert [one.state for one in at.state().items()] == ["pending", "pending"]


def test_a_withdrawn_override_ends() -> None:
    at = book(sensed("a", override_by=("safety",)))
    at.withdraw(at.override("a"))
    assert (at.item("a").state, at.state().overrides) == ("pending", 0)


def staged() -> Book:
    deferrable = sensed("a", defer_by=("lead",), override_by=("lead",))
    return Book(checklist(stage("bench", deferrable), stage("field", sensed("b")), stage("free", sensed("c"))))


def test_a_deferral_names_owner_and_stage_and_a_pass_ends_it() -> None:
    at = staged()
    at.defer("a", "field")
    found = at.item("a")
    assert (found.state, found.below, found.owner, found.need) == ("deferred", "pending", "lea", "probe")
    assert found.reason == "deferred to field: no tether yet"
    assert at.state().deferrals == 1
    at.look("a", "fail")
    assert at.item("a").state == "deferred"
    at.look("a")
    assert (at.item("a").state, at.state().deferrals) == ("pass", 0)


def test_a_deferral_by_a_role_that_may_not_is_none() -> None:
    at = staged()
    at.defer("a", "field", role="engineer")
    assert at.item("a").state == "pending"
    at.withdraw(at.defer("a", "field"))
    assert at.item("a").state == "pending"


def test_an_override_goes_before_a_deferral() -> None:
    at = staged()
    at.override("a", role="lead")
    at.defer("a", "field")
    assert at.item("a").state == "overridden"


def test_a_deferred_item_is_asked_for_in_the_stage_it_waits_for() -> None:
    at = staged()
    at.defer("a", "field")
    assert at.state().next_item is None, "nothing is left in its own stage"
    at.pass_gate("bench")
    at.look("b")
    state = at.state()
    assert (state.stage, state.next_item) == ("field", "a")


# ------------------------------------------------------------ what does not apply


def test_not_applicable_goes_before_everything() -> None:
    at = book(sensed("a", not_applicable="no arm here", override_by=("safety",)))
    at.look("a", "fail")
    at.override("a")
    found = at.item("a")
    assert (found.state, found.reason, found.need, found.basis, found.failures) == (
        "n/a",
        "no arm here",
        "nothing",
        None,
        1,
    )


def test_a_condition_follows_the_other_item() -> None:
    at = book(sensed("a"), sensed("b", when=When(item="a", states=("fail", "marginal"))))
    assert (at.item("b").state, at.item("b").reason) == ("n/a", "only where a is fail or marginal; it is pending")
    at.look("a", "fail")
    assert at.item("b").state == "pending"
    at.look("a")
    assert at.item("b").state == "n/a"


def test_a_condition_on_what_went_stale_goes_with_it() -> None:
    chain = (
        sensed("a", valid_for="1 d"),
        sensed("b", when=When(item="a", states=("pass",))),
        sensed("c", when=When(item="b", states=("pass",))),
    )
    at = book(*chain)
    for id in "abc":
        at.look(id)
    assert [one.state for one in at.state().items()] == ["pass", "pass", "pass"]
    assert [one.state for one in at.state(later_s=2 * 86_400).items()] == ["stale", "n/a", "n/a"]


def test_one_of_a_group_excuses_the_others_until_it_goes_stale() -> None:
    at = book(sensed("a", one_of="speed", valid_for="1 d"), sensed("b", one_of="speed"), sensed("c", one_of="speed"))
    at.look("b", "fail")
    at.look("a")
    assert [one.state for one in at.state().items()] == ["pass", "n/a", "n/a"]
    assert at.item("b").reason == "not needed: a passes"
    assert [one.state for one in at.state(later_s=2 * 86_400).items()] == ["stale", "fail", "pending"]


def test_an_override_in_a_group_excuses_nobody() -> None:
    at = book(sensed("a", one_of="speed", override_by=("safety",)), sensed("b", one_of="speed"))
    at.override("a")
    assert [one.state for one in at.state().items()] == ["overridden", "pending"]


def test_members_that_both_pass_both_show_it() -> None:
    at = book(sensed("a", one_of="speed"), sensed("b", one_of="speed"))
    at.look("a")
    at.look("b", "marginal")
    assert [one.state for one in at.state().items()] == ["pass", "marginal"]


def test_a_condition_within_a_group_does_not_turn_in_circles() -> None:
    """Predictive control only where latency fails, and then latency is excused: which it must not take back."""
    at = book(sensed("a", one_of="speed"), sensed("b", one_of="speed", when=When(item="a", states=("fail",))))
    at.look("b")
    assert [one.state for one in at.state().items()] == ["pending", "n/a"], "it does not apply yet and excuses nobody"
    at.look("a", "fail")
    assert [one.state for one in at.state().items()] == ["n/a", "pass"]


def test_a_condition_on_an_excused_item_follows_the_excuse() -> None:
    at = book(
        sensed("a", one_of="speed"), sensed("b", one_of="speed"), sensed("c", when=When(item="a", states=("n/a",)))
    )
    at.look("c")
    assert at.item("c").state == "n/a"
    at.look("b")
    assert [one.state for one in at.state().items()] == ["n/a", "pass", "pass"]


def test_items_that_wait_for_each_other_do_not_excuse_each_other() -> None:
    at = book(sensed("a", when=When(item="b", states=("pass",))), sensed("b", when=When(item="a", states=("pass",))))
    assert {one.state for one in at.state().items()} <= {"pending", "n/a"}
    assert "pending" in {one.state for one in at.state().items()}


# ------------------------------------------------------------ the whole


def test_what_runs_is_shown_as_running_and_counts_as_nothing() -> None:
    at = book(sensed("a"), sensed("b", not_applicable="no arm"))
    at.look("a")
    state = at.state(running=("a", "b"))
    assert (state.item("a").state, state.item("a").below, state.item("b").state) == ("running", "pass", "n/a")
    assert state.item("a").state not in PASSED
    assert state.stages[0].gate == at.state().stages[0].gate


def test_the_head_is_the_records() -> None:
    at = book(sensed("a"))
    at.see(engine="one")
    state = at.state()
    assert (state.entries, state.head) == at.head()
    assert (state.campaign, state.robot, state.bundle_name, state.pack) == ("kitchen", "orin", "grip", "small")
    assert state.fingerprints == {"engine": "one"}


def test_an_empty_record_is_a_checklist_on_which_nothing_was_done() -> None:
    at = book(sensed("a"))
    at.lines.clear()
    assert (at.item("a").state, at.state().entries) == ("pending", 0)


def test_a_clock_set_back_does_not_make_old_evidence_young() -> None:
    at = book(sensed("a", valid_for="1 d"), sensed("b"))
    at.look("a")
    at.look("b")
    assert at.item("a").flags == (), "the clock is right"
    at.now_ns += 2 * DAY_NS
    at.see(engine="one")
    assert at.item("a").state == "stale"
    back = at.state(later_s=-2 * 86_400)
    assert (back.item("a").state, back.wall_ns) == ("stale", at.now_ns)
    assert (back.item("a").flags, back.item("b").flags) == (("time untrusted",), ())
    assert back.warnings == (
        "time untrusted: this clock is 2 d behind the last entry; that entry's time counts instead",
    )
    assert at.state().warnings == ()


def test_a_checklist_that_is_not_in_force_is_told() -> None:
    at = book(sensed("a"))
    at.checklist = checklist(sensed("a"), sensed("b"))
    assert "not the checklist that the record has in force" in at.state().warnings[0]


def test_the_time_of_an_entry_is_when_it_was_written() -> None:
    at = book(sensed("a"))
    at.look("a")
    assert at.item("a", later_s=60).since_wall_ns == at.now_ns
    assert at.now_ns % SECOND_NS == 0
