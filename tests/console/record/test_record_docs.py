"""docs/record.md is what another program is written from: each table, and each way to check a record, is true."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import typing
from pathlib import Path

import msgspec
import pytest

from console.record.entries import Attachment, Body, Entry, Evidence, Moment
from console.record.export import write_json
from tests.console.record.record_samples import filled

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "record.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def fields_of(kind: type[msgspec.Struct]) -> dict[str, bool]:
    """Each field of a struct, and whether it may be null."""
    hints = typing.get_type_hints(kind)
    return {name: type(None) in typing.get_args(hints[name]) for name in kind.__struct_fields__}


def test_every_kind_of_entry_stands_in_the_page_with_its_fields() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .+ \| (.+) \|$", section("Bodies").partition("|---|")[2], re.MULTILINE)
    written = {tag: {name: mark == "?" for name, mark in re.findall(r"`(\w+)`(\??)", cell)} for tag, cell in rows}
    assert written == {str(kind.__struct_config__.tag): fields_of(kind) for kind in typing.get_args(Body)}


def test_the_fields_of_an_entry_and_its_parts_stand_in_the_page() -> None:
    assert re.findall(r"^\| `(\w+)` \|", section("An entry"), re.MULTILINE) == list(Entry.__struct_fields__)
    text = " ".join(section("Bodies").partition("An attachment is named")[2].split())
    attachment, _, rest = text.partition("Within `evidence` stand")
    evidence, _, moment = rest.partition("A `moment` is")
    for part, kind in ((attachment, Attachment), (evidence, Evidence), (moment, Moment)):
        assert {name: mark == "?" for name, mark in re.findall(r"`(\w+)`(\??)", part)} == fields_of(kind)


def test_every_code_that_the_record_raises_stands_in_the_page() -> None:
    own = ("canonical", "chain", "database", "attachments", "record", "export", "rows")
    source = "".join((ROOT / "console" / "record" / f"{name}.py").read_text(encoding="utf-8") for name in own)
    raised = set(re.findall(r'code="(\w+)"', source))
    assert set(re.findall(r"^\| `(\w+)` \|", section("What can be wrong"), re.MULTILINE)) == raised


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    record = filled(tmp_path / "c", 4)
    write_json(record, tmp_path / "record.json")
    record.close()
    return tmp_path / "record.json"


def test_the_example_has_the_keys_of_a_real_file(exported: Path) -> None:
    example = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])  # type: ignore[index]
    real = json.loads(exported.read_text())
    assert list(example) == list(real)
    assert example["head"].keys() == real["head"].keys()
    assert next(iter(example["attachments"].values())).keys() == next(iter(real["attachments"].values())).keys()


def forgeries(exported: Path) -> list[str]:
    """The file with an entry changed, dropped, swapped, and cut off at the end."""
    text = exported.read_text()
    found = [text.replace("note 2 ", "note 9 ")]
    for edit in ("lines.pop(1)", "lines.insert(0, lines.pop(2))", "lines.pop()"):
        document = json.loads(text)
        exec(edit, {"lines": document["lines"]})
        found.append(json.dumps(document))
    return found


def check(command: list[str], exported: Path) -> None:
    """The command ends with 0 on the real file and with 1 on each forgery."""
    sound = subprocess.run(command, cwd=exported.parent, check=False, capture_output=True, text=True)
    assert (sound.returncode, "4 entries hold" in sound.stdout) == (0, True), sound.stderr
    for forged in forgeries(exported):
        exported.write_text(forged)
        assert subprocess.run(command, cwd=exported.parent, check=False, capture_output=True).returncode == 1


def test_the_python_of_the_page_tells_a_real_record_from_a_forged_one(exported: Path) -> None:
    script = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1]  # type: ignore[index]
    check([sys.executable, "-c", script, exported.name], exported)


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed here")
def test_the_shell_of_the_page_tells_a_real_record_from_a_forged_one(exported: Path) -> None:
    script = re.search(r"```sh\n(.*?)```", PAGE, re.DOTALL)[1]  # type: ignore[index]
    check(["bash", "-c", script], exported)
