"""What a person signs at a gate says how its phase stands; who changes what it rested on is found out."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.campaigns.campaign import Campaign
from console.record.entries import Moment, PhaseBegun, SessionBegun, Signature, Trial
from console.record.statements import read_statement
from console.record.verify import verify_record
from tests.console.checklist.campaign_world import World
from tests.console.record.signed_campaign import Forger, changed, folder_of

PACK = """\
format: 1
name: field
title: A pack with one phase
version: "1"
roles: {engineer: builds it, safety: reviews it}
stages:
  - id: work
    title: At work
    items: [{id: fence, title: The fence is shut, kind: confirmed, statement: The fence is shut.}]
    gate: {phases: [lab], signatures: [{meaning: performed, roles: [engineer]}]}
phases:
  - id: lab
    title: Laboratory
    trial: one grasp
    success: it holds
    entry: [{item: fence}]
    questions:
      - id: success
        title: More than 70 % succeed
        denominator: grasps
        criterion: {metric: success_rate, statistic: rate, comparison: ">", threshold: 70, unit: "%"}
        plan: {n: 60, expected: 90}
    planned_n: 60
"""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))
    return World(tmp_path)


def tried(world: World, trials: int) -> Campaign:
    """A campaign whose phase has so many successes, and a failure that was taken back."""
    path = world.folder / "field.yaml"
    path.write_text(PACK)
    campaign = world.campaign(pack=path, name="field")
    campaign.confirm("fence", True, "anna")
    moment, rule = Moment(wall_ns=1), campaign.checklist.phase_rules["lab"]
    prints = {"bundle": campaign.bundle, "robot": campaign.state().fingerprints.get("robot", "")}
    campaign.record.append("anna", PhaseBegun(phase="lab", rule=rule))
    began = campaign.record.append("anna", SessionBegun(phase="lab", rule=rule, fingerprints=prints, moment=moment))
    for outcome in ["failure", *["success"] * trials]:
        body = Trial(session=began.entry.seq, phase="lab", outcome=outcome, fingerprints=prints, moment=moment)  # type: ignore[arg-type]
        campaign.record.append("anna", body)
    campaign.withdraw(began.entry.seq + 1, "my finger slipped", "anna")
    return campaign


def test_the_statement_says_how_the_phase_stands_and_what_was_undone(world: World) -> None:
    campaign = tried(world, 13)
    state = campaign.state()
    said = read_statement(campaign.statement("work", "performed", "anna", world.key("anna")))
    (lines,) = [one for one in said.items if one.item == "phase lab"]
    assert lines.state == "pass"
    assert "13 of 13 = 100 %" in lines.found
    assert "1 left out: undone" in lines.found
    assert said.phases() == {"lab": state.field.basis["lab"]}


def test_a_signature_is_good_and_one_whose_phases_were_changed_is_not(world: World) -> None:
    campaign = tried(world, 13)
    campaign.sign("work", "performed", "anna", world.key("anna"))
    campaign.pass_gate("work", "anna")
    assert campaign.state().stages[0].gate.open
    seq = next(row.seq for row in campaign.record.rows() if row.kind == "signature")
    signature = campaign.record.entry(seq).body
    assert isinstance(signature, Signature)
    assert signature.phases == {"lab": campaign.state().field.basis["lab"]}
    campaign.close()
    forger = Forger(folder_of("field"), as_json=False)
    assert verify_record(forger.opened()).intact

    def forge(entries: list[dict[str, object]]) -> None:
        for entry in entries:
            body = entry["body"]
            assert isinstance(body, dict)
            if body["type"] == "signature":
                body["phases"] = {"lab": "0" * 64}

    report = verify_record(forger.store(changed(forge)(forger.entries()), chain=True))
    assert not report.intact
    assert "covers other phases" in str(report)
