"""docs/first-campaign.md is what happens: a newcomer who copies its blocks sees the lines that stand below them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from console.actions import on_screen
from tests.docs_tour import ROOT, Block, blocks_of, missing, walk, words_of

PAGE = ROOT / "docs" / "first-campaign.md"
BEFORE = ("Your first campaign, in ten minutes", "Two people, two keys")
AFTER = ("Tidy up",)


def test_the_page_keeps_its_word_where_a_value_is_measured(desk: Path) -> None:
    wanted = (*BEFORE, "A value that a person measures", *AFTER)
    blocks = [block for block in blocks_of(PAGE) if block.heading in wanted]
    assert {block.heading for block in blocks} == set(wanted)
    walk(blocks, desk, 60)


@pytest.mark.tour
def test_the_page_keeps_its_word_from_its_first_block_to_its_last(desk: Path) -> None:
    walk(blocks_of(PAGE), desk, 300)


def test_a_promise_that_is_not_kept_is_found() -> None:
    block = Block("", "", ("- entry ... is good", "  done"))
    assert missing(block, "- entry 7 is good\n   done\n") == []
    assert missing(block, "done\n- entry 7 is good\n") == ["  done"]
    assert missing(block, "- entry 7 is good enough\ndone\n") == ["- entry ... is good"]


def test_the_keys_of_the_page_are_those_of_the_screen() -> None:
    rows = [line.split("|")[1].strip(" `") for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    shown = {action.shown for action in on_screen("checklist")}
    assert len(rows) > 10
    assert set(rows) <= shown


def test_the_workflow_of_the_page_is_one() -> None:
    text = PAGE.read_text().split("```yaml\n")[1].split("```")[0]
    steps = yaml.safe_load(text)["jobs"]["check"]["steps"]
    assert any(step.get("run", "").startswith("fieldgate check ") for step in steps)


SHOWN = ("demo-grasping", "✖ fail", "stale", "overridden", "real_trials.csv", "anna, seen by bo", "next open")


@pytest.mark.tour
def test_the_picture_of_the_readme_can_be_taken_anew(desk: Path) -> None:
    """`make picture`: a real campaign on the demo robot, drawn by the program itself."""
    programs = str(Path(sys.executable).parent)
    command = ["sh", "docs/picture.sh", programs, str(desk / "new.svg")]
    environment = {**os.environ, "TMPDIR": str(desk)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    drawn = words_of(desk / "new.svg")
    assert [words for words in SHOWN if words not in drawn] == []
    assert not list(desk.glob("tmp.*")), "taking the picture leaves something behind"


def test_the_picture_of_the_readme_shows_a_campaign() -> None:
    drawn = words_of(ROOT / "docs" / "checklist.svg")
    assert [words for words in SHOWN if words not in drawn] == []
