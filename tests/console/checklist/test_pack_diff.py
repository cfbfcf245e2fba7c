"""Differences: a reviewer sees what lets more through, and an engineer what must be measured again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.checklist.packs.comparing import compare
from console.checklist.packs.differences import Difference, difference
from remote.errors import Trouble
from tests.console.checklist.pack_texts import GOOD, OVERLAY, changed, pack_of, written

CASES = {
    "a lower bar downwards": (("threshold: 500", "threshold: 800"), "latency.criterion.threshold", "loosened"),
    "a lower bar upwards": (("threshold: 30", "threshold: 20"), "trials.criterion.threshold", "loosened"),
    "equal is enough": (('comparison: ">"', 'comparison: ">="'), "trials.criterion.comparison", "loosened"),
    "turned round": (('comparison: ">"', 'comparison: "<"'), "trials.criterion.comparison", "changed"),
    "the estimate is enough": (("n_min: 5}", "n_min: 5, judge: point}"), "trials.criterion.judge", "loosened"),
    "less sure": (("n_min: 5}", "n_min: 5, confidence: 0.9}"), "trials.criterion.confidence", "loosened"),
    "fewer trials": (("n_min: 5}", "n_min: 4}"), "trials.criterion.n_min", "loosened"),
    "another statistic": (("statistic: p99", "statistic: p95"), "latency.criterion.statistic", "changed"),
    "a wider margin": (("unit: N}", "unit: N, margin: 1}"), "force.criterion.margin", "changed"),
    "one person is enough": (("kind: witnessed", "kind: confirmed"), "limits.kind", "loosened"),
    "a probe no longer looks": (("kind: sensed\n        hold", "kind: confirmed\n        hold"), "camera.kind", "loosened"),
    "held for less": (("hold: 10 s", "hold: 9 s"), "camera.hold", "loosened"),
    "not held": (("        hold: 10 s\n", ""), "camera.hold", "loosened"),
    "valid for longer": (("valid_for: 8 h", "valid_for: 9 h"), "camera.valid_for", "loosened"),
    "valid for ever": (("        valid_for: 8 h\n", ""), "camera.valid_for", "loosened"),
    "not latched": (("        latched: true\n", ""), "limits.latched", "loosened"),
    "not critical": (("        critical: true\n", ""), "limits.critical", "loosened"),
    "rests on less": (("rests_on: [bundle, robot]", "rests_on: [bundle]"), "latency.rests_on", "loosened"),
    "more may override": (("[engineer]\n        cure", "[engineer, lead]\n        cure"), "camera.override_by", "loosened"),
    "more may defer": (("hold: 10 s", "hold: 10 s\n        defer_by: [lead]"), "camera.defer_by", "loosened"),
    "only sometimes": (("hold: 10 s", "hold: 10 s\n        when: {item: latency, states: [pass]}"), "camera.when", "loosened"),
    "another is enough": (("hold: 10 s", "hold: 10 s\n        one_of: reaction"), "camera.one_of", "loosened"),
    "switched off": (("hold: 10 s", "hold: 10 s\n        not_applicable: no camera"), "camera.not_applicable", "loosened"),
    "a gate without a role": (("poll: [safety]\n", "poll: []\n"), "release.gate.poll", "loosened"),
    "a gate with overrides": (("    overrides_allowed: false\n", ""), "release.gate.overrides_allowed", "loosened"),
    "one signature": (("        - {meaning: performed, roles: [engineer]}\n", ""), "release.gate.signatures", "loosened"),
    "another condition": (("states: [pass, marginal]", "states: [pass]"), "trials.when", "changed"),
    "another role": (("override_by: [engineer]", "override_by: [lead]"), "camera.override_by", "loosened"),
    "another sentence": (("title: Release", "title: Release\n    purpose: x"), "", ""),
    "another parameter": (("file: trials.csv", "file: other.csv"), "trials.probe.parameters.file", "changed"),
    "another statement": (("was refused.", "was refused twice."), "limits.statement", "changed"),
}  # fmt: skip
DECIDE_NOTHING = ("override_by", "defer_by", "not_applicable", "gate")


def of(change: tuple[str, str], *, back: bool = False) -> Difference:
    old, new = pack_of(GOOD), pack_of(changed(change))
    return difference(new, old) if back else difference(old, new)


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name][1]])
def test_each_change_has_its_direction_and_its_opposite(name: str) -> None:
    change, place, direction = CASES[name]
    there, back = of(change).changes, of(change, back=True).changes
    opposite = "changed" if direction == "changed" else "loosened" if name == "another role" else "tightened"
    assert [(it.place, it.direction) for it in there] == [(place, direction)]
    assert [(it.place, it.direction) for it in back] == [(place, opposite)]


@pytest.mark.parametrize("name", CASES)
def test_only_what_decides_makes_evidence_stale(name: str) -> None:
    change, place, _ = CASES[name]
    texts_only = not place or any(key in place for key in DECIDE_NOTHING)
    assert of(change).stale == (() if texts_only else (place.partition(".")[0],))


def test_items_that_come_and_go_are_named() -> None:
    found = of(("id: predicts", "id: foresees"))
    assert (found.added, found.removed) == (("foresees",), ("predicts",))
    assert found.stale == ()


def test_an_item_that_moved_and_stages_in_another_order_are_seen() -> None:
    old = pack_of(GOOD)
    swapped = pack_of(
        GOOD.replace("id: bench", "id: x").replace("id: release", "id: bench").replace("id: x", "id: release")
    )
    assert {change.place for change in difference(old, swapped).changes} >= {"stages", "latency.stage", "limits.stage"}


def test_a_change_reads_as_a_sentence_with_numbers_and_unit() -> None:
    change = of(("threshold: 500", "threshold: 800")).changes[0]
    assert change.words() == "latency.criterion.threshold loosened: 500 -> 800 ms"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("        valid_for: 8 h\n", ""), "camera.valid_for loosened: 8 h -> none"),
        (("        override_by: [engineer]\n", ""), "camera.override_by tightened: engineer -> none"),
        (("        latched: true\n", ""), "limits.latched loosened: yes -> no"),
        (
            ("[pass, marginal]", "[pass]"),
            'trials.when changed: {"item":"camera","states":["pass","marginal"]} -> {"item":"camera","states":["pass"]}',
        ),
    ],
)
def test_what_is_gone_is_called_none_and_long_texts_are_cut(change: tuple[str, str], words: str) -> None:
    assert [it.words() for it in of(change).changes] == [words]


def test_a_long_text_is_shown_where_it_differs() -> None:
    """A statement that was turned round by its last word must not look the same."""
    long = "A pose outside the workspace was sent a hundred times, at all speeds, and each time it was "
    old, new = (pack_of(changed(("A pose outside the workspace was", long + word))) for word in ("refused", "accepted"))
    shown = difference(old, new).changes[0]
    assert shown.before == "…s, and each time it was refused refused."
    assert shown.after == "…s, and each time it was accepted refused."
    longer = pack_of(
        changed(("A pose outside the workspace was", long + "refused"), ("refused.", "refused, nearly always."))
    )
    assert difference(old, longer).changes[0].after.endswith("refused, nearly always.")
    twice = pack_of(changed(("A pose outside", long * 2)))
    assert difference(pack_of(GOOD), twice).changes[0].after.endswith("…")


def test_the_loosened_ones_can_be_had_alone() -> None:
    found = difference(pack_of(GOOD), pack_of(changed(("n_min: 5}", "n_min: 4}"), ("hold: 10 s", "hold: 11 s"))))
    assert [it.place for it in found.loosened()] == ["trials.criterion.n_min"]


@given(st.floats(1, 1e6), st.floats(1, 1e6))
def test_a_limit_is_loosened_exactly_where_it_lets_more_through(before: float, after: float) -> None:
    old, new = (pack_of(changed(("threshold: 500", f"threshold: {limit!r}"))) for limit in (before, after))
    changes = difference(old, new).changes
    assert [it.direction for it in changes] == (
        [] if before == after else ["loosened" if after > before else "tightened"]
    )


def test_the_reason_of_an_overlay_stands_beside_what_it_changed(tmp_path: Path) -> None:
    pack, site = written(tmp_path), written(tmp_path, OVERLAY, "site.yaml")
    found = compare(pack, pack, [site])
    assert [it.words() for it in found.changes] == [
        "latency.criterion.threshold loosened: 500 -> 800 ms, reason: the old arm is slower"
    ]
    assert found.stale == ("latency",)


def test_a_pack_is_no_different_from_itself() -> None:
    assert compare("grasping", "grasping") == Difference(added=(), removed=(), changes=(), stale=())


def test_a_pack_that_can_t_be_used_is_not_compared(tmp_path: Path) -> None:
    broken = written(tmp_path, changed(("poll: [safety]", "poll: [boss]")))
    with pytest.raises(Trouble, match="boss"):
        compare("grasping", broken)
