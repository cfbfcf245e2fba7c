"""failures.log: what a person with `tail` and `grep` sees; a line that is torn or forged misleads them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.agent.failure_log import FailureLog, line_of
from remote.protocol import Failure

WALL_NS = 1_795_251_662_000_000_000
FAILURE = Failure(
    name="no_detection",
    text="cube missing for 5 frames",
    id="5f1c8e0a9b7d4e21",
    picture="ab12cd34" + "0" * 56,
    light=43.2,
    conditions={"place": "bench"},
)


def test_the_line_as_it_is_promised() -> None:
    assert line_of(FAILURE, WALL_NS) == (
        "2026-11-21 09:01:02 | no_detection | Light: 43 | cube missing for 5 frames | Time: 09:01:02 | place=bench "
        "| picture=ab12cd34 | id=5f1c8e0a9b7d4e21"
    )


def test_what_is_not_known_is_left_out() -> None:
    failure = Failure(name="worker_crash", text="", id="x", data={"repeats": 3})
    assert line_of(failure, 0) == "1970-01-01 00:00:00 | worker_crash | no words | Time: 00:00:00 | repeats=3 | id=x"


@given(st.text(max_size=500), st.dictionaries(st.text(max_size=20), st.text(max_size=400), max_size=3))
def test_no_words_can_make_a_second_line_or_another_field(text: str, conditions: dict[str, str]) -> None:
    line = line_of(Failure(name="operator_mark", text=text, id="x", conditions=conditions), WALL_NS)
    assert line.isprintable()
    assert len(line.split(" | ")) == 5 + len(conditions)
    assert re.fullmatch(r"2026-11-21 09:01:02 \| operator_mark \| .*\| id=x", line)
    assert len(line) < 400 * (5 + len(conditions))


def test_it_is_rotated_and_the_oldest_lines_go(tmp_path: Path) -> None:
    log = FailureLog(tmp_path / "failures.log", most_bytes=1000, files=3)
    for _ in range(100):
        log.add(FAILURE, WALL_NS)
    log.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["failures.log", "failures.log.1", "failures.log.2"]
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())


def test_a_disk_that_refuses_the_line_stops_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "failures.log").mkdir()
    log = FailureLog(tmp_path / "failures.log")
    log.add(FAILURE, WALL_NS)
    (tmp_path / "failures.log").rmdir()
    log.add(FAILURE, WALL_NS)  # it is written again as soon as that is possible
    log.close()
    assert (tmp_path / "failures.log").read_text() == line_of(FAILURE, WALL_NS) + "\n"
    assert capsys.readouterr().err == ""
