"""The chapter on running a phase: its scene file works, and its tables of fields are those of the program."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from console.fieldwork.phase_plan import Planned
from console.fieldwork.scene_file import parse_scene
from console.phases.states import FieldState, PhaseState, QuestionState, SessionState, TrialState

PAGE = (Path(__file__).parents[3] / "docs" / "phases.md").read_text(encoding="utf-8")
CHAPTER = PAGE.partition("\n## Running a phase\n")[2].partition("\n## ")[0]


def test_the_scene_file_of_the_page_is_one() -> None:
    [text] = re.findall(r"```yaml\n(.*?)```", CHAPTER, re.DOTALL)
    scene = parse_scene(text, "docs/phases.md")
    assert [one.label for one in scene.objects] == ["cup", "cup", "bowl"]


def test_a_script_can_rely_on_the_fields_of_json() -> None:
    rows = dict(re.findall(r"^\| (.+?) \| ((?:`\w+` ?)+) \|$", CHAPTER.partition("### JSON")[2], re.MULTILINE))
    kinds: dict[str, type[msgspec.Struct]] = {
        "`phase show`": FieldState,
        "a phase": PhaseState,
        "a question": QuestionState,
        "a session": SessionState,
        "a trial": TrialState,
        "`phase plan`, one plan": Planned,
    }
    assert {of: tuple(re.findall(r"\w+", cells)) for of, cells in rows.items()} == {
        of: kind.__struct_fields__ for of, kind in kinds.items()
    }
