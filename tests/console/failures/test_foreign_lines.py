"""Lines of foreign logs: what is understood, what is refused, and that counting many at once says what reading each says."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from console.failures.foreign.counting import Counts, count_from
from console.failures.foreign.line import ForeignLine, cell_of, read_line
from remote.agent.failure_log import line_of
from remote.protocol import Failure


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("No detections | Light: 43 | Time: 2026-11-21 09:01:02", ForeignLine(True, "no_detection", 9, 43)),
        ("No detections|Light:43|Time:09:01:02\r", ForeignLine(True, "no_detection", 9, 43)),
        ("  No detections  |  Time: 23:59:59.123456 |  Light = 7.6 ", ForeignLine(True, "no_detection", 23, 8)),
        ("2026-11-21 09:01:02,512 - WARNING - No detections | Light: 43", ForeignLine(True, "no_detection", 9, 43)),
        ("[2026-11-21T09:01:02Z] ERROR: No detections | Light: 43", ForeignLine(True, "no_detection", 9, 43)),
        ("No detections | Light: dark | Time: 1763715662.25", ForeignLine(True, "no_detection", 9, None, "dark")),
        ("No detections | Light: N/A | Time: 99:01:02", ForeignLine(True, "no_detection", None, None)),
        ("Gripper slipped 3 times | Time: 09:01:02", ForeignLine(True, "gripper_slipped_#_times", 9, None)),
        ("Detections: 3 | Light: 80 | Time: 09:01:02", ForeignLine(False, "regular", 9, 80)),
        ("Detections: 0 | Light: 80 | Time: 09:01:02", ForeignLine(True, "no_detection", 9, 80)),
        ("OK | Light: 80", ForeignLine(False, "regular", None, 80)),
        (
            "2026-11-21 09:01:02 | no_detection | Light: 43 | nothing where a cube is | Time: 09:01:02 | place=bench"
            " | picture=" + "ab" * 32 + " | id=7f3a-12",
            ForeignLine(True, "no_detection", 9, 43, fields=(("place", "bench"),)),
        ),
        (
            "No detections | Light: 43 | temp: 71.4 | speed: 0.25 | zone: A | Time: 09:01:02",
            ForeignLine(True, "no_detection", 9, 43, temp_c=71, fields=(("zone", "A"),)),
        ),
    ],
)
def test_the_common_forms_are_read(line: str, said: ForeignLine) -> None:
    assert read_line(line.encode()) == said


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"", "empty"),
        (b"Traceback (most recent call last):", "no `|` in it"),
        (b"No detections | nothing else", "neither light nor time in it"),
        (b"Light: 43 | Time: 09:01:02", "no words that say what happened"),
        (b"\0\0\0No detections | Light: 43", "NUL bytes in it"),
        (b"x | Light: 1" + b" " * 70_000, "longer than 65,536 bytes"),
    ],
)
def test_what_is_no_such_line_is_refused_with_the_reason(line: bytes, why: str) -> None:
    assert read_line(line) == why


def test_invalid_utf8_does_not_lose_the_line() -> None:
    said = read_line(b"No detections | Light: 43 | note: \xff\xfe | Time: 09:01:02")
    assert said == ForeignLine(True, "no_detection", 9, 43)


def test_the_robots_own_log_is_read() -> None:
    made = Failure(
        name="no_detection",
        text="cube missing for 5 frames",
        id="7f3a-12",
        light=42.6,
        picture="ab" * 32,
        conditions={"place": "bench"},
        data={"repeats": 12},
    )
    line = line_of(made, 1_763_715_662_000_000_000)
    assert read_line(line.encode()) == ForeignLine(True, "no_detection", 9, 43, fields=(("place", "bench"),))


PARTS = st.sampled_from(
    [
        b"No detections", b"OK", b"Light: 43", b"Light:7", b"Light: dark", b"light=200.5", b"Time: 2026-11-21 09:01:02",
        b"Time: 10:11:12.345678", b"2026-11-21 09:01:02,123 - WARNING - No detections", b"Time: 1763715662",
        b"place=bench", b"place=12:33:44", b"temp: 71.5", b"a 2026-01-02", b"12:34:56 hit", b"", b"\r", b"\xff\xfe",
        b"\0", b"0:11:22:33", b"x9:99:99", b"Light: 2026-11-21 10:00:00", b"Light: 10.5:33:44", b"Detections: 0",
        b"id=7f3a-12", b"picture=ab12cd34", b"my id=12", b"grid=12", b"id=12:33:44", b"picture=beef Light: 4",
    ]
)  # fmt: skip
SEPARATORS = st.sampled_from([b" | ", b"|", b" ", b":", b"\n", b"-"])
LOGS = st.lists(st.tuples(st.one_of(PARTS, PARTS, st.binary(max_size=12)), SEPARATORS), max_size=40).map(
    lambda parts: b"".join(part + separator for part, separator in parts)
)


@given(LOGS, st.integers(40, 400))
@example(b"a 2026-01-02\n12:34:56 hit|Light: 1\n", 40)
@example(b"No detections|Light: 1\n" * 50, 40)
def test_counting_at_once_says_what_reading_each_line_says(log: bytes, block_bytes: int) -> None:
    """Else counts would depend on how a log is cut, or minutes would turn into other things."""
    whole, rest = log[: log.rfind(b"\n") + 1], log[log.rfind(b"\n") + 1 :]
    said = [read_line(line) for line in whole.split(b"\n")[:-1]]
    counts = Counts()
    with tempfile.TemporaryFile() as file:
        file.write(log)
        left = count_from(file, 0, counts, block_bytes)
    assert (left.data, left.start) == (rest, len(whole))
    assert counts.lines == len(said) == counts.read + counts.not_read
    assert counts.cells() == Counter(cell_of(one) for one in said if not isinstance(one, str))
    assert counts.reasons_counted() == Counter(one for one in said if isinstance(one, str))
    refused = [(number, one) for number, one in enumerate(said, start=1) if isinstance(one, str)]
    shown = [(one.number, one.why) for one in counts.shown]
    assert shown[:1] == refused[:1]
    assert shown == sorted(set(shown))
    assert set(shown) <= set(refused)


def test_lines_of_ten_kilobytes_and_of_a_megabyte_are_counted_in_bounded_memory(tmp_path: Path) -> None:
    log = tmp_path / "long.log"
    with log.open("wb") as file:
        for n in range(300):
            file.write(b"No detections | Light: %d | note: %s | Time: 09:01:02\n" % (n % 5, b"x y" * 3_333))
        file.write(b"No detections | Light: 1 | " + b"z" * 3_000_000 + b"\nNo detections | Light: 1\n")
    counts = Counts()
    with log.open("rb", buffering=0) as raw:
        count_from(raw, 0, counts, 1 << 18)
    assert (counts.lines, counts.read) == (302, 301)
    assert counts.reasons_counted() == {"longer than 65,536 bytes": 1}
