"""docs/first-field-test.md is what happens: a newcomer who copies its blocks sees the lines that stand below them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from console.checklist.packs.linting import lint_file
from tests.docs_tour import ROOT, blocks_of, walk, words_of

PAGE = ROOT / "docs" / "first-field-test.md"
SHOWN = {
    "field": ("demo-table", "Laboratory", "success", "bright", "Must show", "Trials", "undone"),
    "failures": (
        "no detection",
        "worker crash",
        "cone missing",
        "it fell behind the table",
        "light dim",
        "at the failure",
    ),
}
"""What stands in each picture."""


@pytest.mark.tour
def test_the_page_keeps_its_word_from_its_first_block_to_its_last(desk: Path) -> None:
    walk(blocks_of(PAGE), desk, 300)


def test_the_pack_of_the_page_is_one(tmp_path: Path) -> None:
    """Whoever copies the pack into a project of their own gets no remark; the tour itself is walked more seldom."""
    text = PAGE.read_text(encoding="utf-8").split("cat > table.yaml <<'END'\n")[1].split("END\n")[0]
    assert (ROOT / "docs" / "table.yaml").read_text(encoding="utf-8").partition("\n")[2] == text
    (tmp_path / "table.yaml").write_text(text, encoding="utf-8")
    assert lint_file(tmp_path / "table.yaml") == []


def test_the_keys_that_the_page_names_are_those_of_the_screen() -> None:
    from console.actions import on_screen

    sentence = re.search(r"it is (`s`.*?), with", PAGE.read_text(encoding="utf-8"))
    assert sentence
    assert set(re.findall(r"`(.)`", sentence[1])) <= {action.shown for action in on_screen("field")}


@pytest.mark.tour
@pytest.mark.parametrize("picture", SHOWN)
def test_the_pictures_can_be_taken_anew(desk: Path, picture: str) -> None:
    """`make picture`: a real field test on the demo robot, drawn by the program itself."""
    command = ["sh", f"docs/{picture}_picture.sh", str(Path(sys.executable).parent), str(desk / "new.svg")]
    environment = {**os.environ, "TMPDIR": str(desk)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    drawn = words_of(desk / "new.svg")
    assert [words for words in SHOWN[picture] if words not in drawn] == []
    assert not list(desk.glob("tmp.*")), "taking the picture leaves something behind"


@pytest.mark.parametrize("picture", SHOWN)
def test_the_pictures_of_the_readme_show_a_field_test(picture: str) -> None:
    drawn = words_of(ROOT / "docs" / f"{picture}.svg")
    assert [words for words in SHOWN[picture] if words not in drawn] == []
