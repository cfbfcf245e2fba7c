"""Pictures within a quota: one that goes too soon is evidence lost, ones that never go fill the robot's disk."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.agent.picture_book import FRESH_S, PINNED_SHARE, PictureBook
from remote.agent.picture_rules import Kept, removable
from remote.errors import Trouble

NOW_S = 1_000_000.0


def digest(number: int) -> str:
    return f"{number:064x}"


class Home:
    """A folder of pictures of 1000 bytes each, and the book about it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.pictures = folder, folder / "pictures"
        self.pictures.mkdir(exist_ok=True)
        self.index, self.pins = folder / "pictures.jsonl", folder / "pins.json"

    def book(self, troubles: int = 0) -> PictureBook:
        book = PictureBook(self.pictures, self.index, self.pins, wall_s=lambda: NOW_S)
        assert len(book.read()) == troubles
        return book

    def put(self, *numbers: int, written_s: float = 0.0) -> list[str]:
        for number in numbers:
            path = self.pictures / f"{digest(number)}.jpg"
            path.write_bytes(b"x" * 1000)
            os.utime(path, (written_s, written_s))
        return [digest(number) for number in numbers]

    def left(self) -> list[int]:
        return sorted(int(path.stem, 16) for path in self.pictures.glob("*.jpg"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_the_oldest_failures_go_first_whole_whatever_the_clock_said(home: Home) -> None:
    book = home.book()
    for number in range(5):  # the clock went back: the newest failure has the oldest files
        book.add(f"f{number}", home.put(2 * number, 2 * number + 1, written_s=NOW_S / 2 - number))
    assert book.trim(10_000) is None
    gone = book.trim(9_999)
    assert gone is not None
    assert (gone.pictures, gone.failures, gone.bytes, gone.over) == (2, 1, 2000, False)  # down to nine tenths
    assert home.left() == [2, 3, 4, 5, 6, 7, 8, 9]
    assert book.pictures_of("f0") == ()
    assert home.book().pictures_of("f1") == (digest(2), digest(3))


def test_a_picture_that_a_later_failure_needs_too_stays_with_it(home: Home) -> None:
    book = home.book()
    book.add("a", home.put(0, 1))
    book.add("b", home.put(1, 2))
    book.trim(2_999)
    assert home.left() == [1, 2]


def test_pictures_of_no_failure_go_first_but_not_those_just_written(home: Home) -> None:
    book = home.book()
    book.add("a", home.put(0))
    home.put(1, written_s=NOW_S - FRESH_S)
    home.put(2, written_s=NOW_S - FRESH_S + 0.1)
    book.trim(2_999)
    assert home.left() == [0, 2]


def test_pinned_ones_stay_also_after_a_restart_and_with_what_is_added_later(home: Home) -> None:
    book = home.book()
    book.add("a", home.put(0))
    book.add("b", home.put(2, 3, 4, 5, 6, 7, 8))
    assert book.pin("a", pinned=True, limit_bytes=100_000) == 1
    book.add("a", home.put(1))
    again = home.book()
    again.trim(3_000)
    assert home.left() == [0, 1]
    assert again.pin("a", pinned=False, limit_bytes=100_000) == 2
    again.add("c", home.put(9, 10))
    again.trim(2_500)
    assert home.left() == [9, 10]


def test_pins_may_take_so_much_and_no_more(home: Home) -> None:
    book = home.book()
    book.add("a", home.put(0, 1, 2))
    with pytest.raises(Trouble) as trouble:
        book.pin("a", pinned=True, limit_bytes=round(3000 / PINNED_SHARE) - 1)
    assert trouble.value.code == "pins_full"
    assert not home.pins.exists()
    book.pin("a", pinned=True, limit_bytes=round(3000 / PINNED_SHARE))
    told = book.trim(2_999)  # the quota was lowered since
    assert told is not None
    assert (told.pictures, told.over, told.pinned_bytes) == (0, True, 3000)
    assert home.left() == [0, 1, 2]


def test_a_failure_without_pictures_can_not_be_pinned(home: Home) -> None:
    for name in ("nobody", "../../etc/passwd", ""):
        with pytest.raises(Trouble) as trouble:
            home.book().pin(name, pinned=True, limit_bytes=10**9)
        assert trouble.value.code == "no_pictures"


def test_a_pin_that_the_disk_refuses_is_not_one(home: Home) -> None:
    book = home.book()
    book.add("a", home.put(0))
    home.pins.mkdir()
    with pytest.raises(Trouble) as trouble:
        book.pin("a", pinned=True, limit_bytes=10**9)
    assert trouble.value.code == "settings_unwritable"
    book.add("b", home.put(1))
    book.trim(1_200)
    assert home.left() == [1]


PINS = msgspec.json.encode({"pinned": {"a": [digest(0)]}})


@pytest.mark.parametrize(
    "data",
    [
        PINS[:-1],
        b"",
        b"\xff" * 30,
        b"[" * 100_000,
        b'{"pinned":{"../x":[]}}',
        b'{"pinned":{"a":["../../../etc/shadow"]}}',
        b'{"pinned":[]}',
    ],
)
def test_a_damaged_or_hostile_pins_file_is_told_and_kept_aside(home: Home, data: bytes) -> None:
    home.pins.write_bytes(data)
    home.book(troubles=1)
    assert not home.pins.exists()
    assert (home.folder / "pins.json.damaged").read_bytes() == data
    home.book()


def test_a_damaged_index_costs_the_lines_that_are_damaged(home: Home) -> None:
    book = home.book()
    for number in range(3):
        book.add(f"f{number}", home.put(number))
    lines = home.index.read_bytes().splitlines()
    hostile = b'{"failure":"x","pictures":["../../../../etc/passwd"]}'
    home.index.write_bytes(b"\n".join([lines[0], b"\xff\xfe", hostile, lines[2], lines[1][:20]]))
    again = home.book(troubles=1)
    assert [again.pictures_of(f"f{number}") for number in range(3)] == [(digest(0),), (), (digest(2),)]
    home.put(1, written_s=1.0)
    again.trim(2_999)
    assert home.left() == [0, 2]  # the picture that nobody is known to need
    home.book()  # what was damaged is not told again


def test_what_somebody_removed_by_hand_is_forgotten(home: Home) -> None:
    book = home.book()
    book.add("a", home.put(0))
    book.add("b", home.put(1, 2))
    (home.pictures / f"{digest(0)}.jpg").unlink()
    (home.pictures / f"{digest(1)}.jpg").unlink()
    again = home.book()
    assert (again.pictures_of("a"), again.pictures_of("b")) == ((), (digest(2),))
    assert len(home.index.read_bytes().splitlines()) == 1


def test_files_that_are_no_pictures_are_left_alone(home: Home) -> None:
    home.put(0)
    (home.pictures / "notes.txt").write_bytes(b"x" * 9000)
    (home.pictures / f"{digest(1)}.png").write_bytes(b"x" * 9000)
    home.book().trim(0)
    assert sorted(path.suffix for path in home.pictures.iterdir()) == [".png", ".txt"]


numbers = st.integers(0, 12)


@given(
    of=st.dictionaries(
        st.text("abcdef", min_size=1, max_size=2), st.lists(numbers, max_size=4, unique=True), max_size=6
    ),
    there=st.sets(numbers),
    pinned=st.sets(numbers),
    fresh=st.sets(numbers),
    wanted=st.integers(0, 20),
)
def test_nothing_pinned_or_fresh_or_needed_goes_and_no_more_failures_than_needed(
    of: dict[str, list[int]], there: set[int], pinned: set[int], fresh: set[int], wanted: int
) -> None:
    words = {name: [digest(n) for n in row] for name, row in of.items()}
    sizes = {digest(n): 1 for n in sorted(there)}
    stays, new = {digest(n) for n in pinned}, {digest(n) for n in fresh}
    gone = removable(Kept(words, sizes, stays, new), wanted)
    assert len(set(gone)) == len(gone)
    assert set(gone) <= sizes.keys() - stays
    owned = {one for row in words.values() for one in row}
    assert not set(gone) & (new - owned)
    rows = list(words.values())
    touched = [number for number, row in enumerate(rows) if set(row) & set(gone)]
    for number in range(max(touched, default=-1) + 1):  # the oldest first, each whole but for what a later one needs
        later = {one for row in rows[number + 1 :] for one in row}
        assert set(rows[number]) & sizes.keys() - stays - later <= set(gone)
    if len(gone) < wanted:
        assert set(gone) == sizes.keys() - stays - (new - owned)
