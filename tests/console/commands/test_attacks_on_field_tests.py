"""Text that robots, people, packs and forged records bring into a field test must not move the cursor, hide words or end a
command; and what is exported must be no formula."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.campaigns.campaign import Campaign
from console.campaigns.opening import open_campaign
from console.cli import main
from console.fieldtest.running import Measured, Running
from console.record.entries import (
    ConditionSeen,
    FrameScored,
    Intervention,
    Moment,
    PhaseBegun,
    ScoredBox,
    SessionBegun,
    SessionEnded,
    SessionMeasured,
    SessionPaused,
    Trial,
)
from tests.console.commands.test_attacks_by_text import EVIL, HOSTILE, YAML
from tests.console.fieldwork.field_world import PACK, FieldWorld

FORMULA = "=cmd|' /C calc'!A0"
CONDITIONS = {"light": FORMULA, EVIL: EVIL, "=1+1": "x" * 10_000}
HOSTILE_PACK = (
    PACK.replace("title: In the lab", f"title: {YAML}").replace("trial: one object shown", f"trial: {YAML}")
    .replace("title: It names what it is shown", f"title: {YAML}").replace("denominator: trials", f"denominator: {YAML}")
    .replace("title: Light,", f"title: {YAML},").replace("success: it is named", f"success: {YAML}")
)  # fmt: skip


def fill(campaign: Campaign, *, forged: bool) -> None:
    """A session that is over and one that is paused, with hostile words wherever there are words; where `forged`, with what
    this program never writes too."""

    def add(body: Any) -> int:
        return campaign.record.append(EVIL, body).entry.seq

    rule, moment = campaign.checklist.phase_rules["lab"], Moment(wall_ns=campaign.wall_ns(), robot_boot_id=EVIL)
    prints = {"bundle": campaign.bundle, "robot": EVIL}
    seen = (ConditionSeen(id=EVIL, met=False, words=EVIL),)
    add(PhaseBegun(phase="lab", rule=rule, reason=EVIL, back_from=EVIL, entry=seen))
    for end in (True, False):
        session = add(
            SessionBegun(
                phase="lab", rule=rule, conditions=CONDITIONS, fingerprints=prints, holding=seen, journal=EVIL,
                moment=moment,
            )
        )  # fmt: skip
        given: dict[str, Any] = {"session": session, "phase": "lab", "fingerprints": prints, "moment": moment}
        for note in (EVIL, FORMULA, "\t=1", "\r@x"):
            add(
                Trial(
                    outcome="failure", conditions=CONDITIONS, note=note, measures={FORMULA: 1.0, EVIL: 2.0},
                    failures=(EVIL, "../../x"), **given,
                )
            )  # fmt: skip
        add(Trial(outcome="success", **{**given, "phase": FORMULA}))
        add(Intervention(session=session, note=EVIL, moment=moment))
        box = ScoredBox(EVIL, 0.5, 1.0, 1.0, 2.0, 2.0, "right")
        add(FrameScored(by="person", frame=1, right=1, wrong=0, missed=0, boxes=(box,), drawn=EVIL, note=EVIL, **given))
        if forged:
            add(Trial(outcome="success", **{**given, "session": 10**15}))
            add(FrameScored(by="person", frame=2, right=-1, wrong=10**12, missed=0, **given))
            add(SessionMeasured(session=session, measured=Measured(running=Running(wanted_s=1e12)), moment=moment))
        add(SessionPaused(session=session, condition=EVIL, why=EVIL, moment=moment))
        if end:
            add(SessionEnded(session=session, stop=EVIL, why=EVIL, moment=moment))


@pytest.fixture
def evil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> FieldWorld:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FIELDGATE_PERSON", "anna")
    monkeypatch.chdir(tmp_path)
    world = FieldWorld(tmp_path)
    campaign = world.field(HOSTILE_PACK).campaign
    fill(campaign, forged=request.node.originalname != "test_the_report_of_a_hostile_field_test_is_harmless")
    campaign.close()
    return world


@pytest.fixture
def said(evil: FieldWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command in this process; what it said, in which nothing is that a terminal would obey."""

    def run(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["fieldgate", *words])
        with pytest.raises(SystemExit):
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err, err
        found = HOSTILE.search(out + err)
        assert found is None, (words, (out + err)[max(0, found.start() - 100) : found.end() + 40])
        return str(out)

    return run


COMMANDS = [
    "phase show c1", "phase show c1 --phase lab", "phase plan c1", "phase begin c1 lab --reason again", "session show c1",
    "session show c1 --all", "session pause c1", "session resume c1 --no-robot",
    "session measure c1", "session end c1 --no-robot", "trial list c1", "trial log c1 success --no-look", "trial undo c1",
    "kpis c1", "campaign log c1", "campaign show c1", "verify c1", "trial list c1 --csv", "trial list c1 --json",
    "phase show c1 --json", "session show c1 --json",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_of_a_field_test_prints_what_a_terminal_obeys(said: Callable[..., str], command: str) -> None:
    said(*command.split())


def test_a_forged_field_test_gets_no_report(said: Callable[..., str], evil: FieldWorld) -> None:
    said("report", "c1", "-o", "out")
    assert not (evil.folder / "out").exists()


def test_the_report_of_a_hostile_field_test_is_harmless(said: Callable[..., str], evil: FieldWorld) -> None:
    said("report", "c1", "-o", "out")
    page = (evil.folder / "out" / "report.html").read_text()
    assert "<script" not in page
    found = HOSTILE.search(page.replace("\r", ""))
    assert found is None, page[found.start() - 80 : found.end() + 30]


def test_no_cell_of_the_trials_is_a_formula(said: Callable[..., str]) -> None:
    rows = list(csv.reader(io.StringIO(said("trial", "list", "c1", "--csv"))))
    assert len(rows) == 13
    assert [cell for row in rows for cell in row if cell[:1] in ("=", "+", "@", "\t", "\r")] == []


def test_nothing_of_it_is_counted_that_can_t_be(said: Callable[..., str]) -> None:
    (lab, *_) = json.loads(said("phase", "show", "c1", "--json"))["phases"]
    assert lab["trials"] <= 8
    assert lab["running_s"] == 0
    assert open_campaign("c1").record.head().seq > 20
