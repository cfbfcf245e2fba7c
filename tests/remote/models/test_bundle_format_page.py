"""Who writes a contract by hand does it from docs/bundle-format.md: it must name exactly the keys that are read."""

from __future__ import annotations

import re
from pathlib import Path

from remote.models.check import CheckReport
from remote.models.contract import Contract, InputContract, OutputContract, Thresholds

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "bundle-format.md").read_text("utf-8")


def test_the_page_names_every_key_of_a_contract_and_no_other() -> None:
    sections = {"input": InputContract, "output": OutputContract, "thresholds": Thresholds}
    known = {name for name in Contract.__struct_fields__ if name not in sections}
    for section, struct in sections.items():
        known |= {f"{section}.{name}" for name in struct.__struct_fields__}
    table = PAGE.partition("## contract.yaml")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    assert {key for cell in cells for key in re.findall(r"`([\w.]+)`", cell)} == known


def test_the_page_names_every_field_of_a_check() -> None:
    listed = re.search(r"prints one object: `([\w\s]+)`", PAGE)
    assert listed is not None
    assert tuple(listed.group(1).split()) == CheckReport.__struct_fields__
