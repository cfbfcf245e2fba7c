"""A file written by hand: whoever mistypes a line learns which one, and no file hangs, crashes or silently changes anything."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote import strict_yaml
from remote.errors import Trouble


class Arm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reach_m: float
    name: str = ""


class House(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    arms: dict[str, Arm] = {}
    rooms: tuple[Arm, ...] = ()
    spare: Arm | None = None


def refused(text: str) -> str:
    with pytest.raises(Trouble) as caught:
        strict_yaml.parse(text, House, where="house.yaml", code="bad_house")
    assert caught.value.code == "bad_house"
    assert caught.value.cure
    return str(caught.value)


def test_a_good_file_is_read() -> None:
    text = "arms: {left.one: {reach_m: 1.5}}\nrooms: [{reach_m: 2}]\n"
    house = strict_yaml.parse(text, House, where="house.yaml", code="bad_house")
    assert house == House({"left.one": Arm(1.5)}, (Arm(2.0),))
    assert strict_yaml.parse("# nothing yet\n", House, where="house.yaml", code="bad_house") == House()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("arms:\n  a: {reach_m: 1}\n  b.c:\n    reach_m: far\n", "house.yaml, line 4 (arms.b.c.reach_m): Expected"),
        (
            "arms:\n  a: {reach_m: 1}\n  b:\n    reich_m: 1\n",
            "line 4 (arms.b): unknown key `reich_m`\n  -> Did you mean `reach_m`",
        ),
        (
            "rooms:\n- reach_m: 1\n- reach_m: 1\n  nahme: x\n",
            "line 4 (rooms[1]): unknown key `nahme`\n  -> Did you mean `name`",
        ),
        ("spare:\n  reach_m: 1\n  qqq: 1\n", "line 3 (spare): unknown key `qqq`\n  -> Known keys here: reach_m, name"),
        ("spare: {name: x}\n", "line 1 (spare): Object missing required field `reach_m`"),
        ("arms: {}\nrooms: [\n", "house.yaml, line 3: "),
        ("arms: {}\narms: {}\n", "line 2: key `arms` is given twice"),
        ("arms: {}\nspare: &x {}\nrooms: *x\n", "line 3: aliases (*name) are not allowed"),
        ("arms: {}\nspare: !!str x\n", "line 2: tags (tag:yaml.org,2002:str) are not allowed"),
        ("rooms: " + "[" * 12 + "]" * 12, "line 1: nested deeper than 12"),
        ("--- {}\n--- {}\n", "line 2: but found another document"),
        ("- 1\n", "line 1: Expected `object`"),
    ],
)
def test_what_is_wrong_is_said_with_line_place_and_cure(text: str, said: str) -> None:
    assert said in refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "!!bool x",
        "!!int ''",
        "!!timestamp x",
        "a: 2026-99-99",
        "a: 0b_",
        "a: " + "9" * 5000,
        "\x00",
        "=",
        "<<: 1",
        "? [1]\n: 2",
    ],
)
def test_what_the_parser_itself_stumbles_over_is_no_traceback(text: str) -> None:
    assert "house.yaml" in refused(text)


def test_depth_and_size_at_their_limits_are_read(tmp_path: Path) -> None:
    deep = "[" * strict_yaml.DEPTH_LIMIT + "]" * strict_yaml.DEPTH_LIMIT
    assert strict_yaml.plain(deep, where="x", code="x")
    file = tmp_path / "f"
    file.write_bytes(b"#" * 10)
    assert strict_yaml.read_text(file, code="x", limit_bytes=10) == "#" * 10
    with pytest.raises(Trouble, match=f"box {file} is longer than 9 bytes"):
        strict_yaml.read_text(file, code="x", what="box", limit_bytes=9)


def test_a_missing_file_is_the_default_only_where_one_is_given(tmp_path: Path) -> None:
    file = tmp_path / "house.yaml"
    assert strict_yaml.load(file, House, code="x", absent=House()) == House()
    with pytest.raises(Trouble, match="does not exist"):
        strict_yaml.load(file, House, code="x")
    file.mkdir()
    with pytest.raises(Trouble, match="is not a regular file"):
        strict_yaml.load(file, House, code="x", absent=House())


def test_a_pipe_that_nobody_writes_into_does_not_hang_its_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Trouble, match="is not a regular file"):
        strict_yaml.load(tmp_path / "pipe", House, code="x")


PIECES = st.sampled_from(
    [
        "arms",
        "rooms",
        "spare",
        "reach_m",
        ": ",
        "\n",
        "  ",
        "- ",
        "{",
        "}",
        "[",
        "]",
        "1",
        ".nan",
        "'",
        "!",
        "&a",
        "*a",
        "<<",
        "? ",
        "|",
    ]
)


@given(st.one_of(st.text(max_size=100), st.lists(PIECES, max_size=25).map("".join)))
def test_any_text_is_a_house_or_trouble(text: str) -> None:
    outcome: House | str
    try:
        outcome = strict_yaml.parse(text, House, where="house.yaml", code="bad_house")
    except Trouble as trouble:
        outcome = trouble.what
    assert isinstance(outcome, House) or outcome.startswith("house.yaml")
