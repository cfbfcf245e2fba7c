"""The section "Signatures" of docs/record.md: an auditor who has only OpenSSH follows it word for word."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from console.record.export import write_json
from console.record.roster import parse_roster
from console.record.statements import _ITEM_LABELS, _LABELS
from tests.console.checklist.campaign_world import World
from tests.console.record.signed_campaign import REVIEWED, signed

ROOT = Path(__file__).parents[3]
SECTION = (ROOT / "docs" / "record.md").read_text(encoding="utf-8").partition("\n## Signatures\n")[2]
OWN = ("roster", "signing", "sshsig", "ssh_keys", "statements", "signature_check")


@pytest.fixture
def auditor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the exported record and Bo's public key, nothing else."""
    (tmp_path / "world").mkdir()
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))
    world = World(tmp_path / "world")
    campaign = signed(world)
    folder = tmp_path / "auditor"
    folder.mkdir()
    write_json(campaign.record, folder / "record.json")
    campaign.close()
    shutil.copy2(tmp_path / "world" / "bo.pub", folder / "bo.pub")
    return folder


def followed(folder: Path) -> subprocess.CompletedProcess[str]:
    """All shell blocks of the section, one after the other, as they stand there."""
    script = "set -e\n" + "\n".join(re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL))
    return subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True)


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed here")
def test_the_steps_of_the_page_prove_a_true_signature(auditor: Path) -> None:
    assert f"entry={REVIEWED}\n" in SECTION
    ran = followed(auditor)
    assert ran.returncode == 0, ran.stderr
    assert 'Good "fieldgate" signature for bo' in ran.stdout
    signed_head, found_head = re.findall(r"[0-9a-f]{64}", ran.stdout)
    assert signed_head == found_head


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed here")
@pytest.mark.parametrize("what", ["statement", "key", "head"])
def test_the_steps_of_the_page_unmask_a_false_one(auditor: Path, what: str, tmp_path: Path) -> None:
    if what == "key":
        (auditor / "bo.pub").write_text((tmp_path / "world" / "anna.pub").read_text())
    elif what == "statement":
        import base64

        text = (auditor / "record.json").read_text()
        for encoded in re.findall(r'"base64": "([^"]+)"', text):
            data = base64.b64decode(encoded)
            if b"reviewed" in data and data.startswith(b"fieldgate statement"):
                text = text.replace(encoded, base64.b64encode(data.replace(b"31.5 N", b"11.5 N")).decode())
        (auditor / "record.json").write_text(text)
    else:
        path = auditor / "record.json"
        path.write_text(path.read_text().replace("lunch", "L U N"))
    ran = followed(auditor)
    heads = re.findall(r"[0-9a-f]{64}", ran.stdout)
    assert ran.returncode != 0 or heads[0] != heads[1]


def test_the_example_of_a_roster_is_one() -> None:
    found = re.search(r"```yaml\n(.*?)```", SECTION, re.DOTALL)
    assert found
    assert parse_roster(found.group(1), "docs").person("bo@example.org").until == "2027-03-31"


def test_every_line_of_a_statement_is_explained() -> None:
    table = SECTION.partition("### The statement")[2].partition("###")[0]
    explained = re.findall(r"`([^`]+)`", " ".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))
    labels = [*_LABELS.values(), *(label.strip() for label in _ITEM_LABELS.values())]
    assert sorted(explained) == sorted(labels)


def test_every_code_that_signing_raises_stands_in_the_page() -> None:
    source = "".join((ROOT / "console" / "record" / f"{name}.py").read_text(encoding="utf-8") for name in OWN)
    raised = set(re.findall(r'code="(\w+)"', source)) | set(re.findall(r'_Said\(\s*"[^"]+",\s*"(\w+)"', source))
    raised |= {"disk_full", "bad_roster"}  # raised by a name and by a condition
    table = SECTION.partition("### When signing fails")[2]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == raised
