"""Importing a foreign log: each line once, however often and under whatever name it comes, with a time where one is told."""

from __future__ import annotations

from datetime import date, datetime, timezone
from pathlib import Path

import pytest

from console.failures.book import FailureBook
from console.failures.foreign.importing import import_log
from console.failures.foreign.times import Dated, LineTimes

UTC = Dated(timezone.utc)
DAY = "2026-11-21"


@pytest.fixture
def book(tmp_path: Path) -> FailureBook:
    (tmp_path / "data").mkdir()
    return FailureBook(tmp_path / "data")


def lines(first: int, count: int) -> str:
    return "".join(
        f"No detections | Light: {n % 200} | Time: {DAY} 09:{n // 60:02d}:{n % 60:02d}\n"
        for n in range(first, first + count)
    )


def test_a_log_that_grows_and_is_rotated_is_taken_once(book: FailureBook, tmp_path: Path) -> None:
    log, folder = tmp_path / "robot_failures.log", tmp_path / "data"
    log.write_text(lines(0, 100) + "rubbish\nOK | Light: 5\n" + "No detections | Li")
    first = import_log(log, book, folder, robot="old", dated=UTC)
    assert (first.lines, first.failures, first.regular, first.unread, first.added) == (102, 100, 1, 1, 100)
    assert (first.unended, first.unread_why) == (True, {"no `|` in it": 1})
    assert [one.number for one in first.unread_shown] == [101]
    assert import_log(log, book, folder, robot="old", dated=UTC).added == 0
    with log.open("a") as file:
        file.write("ght: 3\n" + lines(100, 20))
    grown = import_log(log, book, folder, robot="old", dated=UTC)
    assert (grown.lines, grown.added, grown.before, book.count) == (21, 21, 102, 121)
    rotated = log.rename(tmp_path / "robot_failures.log.1")
    log.write_text(lines(500, 7))
    assert import_log(rotated, book, folder, robot="old", dated=UTC).added == 0
    assert import_log(log, book, folder, robot="old", dated=UTC).added == 7


def test_an_import_that_was_cut_off_is_finished_without_doubles(book: FailureBook, tmp_path: Path) -> None:
    log, folder = tmp_path / "a.log", tmp_path / "data"
    log.write_text(lines(0, 1200))
    real, calls = book.add_imported, []

    def dies(rows: object, digest: str, file: str) -> int:
        calls.append(digest)
        real(list(rows)[:700], digest, file)  # type: ignore[call-overload]
        raise KeyboardInterrupt

    book.add_imported = dies  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        import_log(log, book, folder, robot="old", dated=UTC)
    book.add_imported = real  # type: ignore[method-assign]
    with log.open("a") as file:
        file.write(lines(1200, 5))
    assert import_log(log, book, folder, robot="old", dated=UTC).added == 505
    assert book.count == 1205


def test_rows_say_where_they_come_from(book: FailureBook, tmp_path: Path) -> None:
    log = tmp_path / "robot_failures.log"
    log.write_text(
        f"No detections | Light: 43 | zone: A | Time: {DAY} 09:01:02.5\nNo detections | Light: dark | Time: 9:01:02\n"
    )
    result = import_log(log, book, tmp_path / "data", robot="old", dated=UTC)
    dated, undated = book.page(book.find(), 0, 2)
    when = datetime(2026, 11, 21, 9, 1, 2, 500_000, timezone.utc)
    assert dated.wall_ns == int(when.timestamp() * 1e9)
    assert (dated.kind, dated.light, dated.conditions, dated.imported_from) == (
        "no_detection", 43.0, {"zone": "A"}, "robot_failures.log:1",
    )  # fmt: skip
    assert (undated.wall_ns, undated.data, result.undated) == (0, {"hour": 9, "light": "dark"}, 1)


def test_times_of_day_go_over_midnight_and_zones_are_honoured() -> None:
    times = LineTimes(Dated(timezone.utc, date(2026, 11, 21)))

    def of(text: str) -> str:
        found = times.of(text.encode())
        return "" if found is None else datetime.fromtimestamp(found / 1e9, timezone.utc).strftime("%d %H:%M:%S")

    assert of("x | Time: 23:59:58") == "21 23:59:58"
    assert of("x | Time: 00:00:01") == "22 00:00:01"
    assert of("x | Time: 2026-11-25T10:00:00+02:00") == "25 08:00:00"
    assert of("x | Time: 1763715662.250") == "21 09:01:02"
    assert of("x | Time: 2026-13-45 10:00:00") == "22 10:00:00"
    assert LineTimes(Dated()).of(b"x | Time: 10:00:00") is None
