"""Overlays: a site changes what it may, key by key, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.checklist.pack import Item
from console.checklist.packs.linting import lint
from console.checklist.packs.loading import load_checklist, parse_checklist
from console.checklist.packs.overlays import KEYS, merge
from console.checklist.packs.sources import Source
from remote.errors import Trouble
from tests.console.checklist.pack_texts import GOOD, OVERLAY, changed, line_of, written


def laid(*overlays: str) -> dict[str, Item]:
    """The pack's items with those overlays over them."""
    sources = [("checklist.yaml", GOOD), *((f"site{number}.yaml", text) for number, text in enumerate(overlays))]
    return {item.id: item for item in parse_checklist(sources).pack.items()}


def refusal(*overlays: str) -> Trouble:
    with pytest.raises(Trouble) as caught:
        laid(*overlays)
    assert caught.value.code == "bad_pack"
    return caught.value


def over(item: str, **keys: object) -> str:
    """An overlay that changes one item; the values are written as they are."""
    lines = [f"    {key}: {value}" for key, value in keys.items()]
    return OVERLAY.partition("items:")[0] + "items:\n" + "\n".join([f"  {item}:", *lines]) + "\n"


def test_a_changed_limit_keeps_everything_else_of_the_criterion() -> None:
    before, after = laid()["latency"].criterion, laid(OVERLAY)["latency"].criterion
    assert before is not None
    assert after is not None
    assert (before.threshold, after.threshold) == (500, 800)
    assert (after.metric, after.statistic, after.n_min, after.unit) == ("end_to_end_ms", "p99", 299, "ms")


def test_a_changed_parameter_keeps_the_others_and_the_probe() -> None:
    overlay = over("trials", probe="{parameters: {success: ok}}")
    probe = laid(overlay)["trials"].probe
    assert probe is not None
    assert (probe.name, probe.parameters) == ("success_table", {"file": "trials.csv", "success": "ok"})


def test_an_item_is_switched_off_with_its_reason_and_a_span_is_taken_away() -> None:
    items = laid(over("camera", not_applicable="this arm has no camera", valid_for="null"))
    assert items["camera"].not_applicable == "this arm has no camera"
    assert items["camera"].valid_for is None


def test_the_later_of_two_overlays_counts_and_lint_names_both() -> None:
    second = OVERLAY.replace("800", "900")
    criterion = laid(OVERLAY, second)["latency"].criterion
    assert criterion is not None
    assert criterion.threshold == 900
    remarks = lint(Source("pack.yaml", GOOD), [Source("first.yaml", OVERLAY), Source("second.yaml", second)])
    twice = [remark for remark in remarks if "already" in remark.what]
    assert len(twice) == 1
    assert "second.yaml: `latency.criterion.threshold` was given by first.yaml already" in twice[0].what


@pytest.mark.parametrize(
    ("item", "key", "first", "second", "place"),
    [
        (
            "trials",
            "probe",
            "{parameters: {success: ok}}",
            "{parameters: {success: won}}",
            "trials.probe.parameters.success",
        ),
        ("camera", "valid_for", "4 h", "2 h", "camera.valid_for"),
        ("force", "criterion", "{margin: 2}", "{margin: 3, unit: N}", "force.criterion.margin"),
        ("force", "cure", "Ask first.", "Ask last.", "force.cure"),
    ],
)
def test_a_key_given_twice_is_named_as_deep_as_it_is_merged(
    item: str, key: str, first: str, second: str, place: str
) -> None:
    sources = [Source("a.yaml", over(item, **{key: first})), Source("b.yaml", over(item, **{key: second}))]
    said = [remark.what for remark in lint(Source("pack.yaml", GOOD), sources) if "already" in remark.what]
    assert said == [f"b.yaml: `{place}` was given by a.yaml already; this one counts"]


def test_two_overlays_on_different_keys_of_one_criterion_are_no_quarrel() -> None:
    second = over("latency", criterion="{n_min: 500}")
    remarks = lint(Source("pack.yaml", GOOD), [Source("a.yaml", OVERLAY), Source("b.yaml", second)])
    assert not [remark for remark in remarks if "already" in remark.what]


@pytest.mark.parametrize("key", [key for key in Item.__struct_fields__ if key not in KEYS])
def test_what_makes_the_item_another_question_can_t_be_changed(key: str) -> None:
    trouble = refusal(over("limits", **{key: "x"}))
    assert f"unknown key `{key}`" in trouble.what
    assert "site0.yaml, line 7 (items.limits)" in trouble.what


def test_an_unknown_key_inside_a_criterion_is_named_with_the_nearest() -> None:
    trouble = refusal(over("latency", criterion="{treshold: 800}"))
    assert "site0.yaml, line 7" in trouble.what
    assert trouble.cure == "Did you mean `threshold`?"


def test_the_probe_itself_can_t_be_exchanged() -> None:
    assert "unknown key `name`" in refusal(over("camera", probe="{name: file_present}")).what


def test_another_pack_s_overlay_is_refused() -> None:
    trouble = refusal(OVERLAY.replace("pack: cell", "pack: sell"))
    assert "site0.yaml, line 3 (pack): this overlay belongs to the pack `sell`, not to `cell`" in trouble.what


def test_an_item_that_the_pack_does_not_have_is_guessed() -> None:
    trouble = refusal(OVERLAY.replace("  latency:", "  latencies:"))
    assert "site0.yaml, line 6" in trouble.what
    assert trouble.cure == "Did you mean `latency`?"


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        (over("latency", criterion="{unit: s}"), "`ms`, not `s`"),
        (over("latency", criterion="{threshold: .nan}"), "finite"),
        (over("camera", probe="{parameters: {secs: 1 s}}"), "unknown key `secs`"),
        (over("camera", override_by="[boss]"), "no role `boss`"),
        (over("limits", probe="{parameters: {}}"), "the key `name` is missing"),
        (over("limits", criterion="{threshold: 1}"), "the key `metric` is missing"),
        (over("latency", criterion="{threshold: quick}"), "`threshold: quick` is no number"),
    ],
)
def test_what_an_overlay_breaks_is_shown_in_the_overlay(overlay: str, said: str) -> None:
    """The pack is right: whoever reads its line finds nothing."""
    trouble = refusal(overlay)
    assert trouble.what.startswith("site0.yaml, line 7"), trouble
    assert said in trouble.what


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (("override_by: [engineer]", "override_by: [boss]"), "override_by"),
        (("poll: [safety]", "poll: [boss]"), "[boss]"),
        (("roles: [safety, lead]", "roles: [safety, boss]"), "boss]"),
        (("id: predicts", "id: latency"), "id: latency\n        title: Control"),
    ],
)
def test_what_the_pack_itself_has_wrong_is_shown_in_the_pack(change: tuple[str, str], part: str) -> None:
    text = changed(change)
    with pytest.raises(Trouble) as caught:
        parse_checklist([("checklist.yaml", text), ("site.yaml", over("force", cure="Lower it."))])
    assert f"checklist.yaml, line {line_of(text, part)} " in caught.value.what


@pytest.mark.parametrize(
    "text", ["", "[]", "a: 1", OVERLAY.replace("reason: the old arm is slower\n", ""), "\0", OVERLAY[:60]]
)
def test_a_broken_overlay_is_refused(text: str) -> None:
    assert "site0.yaml" in refusal(text).what


def test_overlays_are_read_from_files_and_kept_word_for_word(tmp_path: Path) -> None:
    known = load_checklist(written(tmp_path), [written(tmp_path, OVERLAY, "old_arm.yaml")])
    assert known.sources == (("checklist.yaml", GOOD), ("old_arm.yaml", OVERLAY))


def test_merging_leaves_what_it_was_given_alone() -> None:
    item = {"criterion": {"threshold": 1}, "probe": {"name": "x", "parameters": {"a": 1}}}
    merge(item, {"criterion": {"threshold": 2}, "probe": {"parameters": {"b": 2}}})
    assert item == {"criterion": {"threshold": 1}, "probe": {"name": "x", "parameters": {"a": 1}}}
