"""The schema: an editor that checks with it takes what fieldgate takes, and refuses what types refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
import yaml

from console.checklist.packs.keys import MEANINGS
from console.checklist.packs.loading import shipped_packs
from console.checklist.packs.overlays import KEYS
from console.checklist.packs.schema import DIALECT, overlay_schema, pack_schema, schema_text
from console.checklist.probes import PROBES
from tests.console.checklist.pack_texts import GOOD, OVERLAY, changed

SHIPPED = Path(__file__).parents[3] / "checklists" / "checklist.schema.json"
check_pack: Any = fastjsonschema.compile(pack_schema())
check_overlay: Any = fastjsonschema.compile(overlay_schema())


def test_the_file_that_editors_read_is_the_program_s_own() -> None:
    assert SHIPPED.read_text(encoding="utf-8") == schema_text(pack_schema()), "run `make docs`"
    assert pack_schema()["$schema"] == DIALECT


@pytest.mark.parametrize("name", shipped_packs())
def test_the_shipped_packs_show_no_red_line_in_an_editor(name: str) -> None:
    text = shipped_packs()[name].read_text(encoding="utf-8")
    check_pack(yaml.safe_load(text))
    assert text.startswith("# yaml-language-server: $schema=../checklist.schema.json\n")


def test_a_good_pack_and_a_good_overlay_are_taken() -> None:
    check_pack(yaml.safe_load(GOOD))
    check_overlay(yaml.safe_load(OVERLAY))


@pytest.mark.parametrize(
    "change",
    [
        ("rests_on: [bundle, robot]", "rest_on: [bundle]"),
        ("rests_on: [bundle, robot]", "rests_on: [robots]"),
        ("kind: measured", "kind: guessed"),
        ("name: camera_alive", "name: camera_live"),
        ("probe: {name: camera_alive}", "probe: {name: camera_alive, parameters: {secs: 5 s}}"),
        ("probe: {name: camera_alive}", "probe: {name: camera_alive, parameters: {seconds: soon}}"),
        ("{name: success_table, parameters: {file: trials.csv}}", "{name: success_table}"),
        ("parameters: {file: trials.csv}", "parameters: {}"),
        ("        probe: {name: camera_alive}\n", ""),
        ("        statement: A pose outside the workspace was refused.\n", ""),
        ("valid_for: 8 h", "valid_for: 8 hours"),
        ('comparison: ">"', 'comparison: "=>"'),
        ("hazard: HAZ-01", "hazard: someone is hurt"),
        ("states: [pass, marginal]", "states: [passed]"),
        ("meaning: reviewed", "meaning: read"),
        ("format: 1", "format: 2"),
        ("  engineer: builds it", "  Engineer: builds it"),
    ],
)
def test_an_editor_underlines_what_is_wrong(change: tuple[str, str]) -> None:
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        check_pack(yaml.safe_load(changed(change)))


@pytest.mark.parametrize(
    "change",
    [
        ("criterion: {threshold: 800}", "title: Another"),
        ("threshold: 800", "treshold: 800"),
        ("threshold: 800", "threshold: quick"),
        ("reason: the old arm is slower\n", ""),
        ("criterion: {threshold: 800}", "probe: {name: clock}"),
    ],
)
def test_an_editor_underlines_what_is_wrong_in_an_overlay(change: tuple[str, str]) -> None:
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        check_overlay(yaml.safe_load(changed(change, text=OVERLAY)))


def test_each_key_says_what_it_means_where_the_cursor_stands() -> None:
    parts = pack_schema()["$defs"]
    for name, meanings in MEANINGS.items():
        if name == "Overlay":
            continue
        assert {key: parts[name]["properties"][key].get("description") for key in meanings} == meanings
    assert set(overlay_schema()["$defs"]["ItemChange"]["properties"]) == set(KEYS)


def test_each_probe_s_parameters_are_completed() -> None:
    rules = pack_schema()["$defs"]["Probe"]["allOf"]
    assert {rule["if"]["properties"]["name"]["const"] for rule in rules} == set(PROBES)
