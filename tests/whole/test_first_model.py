"""docs/first-model.md is what happens: a newcomer who copies its blocks sees the lines that stand below them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs_tour import ROOT, blocks_of, walk

PAGE = ROOT / "docs" / "first-model.md"


@pytest.mark.tour
def test_the_way_of_a_model_is_what_the_page_says(desk: Path) -> None:
    walk(blocks_of(PAGE), desk, 300)
