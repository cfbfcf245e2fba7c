"""Text that packs, people, robots and forged records bring along must not move the cursor, hide words or end a command."""

from __future__ import annotations

import json
import re
import shutil
import xml.etree.ElementTree as ElementTree
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import console.looking
from console.campaigns.opening import new_campaign
from console.looking import looking_at
from tests.console.checklist.campaign_world import NOW_NS, World
from tests.console.checklist.given_robot import BUNDLE
from tests.console.commands.program import run
from tests.console.record.signed_campaign import Forger, folder_of

EVIL = "x\x1b[2J\x1b]0;owned\x07\x9b1A\r\n\u202eDLEIF\u202c\u2028<script>alert(1)</script>&amp;\u200f\x00"
HOSTILE = re.compile("\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]")
YAML = json.dumps(EVIL)
PACK = f"""\
format: 1
name: evil
title: {YAML}
version: {YAML}
description: {YAML}
roles: {{engineer: {YAML}, lead: builds}}
stages:
  - id: bench
    title: {YAML}
    purpose: {YAML}
    items:
      - id: fence
        title: {YAML}
        kind: confirmed
        statement: {YAML}
        why: {YAML}
        how: {YAML}
        cure: {YAML}
        override_by: [lead]
        defer_by: [lead]
      - id: later
        title: {YAML}
        kind: confirmed
        statement: {YAML}
        override_by: [lead]
        defer_by: [lead]
      - id: file
        title: {YAML}
        kind: sensed
        cure: {YAML}
        probe: {{name: file_present, parameters: {{path: {json.dumps(EVIL.replace(chr(0), ""))}}}}}
      - id: absent
        title: {YAML}
        kind: confirmed
        statement: {YAML}
        not_applicable: {YAML}
      - id: brake
        title: {YAML}
        kind: sensed
        act: {{says: {YAML}, argv: [{YAML}]}}
        probe: {{name: robot_command, parameters: {{argv: [state], expect_output: engaged}}}}
    gate:
      poll: [engineer]
      signatures: [{{meaning: performed, roles: [engineer]}}]
  - id: field
    title: {YAML}
    items:
      - {{id: permit, title: {YAML}, kind: confirmed, statement: {YAML}}}
"""


def fieldgate(*words: object, cwd: Path, typed: str = "") -> tuple[int, str]:
    """Exit code and what was said on both streams; no traceback, and nothing in it that a terminal would obey."""
    done = run(*words, cwd=cwd, typed=typed)
    said = (done.stdout + done.stderr).decode()
    assert "Traceback" not in said, said
    found = HOSTILE.search(said)
    assert found is None, (words, said[max(0, found.start() - 100) : found.end() + 40])
    assert not re.search(r"^\\u202eDLEIF", said, re.MULTILINE), (
        words,
        said,
    )  # a line that nobody but the text has made
    return done.returncode, said


@pytest.fixture
def evil(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A campaign in which every word that anybody can choose is hostile."""
    monkeypatch.setenv("PYTHONUTF8", "1")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    monkeypatch.setenv("FIELDGATE_PERSON", "anna")
    monkeypatch.setattr(console.looking, "looking_at", partial(looking_at, patience_s=0.5))  # there is no robot
    pack = world.folder / "evil.yaml"
    pack.write_text(PACK)
    campaign = new_campaign(
        "orin", BUNDLE, EVIL, pack, name="evil", roster=world.roster, files=world.files, person="anna",
        wall_ns=lambda: NOW_NS,
    )  # fmt: skip
    campaign.confirm("fence", False, "anna", note=EVIL)
    campaign.fix("fence", EVIL, "anna")
    campaign.override("fence", "lead", EVIL, 5, "cy")
    campaign.defer("later", "lead", "field", EVIL, EVIL, "cy")
    campaign.note(EVIL, "anna", "fence")
    campaign.poll("bench", "engineer", True, "anna", EVIL)
    campaign.revise(EVIL, "anna", bundle=BUNDLE, bundle_name=f"{EVIL}2")
    campaign.close()
    return world


@pytest.mark.parametrize(
    "words",
    [
        ("campaign", "list"),
        ("campaign", "show", "evil"),
        ("campaign", "log", "evil"),
        ("campaign", "poll", "evil", "--role", "engineer", "--go"),
        ("campaign", "pass", "evil"),
        ("campaign", "confirm", "evil", "fence"),
        ("campaign", "confirm", "evil", "absent"),
        ("campaign", "defer", "evil", "later", "--role", EVIL[:-1], "--until", "field", "--owner", "x", "--reason", "x" * 9),
        ("campaign", "withdraw", "evil", "4", "--reason", EVIL[:-1]),
        ("campaign", "act", "evil", "brake"),
        ("campaign", "measure", "evil", EVIL[:-1], "5"),
        ("campaign", "show", EVIL[:-1]),
        ("check", "orin", "--campaign", "evil", "--item", "file"),
        ("verify", "evil"),
        ("verify", EVIL[:-1]),
        ("report", "evil", "-o", "out"),
        ("checklist", "lint", "evil.yaml"),
        ("checklist", "show", "evil.yaml"),
        ("checklist", "diff", "evil.yaml", "small.yaml"),
        ("roster", "add", EVIL[:-1], "--name", EVIL[:-1], "--role", "x", "--key", "anna.pub"),
    ],
    ids=lambda words: " ".join(words[:2]) if isinstance(words, tuple) else None,
)  # fmt: skip
def test_no_command_prints_what_a_terminal_obeys(evil: World, words: tuple[str, ...]) -> None:
    fieldgate(*words, cwd=evil.folder, typed="n\n")


def test_the_statement_to_sign_holds_no_line_of_a_pack(evil: World) -> None:
    key = evil.folder / "anna"
    code, said = fieldgate(
        "sign", "evil", "--meaning", "performed", "--as", "anna", "--key", key, cwd=evil.folder, typed="n\n"
    )
    assert "x\\u001b[2J" in said, said
    assert code


def test_pages_show_hostile_text_as_text(evil: World) -> None:
    code, said = fieldgate("report", "evil", "-o", "out", cwd=evil.folder)
    assert code == 0, said
    for name in ("report.html", "signoff.html"):
        page = (evil.folder / "out" / name).read_text()
        assert "<script" not in page
        assert "alert(1)" in page
        found = HOSTILE.search(page.replace("\r", ""))
        assert found is None, page[found.start() - 80 : found.end() + 30]


def test_junit_with_hostile_text_is_xml(evil: World) -> None:
    fieldgate("check", "orin", "--campaign", "evil", "--junit", "out.xml", cwd=evil.folder)
    text = (evil.folder / "out.xml").read_text()
    assert not HOSTILE.search(text)
    assert ElementTree.fromstring(text).find(".//testcase") is not None


# ------------------------------------------------------------ records from elsewhere


def forged(evil: World, change: Any) -> Path:
    """The campaign, rewritten by somebody, as it would lie in this laptop's folder."""
    folder = folder_of("evil")
    forger = Forger(folder, as_json=False)
    entries = forger.entries()
    change(entries)
    forger.store(entries, chain=True).close()  # type: ignore[attr-defined]
    return folder


HUGE: list[tuple[str, Any]] = [
    ("person", lambda e: e[1].update(person=EVIL)),
    ("time beyond the calendar", lambda e: e[-1].update(wall_ns=2**63 - 1)),
    ("time before it", lambda e: [one.update(wall_ns=-(2**62)) for one in e]),
    ("end of an override", lambda e: e[3]["body"].update(expires_wall_ns=2**63 - 1)),
    ("campaign", lambda e: e[0]["body"].update(campaign=EVIL, robot=EVIL)),
    ("stage", lambda e: e[5]["body"].update(item=EVIL)),
    ("clock", lambda e: e[1].update(clock_back_ms=1e308)),
    ("name of the pack", lambda e: e[0]["body"]["pack"].update(name=EVIL)),
    ("folder of the files", lambda e: e[0]["body"].update(files=EVIL)),
]


@pytest.mark.parametrize("change", [row[1] for row in HUGE], ids=[row[0] for row in HUGE])
def test_no_record_from_elsewhere_ends_a_command_in_a_traceback(evil: World, change: Any) -> None:
    forged(evil, change)
    for words in ("campaign list", "campaign show evil", "campaign log evil", "verify evil", "report evil -o out"):
        fieldgate(*words.split(), cwd=evil.folder)


# ------------------------------------------------------------ a report's folder


def test_verify_of_a_reports_folder_says_that_its_pages_prove_nothing(evil: World) -> None:
    """Else an edited report.html beside a good record.json passes for the report."""
    fieldgate("report", "evil", "-o", "out", cwd=evil.folder)
    page = evil.folder / "out" / "report.html"
    page.write_text(page.read_text().replace("alert", "all passed"))
    code, said = fieldgate("verify", "out", cwd=evil.folder)
    assert code == 3
    assert "only record.json was checked" in said
    shutil.rmtree(evil.folder / "out")
