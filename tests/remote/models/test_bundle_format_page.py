"""Who writes a contract by hand does it from docs/bundle-format.md: it must name exactly the keys that are read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from remote.models.check import CheckReport
from remote.models.check_policy import PolicyCheckReport
from remote.models.contract import (
    ActionContract,
    Contract,
    InputContract,
    ObservationContract,
    OutputContract,
    PolicyContract,
    Thresholds,
)

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "bundle-format.md").read_text("utf-8")


def keys_of(contract: Any, sections: dict[str, Any]) -> set[str]:
    known = {name for name in contract.__struct_fields__ if name not in sections}
    for section, struct in sections.items():
        known |= {f"{section}.{name}" for name in struct.__struct_fields__}
    return known


def keys_on_page(heading: str) -> set[str]:
    table = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    return {key for cell in cells for key in re.findall(r"`([\w.]+)`", cell)}


def test_the_page_names_every_key_of_a_contract_and_no_other() -> None:
    sections = {"input": InputContract, "output": OutputContract, "thresholds": Thresholds}
    assert keys_on_page("contract.yaml") == keys_of(Contract, sections)


def test_the_page_names_every_key_of_a_policys_contract_and_no_other() -> None:
    sections = {"observations": ObservationContract, "actions": ActionContract}
    assert keys_on_page("A policy's contract") - {"observations"} == keys_of(PolicyContract, sections)


def test_the_page_names_every_field_of_a_check() -> None:
    listed = re.search(r"prints one object: `([\w\s]+)`", PAGE)
    assert listed is not None
    assert tuple(listed.group(1).split()) == CheckReport.__struct_fields__


def test_the_page_names_every_field_of_a_policys_check() -> None:
    listed = re.search(r"prints one object with `([\w\s]+)`", PAGE)
    assert listed is not None
    assert tuple(listed.group(1).split()) == PolicyCheckReport.__struct_fields__
