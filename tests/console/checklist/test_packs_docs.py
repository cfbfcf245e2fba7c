"""docs/checklists.md: what people copy from it works, and no key is missing."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from console.checklist import pack
from console.checklist.packs.digests import DECIDING
from console.checklist.packs.keys import MEANINGS
from console.checklist.packs.linting import lint
from console.checklist.packs.loading import parse_checklist
from console.checklist.packs.overlays import KEYS
from console.checklist.packs.sources import Source
from console.commands.checklist import checklist
from console.fieldtest.binomial import lower_bound
from console.fieldtest.criteria import Criterion
from console.fieldtest.parts import Part
from console.phases import schema
from console.record.entries import FINGERPRINTS
from docs.generate import checklists_page
from tests.console.checklist.test_schema import check_overlay, check_pack

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "checklists.md").read_text(encoding="utf-8")
PACK, OVERLAY = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def part(title: str) -> str:
    """The page's section of that title."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_worked_example_is_a_pack_that_lint_leaves_in_peace() -> None:
    assert lint(Source("shelf.yaml", PACK)) == []
    check_pack(yaml.safe_load(PACK))


def test_the_overlay_fits_the_example_and_loosens_what_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "shelf.yaml").write_text(PACK, encoding="utf-8")
    (tmp_path / "hall_3.yaml").write_text(OVERLAY, encoding="utf-8")
    check_overlay(yaml.safe_load(OVERLAY))
    words = [
        "diff",
        str(tmp_path / "shelf.yaml"),
        str(tmp_path / "shelf.yaml"),
        "--overlay",
        str(tmp_path / "hall_3.yaml"),
    ]
    shown = PAGE.partition("$ fieldgate checklist diff shelf.yaml")[2].partition("\n")[2].partition("```")[0]
    assert CliRunner().invoke(checklist, words).output == shown


def test_every_key_is_on_the_page_as_it_is_in_the_program() -> None:
    assert checklists_page(DOCS) == PAGE, "run `make docs`"
    structs: dict[str, Any] = {**vars(schema), **vars(pack), "Criterion": Criterion}
    for name, meanings in MEANINGS.items():
        assert tuple(meanings) == structs[name].__struct_encode_fields__
    known = [*vars(schema).items(), *vars(pack).items()]
    written = {name for name, one in known if isinstance(one, type) and issubclass(one, Part)}
    assert written - {"Part"} | {"Criterion"} == set(MEANINGS)


def test_the_page_s_lists_are_the_program_s() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|$", part("What an item rests on, and when it goes stale"), re.MULTILINE)
    assert dict(rows) == FINGERPRINTS
    allowed = part("Overlays").partition("Only these keys may be given:")[2].partition("The others")[0]
    assert tuple(re.findall(r"`(\w+)`", allowed)) == KEYS
    rule = part("Digests").partition("the same over")[2].partition(". So")[0]
    assert tuple(re.findall(r"`(\w+)`", rule)) == DECIDING


def test_the_line_under_digests_is_what_the_rule_is_made_of() -> None:
    line = re.findall(r"```\n(\{.*\})\n```", part("Digests"))[0]
    assert parse_checklist([("shelf.yaml", PACK)]).rules["grip"] == hashlib.sha256(line.encode()).hexdigest()


def test_each_command_of_the_page_exists() -> None:
    named = set(re.findall(r"^fieldgate checklist (\w+)", PAGE, re.MULTILINE))
    assert named == set(checklist.commands)


RATES = re.findall(r"^\| (>=?) (\d+) % \| (.*?) \| (\d+)/(\d+) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("row", RATES, ids=[f"{row[0]} {row[1]}" for row in RATES])
def test_the_table_of_successes_holds_what_it_promises(row: tuple[str, str, str, str, str]) -> None:
    """People plan their trials by it."""
    limit = int(row[1]) / 100
    for successes, n in (map(int, cell.split("/")) for cell in row[2].split(", ")):
        assert lower_bound(successes, n, 0.95) > limit
        assert lower_bound(successes - 1, n, 0.95) < limit
    assert lower_bound(int(row[3]), int(row[4]), 0.95) < limit
    assert int(row[3]) / int(row[4]) > limit or (row[0] == ">=" and int(row[3]) / int(row[4]) == limit)


def test_all_rows_of_that_table_were_found() -> None:
    assert len(RATES) == 5
