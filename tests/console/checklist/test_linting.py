"""Lint: says everything that is wrong at once, then what is allowed but seldom meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.checklist.packs.linting import Remark, lint, lint_file
from console.checklist.packs.sources import Source
from tests.console.checklist.pack_texts import GOOD, OVERLAY, changed, line_of, written


def remarks(text: str, *overlays: str) -> list[Remark]:
    return lint(Source("pack.yaml", text), [Source(f"site{number}.yaml", one) for number, one in enumerate(overlays)])


def test_a_good_pack_is_left_in_peace() -> None:
    assert remarks(GOOD) == []


def test_every_error_is_told_at_once() -> None:
    """An author who gets one error a run gives up."""
    text = changed(
        ("override_by: [engineer]", "override_by: [boss]"),
        ("unit: N}", "unit: N, margin: .inf}"),
        ("name: camera_alive", "name: camera_live"),
    )
    found = remarks(text)
    assert [remark.level for remark in found] == ["error"] * 3
    assert all(
        f"line {line_of(text, part)} " in found[place].what for place, part in enumerate(["camera_live", "[boss]"])
    )


UNTYPED = {
    'version: "1"': ("version: 1", "`version: 1` is a number, not a text", 'Write `version: "1"`, in quotes'),
    "valid_for: 8 h": ("valid_for: 30d2", "`valid_for: 30d2` is no time span", "like 30 s, 5 min, 8 h or 7 d"),
    "kind: witnessed": (
        "kind: witnesed",
        "`kind: witnesed` is not known",
        "Did you mean `witnessed`? One of: confirmed,",
    ),
    "hazard: HAZ-01": ("hazard: haz1", "`hazard: haz1` is no reference", "like HAZ-01"),
    "id: camera": ("id: My-Camera", "`id: My-Camera` is no name", "small letter"),
    "threshold: 500": ("threshold: 500 ms", "`threshold: 500 ms` is no number", "without a unit"),
    "rests_on: [bundle]": ("rests_on: bundle", "`rests_on: bundle` is no list", "`rests_on: [bundle]`"),
    "latched: true": ("latched: sure", "`latched: sure` is neither true nor false", "Write true or false"),
    "engineer: builds it": ("Engineer: builds it", "the key `Engineer` is no name", "small letter"),
}


@pytest.mark.parametrize("old", UNTYPED)
def test_a_wrong_value_is_told_in_the_author_s_words_with_a_cure(old: str) -> None:
    """Whoever writes a first pack knows neither Python's types nor regular expressions."""
    new, said, cure = UNTYPED[old]
    text = changed((old, new))
    (found,) = remarks(text)
    assert f"pack.yaml, line {line_of(text, new)} (" in found.what
    assert said in found.what
    assert cure in found.cure


def test_every_wrong_value_of_a_file_is_told_at_once_with_its_line() -> None:
    """One error a run, and an author gives up; a used pack is refused for the first of them."""
    spoilt = [(old, new) for old, (new, _, _) in UNTYPED.items()]
    text = changed(*spoilt)
    found = remarks(text, OVERLAY.replace("threshold: 800", "threshold: quick"))
    assert [remark.level for remark in found] == ["error"] * (len(UNTYPED) + 1)
    for _, (new, said, _) in UNTYPED.items():
        assert any(f"line {line_of(text, new)} (" in one.what and said in one.what for one in found), said
    assert found[-1].what.startswith("site0.yaml, line 7 (items.latency.criterion.threshold)")


def test_a_probe_where_none_may_be_is_one_error() -> None:
    """What the probe can't measure is no matter where it never looks."""
    force = 'criterion: {metric: grip_force_n, comparison: "<"'
    found = remarks(changed((force, f"probe: {{name: camera_alive}}\n        {force}")))
    assert [remark.cure for remark in found] == ["Remove `probe`, or make it sensed"]


WARNINGS = {
    "a critical item without a hazard": (("        hazard: HAZ-01\n", ""), "names no hazard"),
    "a critical item that can be overridden": (
        ("latched: true", "override_by: [lead]\n        latched: true"),
        "can be got round (override_by)",
    ),
    "a critical item that can be put off": (
        ("latched: true", "defer_by: [lead]\n        latched: true"),
        "can be got round (defer_by)",
    ),
    "a deferral to nowhere": (
        ("        cure: Lower it", "        defer_by: [lead]\n        cure: Lower it"),
        "no stage comes after",
    ),
    "a sensed item without a cure": (("        cure: Run more trials.\n", ""), "what to do when it fails"),
    "a measured item without a cure": (("        cure: Lower it.\n", ""), "what to do when it fails"),
    "a tick that never ends": (("valid_for: 30 d\n        cure: Lower", "cure: Lower"), "never go stale"),
    "too few trials to prove it": (("n_min: 5", "n_min: 2"), "n_min 2 can't pass"),
    "too few frames to prove it": (("n_min: 299", "n_min: 298"), "Even when all goes well 299 are needed"),
    "what no number of trials proves": (("threshold: 30", "threshold: 100"), "can never pass"),
    "a statement that nobody sees": (("hold: 10 s", "statement: It lives."), "nobody vouches"),
    "a critical item that nobody confirms": (
        ("hold: 10 s", "critical: true\n        hazard: HAZ-2"),
        "nobody is asked",
    ),
    "a last gate with overrides": (("      overrides_allowed: false\n", ""), "though items are overridden"),
    "a last gate with one signature": (("        - {meaning: performed, roles: [engineer]}\n", ""), "two people"),
    "a role that may do nothing": (("roles: [safety, lead]", "roles: [safety]"), "the role `lead`"),
}


SMALL = """\
format: 1
name: small
title: My first pack
version: "1"
roles: {engineer: me}
stages:
  - id: bench
    title: On the bench
    items:
      - {id: camera, title: The camera lives, kind: sensed, probe: {name: camera_alive}, valid_for: 8 h, cure: Check the cable.}
"""


def test_a_beginner_s_small_pack_is_left_in_peace() -> None:
    """Warnings that nobody needs hide the one that matters."""
    assert remarks(SMALL) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("cure:", "override_by: [engineer], cure:", "though items are overridden"),
        ("kind: sensed", "kind: sensed, critical: true", "two people"),
        (".}\n", ".}\n    gate: {signatures: [{meaning: performed, roles: [engineer]}]}\n", "two people"),
        ("engineer: me}\n", "engineer: me, lead: you}\n", ""),
    ],
)
def test_a_small_pack_that_asks_more_of_people_is_told_what_it_forgets(old: str, new: str, said: str) -> None:
    found = [remark.what for remark in remarks(changed((old, new), text=SMALL))]
    assert any(said in what for what in found) if said else found == []


@pytest.mark.parametrize("name", WARNINGS)
def test_what_is_seldom_meant_is_a_warning_with_its_line(name: str) -> None:
    change, said = WARNINGS[name]
    found = remarks(changed(change))
    assert any(said in f"{remark.what} {remark.cure}" for remark in found), found
    assert all(remark.level == "warning" and "pack.yaml, line " in remark.what and remark.cure for remark in found)


def test_three_trials_are_enough_where_they_can_prove_it() -> None:
    """3 of 3 has the lower bound .368: the warning must not cry wolf."""
    assert remarks(changed(("n_min: 5", "n_min: 3"))) == []


def test_a_single_number_that_somebody_enters_has_no_bound() -> None:
    assert remarks(changed(("threshold: 40, unit: N}", "threshold: 40, unit: N, statistic: p99}"))) == []


def test_a_rate_that_must_stay_low_is_counted_from_its_side() -> None:
    """0 of 59 shows less than 5 %, 0 of 58 does not."""
    criterion = 'criterion: {metric: slips, statistic: rate, comparison: "<", threshold: 5, unit: "%", n_min: %d}'
    old = 'criterion: {metric: grip_force_n, comparison: "<", threshold: 40, unit: N}'
    assert remarks(changed((old, criterion.replace("%d", "59")))) == []
    assert "59 are needed" in remarks(changed((old, criterion.replace("%d", "58"))))[0].cure


def test_a_loosened_limit_is_named_with_its_reason() -> None:
    found = remarks(GOOD, OVERLAY)
    assert [remark.level for remark in found] == ["warning"]
    said = "site0.yaml: latency.criterion.threshold loosened: 500 -> 800 ms, reason: the old arm is slower"
    assert found[0].what == said


def test_a_tightened_limit_is_nobody_s_business() -> None:
    assert remarks(GOOD, OVERLAY.replace("800", "400")) == []


def test_an_overlay_of_a_pack_of_ones_own_is_told_how_to_be_linted(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("overlay: 1\npack: shelf_field\n")
    (remark,) = lint_file(str(file))
    assert remark.what == f"{file} is an overlay of the pack `shelf_field`, which does not come with fieldgate"
    assert remark.cure == f"name its file: `fieldgate checklist lint PACK --overlay {file}`"


def test_an_overlay_is_linted_on_the_pack_that_it_belongs_to(tmp_path: Path) -> None:
    path = written(tmp_path, OVERLAY.replace("pack: cell", "pack: grasping"), "site.yaml")
    assert "latency.criterion.threshold loosened: 500 -> 800 ms" in lint_file(path)[0].what
    unknown = written(tmp_path, OVERLAY.replace("pack: cell", "pack: graspin"), "other.yaml")
    assert lint_file(unknown)[0].cure.startswith("Did you mean `grasping`? Else name its file")


def test_a_file_that_can_t_be_read_is_an_error_and_no_crash(tmp_path: Path) -> None:
    for path in (
        tmp_path / "none.yaml",
        tmp_path,
        written(tmp_path, "a: [", "cut.yaml"),
        written(tmp_path, "", "empty.yaml"),
    ):
        assert {remark.level for remark in lint_file(path)} == {"error"}


LINES = GOOD.splitlines()
ODD = [
    "",
    "[]",
    "{}",
    "null",
    "1",
    "true",
    ".nan",
    "-1e999",
    "x",
    "'",
    "2026-01-01",
    "{a: [b]}",
    "[1, x]",
    "!!int x",
    "&a *a",
    "\0",
]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(LINES) - 1), st.sampled_from(ODD), st.booleans(), st.booleans())
def test_a_pack_with_any_value_spoilt_gets_remarks_and_no_crash(
    place: int, odd: str, overlay: bool, gone: bool
) -> None:
    """Whoever mistypes something is told so; a traceback tells nobody anything."""
    key = LINES[place].partition(":")[0]
    spoilt = [] if gone else [f"{key}: {odd}"]
    text = "\n".join([*LINES[:place], *spoilt, *LINES[place + 1 :]])
    for remark in remarks(text, *([OVERLAY] if overlay else [])):
        assert remark.what
        assert remark.cure


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(OVERLAY.splitlines()) - 1), st.sampled_from(ODD))
def test_an_overlay_with_any_value_spoilt_gets_remarks_and_no_crash(place: int, odd: str) -> None:
    lines = OVERLAY.splitlines()
    lines[place] = f"{lines[place].partition(':')[0]}: {odd}"
    for remark in remarks(GOOD, "\n".join(lines)):
        assert remark.what
        assert remark.cure
