"""What people say: no tick without whoever may give it, the right answer, the photo and the second person."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.campaigns.campaign import Campaign
from console.campaigns.vouching import too_quick
from console.record.entries import Transcribed
from remote.errors import Trouble
from tests.console.checklist.campaign_world import PACK, SERIAL, World, kinds, last
from tests.console.checklist.given_robot import BUNDLE, S

DAY_NS = 86_400 * S
REASON = "the supplier delivers next week"


def refused(code: str, call: object, *given: object, **named: object) -> Trouble:
    """The Trouble of that code that the call raises."""
    with pytest.raises(Trouble) as caught:
        call(*given, **named)  # type: ignore[operator]
    assert caught.value.code == code, caught.value
    return caught.value


@pytest.fixture
def campaign(world: World) -> Campaign:
    """A campaign that has seen its robot once."""
    made = world.campaign()
    made.observe(world.robot(10.0).sight)
    return made


# ------------------------------------------------------------ confirming


def test_a_confirmation_keeps_the_sentence_and_what_it_rests_on(campaign: Campaign) -> None:
    state = campaign.confirm("fence", True, "anna", note="looked at both gates", looked_ms=5000)
    assert (state.state, state.performers, state.flags) == ("pass", ("anna",), ())
    said = last(campaign, "confirmation")
    assert said.statement == "The fence around the cell is shut."
    assert said.rule == campaign.checklist.rules["fence"]
    assert set(said.fingerprints) == {"robot"}
    assert said.fingerprints["robot"]


def test_a_no_is_a_failure_with_its_words(campaign: Campaign) -> None:
    state = campaign.confirm("fence", False, "anna", note="the west gate is open")
    assert state.state == "fail"
    assert "west gate" in state.reason


def test_nobodys_word_settles_what_a_probe_or_a_value_decides(campaign: Campaign) -> None:
    for item, way in (("clock", "fieldgate check"), ("force", "enter a value")):
        assert way in refused("not_confirmable", campaign.confirm, item, True, "anna").cure
    assert "confirmation" not in kinds(campaign)


def test_an_unknown_item_is_named_with_the_nearest_one(campaign: Campaign) -> None:
    assert "'fence'" in refused("unknown_item", campaign.confirm, "fenc", True, "anna").cure


def test_a_tick_faster_than_a_person_reads_is_flagged(campaign: Campaign) -> None:
    assert campaign.confirm("fence", True, "anna", looked_ms=300).flags == ("too quick",)
    assert campaign.confirm("fence", True, "anna", looked_ms=None).flags == ()


@pytest.mark.parametrize(
    ("length", "looked_ms", "quick"),
    [(0, 599, True), (0, 600, False), (40, 1599, True), (40, 1600, False), (2000, 3999, True), (2000, 4000, False)],
)
def test_how_long_reading_takes(length: int, looked_ms: int, quick: bool) -> None:
    assert too_quick("x" * length, looked_ms) is quick


def test_a_confirmation_from_paper_is_marked(campaign: Campaign) -> None:
    state = campaign.confirm("fence", True, "anna", transcribed=Transcribed("bo", "2026-03-31T14:05"))
    assert "transcribed" in state.flags


def test_an_item_that_asks_for_a_photo_takes_no_yes_without_one(campaign: Campaign, world: World) -> None:
    text = world.files / "sheet.txt"
    text.write_text("no picture")
    refused("nothing_attached", campaign.confirm, "sheet", True, "anna")
    refused("nothing_attached", campaign.confirm, "sheet", True, "anna", files=[text])
    refused("attachment_unreadable", campaign.confirm, "sheet", True, "anna", files=[Path("/nowhere.jpg")])
    assert campaign.confirm("sheet", True, "anna", files=[world.photo()]).state == "pass"
    assert campaign.confirm("sheet", False, "anna", note="it was torn off").state == "fail"


# ------------------------------------------------------------ critical items


def test_a_critical_item_wants_the_robots_serial_digits(campaign: Campaign) -> None:
    assert campaign.challenge("limits") == "type the last four characters of the robot's serial number"
    refused("challenge_failed", campaign.confirm, "limits", True, "anna")
    assert "note" not in kinds(campaign)
    wrong = refused("challenge_failed", campaign.confirm, "limits", True, "anna", answer="1234")
    assert SERIAL[-4:] not in f"{wrong}"
    assert "confirmation" not in kinds(campaign)
    assert "wrong serial" in last(campaign, "note").text
    assert campaign.confirm("limits", True, "anna", answer=" 9a41 ").need == "witness"
    said = last(campaign, "confirmation")
    assert said.challenge == "serial"
    assert b"9a41" not in campaign.record.rows()[-1].line.lower()


def test_without_ever_having_seen_the_robot_there_is_nothing_to_compare_with(world: World) -> None:
    refused("challenge_unknown", world.campaign().confirm, "limits", True, "anna", answer="9A41")


@pytest.mark.parametrize(
    ("answer", "right"), [("9A41", True), ("9-a 41", True), ("0:9A41", False), ("A41", False), ("9A42", False)]
)
def test_which_answers_are_right(campaign: Campaign, answer: str, right: bool) -> None:
    if right:
        assert campaign.confirm("limits", True, "anna", answer=answer).need == "witness"
    else:
        refused("challenge_failed", campaign.confirm, "limits", True, "anna", answer=answer)


def test_a_no_to_a_critical_item_needs_no_digits(campaign: Campaign) -> None:
    assert campaign.confirm("limits", False, "anna", note="it went through the fence").state == "fail"


# ------------------------------------------------------------ witnesses


def test_a_witnessed_item_passes_by_two_people(campaign: Campaign) -> None:
    refused("nothing_to_witness", campaign.confirm, "limits", True, "bo", meaning="witnessed", answer="9A41")
    assert campaign.confirm("limits", True, "anna", answer="9A41").state == "pending"
    refused("same_person", campaign.confirm, "limits", True, "anna", meaning="witnessed", answer="9A41")
    refused("not_in_roster", campaign.confirm, "limits", True, "stranger", meaning="witnessed", answer="9A41")
    assert campaign.confirm("limits", True, "bo", meaning="witnessed", answer="9A41").state == "pass"


def test_one_person_under_two_names_of_the_roster_is_no_witness(world: World) -> None:
    world.roster.write_text(world.roster.read_text().replace("name: Bo Berg", "name: 'anna  ALM'"))
    campaign = world.campaign()
    campaign.observe(world.robot(10.0).sight)
    campaign.confirm("limits", True, "anna", answer="9A41")
    refused("same_person", campaign.confirm, "limits", True, "bo", meaning="witnessed", answer="9A41")


def test_a_witness_whose_entry_ended_does_not_count(world: World) -> None:
    world.roster.write_text(world.roster.read_text().replace("roles: [safety]", "roles: [safety], until: 2020-01-01"))
    campaign = world.campaign()
    campaign.observe(world.robot(10.0).sight)
    campaign.confirm("limits", True, "anna", answer="9A41")
    refused("not_allowed", campaign.confirm, "limits", True, "bo", meaning="witnessed", answer="9A41")


def test_a_confirmed_item_takes_no_witness(campaign: Campaign) -> None:
    refused("not_confirmable", campaign.confirm, "fence", True, "bo", meaning="witnessed")


# ------------------------------------------------------------ overrides, deferrals


def test_an_override_is_in_sight_until_it_ends(campaign: Campaign, world: World) -> None:
    state = campaign.override("results", "lead", f"  {REASON} ", 2, "cy")
    assert (state.state, state.below) == ("overridden", "pending")
    assert campaign.state().overrides == 1
    assert last(campaign, "override").reason == REASON
    world.now_ns += 2 * DAY_NS
    assert campaign.state().item("results").state == "pending"


def test_an_override_needs_role_person_reason_and_end(campaign: Campaign, world: World) -> None:
    over = campaign.override
    assert "only lead" in refused("not_allowed", over, "results", "safety", REASON, 2, "bo").what
    refused("not_allowed", over, "results", "lead", REASON, 2, "anna")
    refused("not_in_roster", over, "results", "lead", REASON, 2, "stranger")
    refused("not_allowed", over, "clock", "lead", REASON, 2, "cy")
    refused("no_reason", over, "results", "lead", "   because   ", 2, "cy")
    for days in (0.99, 90.01, float("nan")):
        refused("bad_days", over, "results", "lead", REASON, days, "cy")
    world.results(20, 20)
    campaign.attempt("results", world.offline(), "anna")
    refused("nothing_to_do", over, "results", "lead", REASON, 2, "cy")
    assert "override" not in kinds(campaign)


def test_an_expired_roster_entry_overrides_nothing(world: World) -> None:
    world.roster.write_text(world.roster.read_text().replace("roles: [lead]", "roles: [lead], until: 2020-01-01"))
    refused("not_allowed", world.campaign().override, "results", "lead", REASON, 2, "cy")


def test_a_deferral_names_a_later_stage_and_an_owner(campaign: Campaign) -> None:
    put_off = campaign.defer
    refused("bad_stage", put_off, "sheet", "lead", "bench", "anna", REASON, "cy")
    refused("no_owner", put_off, "sheet", "lead", "field", " ", REASON, "cy")
    refused("no_reason", put_off, "sheet", "lead", "field", "anna", "later", "cy")
    refused("not_allowed", put_off, "clock", "lead", "field", "anna", REASON, "cy")
    state = put_off("sheet", "lead", "field", "anna", REASON, "cy")
    assert (state.state, state.owner) == ("deferred", "anna")
    assert any("sheet" in why or "procedure" in why for why in campaign.stage_state("field").gate.blocked_by)


# ------------------------------------------------------------ taking back, notes


def test_only_words_can_be_taken_back_and_only_once(campaign: Campaign, world: World) -> None:
    campaign.confirm("fence", True, "anna")
    seq = campaign.record.head().seq
    refused("not_withdrawable", campaign.withdraw, 1, REASON, "anna")
    refused("entry_missing", campaign.withdraw, 999, REASON, "anna")
    refused("no_reason", campaign.withdraw, seq, "oops", "anna")
    campaign.withdraw(seq, "it was the other fence", "anna")
    assert campaign.state().item("fence").state == "pending"
    refused("withdrawn_already", campaign.withdraw, seq, REASON, "anna")


def test_a_note_is_kept_with_its_files(campaign: Campaign, world: World) -> None:
    kept = campaign.note("the cable was loose", "anna", "fence", [world.photo()])
    assert campaign.record.attachment(kept[0].digest) == world.photo().read_bytes()
    refused("no_text", campaign.note, "  ", "anna")
    refused("unknown_item", campaign.note, "words", "anna", "fens")


def test_an_item_that_does_not_apply_takes_no_tick(world: World) -> None:
    text = "        statement: The fence around the cell is shut."
    world.pack.write_text(PACK.replace(text, f"{text}\n        not_applicable: no fence at this site"))
    campaign = world.campaign()
    refused("not_applicable", campaign.confirm, "fence", True, "anna")


def test_a_confirmation_that_rests_on_the_bundle_rests_on_the_campaigns(campaign: Campaign) -> None:
    campaign.confirm("limits", True, "anna", answer="9A41")
    assert last(campaign, "confirmation").fingerprints["bundle"] == BUNDLE


def test_a_clock_that_was_set_back_brings_nobody_and_nothing_back(world: World) -> None:
    world.roster.write_text(world.roster.read_text().replace("roles: [lead]", "roles: [lead], until: 2027-01-20"))
    campaign = world.campaign()
    world.now_ns += 10 * DAY_NS  # 2027-01-25
    refused("not_allowed", campaign.override, "results", "lead", REASON, 2, "cy")
    campaign.note("the clock was right until here", "anna")
    world.now_ns -= 10 * DAY_NS
    assert any("time untrusted" in warning for warning in campaign.state().warnings)
    refused("not_allowed", campaign.override, "results", "lead", REASON, 2, "cy")
    world.now_ns += 11 * DAY_NS
    assert not any("time untrusted" in warning for warning in campaign.state().warnings)


# ------------------------------------------------------------ who is in the roster, and what a refusal says to do


def test_a_critical_item_takes_no_yes_of_somebody_whom_the_roster_does_not_have(campaign: Campaign) -> None:
    no = refused("not_in_roster", campaign.confirm, "limits", True, "stranger", answer="9A41")
    assert "not in this campaign's roster" in no.what
    assert "`fieldgate campaign revise c1 --roster " in no.cure
    assert campaign.confirm("limits", False, "stranger", note="it went through the fence").state == "fail"


def test_the_word_of_a_stranger_is_flagged_as_such(campaign: Campaign, world: World) -> None:
    assert campaign.confirm("fence", True, "stranger").flags == ("not in the roster",)
    assert campaign.confirm("fence", True, "anna").flags == ()
    assert campaign.measure("force", 31.0, "stranger").flags == ("not in the roster",)
    world.results(20, 20)
    assert campaign.attempt("results", world.offline(), "ci").flags == ()  # a probe's look is nobody's word


def test_without_a_roster_a_critical_item_is_taken_and_flagged(world: World) -> None:
    campaign = world.campaign(roster=None)
    campaign.observe(world.robot(10.0).sight)
    assert campaign.confirm("limits", True, "anna", answer="9A41").flags == ("not in the roster",)


def test_somebody_of_the_laptops_roster_is_told_how_the_campaign_takes_them_in(world: World) -> None:
    from console.record.roster import default_path

    campaign = world.campaign(roster=None)
    unknown = refused("not_in_roster", campaign.poll, "bench", "safety", True, "bo")
    assert "roster add bo" in unknown.cure
    default_path().parent.mkdir(parents=True, exist_ok=True)
    default_path().write_text(world.roster.read_text())
    known = refused("not_in_roster", campaign.poll, "bench", "safety", True, "bo")
    assert known.cure.startswith("this laptop's roster has them: `fieldgate campaign revise c1 --roster ")
    campaign.revise("bo reviews from now on", "anna", roster=default_path())
    campaign.poll("bench", "safety", True, "bo")


def test_a_refusal_names_those_who_may(campaign: Campaign, world: World) -> None:
    role = refused("not_allowed", campaign.override, "results", "safety", REASON, 2, "bo")
    assert "role lead: cy carl (cy)" in role.cure.casefold()
    person = refused("not_allowed", campaign.override, "results", "lead", REASON, 2, "anna")
    assert "(cy)" in person.cure
    poll = refused("not_allowed", campaign.poll, "bench", "safety", True, "anna")
    assert "(bo)" in poll.cure
    for meaning, cure in (("approved", "asked are: performed, reviewed"), ("reviewed", "role safety: Bo Berg (bo)")):
        no = refused("not_allowed", campaign.statement, "bench", meaning, "anna", world.key("anna"))
        assert cure in no.cure


def test_a_short_fix_is_told_to_be_no_description_of_one(campaign: Campaign) -> None:
    campaign.confirm("fence", False, "anna")
    no = refused("no_reason", campaign.fix, "fence", "done", "anna")
    assert (no.what, "reason" in no.cure) == ("'done' is no description of a fix", False)


def test_an_entry_that_is_not_there_says_what_lists_them(campaign: Campaign) -> None:
    assert "`fieldgate campaign log c1`" in refused("entry_missing", campaign.withdraw, 999, REASON, "anna").cure
