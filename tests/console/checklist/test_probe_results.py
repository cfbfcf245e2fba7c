"""success_table: a table that was cut, edited badly or comes from another bundle must not become a success rate."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.checklist.probes import Finding
from console.checklist.probes.results import TableParameters, look_at_results
from console.fieldtest.criteria import Rate
from console.tables import reading as tables
from console.tables.held import KEEP_LIMIT_BYTES, Held
from console.tables.parquet_child import MEMORY_BYTES
from remote.errors import Trouble
from tests.console.checklist.probe_sight import BUNDLE, OTHER, laptop

Records = list[dict[str, Any]]
ROWS: Records = [
    {"trial": 1, "phase": "sim", "success": True, "bundle": BUNDLE},
    {"trial": 2, "phase": "sim", "success": False, "bundle": BUNDLE},
    {"trial": 3, "phase": "real", "success": True, "bundle": BUNDLE},
    {"trial": 4, "phase": "sim", "success": True, "bundle": BUNDLE[:8]},
]


def csv_of(rows: Records, delimiter: str = ",") -> bytes:
    lines = [list(rows[0]), *(["" if v is None else str(v) for v in row.values()] for row in rows)]
    return "".join(delimiter.join(line) + "\r\n" for line in lines).encode()


def json_of(rows: Records) -> bytes:
    return json.dumps(rows, indent=1).encode()


def lines_of(rows: Records) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def parquet_of(rows: Records) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


FORMATS: dict[str, Callable[[Records], bytes]] = {
    "t.csv": csv_of,
    "t.json": json_of,
    "t.jsonl": lines_of,
    "t.parquet": parquet_of,
}
every_format = pytest.mark.parametrize("name", FORMATS)


def looked(folder: Path, name: str, data: bytes, *, bundle: str = BUNDLE, **parameters: Any) -> Finding:
    (folder / name).write_bytes(data)
    made = msgspec.convert({"file": name, **parameters}, TableParameters)
    return look_at_results(laptop(folder, bundle=bundle), made)


def refused(folder: Path, name: str, data: bytes, **parameters: Any) -> Trouble:
    with pytest.raises(Trouble) as caught:
        looked(folder, name, data, **parameters)
    assert caught.value.code == "bad_table"
    assert name in caught.value.what
    assert caught.value.cure
    return caught.value


# ---------------------------------------------------------------- a good table


@every_format
def test_every_format_gives_the_same_rate(tmp_path: Path, name: str) -> None:
    data = FORMATS[name](ROWS)
    found = looked(tmp_path, name, data)
    assert found.measurement == Rate(3, 4)
    assert found.details == {"rows": 4, "trials": 4, "successes": 3, "failures": 1, "bundle_checked": True}
    assert found.fingerprints == {f"file:{name}": hashlib.sha256(data).hexdigest()}
    assert found.files == (tmp_path / name,)


@every_format
@pytest.mark.parametrize(
    ("only", "rate"),
    [
        ({"phase": "sim"}, Rate(2, 3)),
        ({"phase": "real"}, Rate(1, 1)),
        ({"trial": 2}, Rate(0, 1)),
        ({"phase": "sim", "trial": 1}, Rate(1, 1)),
    ],
)
def test_only_the_rows_that_are_asked_for_count(tmp_path: Path, name: str, only: dict[str, Any], rate: Rate) -> None:
    found = looked(tmp_path, name, FORMATS[name](ROWS), only=only)
    assert found.measurement == rate
    assert (found.details["rows"], found.details["trials"]) == (4, rate.n)


@every_format
@pytest.mark.parametrize(
    ("good", "bad"),
    [("yes", "no"), ("Success", " FAILURE "), ("1", "0"), (1, 0), (1.0, 0.0), ("pass", "fail"), ("TRUE", "false")],
)
def test_the_words_for_success_and_failure(tmp_path: Path, name: str, good: Any, bad: Any) -> None:
    rows: Records = [{"won": good}, {"won": bad}, {"won": good}]
    assert looked(tmp_path, name, FORMATS[name](rows), success="won").measurement == Rate(2, 3)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_spreadsheets_write_many_kinds_of_csv(tmp_path: Path, delimiter: str) -> None:
    data = b"\xef\xbb\xbf" + csv_of(ROWS, delimiter) + b"\r\n"
    assert looked(tmp_path, "t.csv", data).measurement == Rate(3, 4)
    assert looked(tmp_path, "t.txt", data, format="csv").measurement == Rate(3, 4)


def test_a_quoted_cell_may_hold_anything(tmp_path: Path) -> None:
    data = b'note,success\n"slipped, then ""held""\non the second line",yes\n'
    assert looked(tmp_path, "t.csv", data).measurement == Rate(1, 1)


def test_a_last_line_without_its_end_is_whole(tmp_path: Path) -> None:
    assert looked(tmp_path, "t.csv", b"success\nyes\nno").measurement == Rate(1, 2)
    assert looked(tmp_path, "t.jsonl", b'{"success": 1}\n\n{"success": 0}').measurement == Rate(1, 2)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())])
def test_text_columns_of_every_writer_of_parquet(tmp_path: Path, kind: Any) -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({"success": pa.array(["yes", "no", "yes"], kind), "n": [1, 2, 3]}), out, row_group_size=2)
    assert looked(tmp_path, "t.parquet", out.getvalue()).measurement == Rate(2, 3)


def test_a_table_is_kept_up_to_the_limit(tmp_path: Path) -> None:
    data = b"success\n" + b"yes\n" * 3
    padded = data + b"\n" * (KEEP_LIMIT_BYTES - len(data))
    assert looked(tmp_path, "t.csv", padded).files == (tmp_path / "t.csv",)
    assert looked(tmp_path, "t.csv", padded + b"\n").files == ()
    assert looked(tmp_path, "t.csv", data, keep=False).files == ()


# ---------------------------------------------------------------- outcomes and bundles that can't be trusted


@every_format
@pytest.mark.parametrize(
    ("cell", "said"),
    [(None, "has no outcome"), ("", "has no outcome"), ("maybe", "'maybe'"), ("2", "2"), ("tru", "'tru'")],
)
def test_a_row_without_a_clear_outcome_is_refused_not_skipped(tmp_path: Path, name: str, cell: Any, said: str) -> None:
    rows: Records = [{"success": "yes", "k": 1}, {"success": cell, "k": 1}, {"success": "no", "k": 2}]
    what = refused(tmp_path, name, FORMATS[name](rows)).what
    assert said in what
    assert "column `success`" in what
    assert {"t.csv": "line 3", "t.json": "record 2", "t.jsonl": "line 2", "t.parquet": "row 2"}[name] in what
    assert looked(tmp_path, name, FORMATS[name](rows), only={"k": 2}).measurement == Rate(0, 1)


@pytest.mark.parametrize("value", [2, -1, 0.5, {"a": 1}, [True], "x" * 500])
def test_an_outcome_that_is_no_yes_or_no_is_refused(tmp_path: Path, value: Any) -> None:
    assert len(refused(tmp_path, "t.json", json_of([{"success": value}])).what) < 200


@pytest.mark.parametrize(("length", "shown"), [(38, "'" + "x" * 38 + "'"), (39, "'" + "x" * 36 + "...")])
def test_a_long_cell_is_shown_up_to_forty_characters(tmp_path: Path, length: int, shown: str) -> None:
    what = refused(tmp_path, "t.json", json_of([{"success": "x" * length}])).what
    assert f"has the outcome {shown} in column" in what


@every_format
@pytest.mark.parametrize("cell", [OTHER, OTHER[:8], BUNDLE[:7], "", None, BUNDLE + "0"])
def test_results_of_another_bundle_are_refused(tmp_path: Path, name: str, cell: str | None) -> None:
    rows = [dict(row) for row in ROWS]
    rows[1]["bundle"] = cell
    trouble = refused(tmp_path, name, FORMATS[name](rows))
    assert "the campaign's is 3f2a3f2a" in trouble.what
    assert looked(tmp_path, name, FORMATS[name](rows), only={"phase": "real"}).measurement == Rate(1, 1)
    assert looked(tmp_path, name, FORMATS[name](rows), bundle="").details["bundle_checked"] is False


def test_without_a_bundle_column_nothing_is_claimed_unless_one_was_asked_for(tmp_path: Path) -> None:
    assert looked(tmp_path, "t.csv", b"success\nyes\n").details["bundle_checked"] is False
    assert "no column `model`" in refused(tmp_path, "t.csv", b"success\nyes\n", bundle_column="model").what
    found = looked(tmp_path, "t.csv", f"success,model,bundle\nyes,{BUNDLE},x\n".encode(), bundle_column="model")
    assert found.details["bundle_checked"] is True


# ---------------------------------------------------------------- columns and rows


@every_format
def test_a_column_that_is_not_there_is_named_with_the_nearest(tmp_path: Path, name: str) -> None:
    trouble = refused(tmp_path, name, FORMATS[name](ROWS), success="succes")
    assert (trouble.what, trouble.cure) == (f"{name} has no column `succes`", "did you mean `success`?")
    assert "no column `robot`" in refused(tmp_path, name, FORMATS[name](ROWS), only={"robot": "a"}).what
    assert "it has: trial, phase" in refused(tmp_path, name, FORMATS[name](ROWS), success="zzz").cure


@every_format
def test_a_filter_that_leaves_nothing_is_no_rate_of_zero(tmp_path: Path, name: str) -> None:
    trouble = refused(tmp_path, name, FORMATS[name](ROWS), only={"phase": "lab", "trial": 1})
    assert "has no row with phase = lab with trial = 1" in trouble.what


@pytest.mark.parametrize(
    ("cell", "wanted", "same"),
    [
        ("5", 5, True),
        ("5.0", 5, True),
        ("five", 5, False),
        ("nan", 5, False),
        (5, 5, True),
        (6, 5, False),
        ("true", True, True),
        ("1", True, False),
        (True, True, True),
        (False, True, False),
        (True, 1, False),
        (" a ", "a", True),
        ("", None, True),
        ("a", None, False),
        (7, "7", True),
    ],
)
def test_how_a_filter_compares(tmp_path: Path, cell: Any, wanted: Any, same: bool) -> None:
    rows: Records = [{"k": cell, "success": True}, {"k": "else", "success": True}]
    if same:
        assert looked(tmp_path, "t.json", json_of(rows), only={"k": wanted}).measurement == Rate(1, 1)
    else:
        assert refused(tmp_path, "t.json", json_of(rows), only={"k": wanted})


def test_a_missing_cell_is_not_a_wanted_one(tmp_path: Path) -> None:
    rows: Records = [{"k": None, "success": True}, {"success": False}, {"k": 1, "success": True}]
    assert looked(tmp_path, "t.json", json_of(rows), only={"k": 1}).measurement == Rate(1, 1)
    assert looked(tmp_path, "t.json", json_of(rows), only={"k": None}).measurement == Rate(1, 2)


# ---------------------------------------------------------------- truncated, corrupted, hostile


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"success\n", "has no row"),
        (b"a,success\n1,yes\n2", "line 3 has 1 cells, not 2"),
        (b"a,success\n1,yes,no\n", "line 2 has 3 cells, not 2"),
        (b'a,success\n"cut', "line 2: unexpected end of data"),
        (b'a,success\n"x"y,yes\n', "line 2: "),
        (b"success,success\nyes,no\n", "`success` is given twice"),
        (b"a,success\n1,y\0es\n", "line 2: it holds a NUL"),
        (b"a,success\n\xff\xfe,yes\n", "not UTF-8 text (byte 10)"),
        (b"a,success\n" + b"x" * 200_000 + b",yes\n", "field larger than field limit"),
    ],
)
def test_a_csv_that_cannot_be_trusted(tmp_path: Path, data: bytes, said: str) -> None:
    assert said in refused(tmp_path, "t.csv", data).what


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("t.json", b"", "no column"),
        ("t.json", b"[]", "no column"),
        ("t.json", json_of(ROWS)[:-40], "line "),
        ("t.json", b'[{"success": true}', "line 1, column 19"),
        ("t.json", b'[{"success": true}] x', "Extra data"),
        ("t.json", b'[{"success": true}, 3]', "record 2 is no record"),
        ("t.json", b'[{"success": true, "success": false}]', "`success` is given twice"),
        ("t.json", b'[{"trial": 1, "success": true, "success": false}]', "`success` is given twice"),
        ("t.json", b'[{"success": NaN}]', "NaN is no JSON"),
        ("t.json", b'[{"success": Infinity}]', "Infinity is no JSON"),
        ("t.json", b"[" * 100_000, "nested too deep"),
        ("t.json", b'[{"success": ' + b"9" * 5000 + b"}]", ""),
        ("t.json", b'[{"success": true}, {"a": 1}]', "record 2 has no outcome"),
        ("t.json", b'"success"', "is no record"),
        ("t.jsonl", lines_of(ROWS)[:-20], "line 4, column"),
        ("t.jsonl", b'{"success": true}\n{"success": tr', "line 2, column 13"),
        ("t.jsonl", b'{"success": true}\nnull\n', "line 2 is no record"),
        ("t.jsonl", b'{"success": true}\n{"success": 1, "success": 0}\n', "line 2: the name"),
        ("t.jsonl", b'{"success": "\xff"}', "not UTF-8"),
    ],
)
def test_a_json_that_cannot_be_trusted(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    assert said in refused(tmp_path, name, data).what


@pytest.mark.parametrize("cut", [0, 3, 4, 100, -1, -8, -60])
def test_a_parquet_file_cut_short_is_refused(tmp_path: Path, cut: int) -> None:
    assert "Parquet" in refused(tmp_path, "t.parquet", parquet_of(ROWS)[:cut]).what


@pytest.mark.parametrize("at", range(4, 900, 150))
def test_a_parquet_file_with_a_changed_byte_is_read_or_refused_in_words(tmp_path: Path, at: int) -> None:
    data = bytearray(parquet_of(ROWS))
    data[-at] ^= 0xFF
    with contextlib.suppress(Trouble):
        assert looked(tmp_path, "t.parquet", bytes(data)).measurement


def test_a_parquet_file_that_kills_its_reader_does_not_kill_the_console(tmp_path: Path) -> None:
    """One byte of this footer was changed: pyarrow 26 ends its whole process with SIGABRT."""
    sample = Path(__file__).parent / "samples" / "aborting_reader.parquet"
    assert "can't be read as Parquet" in refused(tmp_path, "t.parquet", sample.read_bytes()).what


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("kill -9 $$", "died of signal 9"),
        ("echo first >&2; echo no module pyarrow >&2; exit 1", "as Parquet: no module pyarrow"),
        ("exit 3", "as Parquet: no reason"),
    ],
)
def test_each_way_that_a_reader_of_parquet_ends_badly_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    """Without the last word of the reader nobody knows whether the file or the laptop is broken."""
    reader = tmp_path / "reader"
    reader.write_text(f"#!/bin/sh\ncat > /dev/null\n{script}\n")
    reader.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(reader))
    assert said in refused(tmp_path, "t.parquet", parquet_of(ROWS)).what


def test_a_parquet_file_with_two_columns_of_one_name_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    both = pa.table([pa.array([1]), pa.array([True]), pa.array([False])], names=["trial", "success", "success"])
    pq.write_table(both, out)
    assert "`success` is given twice" in refused(tmp_path, "t.parquet", out.getvalue()).what


@pytest.mark.parametrize("column", [[{"a": 1}], [[True]], [b"yes"]])
def test_a_parquet_column_that_holds_no_words_is_refused(tmp_path: Path, column: Any) -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({"success": pa.array(column)}), out)
    assert refused(tmp_path, "t.parquet", out.getvalue())


def test_a_small_parquet_file_that_stands_for_a_huge_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({"success": pa.array([True] * (tables.ROW_LIMIT + 1))}), out)
    assert len(out.getvalue()) < 10_000
    assert "more than 1000000 rows" in refused(tmp_path, "t.parquet", out.getvalue()).what
    words = pa.array(["x" * 1000 + str(i) for i in range(100)])
    longer = pa.array(["x" * 5000 + str(i) for i in range(100)])
    out = io.BytesIO()
    pq.write_table(pa.table({"success": words, "other": longer}), out, compression="zstd")
    exact = pq.ParquetFile(io.BytesIO(out.getvalue())).metadata.row_group(0).column(0).total_uncompressed_size
    monkeypatch.setattr(tables, "UNPACKED_LIMIT_BYTES", exact)
    assert "has the outcome" in refused(tmp_path, "t.parquet", out.getvalue()).what
    monkeypatch.setattr(tables, "UNPACKED_LIMIT_BYTES", exact - 1)
    assert f"{exact} bytes unpacked, more than {exact - 1}" in refused(tmp_path, "t.parquet", out.getvalue()).what


def test_an_empty_cell_between_booleans_has_no_outcome(tmp_path: Path) -> None:
    data = parquet_of([{"success": True}, {"success": None}])
    assert "row 2 has no outcome" in refused(tmp_path, "t.parquet", data).what


def test_one_long_word_in_many_rows_is_held_once(tmp_path: Path) -> None:
    indices = pa.array([0] * 100_000, pa.int32())
    words = pa.DictionaryArray.from_arrays(indices, pa.array(["y" * 100_000]))  # ten gigabytes, written out
    out = io.BytesIO()
    pq.write_table(pa.table({"success": words}), out)
    assert "has the outcome 'yyy" in refused(tmp_path, "t.parquet", out.getvalue()).what


@pytest.mark.parametrize(("extra", "fits"), [(0, True), (1, False)])
def test_the_limits_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: int, fits: bool) -> None:
    monkeypatch.setattr(tables, "ROW_LIMIT", 5)
    rows: Records = [{"success": True}] * (5 + extra)
    for name, write in FORMATS.items():
        if fits:
            assert looked(tmp_path, name, write(rows)).measurement == Rate(5, 5)
        else:
            assert "more than 5 rows" in refused(tmp_path, name, write(rows)).what


def test_a_file_that_is_too_long_or_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(Trouble, match="not a regular file"):
        look_at_results(laptop(tmp_path), TableParameters(file="t.csv"))
    with (tmp_path / "long.csv").open("wb") as file:
        file.truncate(tables.LIMIT_BYTES + 1)
    with pytest.raises(Trouble, match="longer than"):
        look_at_results(laptop(tmp_path), TableParameters(file="long.csv"))
    with pytest.raises(Trouble, match="does not exist"):
        look_at_results(laptop(tmp_path), TableParameters(file="none.csv"))


def test_a_name_that_tells_no_format_is_refused(tmp_path: Path) -> None:
    assert "tells its format" in refused(tmp_path, "t.xlsx", b"PK").what


@settings(deadline=None)
@given(st.sampled_from(["csv", "json"]), st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_end_in_rows_or_in_words(kind: Any, data: bytes) -> None:
    held = Held("t", Path("t"), data, "")
    with contextlib.suppress(Trouble):
        tables.read_table(held, kind, needed=("success",), useful=())


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_no_outcome_is_lost_between_writing_and_reading(outcomes: list[bool]) -> None:
    rows: Records = [{"success": outcome, "n": number} for number, outcome in enumerate(outcomes)]
    for name, write in list(FORMATS.items())[:3]:  # Parquet takes a process each time
        table = tables.read_table(Held(name, Path(name), write(rows), ""), "auto", needed=("success",), useful=())
        assert [str(row.cells["success"]) for row in table.rows] == [str(outcome) for outcome in outcomes]


def test_the_reader_of_parquet_may_not_take_all_memory() -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux holds a process to it")
    script = (
        "import resource as r\nfrom console.tables.parquet_child import limit_memory as limit\n"
        "limit()\nprint(r.getrlimit(r.RLIMIT_AS)[0], r.getrlimit(r.RLIMIT_CORE)[0])"
    )
    root = Path(tables.__file__).parents[3]
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root)
    assert told.stdout.split() == [str(MEMORY_BYTES), "0"]
