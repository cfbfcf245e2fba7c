"""One entry, one line, one digest: without it nobody could say whether two records are the same."""

from __future__ import annotations

import hashlib
import json
import math

import msgspec
import pytest
from hypothesis import given, settings

from console.fieldtest.criteria import Number
from console.record.canonical import (
    FIRST_PREV,
    KINDS,
    LINE_LIMIT_BYTES,
    digest_of,
    entry_of,
    item_of,
    kind_of,
    line_of,
    outline_of,
)
from console.record.entries import Attempt, Body, Entry, Evidence, Moment, Note
from remote.errors import Trouble
from tests.console.record.record_samples import SAMPLES, entries


def entry(body: Body, person: str = "ada") -> Entry:
    return Entry(seq=1, prev=FIRST_PREV, wall_ns=5, person=person, body=body)


def attempt(value: float) -> Attempt:
    evidence = Evidence(source="person", measurement=Number(value), moment=Moment(wall_ns=1), rule="r")
    return Attempt(item="grip", evidence=evidence)


@settings(deadline=None)
@given(entries)
def test_an_entry_comes_back_as_it_was_and_is_written_the_same_again(one: Entry) -> None:
    line = line_of(one)
    assert entry_of(line, "here") == one
    assert line_of(entry_of(line, "here")) == line
    outline = outline_of(line)
    assert outline is not None
    assert (outline.seq, outline.prev, outline.wall_ns) == (one.seq, one.prev, one.wall_ns)
    assert (outline.kind, outline.item) == (kind_of(one.body), item_of(one.body))


@pytest.mark.parametrize("body", SAMPLES, ids=kind_of)
def test_other_readers_can_write_the_same_line(body: Body) -> None:
    """Sorted keys, no white space, UTF-8 as it is: what jq -cS and Python's json write too."""
    line = line_of(entry(body))
    again = json.dumps(json.loads(line), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert again.encode() == line


def test_each_kind_has_a_sample() -> None:
    assert {kind_of(body) for body in SAMPLES} == KINDS


def test_the_digest_is_the_sha256_that_sha256sum_prints() -> None:
    assert digest_of(b"abc") == hashlib.sha256(b"abc").hexdigest()


def test_a_whole_number_and_its_decimal_are_one_line() -> None:
    """Two digests for one measurement would look like a forgery."""
    assert line_of(entry(attempt(5))) == line_of(entry(attempt(5.0)))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_cannot_hold_is_refused_before_it_is_written(value: float) -> None:
    with pytest.raises(Trouble) as caught:
        line_of(entry(attempt(value)))
    assert caught.value.code == "entry_invalid"


def test_a_name_that_is_no_text_is_refused_before_it_is_written() -> None:
    with pytest.raises(Trouble) as caught:
        line_of(entry(Note(text="x"), person="caf\udce9"))
    assert caught.value.code == "entry_invalid"


@pytest.mark.parametrize(("spare", "code"), [(200, ""), (-200, "entry_too_large")])
def test_an_entry_has_a_size_limit(spare: int, code: str) -> None:
    length = LINE_LIMIT_BYTES - len(line_of(entry(Note(text="")))) - spare
    try:
        line_of(entry(Note(text="x" * length)))
        found = ""
    except Trouble as trouble:
        found = trouble.code
    assert found == code


def test_a_kind_of_tomorrow_is_told_apart_from_damage() -> None:
    """An engineer with an old fieldgate must read `update`, not `damaged`."""
    line = line_of(entry(Note(text="x"))).replace(b'"type":"note"', b'"type":"hologram"')
    with pytest.raises(Trouble) as caught:
        entry_of(line, "entry 1 of kitchen")
    assert caught.value.code == "record_newer"
    assert "entry 1 of kitchen" in caught.value.what
    assert "hologram" in caught.value.what


SOUND = line_of(entry(Note(text="é")))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        SOUND[:-1],
        SOUND.replace("é".encode(), b"\xe9"),
        SOUND.replace(b'"seq":1', b'"seq":"1"'),
        SOUND.replace(b'"text"', b'"txt"'),
        b"[" * 100_000,
        SOUND.replace(b'"seq":1', b'"seq":' + b"9" * 5000),
    ],
)
def test_a_damaged_line_names_its_place_and_the_cure(line: bytes) -> None:
    with pytest.raises(Trouble) as caught:
        entry_of(line, "entry 7 of kitchen")
    assert caught.value.code == "record_damaged"
    assert "entry 7 of kitchen" in caught.value.what
    assert caught.value.cure


def test_a_field_of_tomorrow_does_not_keep_an_entry_from_being_read() -> None:
    line = SOUND.replace(b'"seq":1', b'"seq":1,"zone":"B"')
    assert entry_of(line, "here") == msgspec.json.decode(SOUND, type=Entry)
