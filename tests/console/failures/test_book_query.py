"""The line behind `/`: what it finds, and that a wrong one is refused with the place, never with a crash."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.failures.book import FailureBook
from console.failures.query import FIELDS, Query, parse, with_term
from console.failures.rows import FailureRow
from console.failures.searching import Found
from remote.errors import Trouble
from remote.protocol import Body
from tests.console.failures.book_samples import BUNDLE, S, failure, fill, store_with

T = TypeVar("T")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FailureBook]:
    """30 failures; three more under other lights, one of them without any."""
    folder = tmp_path_factory.mktemp("book")
    store = store_with(folder / "store.db", 30)
    more: list[Body] = [
        failure(40, text="Best score 0.31 (cube) below the limit", light=None, conditions={}),
        failure(41, text="mirror at the dock", conditions={"place": "Dock 2"}, light=39.6),
        failure(42, name="operator_mark", text="look: http://x 12:30", light=40.0),
    ]
    fill(store, more, first=61)
    made = FailureBook(folder)
    made.refresh(store)
    store.close()
    made.mark(["j-one:61"], "to_label", "ada")
    made.note("j-one:62", "the big mirror", "ada")
    yield made
    made.close()


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("", 33),
        ("failure", 30),
        ("FAILURE NUMBER", 30),
        ('"failure number 1"', 11),
        ("number.[12]$", 2),
        ("!failure", 3),
        ("score mirror", 0),
        (r"score\s0\.3\d", 1),
        ("no.detection", 10),
        ("kind:no_detection", 10),
        ("kind:no-detection", 10),
        ("kind:no_detection,operator_mark", 11),
        ("!kind:no_detection", 23),
        ("label:cup", 5),
        ("label:CUP", 5),
        ("label:none", 22),
        ("light:<5", 5),
        ("light:>=5 light:<=6", 2),
        ("light:>39.5", 2),
        ("light:40", 2),
        # What nobody measured is neither dark nor bright; hiding the dark ones leaves it in sight.
        ("light:>=0", 32),
        ("!light:>=0", 1),
        ("temp:>=75", 8),
        ("place:dock", 15),
        ('place:"dock 2"', 1),
        ("phase:office", 31),
        ("phase:lab", 0),
        ("marked:yes", 1),
        ("marked:no", 32),
        ("marked:to_label", 1),
        ("marked:real", 0),
        ("noted:yes", 1),
        ("picture:yes", 11),
        ("imported:yes", 0),
        ("robot:orin", 33),
        ("robot:other", 0),
        (f"bundle:{BUNDLE[:6]}", 33),
        ('"http://x 12:30"', 1),
        ("(a+)+$", 0),
    ],
)
def test_a_line_finds(book: FailureBook, line: str, count: int) -> None:
    assert book.find(parse(line, book.conditions())).count == count


@pytest.mark.parametrize(
    ("line", "what", "at"),
    [
        ("dark light:dim", "'light:' takes a number", 12),
        ("light:<nan", "'light:' takes a number", 7),
        ("time:yesterday", "'yesterday' is no time", 6),
        ("time:>2026-13-01", "'2026-13-01' is no time", 6),
        ("marked:maybe", "'marked:' takes yes, no", 8),
        ("picture:3", "'picture:' takes yes, no", 9),
        ("lable:cup", "there is no field 'lable:'", 1),
        ("dark !lable:cup", "there is no field 'lable:'", 6),
        ("http://x", "there is no field 'http:'", 1),
        ("kind:", "nothing stands behind 'kind:'", 1),
        ("a !", "nothing stands behind '!'", 3),
        ('dark "a b', 'a " is not closed', 6),
        ("kind:camera", "no failure is of kind 'camera'", 1),
        ("dark (x", "unclosed group", 6),
        ("a(?=b)", "look-around", 2),
        ("(a{1000}){1000}", "too large", 1),
        ("x" * 1001, "1001 characters", 0),
    ],
)
def test_a_wrong_line_is_refused_with_its_place(book: FailureBook, line: str, what: str, at: int) -> None:
    with pytest.raises(Trouble) as caught:
        book.find(parse(line, book.conditions()))
    assert caught.value.code == "bad_query"
    assert what in caught.value.what
    assert not at or f"(at character {at})" in caught.value.what


def test_the_nearest_field_is_named(book: FailureBook) -> None:
    with pytest.raises(Trouble) as caught:
        parse("lable:cup", book.conditions())
    assert "did you mean `label:`?" in caught.value.cure


def test_times_are_by_the_persons_clock_and_utc_with_a_z(book: FailureBook, monkeypatch: pytest.MonkeyPatch) -> None:
    """The samples begin on 2026-02-25 at 06:13:22 UTC."""
    monkeypatch.setenv("TZ", "Etc/GMT-2")
    time.tzset()
    try:
        for line, count in (
            ("time:2026-02-25", 33),
            ("time:2026-02-24", 0),
            ("time:>2026-02-25T08:13:30", 28),
            ("time:<=2026-02-25T08:13:30", 5),
            ("time:>=2026-02-25T06:13:30Z", 29),
            ("time:2026-02-25T06:14Z", 14),
            ("time:2026-02-25T06", 0),
            ("hour:8", 33),
            ("hour:>8", 0),
        ):
            assert book.find(parse(line)).count == count, line
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.text(max_size=60))
def test_any_line_is_understood_or_refused_never_a_crash(line: str) -> None:
    found = outcome(lambda: parse(line, ("place", "phase")))
    assert isinstance(found, Query) or found.code == "bad_query"


@given(
    st.lists(
        st.sampled_from([*FIELDS, "phase", "x"]).flatmap(
            lambda field: st.text(st.characters(codec="utf-8"), max_size=8).map(lambda value: f"{field}:{value}")
        ),
        max_size=4,
    )
)
def test_any_fields_are_searched_or_refused(book: FailureBook, terms: list[str]) -> None:
    found = outcome(lambda: book.find(parse(" ".join(terms))))
    assert isinstance(found, Found) or found.code == "bad_query"


@given(st.text(min_size=1, max_size=20).filter(lambda text: text.strip() and '"' not in text))
def test_what_a_group_adds_to_a_line_is_read_back_as_it_was(value: str) -> None:
    (term,) = parse(with_term(parse(""), "place", value)).terms
    assert (term.field, term.value) == ("place", value.casefold())


def test_no_regular_expression_takes_longer_than_the_text_is_long(tmp_path: Path) -> None:
    """Python's own engine would try for hours; here it is as quick as any other."""
    book = FailureBook(tmp_path)
    rows = ((n, failure_row("a" * 4000)) for n in range(1, 400))
    book.add_imported(rows, "d" * 64, "long.log")
    begin = time.thread_time()
    assert book.find(parse("(a|a|aa)+(a*)*b$")).count == 0
    assert time.thread_time() - begin < 5
    book.close()


def outcome(call: Callable[[], T]) -> T | Trouble:
    try:
        return call()
    except Trouble as trouble:
        return trouble


def failure_row(text: str) -> FailureRow:
    return FailureRow(id="", robot="old", wall_ns=S, kind="no_detection", text=text)
