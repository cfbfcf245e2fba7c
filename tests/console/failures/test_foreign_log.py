"""A whole log: only what was appended is read, nothing is counted twice, and another log under the same name is noticed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from console.failures.foreign.kept import counts_of
from console.failures.foreign.patterns import log_patterns
from console.failures.foreign.words import group_words, log_summary, shown_groups
from remote.errors import Trouble


def line(n: int, light: int | None = None) -> bytes:
    shown = n % 250 if light is None else light
    return b"No detections | Light: %d | Time: 2026-11-21 %02d:%02d:%02d\n" % (shown, n % 24, n % 60, n // 60 % 60)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "robot_failures.log"
    path.write_bytes(b"".join(line(n) for n in range(20_000)))
    return path


def test_what_was_appended_is_added_to_what_was_counted(log: Path, tmp_path: Path) -> None:
    side = tmp_path / "side"
    first = counts_of(log, side)
    assert (first.how, first.counts.lines) == ("whole", 20_000)
    with log.open("ab") as file:
        file.write(b"".join(line(n) for n in range(1000)))
    again, anew = counts_of(log, side), counts_of(log)
    assert (again.how, anew.how) == ("appended", "whole")
    assert again.counts.cells() == anew.counts.cells()
    assert counts_of(log, side).how == "same"


def test_a_rotated_or_edited_log_is_counted_anew(log: Path, tmp_path: Path) -> None:
    side = tmp_path / "side"
    counts_of(log, side)
    data = log.read_bytes()
    log.write_bytes(data.replace(b"Light: 77 ", b"Light: 7 ", 1))  # a byte less: everything behind it moves
    edited = counts_of(log, side)
    assert (edited.how, edited.counts.lines) == ("changed", 20_000)
    log.write_bytes(line(1) * 30_000)
    rotated = counts_of(log, side)
    assert (rotated.how, rotated.counts.lines) == ("changed", 30_000)
    log.write_bytes(line(1) * 10)
    assert counts_of(log, side).counts.lines == 10


def test_a_line_that_is_still_being_written_is_counted_once(log: Path, tmp_path: Path) -> None:
    side = tmp_path / "side"
    with log.open("ab") as file:
        file.write(b"No detections | Light: 4")
    half = counts_of(log, side)
    assert (half.counts.lines, half.unended) == (20_001, True)
    with log.open("ab") as file:
        file.write(b"3 | Time: 09:01:02\n")
    done = counts_of(log, side)
    assert (done.counts.lines, done.unended, done.counts.not_read) == (20_001, False, 0)


def test_a_damaged_side_file_costs_time_and_no_counts(log: Path, tmp_path: Path) -> None:
    side = tmp_path / "side"
    counts_of(log, side)
    (kept,) = side.iterdir()
    for damage in (b"", b"\0" * 300, kept.read_bytes()[:-40]):
        kept.write_bytes(damage)
        assert counts_of(log, side).counts.lines == 20_000


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (gzip.compress(b"No detections | Light: 1\n", mtime=0), "gunzip -k"),
        ("No detections | Light: 1\n".encode("utf-16"), "iconv"),
        (bytes(range(256)) * 200, "docs/failures.md"),
        (b"\0" * 5000, "docs/failures.md"),
    ],
)
def test_what_is_no_text_is_refused_with_a_cure(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(data)
    with pytest.raises(Trouble) as refused:
        counts_of(path)
    assert words in refused.value.cure


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.log"):
        with pytest.raises(Trouble, match="can't be read"):
            counts_of(path)


def test_without_regular_lines_a_count_is_not_sold_as_a_rate(log: Path) -> None:
    found = log_patterns(counts_of(log))
    assert "no rate" in log_summary(found)
    assert all(one.share is None and one.p is None for one in found.groups)
    hours = [one for one in found.groups if one.by == "hour"]
    assert sum(one.failures for one in hours) == found.failures == 20_000
    assert {one.by for one in found.groups} == {"hour", "light", "hour and light", "kind"}


def test_regular_lines_give_shares_and_show_the_dark_but_not_an_even_log(tmp_path: Path) -> None:
    dark = tmp_path / "dark.log"
    rows = [b"Detections: 2 | Light: %d | Time: %02d:00:00\n" % (n % 200, n % 24) for n in range(12_000)]
    rows += [line(n, light=n % 30) for n in range(600)]
    dark.write_bytes(b"".join(rows))
    found = log_patterns(counts_of(dark))
    first = next(one for one in shown_groups(found, every=False) if one.by == "light")
    assert (first.name, first.beyond_chance) == ("light < 40", True)
    assert "elsewhere 0;" in group_words(first, found)
    assert found.lines == found.failures + found.regular + found.unread

    even = tmp_path / "even.log"
    even.write_bytes(b"".join(rows[:12_000] + [line(n, light=n * 7 % 200) for n in range(600)]))
    assert "no pattern beyond chance" in log_summary(log_patterns(counts_of(even)))
