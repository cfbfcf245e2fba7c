"""randomisation: a parameter that stands still, or a real value outside its range, is why a model fails on the real table."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.checklist.probes import Finding
from console.checklist.probes.randomisation import (
    RandomisationParameters,
    Range,
    look_at_randomisation,
    ranges_in,
    real_values_in,
)
from console.fieldtest.criteria import Answer
from console.tables.held import Held
from remote.errors import Trouble
from tests.console.checklist.probe_sight import laptop

TABLETOP = Path(__file__).parents[3] / "remote" / "training" / "tabletop.yaml"
OWN = """\
format: 1
name: my arm
colours:
  block_hue_deg: {low: 0, high: 360, tier: critical}
  table_hue_deg: {low: 10, high: 10, tier: critical}
physics:
  arm:
    friction: {low: 0.2, high: 0.9, tier: important, unit: "1", note: "my own key"}
    payload_kg: {low: 0.1, high: 0.1, tier: optional}
sensors:
  noise_levels: {low: 0, high: 7, tier: critical}
"""


def looked(folder: Path, text: str = OWN, real: str | None = None, **parameters: Any) -> Finding:
    (folder / "r.yaml").write_text(text, encoding="utf-8")
    if real is not None:
        (folder / "real.yaml").write_text(real, encoding="utf-8")
        parameters["real_values"] = "real.yaml"
    return look_at_randomisation(
        laptop(folder), msgspec.convert({"file": "r.yaml", **parameters}, RandomisationParameters)
    )


def answer(*args: Any, **parameters: Any) -> Answer:
    found = looked(*args, **parameters).measurement
    assert isinstance(found, Answer)
    return found


def trouble(*args: Any, **parameters: Any) -> Trouble:
    with pytest.raises(Trouble) as caught:
        looked(*args, **parameters)
    assert caught.value.code == "bad_randomisation"
    assert caught.value.cure
    return caught.value


# ---------------------------------------------------------------- tiers and groups


def test_the_file_that_trained_the_demos_model_varies_what_matters(tmp_path: Path) -> None:
    text = TABLETOP.read_text(encoding="utf-8")
    assert answer(tmp_path, text, tiers={"critical": "all", "important": "all", "optional": 4}).holds
    assert answer(tmp_path, text, tiers={"optional": "all"}) == Answer(
        False, "tier optional: not varied: objects.lying_share"
    )
    groups = {"colours": ["surface.*_hue_deg", "light.warmth_share"], "physics": ["objects.*"], "sensors": ["sensor.*"]}
    found = looked(tmp_path, text, groups=groups)
    assert found.measurement == Answer(True, "31 of 32 parameters vary, as wanted")


@pytest.mark.parametrize(
    ("tiers", "wrong"),
    [
        ({"critical": 2}, ""),
        ({"critical": 3}, "tier critical: 2 vary, 3 are wanted"),
        ({"important": "all"}, ""),
        ({"critical": "all"}, "tier critical: not varied: colours.table_hue_deg"),
        ({"vital": "all"}, "tier vital: there is none"),
        ({"vital": 1}, "tier vital: 0 vary, 1 are wanted"),
        ({"critical": ["colours.block_*", "sensors.noise_levels"]}, ""),
        ({"critical": ["colours.table_*"]}, "tier critical: not varied: colours.table_*"),
        ({"optional": ["sensors.noise_levels"]}, "tier optional: not varied: sensors.noise_levels"),
        (
            {"critical": 3, "optional": "all"},
            "tier critical: 2 vary, 3 are wanted; tier optional: not varied: physics.arm.payload_kg",
        ),
    ],
)
def test_what_a_tier_must_vary_is_named_where_it_does_not(tmp_path: Path, tiers: dict[str, Any], wrong: str) -> None:
    assert answer(tmp_path, tiers=tiers) == Answer(not wrong, wrong or "3 of 5 parameters vary, as wanted")


@pytest.mark.parametrize(
    ("groups", "wrong"),
    [
        ({"physics": ["physics.*"]}, ""),
        ({"colours": {"patterns": ["colours.*"], "at_least": 1}}, ""),
        ({"colours": {"patterns": ["colours.*"], "at_least": 2}}, "colours: 1 vary, 2 wanted of colours.*"),
        ({"payload": ["*.payload_kg", "*.load_kg"]}, "payload: 0 vary, 1 wanted of *.payload_kg, *.load_kg"),
    ],
)
def test_what_a_group_must_vary_is_named_where_it_does_not(tmp_path: Path, groups: dict[str, Any], wrong: str) -> None:
    assert answer(tmp_path, groups=groups) == Answer(not wrong, wrong or "3 of 5 parameters vary, as wanted")


def test_evidence_rests_on_the_very_bytes_and_keeps_them(tmp_path: Path) -> None:
    found = looked(tmp_path, real="friction: 0.5\n", required=[])
    assert found.fingerprints == {
        "file:r.yaml": hashlib.sha256(OWN.encode()).hexdigest(),
        "file:real.yaml": hashlib.sha256(b"friction: 0.5\n").hexdigest(),
    }
    assert found.files == (tmp_path / "r.yaml", tmp_path / "real.yaml")
    assert found.details == {"parameters": 5, "missing": 0}


@pytest.mark.parametrize(
    ("count", "said"),
    [(6, "g.p0, g.p1, g.p2, g.p3, g.p4, g.p5"), (9, "g.p0, g.p1, g.p2, g.p3, g.p4, g.p5 and 3 more")],
)
def test_a_long_list_is_cut(tmp_path: Path, count: int, said: str) -> None:
    text = "g:\n" + "".join(f"  p{i}: {{low: 1, high: 1, tier: t}}\n" for i in range(count))
    assert answer(tmp_path, text, tiers={"t": "all"}).words == f"tier t: not varied: {said}"


# ---------------------------------------------------------------- measured values


@pytest.mark.parametrize("value", ["0.2", "0.9", "0.55"])
def test_a_measured_value_inside_or_on_the_edge_is_covered(tmp_path: Path, value: str) -> None:
    assert answer(tmp_path, real=f"friction: {value}") == Answer(True, "all 1 measured values lie inside their ranges")


@pytest.mark.parametrize("value", ["0.1999", "0.9001", "-0.5", "9e9"])
def test_a_measured_value_outside_is_named_with_its_range(tmp_path: Path, value: str) -> None:
    real = value if "e" not in value else "9.0e+9"
    found = answer(tmp_path, real=f"physics: {{arm: {{friction: {real}}}}}")
    assert not found.holds
    assert found.words == f"physics.arm.friction {float(real):g} is outside [0.2, 0.9]"


def test_all_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    real = "format: 1\nname: lab\nnotes: Tuesday\nfriction: {value: 1, unit: '1', n: 5}\ndamping: 3\nnoise_levels: 2\n"
    found = answer(tmp_path, real=real, required=["noise_levels", "payload_kg"])
    assert found.words == (
        "payload_kg was not measured; friction 1 is outside [0.2, 0.9]; damping is not in the randomisation file"
    )


@pytest.mark.parametrize(
    ("real", "said"),
    [
        ("friction: .nan", "finite"),
        ("friction: .inf", "finite"),
        ("friction: {value: -.inf}", "finite"),
        ("friction: true", "Expected `float`"),
        ("friction: high", "Expected `float`"),
        ("friction: {value: 0.5, n: many}", "Expected `int`"),
        ("friction:", "Expected `float`, got `null`"),
        ("format: 1", "holds no measured value"),
        ("", "is no mapping"),
        ("[0.5]", "is no mapping"),
        ("friction: 0.5\nfriction: 0.6", "given twice"),
        ("a: &x 1\nb: *x", "aliases"),
        ("payload_kg: {value: 100, unit: g}", "measured in g, its range is in kg"),
        ("friction: {value: 0.5, unit: N}", "measured in N, its range is in 1"),
    ],
)
def test_a_measured_value_that_is_no_number_or_in_another_unit_is_refused(tmp_path: Path, real: str, said: str) -> None:
    assert said in trouble(tmp_path, real=real).what


def test_a_value_in_the_unit_of_its_range_is_taken(tmp_path: Path) -> None:
    assert answer(tmp_path, real="payload_kg: {value: 0.1, unit: kg}\nfriction: {value: 0.5, unit: '1'}").holds


def test_a_name_that_may_mean_two_parameters_is_refused(tmp_path: Path) -> None:
    text = "a: {gain: {low: 0, high: 1}}\nb: {gain: {low: 5, high: 9}}\n"
    assert "may mean a.gain, b.gain" in trouble(tmp_path, text, real="gain: 0.5").what
    assert answer(tmp_path, text, real="a.gain: 0.5\nb: {gain: 5}").holds


# ---------------------------------------------------------------- hostile and broken files


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no mapping"),
        ("- 1\n", "is no mapping"),
        ("name: x\n", "holds no range"),
        ("g: {p: {low: 2, high: 1}}", "g.p: low 2 is above high 1"),
        ("g: {p: {low: .nan, high: 1}}", "g.p: low and high must be finite"),
        ("g: {p: {low: 0, high: .inf}}", "g.p: low and high must be finite"),
        ("g: {p: {low: 0}}", "missing required field `high`"),
        ("g: {p: {high: 0}}", "missing required field `low`"),
        ("g: {p: {low: zero, high: 1}}", "Expected `float`"),
        ("g: {p: {low: 0, high: 1, tier: 3}}", "Expected `str`"),
        ("g: {p: {low: 0, hi", "line "),
        ("g: !!python/object/apply:os.system ['true']", "tags"),
        ("a: " + "{a: " * 20 + "1" + "}" * 20, "nested deeper"),
        (OWN[: len(OWN) // 2], "line"),
    ],
)
def test_a_broken_randomisation_file_is_refused_with_the_place(tmp_path: Path, text: str, said: str) -> None:
    assert said in trouble(tmp_path, text, tiers={"critical": 1}).what


def test_binary_and_missing_files_are_refused(tmp_path: Path) -> None:
    parameters = RandomisationParameters(file="r.yaml", tiers={"critical": 1})
    with pytest.raises(Trouble, match="does not exist"):
        look_at_randomisation(laptop(tmp_path), parameters)
    (tmp_path / "r.yaml").write_bytes(b"g: \xff\xfe")
    with pytest.raises(Trouble, match="not UTF-8"):
        look_at_randomisation(laptop(tmp_path), parameters)


@settings(deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_end_in_an_answer_or_in_words(data: bytes) -> None:
    held = Held("r.yaml", Path("r.yaml"), data, "")
    for read in (ranges_in, real_values_in):
        with contextlib.suppress(Trouble):
            read(held)


@settings(deadline=None)
@given(low=st.floats(-1e6, 1e6), width=st.floats(0, 1e6))
def test_a_range_varies_exactly_when_it_has_a_width(low: float, width: float) -> None:
    made = Range(low, low + width)
    assert made.varies == (low + width != low)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"tiers": {"a": 1}, "groups": {"b": ["c"]}},
        {"tiers": {"a": 1}, "real_values": "r"},
        {"tiers": {"a": 1}, "required": ["x"]},
        {"tiers": {"a": 0}},
        {"tiers": {"a": "some"}},
        {"tiers": {"a": []}},
        {"groups": {"a": {"patterns": []}}},
        {"groups": {"a": {"patterns": ["x"], "at_least": 0}}},
    ],
)
def test_parameters_that_ask_for_nothing_or_for_two_things_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"file": "r.yaml", **parameters}, RandomisationParameters)
