"""A file written by hand: whoever mistypes a line learns which one, and no file hangs, crashes or silently changes anything."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote import strict_yaml
from remote.errors import Trouble
from remote.refusals import AT_MOST


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
        (
            "arms:\n  a: {reach_m: 1}\n  b.c:\n    reach_m: far\n",
            "house.yaml, line 4 (arms.b.c.reach_m): `reach_m: far` is no number",
        ),
        (
            "arms:\n  a: {reach_m: 1}\n  b:\n    reich_m: 1\n",
            "line 4 (arms.b): unknown key `reich_m`\n  -> Did you mean `reach_m`",
        ),
        (
            "rooms:\n- reach_m: 1\n- reach_m: 1\n  nahme: x\n",
            "line 4 (rooms[1]): unknown key `nahme`\n  -> Did you mean `name`",
        ),
        ("spare:\n  reach_m: 1\n  qqq: 1\n", "line 3 (spare): unknown key `qqq`\n  -> Known keys here: reach_m, name"),
        ("spare: {name: x}\n", "line 1 (spare): the key `reach_m` is missing"),
        ("arms: {}\nrooms: [\n", "house.yaml, line 3: "),
        ("arms: {}\narms: {}\n", "line 2: key `arms` is given twice"),
        ("arms: {}\nspare: &x {}\nrooms: *x\n", "line 3: aliases (*name) are not allowed"),
        ("arms: {}\nspare: !!str x\n", "line 2: tags (tag:yaml.org,2002:str) are not allowed"),
        ("rooms: " + "[" * 12 + "]" * 12, "line 1: nested deeper than 12"),
        ("--- {}\n--- {}\n", "line 2: but found another document"),
        ("- 1\n", "line 1: the whole is a list, not a mapping"),
    ],
)
def test_what_is_wrong_is_said_with_line_place_and_cure(text: str, said: str) -> None:
    assert said in refused(text)


def test_every_refusal_of_a_file_is_had_at_once_and_no_more_than_anybody_reads() -> None:
    text = "rooms:\n- reach_m: far\n- {reach_m: 1, nahme: x}\n- 7\nspare: {name: 1.10}\n"
    told = strict_yaml.faults(text, House, where="house.yaml", code="bad_house")
    assert [str(one).split("house.yaml, ")[1] for one in told] == [
        "line 2 (rooms[0].reach_m): `reach_m: far` is no number\n  -> Write a number, such as 0.5",
        "line 3 (rooms[1]): unknown key `nahme`\n  -> Did you mean `name`?",
        "line 4 (rooms[2]): `rooms[2]: 7` is a number, not a mapping\n  -> Write keys below it: reach_m",
        'line 5 (spare.name): `name: 1.10` is a number, not a text\n  -> Write `name: "1.10"`, in quotes',
        "line 5 (spare): the key `reach_m` is missing\n  -> Add `reach_m`: a number",
    ]
    many = strict_yaml.faults("rooms: [" + "x, " * 5000 + "]", House, where="x", code="x")
    assert len(many) == AT_MOST
    assert strict_yaml.faults("rooms: []\n", House, where="x", code="x") == []


class Choices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    colour: Literal["red", "green"] = "red"
    day: Annotated[str, msgspec.Meta(pattern=r"^[0-9]$", description="day: one digit, like 3")] | None = None
    plain: Annotated[str, msgspec.Meta(pattern=r"^a$", max_length=3)] = "a"
    count: Annotated[int, msgspec.Meta(ge=1, le=60)] = 1
    names: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = ("x",)
    either: float | Arm = 0.0
    sure: bool = True

    def __post_init__(self) -> None:
        if self.count == 13:
            raise ValueError("13 brings no luck")


@pytest.mark.parametrize(
    ("text", "said", "cure"),
    [
        ("colour: gren", "`colour: gren` is not known", "Did you mean `green`? One of: green, red"),
        ("colour:", "`colour` has no value", "Write one of green, red"),
        ("day: 33", "`day: 33` is no day", "Write one digit, like 3"),
        ("plain: b", "`plain: b` is not written as it must be", "It must match the pattern ^a$"),
        ("plain: abcd", "`plain` has 4 characters, and 3 are allowed", "shorter"),
        ("plain: 2026-01-01", "`plain: 2026-01-01` is a date to YAML, not a text", '`plain: "2026-01-01"`'),
        ("plain: on", "`plain: on` is yes or no to YAML, not a text", '`plain: "on"`'),
        ("count: 61", "`count: 61` is out of range", "a whole number of at least 1 and at most 60"),
        ("count: 1.5", "`count: 1.5` is no whole number", "such as 3"),
        ("count: '5'", '`count: "5"` is no whole number', "Write `count: 5`, without quotes"),
        ("count: 13", "13 brings no luck", "Correct"),
        ("names: []", "`names` is empty", "Give `names` a value"),
        ("names: {a: b}", "`names` is a mapping, not a list", "dash"),
        ("names: [a, 1]", "`names[1]: 1` is a number, not a text", 'Write `"1"`'),
        ("either: x", "`either: x` can't stand here", "Write a number, or keys below it: reach_m"),
        ("either: {reach_m: x}", "(either.reach_m): `reach_m: x` is no number", "a number"),
        ("sure: ja", "`sure: ja` is neither true nor false", "true or false"),
        ('colour: "\\e[31m\\nx' + "y" * 200 + '"', '`colour: "?[31m xyyy', "One of"),
    ],
)
def test_a_wrong_value_is_told_in_people_s_words(text: str, said: str, cure: str) -> None:
    """Who writes a file knows neither Python's types nor regular expressions; and no file writes to a terminal."""
    with pytest.raises(Trouble) as caught:
        strict_yaml.parse(text, Choices, where="x.yaml", code="x")
    assert said in caught.value.what
    assert cure in caught.value.cure
    assert caught.value.what.isprintable()
    assert len(caught.value.what) < 120


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
