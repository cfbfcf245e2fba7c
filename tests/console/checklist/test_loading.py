"""Reading packs: a mistake is named with its place, so that nobody finds out beside the robot."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.checklist.pack import Item
from console.checklist.packs.digests import DECIDING, revision_of, rule_of
from console.checklist.packs.loading import load_checklist, parse_checklist, shipped_packs, span_s
from remote.errors import Trouble
from tests.console.checklist.pack_texts import GOOD, OVERLAY, changed, line_of, pack_of, written


def refusal(text: str) -> Trouble:
    """What is said of a pack with that text."""
    with pytest.raises(Trouble) as caught:
        parse_checklist([("checklist.yaml", text)])
    assert caught.value.code == "bad_pack"
    return caught.value


def test_a_good_pack_is_read_whole(tmp_path: Path) -> None:
    known = load_checklist(written(tmp_path))
    assert [item.id for item in known.pack.items()] == ["latency", "predicts", "camera", "trials", "force", "limits"]
    assert set(known.rules) == {item.id for item in known.pack.items()}
    assert known.sources == (("checklist.yaml", GOOD),)
    assert len(known.revision) == 64


P99 = "statistic: p99"
LATENCY = 'criterion: {metric: end_to_end_ms, statistic: p99, comparison: "<", threshold: 500, unit: ms, n_min: 299}'
FORCE = '        criterion: {metric: grip_force_n, comparison: "<", threshold: 40, unit: N}\n'
CAMERA = "probe: {name: camera_alive}"
BROKEN = {
    "a key that does not exist": (("rests_on: [bundle, robot]", "rest_on: [bundle]"), "rest_on", "`rests_on`"),
    "a kind that does not exist": (("kind: measured", "kind: guessed"), "guessed", ""),
    "a probe that does not exist": (("name: camera_alive", "name: camera_live"), "camera_live", "`camera_alive`"),
    "a probe's parameter": ((CAMERA, "probe: {name: camera_alive, parameters: {second: 5 s}}"), "second", "`seconds`"),
    "a probe's value": ((CAMERA, "probe: {name: camera_alive, parameters: {seconds: soon}}"), "seconds", ""),
    "a probe's needed parameter": (("parameters: {file: trials.csv}", "parameters: {}"), "file", ""),
    "a metric that it can't measure": (
        ("metric: success_rate", "metric: success_ratio"),
        "success_ratio",
        "success_rate",
    ),
    "a live metric that does not exist": (
        ("{metric: end_to_end_ms, st", "{metric: end_end_ms, st"),
        "end_end_ms",
        "end_to_end",
    ),
    "another metric than the probe's": (
        ("{metric: end_to_end_ms, st", "{metric: inference_ms, st"),
        "inference_ms",
        "metric",
    ),
    "a statistic of what has none": (
        (LATENCY, 'criterion: {metric: cpu_percent, statistic: p99, comparison: "<", threshold: 5, unit: "%"}'),
        "p99",
        "value",
    ),
    "a value of a distribution": ((P99, "statistic: value"), "value", "p99"),
    "a live word as a number": (("metric: end_to_end_ms}", "metric: power_mode}"), "power_mode", ""),
    "another unit": (("threshold: 500, unit: ms", "threshold: 500, unit: s"), "`ms`, not `s`", "Convert"),
    "no unit": (("threshold: 500, unit: ms", "threshold: 500"), "`ms`, not ``", "Convert"),
    "a rate in no per cent": (("unit: N}", "unit: N, statistic: rate}"), "a rate is in `%`", "per cent"),
    "a rate without a unit": (('threshold: 30, unit: "%"', "threshold: 30"), "a rate is in `%`", "per cent"),
    "a rate above all": (("threshold: 30", "threshold: 101"), "can't be 101 %", "0 to 100"),
    "a rate below nothing": (("threshold: 30", "threshold: -1"), "can't be -1 %", "0 to 100"),
    "a limit that is no number": (("threshold: 500", "threshold: .nan"), "finite", ""),
    "a limit without end": (("threshold: 40", "threshold: .inf"), "finite", ""),
    "a margin without end": (("unit: N}", "unit: N, margin: .inf}"), "margin", ""),
    "a sensed item without a probe": ((CAMERA, "why: none"), "names no probe", "measured or confirmed"),
    "a measured item without a criterion": ((FORCE, ""), "no criterion", ""),
    "a number that nothing judges": (("        " + LATENCY + "\n", ""), "gives a number", "on a live metric"),
    "a judge of yes and no": (
        (CAMERA, CAMERA + '\n        criterion: {metric: camera_alive, comparison: "==", threshold: 1}'),
        "yes or no",
        "",
    ),
    "a person's probe": (
        ("statement: The controller", CAMERA + "\n        statement: The controller"),
        "never look",
        "sensed",
    ),
    "a person's criterion": (
        ("statement: The controller", FORCE.strip() + "\n        statement: It"),
        "never judge",
        "",
    ),
    "nothing to vouch for": (("        statement: The controller predicts over the delay.\n", ""), "no statement", ""),
    "a hold without a probe": (("valid_for: 30 d\n        cure: L", "hold: 5 s\n        cure: L"), "`hold` needs", ""),
    "a photo of what a probe sees": (("hold: 10 s", "inspect: photo"), "asks a person", "confirmed"),
    "a fingerprint that nobody takes": (
        ("rests_on: [bundle, robot]", "rests_on: [bundle, robots]"),
        "`robots`",
        "`robot`",
    ),
    "a role that nobody has (override)": (
        ("override_by: [engineer]", "override_by: [enginer]"),
        "enginer",
        "`engineer`",
    ),
    "a role that nobody has (defer)": (("override_by: [engineer]", "defer_by: [boss]"), "boss", "engineer, safety"),
    "a role that nobody has (poll)": (("poll: [safety]", "poll: [safty]"), "safty", "`safety`"),
    "a role that nobody has (signature)": (("roles: [safety, lead]", "roles: [safety, led]"), "`led`", "`lead`"),
    "an item that it can't wait for": (("when: {item: camera", "when: {item: camra"), "camra", "`camera`"),
    "an item that comes later": (("when: {item: camera", "when: {item: limits"), "does not come before", "earlier"),
    "itself": (("when: {item: camera", "when: {item: trials"), "does not come before", "earlier"),
    "a state that does not exist": (("states: [pass, marginal]", "states: [passed]"), "passed", "`pass`"),
    "a choice of one": (
        ("        one_of: reaction\n        statement", "        statement"),
        "only item",
        "second item",
    ),
    "a choice over two stages": (
        (
            "        valid_for: 30 d\n        cure: L",
            "        valid_for: 30 d\n        one_of: reaction\n        cure: L",
        ),
        "several stages",
        "one stage",
    ),
    "an id twice": (("id: predicts", "id: latency"), "given twice", ""),
    "a stage twice": (("id: release", "id: bench"), "given twice", ""),
    "a span that is none": (("valid_for: 8 h", "valid_for: 8 hours"), "valid_for", ""),
    "a key twice": (("valid_for: 8 h", "valid_for: 8 h\n        valid_for: 9 h"), "given twice", ""),
    "an alias": (("valid_for: 8 h", "valid_for: *x"), "", ""),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_can_never_work_is_refused_with_its_line_and_the_nearest_word(name: str) -> None:
    change, said, cure = BROKEN[name]
    text = changed(change)
    trouble = refusal(text)
    assert "checklist.yaml, line " in trouble.what, trouble
    assert said in trouble.what or name == "an alias", trouble
    assert cure in trouble.cure, trouble
    assert trouble.cure


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (("override_by: [engineer]", "override_by: [enginer]"), "override_by"),
        (("threshold: 40, unit: N}", "threshold: .nan, unit: N}"), "threshold: .nan"),
        (("name: camera_alive", "name: camera_live"), "camera_live"),
        ((CAMERA, "probe:\n          name: camera_alive\n          parameters:\n            secs: 5 s"), "secs"),
        (("poll: [safety]", "poll: [safty]"), "safty"),
        (("states: [pass, marginal]", "states: [pass, margin]"), "margin]"),
    ],
)
def test_the_line_is_the_one_to_correct(change: tuple[str, str], part: str) -> None:
    text = changed(change)
    assert f"line {line_of(text, part)} (" in refusal(text).what


def test_cut_short_empty_and_foreign_files_are_refused(tmp_path: Path) -> None:
    for text in ("", "[]", "format: 2", GOOD[: len(GOOD) // 2] + "\n  : [", "\0", "name: " + "x" * 2_000_000):
        with pytest.raises(Trouble) as caught:
            load_checklist(written(tmp_path, text))
        assert caught.value.code == "bad_pack"


def revision_or_refusal(text: str) -> str:
    """The digest of the pack in that text, or the code of its refusal."""
    try:
        return parse_checklist([("pack", text)]).revision
    except Trouble as trouble:
        return trouble.code


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_pack_cut_anywhere_is_never_read_as_if_it_were_whole(share: float) -> None:
    """A pack that lost its end may still be YAML; then it is another pack, with another digest, or it is refused."""
    cut = revision_or_refusal(GOOD[: int(len(GOOD) * share)])
    assert cut == "bad_pack" or (len(cut) == 64 and cut != revision_or_refusal(GOOD))


def test_a_shipped_pack_is_found_by_name_and_a_misspelt_one_is_guessed() -> None:
    assert load_checklist("grasping").pack.name == "grasping"
    with pytest.raises(Trouble) as caught:
        load_checklist("graping")
    assert "`grasping`" in caught.value.cure


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"nothing\.yaml does not exist"):
        load_checklist(str(tmp_path / "nothing.yaml"))


# ------------------------------------------------------------ digests

LINES = GOOD.splitlines()


@given(st.sampled_from(sorted(shipped_packs())), st.booleans())
def test_what_a_record_keeps_gives_the_same_pack_again(name: str, twice: bool) -> None:
    """Else every campaign would count as changed as soon as it is opened again."""
    path = shipped_packs()[name]
    known = load_checklist(path)
    again = parse_checklist(known.sources)
    again = parse_checklist(again.sources) if twice else again
    assert (again.revision, again.rules, again.pack) == (known.revision, known.rules, known.pack)


@given(st.lists(st.sampled_from(range(len(LINES))), max_size=5), st.sampled_from([800, 650.5, 501]))
def test_notes_and_blank_lines_change_no_digest_and_every_limit_changes_it(places: list[int], limit: float) -> None:
    lines = [line + ("  # a note" if number in places else "") for number, line in enumerate(LINES)]
    known, noted = (parse_checklist([("pack", text)]) for text in (GOOD, "\n\n".join(lines) + "\n"))
    assert (noted.revision, noted.rules) == (known.revision, known.rules)
    overlay = OVERLAY.replace("800", str(limit))
    laid = parse_checklist([("pack", GOOD), ("overlay", overlay)])
    again = parse_checklist(laid.sources)
    assert (again.revision, again.rules) == (laid.revision, laid.rules)
    assert laid.revision != known.revision
    assert [id for id in known.rules if laid.rules[id] != known.rules[id]] == ["latency"]


def test_a_rule_is_the_digest_of_a_text_that_anybody_can_write_down() -> None:
    """A record's rules can be checked without fieldgate, and no later version may compute them in another way."""
    line = (
        b'{"criterion":{"comparison":"<","metric":"grip_force_n","threshold":40.0,"unit":"N"},'
        b'"kind":"measured","valid_for":"30 d"}'
    )
    assert parse_checklist([("pack", GOOD)]).rules["force"] == hashlib.sha256(line).hexdigest()


def test_a_key_that_is_written_with_its_default_changes_no_digest() -> None:
    """A later fieldgate that knows more keys must find the digests of today's records."""
    known = parse_checklist([("pack", GOOD)])
    plain = parse_checklist([("pack", changed(("hold: 10 s", "hold: 10 s\n        latched: false\n        why: ''")))])
    assert (plain.revision, plain.rules) == (known.revision, known.rules)


@pytest.mark.parametrize("key", [key for key in Item.__struct_fields__ if key != "id"])
def test_a_rule_changes_with_what_decides_and_with_nothing_else(key: str) -> None:
    """A rule that changed unseen leaves old ticks green; one that changes with a text asks for needless work."""
    other = {
        "criterion": None, "probe": None, "critical": True, "latched": True, "kind": "measured", "rests_on": ("engine",),
        "override_by": ("lead",), "defer_by": ("lead",),
        "act": {"says": "Go", "argv": ["go"]}, "when": {"item": "predicts", "states": ["pass"]},
        "inspect": "photo", "hold": "1 s", "valid_for": "1 d", "hazard": "HAZ-99", "requirement": "REQ-99",
    }  # fmt: skip
    pack = pack_of(GOOD)
    item = pack.stages[0].items[0]
    plain = {**msgspec.to_builtins(item), key: other.get(key, "another")}
    changed_item = msgspec.convert(plain, Item)
    assert changed_item != item
    assert (rule_of(changed_item) != rule_of(item)) == (key in DECIDING)
    stage = msgspec.structs.replace(pack.stages[0], items=(changed_item, *pack.stages[0].items[1:]))
    assert revision_of(msgspec.structs.replace(pack, stages=(stage, pack.stages[1]))) != revision_of(pack)


# ------------------------------------------------------------ spans


@pytest.mark.parametrize(
    ("span", "seconds"), [("30 s", 30), ("5min", 300), ("8 h", 28_800), ("365 d", 31_536_000), ("1d", 86_400)]
)
def test_a_span_is_what_it_says(span: str, seconds: float) -> None:
    assert span_s(span) == seconds


@pytest.mark.parametrize("span", ["", "8", "h", "8 hours", "-8 h", "8  h", "٣ h", "1.5 h", "8 h "])
def test_what_is_no_span_is_refused(span: str) -> None:
    with pytest.raises(ValueError, match="no span"):
        span_s(span)
