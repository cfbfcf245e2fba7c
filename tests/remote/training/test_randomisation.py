"""A wrong randomisation file must say where it is wrong, or a detector is trained on something nobody meant."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from remote.errors import Trouble
from remote.training.randomisation import (
    DEFAULT_FILE,
    LIMITS,
    MAX_FILE_BYTES,
    load_randomisation,
    parse_randomisation,
)

TEXT = DEFAULT_FILE.read_text("utf-8")


def changed(path: str, key: str, value: object) -> str:
    """The default file with one value of one parameter changed."""
    plain = yaml.safe_load(TEXT)
    group, name = path.split(".")
    plain[group][name][key] = value
    return yaml.safe_dump(plain)


def refusal(text: str) -> str:
    with pytest.raises(Trouble) as caught:
        parse_randomisation(text, where="r.yaml")
    assert caught.value.code == "randomisation_invalid"
    assert "r.yaml" in caught.value.what
    assert caught.value.cure
    return caught.value.what


def test_the_default_file_covers_every_tier_and_every_group() -> None:
    parameters = dict(load_randomisation().parameters())
    assert {drawn.tier for drawn in parameters.values()} == {"critical", "important", "optional"}
    assert {path.split(".")[0] for path in parameters} == {"light", "surface", "camera", "objects", "sensor"}
    assert all(path in parameters for path in LIMITS)


@pytest.mark.parametrize("path", sorted(LIMITS))
def test_a_value_beyond_what_a_table_or_camera_can_have_is_refused(path: str) -> None:
    least, most = LIMITS[path]
    assert parse_randomisation(changed(path, "low", least), where="r.yaml")
    assert parse_randomisation(changed(path, "high", most), where="r.yaml")
    assert path in refusal(changed(path, "low", least - 0.01))
    assert path in refusal(changed(path, "high", most + 0.01))


def test_swapped_limits_are_refused() -> None:
    assert "above high" in refusal(changed("sensor.noise_levels", "low", 9.0))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "much", None, [1.0], True])
def test_what_is_no_number_is_refused_with_its_place(value: object) -> None:
    assert "noise_levels" in refusal(changed("sensor.noise_levels", "high", value))


def test_a_misspelt_key_is_refused_instead_of_ignored() -> None:
    assert "blurr_px" in refusal(TEXT.replace("blur_px", "blurr_px"))
    assert "tiers" in refusal(TEXT.replace("tier:", "tiers:"))


def test_an_unknown_tier_is_refused() -> None:
    assert "tier" in refusal(TEXT.replace("tier: optional", "tier: nice", 1))


def test_another_format_is_refused() -> None:
    assert "format" in refusal(TEXT.replace("format: 1", "format: 2"))


@given(st.integers(min_value=0, max_value=len(TEXT) - 200))
def test_a_truncated_file_never_loads(length: int) -> None:
    refusal(TEXT[:length])


@given(st.text(max_size=200))
def test_arbitrary_text_is_refused_with_a_reason(text: str) -> None:
    assert len(refusal(text)) > 20


@pytest.mark.parametrize(
    "text",
    [
        "[" * 20_000,
        "a: &a [1,1]\nb: &b [*a,*a]\nc: [*b,*b]\n",
        "!!python/object/apply:os.system ['true']",
        "light: !!binary '////'",
        "\x00",
        "format: 1\nname: 99999999999-99-99",
    ],
    ids=["deep", "aliases", "object", "binary", "control", "date"],
)
def test_hostile_yaml_is_refused_without_a_traceback(text: str) -> None:
    refusal(text)


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    large, binary = tmp_path / "large.yaml", tmp_path / "binary.yaml"
    large.write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    binary.write_bytes(b"\xff\xfe\x00")
    for path, reason in (
        (large, "longer than"),
        (binary, "UTF-8"),
        (tmp_path / "none", "does not exist"),
        (tmp_path, "not a regular file"),
    ):
        with pytest.raises(Trouble) as caught:
            load_randomisation(path)
        assert caught.value.code == "randomisation_unreadable"
        assert str(path) in caught.value.what
        assert reason in caught.value.what


def test_a_file_of_the_largest_size_loads(tmp_path: Path) -> None:
    path = tmp_path / "full.yaml"
    path.write_text(TEXT + "#" * (MAX_FILE_BYTES - len(TEXT.encode())), "utf-8")
    assert load_randomisation(path).name == "tabletop"
