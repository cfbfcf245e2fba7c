"""docs/phases.md: what people copy from it works, and no key, figure or state is missing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import yaml

from console.checklist.packs.linting import lint
from console.checklist.packs.loading import parse_checklist
from console.checklist.packs.sources import Source
from console.fieldtest.measures import MEASURES
from console.fieldtest.planning import planned_n
from console.fieldtest.sequential import SequentialTest
from console.fieldtest.stopping import chances_of
from console.phases.states import Status
from docs.generate import phases_page
from tests.console.checklist.test_schema import check_overlay, check_pack

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "phases.md").read_text(encoding="utf-8")
PACK: str
OVERLAY: str
PACK, OVERLAY = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[:2]


def part(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_worked_example_is_a_pack_that_lint_leaves_in_peace() -> None:
    assert [one for one in lint(Source("shelf.yaml", PACK)) if one.level == "error" or "phase" in one.what] == []
    check_pack(yaml.safe_load(PACK))


def test_the_overlay_changes_what_it_says_and_lint_names_what_it_loosens() -> None:
    check_overlay(yaml.safe_load(OVERLAY))
    laid = parse_checklist([("shelf.yaml", PACK), ("hall_3.yaml", OVERLAY)])
    plain = parse_checklist([("shelf.yaml", PACK)])
    bench = laid.pack.phases[0]
    assert (bench.questions[0].criterion.threshold, bench.holding[0].for_, bench.stop[0].at, bench.planned_n) == (
        60,
        "10 s",
        6,
        40,
    )
    assert bench.questions[1] == plain.pack.phases[0].questions[1]
    assert laid.phase_rules["bench"] != plain.phase_rules["bench"]
    assert laid.phase_rules["shelf"] == plain.phase_rules["shelf"]
    said = "\n".join(one.what for one in lint(Source("shelf.yaml", PACK), [Source("hall_3.yaml", OVERLAY)]))
    for place in ("questions.success.criterion.threshold", "holding.link.for", "stop.in_a_row.at", "planned_n"):
        assert f"phases.bench.{place} loosened" in said


def test_the_page_lists_every_key_and_state_of_the_program() -> None:
    assert phases_page(DOCS) == PAGE, "run `make docs`"
    assert set(re.findall(r"^- `(\w+)`", part("Which figure is of what"), re.MULTILINE)) <= set(MEASURES)
    states = re.findall(r"^\| (`.+?`) \|", part("What counts"), re.MULTILINE)
    assert [state for cell in states for state in re.findall(r"`(\w+)`", cell)] == list(get_args(Status))


def test_what_the_page_says_of_the_length_of_a_sequential_plan_is_so() -> None:
    words = [int(word) for word in re.findall(r"\d+", part("Plans").partition("Looking has its price")[2])]
    half = [int((chances_of(SequentialTest(0.95), rate, 300).stopped() >= 0.5).argmax()) for rate in (0.99, 0.80)]
    assert words == [95, 99, half[0], planned_n(0.95, 0.99, 0.8, 0.95), 80, half[1]]
