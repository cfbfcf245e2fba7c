"""The pages that scripts are written from say what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from console import exits
from console.watching import Row
from docs.generate import metrics_page

DOCS = Path(__file__).parent.parent / "docs"


def test_a_metric_can_be_looked_up_by_the_name_on_the_screen() -> None:
    assert (DOCS / "metrics.md").read_text(encoding="utf-8") == metrics_page(), "run `make docs`"


def test_a_script_can_rely_on_the_table_of_exit_codes() -> None:
    rows = re.findall(r"^\| (\d+) \| (\w+) \|", (DOCS / "exit-codes.md").read_text(encoding="utf-8"), re.MULTILINE)
    codes = {name: value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
    assert {name: int(code) for code, name in rows} == codes


def test_each_fault_of_the_page_is_proved_by_a_test_that_exists() -> None:
    page = (DOCS / "faults.md").read_text(encoding="utf-8")
    rows = [row for row in page.splitlines() if row.startswith("| ") and not row.startswith("| fault ")]
    assert len(rows) > 20
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert named, f"no test is named in: {row}"
        for file, test in named:
            source = (DOCS.parent / file).read_text(encoding="utf-8")
            assert re.search(rf"^(async )?def {test}\(", source, re.MULTILINE), f"{file} has no {test}"


def test_a_pipe_can_rely_on_the_fields_of_watch() -> None:
    page = (DOCS / "watch.md").read_text(encoding="utf-8")
    table = page.partition("## Fields of a JSON row")[2]
    first_cells = re.findall(r"^\| (.*?) \|", table, re.MULTILINE)
    documented = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    assert documented == set(Row.__struct_fields__)
