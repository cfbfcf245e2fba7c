"""`fieldgate checklist`: what people read and what scripts rely on, as the program says it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console import exits
from console.checklist.packs.loading import load_checklist
from console.checklist.packs.schema import overlay_schema, pack_schema, schema_text
from console.commands.checklist import checklist
from tests.console.checklist.pack_texts import GOOD, OVERLAY, changed, line_of, written


def called(*words: object) -> Result:
    return CliRunner().invoke(checklist, [str(word) for word in words])


def test_the_list_names_each_pack_with_its_digest() -> None:
    found = called("list")
    assert found.exit_code == exits.OK
    for name in ("aircraft", "grasping", "new_model", "perception"):
        known = load_checklist(name)
        assert any(line.split()[0] == name and known.revision[:8] in line for line in found.output.splitlines())
    rows = json.loads(called("list", "--json").output)
    assert {row["name"]: row["revision"] for row in rows}["grasping"] == load_checklist("grasping").revision


def test_show_tells_the_whole_pack_or_one_item() -> None:
    whole, one = called("show", "grasping"), called("show", "grasping", "--item", "real_trials")
    assert "success_rate > 30 %, lower bound at 95 %, n >= 5" in whole.output
    assert "S2R-03" in one.output
    assert "2 of 5" in one.output
    assert json.loads(called("show", "grasping", "--json").output)["pack"]["name"] == "grasping"
    rule = json.loads(called("show", "grasping", "--item", "real_trials", "--json").output)["rule"]
    assert rule == load_checklist("grasping").rules["real_trials"]


def test_show_with_an_overlay_shows_what_counts_there(tmp_path: Path) -> None:
    pack, site = written(tmp_path), written(tmp_path, OVERLAY, "site.yaml")
    assert "p99 < 500 ms" in called("show", pack).output
    assert "p99 < 800 ms" in called("show", pack, "--overlay", site).output


def test_lint_passes_a_good_pack_and_fails_a_broken_one(tmp_path: Path) -> None:
    good = called("lint", "grasping", written(tmp_path))
    assert good.exit_code == exits.OK
    text = changed(("poll: [safety]", "poll: [safty]"))
    bad = called("lint", "grasping", written(tmp_path, text, "bad.yaml"))
    assert bad.exit_code == exits.TROUBLE
    assert f"bad.yaml, line {line_of(text, 'safty')} (stages[1].gate.poll[0])" in bad.output
    assert "-> Did you mean `safety`?" in bad.output


def test_warnings_fail_a_job_only_where_it_is_strict(tmp_path: Path) -> None:
    pack, site = written(tmp_path), written(tmp_path, OVERLAY, "site.yaml")
    assert called("lint", pack, "--strict").exit_code == exits.OK
    loose = called("lint", pack, "--overlay", site)
    assert loose.exit_code == exits.OK
    assert "warning: " in loose.output
    assert "loosened: 500 -> 800 ms, reason: the old arm is slower" in loose.output
    assert called("lint", pack, "--overlay", site, "--strict").exit_code == exits.TROUBLE
    remarks = json.loads(called("lint", pack, "--overlay", site, "--json").output)[0]["remarks"]
    assert [remark["level"] for remark in remarks] == ["warning"]


def test_diff_names_what_goes_stale(tmp_path: Path) -> None:
    pack, site = written(tmp_path), written(tmp_path, OVERLAY, "site.yaml")
    found = called("diff", pack, pack, "--overlay", site)
    assert found.exit_code == exits.OK
    assert found.output.splitlines() == [
        "latency.criterion.threshold loosened: 500 -> 800 ms, reason: the old arm is slower",
        "goes stale: latency",
    ]
    other = written(tmp_path, GOOD.replace("id: predicts", "id: foresees"), "other.yaml")
    assert called("diff", pack, other).output.splitlines() == ["added: foresees", "removed: predicts"]
    assert called("diff", pack, pack).output == "no difference\n"
    assert json.loads(called("diff", pack, other, "--json").output)["added"] == ["foresees"]


def test_schema_prints_what_editors_read() -> None:
    assert called("schema").output == schema_text(pack_schema())
    assert called("schema", "--overlay").output == schema_text(overlay_schema())


@pytest.mark.parametrize(
    "words", [("show", "graspin"), ("show", "grasping", "--item", "latecy"), ("diff", "grasping", "x")]
)
def test_a_misspelt_name_ends_in_two_lines_and_exit_1(words: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from console.cli import main; main()", "checklist", *words],
        capture_output=True,
        text=True,
    )
    assert done.returncode == exits.TROUBLE
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("  -> ")


def test_the_paper_form_is_a_page_on_stdout_or_in_a_file(tmp_path: Path) -> None:
    """A form on which an item is missing lets somebody leave it out where no laptop may go."""
    page = called("paper", "grasping")
    assert page.output.startswith("<!doctype html>")
    for item in load_checklist("grasping").pack.items():
        assert item.id in page.output
    out = tmp_path / "form.html"
    assert called("paper", "grasping", "-o", out).output.strip() == str(out)
    assert out.read_text(encoding="utf-8") == page.output.rstrip("\n")
    refused = called("paper", "grasping", "-o", tmp_path / "none" / "form.html")
    assert "can't be written" in str(refused.exception)
