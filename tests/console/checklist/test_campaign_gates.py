"""Gates: nothing opens one but everything that it asks for, given by who may, on what is so now."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from console.campaigns.campaign import Campaign
from console.record.roster import allowed_signers
from console.record.verify import verify_record
from remote.errors import Trouble
from tests.console.checklist.campaign_world import PACK, World, kinds, last
from tests.console.checklist.given_robot import S
from tests.console.checklist.test_campaign_vouching import REASON, refused

OTHER = "91bc" * 16


def settle(campaign: Campaign, world: World) -> None:
    """Everything of the stage `bench`, as people and robot would."""
    world.results(20, 20)
    robot = world.robot(10.0)
    campaign.check(robot.sight, "anna")
    robot.transport.end = type(robot.transport.end)(0, b"engaged", b"")  # type: ignore[call-arg, arg-type]
    campaign.act("brake", robot.sight, "anna")
    campaign.measure("force", 31.5, "anna")
    campaign.measure("drops", None, "anna", n=20, successes=1)
    campaign.confirm("fence", True, "anna")
    campaign.confirm("limits", True, "anna", answer="9A41")
    campaign.confirm("limits", True, "cy", meaning="witnessed", answer="9A41")
    campaign.confirm("sheet", True, "anna", files=[world.photo()])
    campaign.poll("bench", "engineer", True, "anna")
    campaign.poll("bench", "safety", True, "bo")


@pytest.fixture
def campaign(world: World) -> Campaign:
    """A campaign of which the first stage waits for nothing but signatures."""
    made = world.campaign()
    settle(made, world)
    return made


def test_two_signatures_open_the_gate_and_openssh_alone_verifies_them(
    campaign: Campaign, world: World, tmp_path: Path
) -> None:
    blocked = refused("gate_blocked", campaign.pass_gate, "bench", "anna").what
    assert "performed" in blocked
    assert "reviewed" in blocked
    for principal, meaning in (("anna", "performed"), ("bo", "reviewed")):
        given = campaign.sign("bench", meaning, principal, world.key(principal))  # type: ignore[arg-type]
        assert not given.void
        openssh_verifies(campaign, principal, tmp_path)
    stage = campaign.pass_gate("bench", "anna")
    assert stage.gate.open
    assert last(campaign, "gate_passed").signatures == tuple(one.seq for one in stage.gate.signatures)
    assert campaign.state().stage == "field"
    refused("gate_open", campaign.pass_gate, "bench", "anna")
    assert not verify_record(campaign.record).problems


def openssh_verifies(campaign: Campaign, principal: str, folder: Path) -> None:
    """As the docs tell a reader to do it."""
    body = last(campaign, "signature")
    (folder / "signers").write_text(allowed_signers(campaign.roster))
    (folder / "sig").write_text(body.armored)
    argv = ["ssh-keygen", "-Y", "verify", "-f", str(folder / "signers"), "-I", principal, "-n", "fieldgate"]
    statement = campaign.record.attachment(body.statement.digest)
    done = subprocess.run([*argv, "-s", str(folder / "sig")], input=statement, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"reviewed" in statement or b"performed" in statement


def test_the_statement_that_was_shown_is_what_is_signed(campaign: Campaign, world: World) -> None:
    shown = campaign.statement("bench", "performed", "anna", world.key("anna"))
    world.now_ns += 90 * S
    campaign.sign("bench", "performed", "anna", world.key("anna"), shown=shown)
    assert campaign.record.attachment(last(campaign, "signature").statement.digest) == shown


def test_a_record_that_went_on_since_is_not_signed_unread(campaign: Campaign, world: World) -> None:
    shown = campaign.statement("bench", "performed", "anna", world.key("anna"))
    campaign.note("the cable was loose", "cy")
    refused("statement_changed", campaign.sign, "bench", "performed", "anna", world.key("anna"), shown=shown)
    forged = shown.replace(b"pass", b"fail", 1)
    refused("statement_changed", campaign.sign, "bench", "performed", "anna", world.key("anna"), shown=forged)
    assert "signature" not in kinds(campaign)


def test_who_may_not_sign_does_not(campaign: Campaign, world: World) -> None:
    sign = campaign.sign
    refused("not_allowed", sign, "bench", "reviewed", "anna", world.key("anna"))
    refused("not_allowed", sign, "bench", "approved", "bo", world.key("bo"))
    refused("not_in_roster", sign, "bench", "performed", "stranger", world.key("anna"))
    refused("key_of_other", sign, "bench", "reviewed", "bo", world.key("anna"))
    refused("unknown_stage", sign, "bensh", "reviewed", "bo", world.key("bo"))
    assert "signature" not in kinds(campaign)


def test_a_performer_does_not_review_their_own_work(world: World) -> None:
    campaign = world.campaign()
    campaign.observe(world.robot(10.0).sight)
    campaign.confirm("fence", True, "bo")
    assert "performed fence" in refused("not_allowed", campaign.sign, "bench", "reviewed", "bo", world.key("bo")).what


def test_a_change_voids_the_signatures_and_shuts_the_gate(campaign: Campaign, world: World) -> None:
    campaign.sign("bench", "performed", "anna", world.key("anna"))
    campaign.sign("bench", "reviewed", "bo", world.key("bo"))
    campaign.pass_gate("bench", "anna")
    world.results(18, 20)
    campaign.observe(world.offline())
    gate = campaign.stage_state("bench").gate
    assert not gate.open
    assert all(one.void for one in gate.signatures)
    assert all(one.go is None and one.reset for one in gate.poll)


def test_an_override_keeps_a_gate_shut_that_allows_none(world: World) -> None:
    campaign = world.campaign()
    settle(campaign, world)
    world.results(5, 20)
    campaign.attempt("results", world.offline(), "anna")
    campaign.override("results", "lead", REASON, 2, "cy")
    assert any("overrid" in why for why in campaign.stage_state("bench").gate.blocked_by)
    refused("gate_blocked", campaign.pass_gate, "bench", "anna")


def test_a_poll_takes_answers_of_asked_roles_only(campaign: Campaign) -> None:
    assert "engineer, safety" in refused("not_allowed", campaign.poll, "bench", "lead", True, "cy").cure
    assert "asks nobody" in refused("not_allowed", campaign.poll, "field", "lead", True, "cy").cure
    refused("not_allowed", campaign.poll, "bench", "safety", True, "anna")
    refused("not_in_roster", campaign.poll, "bench", "safety", True, "stranger")
    refused("unknown_stage", campaign.poll, "benhc", "safety", True, "bo")
    campaign.poll("bench", "safety", False, "bo", "the fence squeaks")
    assert any(
        "no-go" in why.lower() or "no go" in why.lower() for why in campaign.stage_state("bench").gate.blocked_by
    )


# ------------------------------------------------------------ revisions


def test_another_bundle_makes_what_rested_on_it_stale(campaign: Campaign, world: World) -> None:
    campaign.revise("trained on more objects", "anna", bundle=OTHER, bundle_name="tabletop2")
    state = campaign.state()
    assert (state.bundle, state.bundle_name, campaign.bundle) == (OTHER, "tabletop2", OTHER)
    assert state.item("results").reason == "bundle 3f2a -> 91bc"
    assert state.item("sheet").state == "pass"
    assert "results" in state.recheck


def test_a_changed_rule_makes_its_own_item_stale_and_no_other(campaign: Campaign, world: World) -> None:
    world.pack.write_text(
        PACK.replace("threshold: 40,", "threshold: 35,").replace("title: The fence", "title: A fence")
    )
    assert "small.yaml was edited" in campaign.pack_edited()
    assert any("edited" in warning for warning in campaign.state().warnings)
    assert campaign.state().item("force").state == "pass"
    campaign.revise("the gripper is weaker here", "anna", pack=world.pack)
    assert campaign.pack_edited() == ""
    assert campaign.state().item("force").state == "stale"
    assert "rule" in campaign.state().item("force").reason
    assert campaign.state().item("fence").state == "pass"


def test_overlays_come_and_go_by_revision(campaign: Campaign, world: World) -> None:
    overlay = world.folder / "cell.yaml"
    overlay.write_text(
        "format: 1\noverlay: cell_7\npack: small\nreason: no sheet in this cell\n"
        "items:\n  sheet: {not_applicable: the procedure is on the screen}\n"
    )
    campaign.revise("this is cell seven", "anna", overlays=[overlay])
    assert campaign.state().item("sheet").state == "n/a"
    campaign.revise("back in cell one again", "anna", overlays=[])
    assert campaign.state().item("sheet").state == "pass"


def test_a_broken_pack_or_another_one_changes_nothing(campaign: Campaign, world: World) -> None:
    before = campaign.record.head()
    world.pack.write_text(PACK.replace("kind: measured", "kind: weighed", 1))
    refused("bad_pack", campaign.revise, REASON, "anna", pack=world.pack)
    world.pack.write_text(PACK.replace("name: small", "name: large", 1))
    refused("other_pack", campaign.revise, REASON, "anna", pack=world.pack)
    refused("nothing_to_do", campaign.revise, REASON, "anna")
    refused("no_reason", campaign.revise, "why not", "anna", bundle=OTHER)
    assert campaign.record.head() == before


def test_a_new_roster_lets_new_people_sign(campaign: Campaign, world: World) -> None:
    world.roster.write_text(world.roster.read_text().replace("principal: cy", "principal: di"))
    campaign.revise("Cy left, Di came", "anna", roster=world.roster)
    assert campaign.roster.find("di") is not None
    with pytest.raises(Trouble):
        campaign.roster.person("cy")


def test_a_signature_is_taken_back_by_its_signer_or_by_one_who_signs_there(campaign: Campaign, world: World) -> None:
    """Else anybody at the keyboard undoes in one line what two people signed."""
    seq = campaign.sign("bench", "performed", "anna", world.key("anna")).seq
    for person in ("cy", "stranger"):
        no = refused("not_allowed", campaign.withdraw, seq, REASON, person)
        assert ("Anna Alm" in no.what, "(bo)" in no.cure) == (True, True)
    campaign.withdraw(seq, REASON, "anna")
    again = campaign.sign("bench", "performed", "anna", world.key("anna")).seq
    campaign.withdraw(again, REASON, "bo")
    assert all(one.void for one in campaign.stage_state("bench").gate.signatures)


def test_the_same_bundle_is_no_revision(campaign: Campaign) -> None:
    before = campaign.record.head()
    no = refused("nothing_to_do", campaign.revise, REASON, "anna", bundle=campaign.bundle, bundle_name="tabletop")
    assert "tabletop " + campaign.bundle[:8] + " is the same bundle as before" in no.what
    assert campaign.record.head() == before
