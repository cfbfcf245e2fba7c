"""A robot that sends failures made to harm: no command obeys them, no file leaves its folder, none of the good ones is lost."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from console.cli import main
from remote.protocol import Body, Clip, ClipFrame, Detection, Entry
from tests.console.commands.test_attacks_by_text import EVIL, HOSTILE
from tests.console.failures.book_samples import BUNDLE, WALL_NS, failure, fill, store_with

FORMULA = "=cmd|' /C calc'!A0"
LARGE = 10**18
BODIES: list[Body] = [
    failure(1, id="../../../../tmp/x", picture="../../../../etc/passwd", before="\0", text=EVIL),
    failure(1, id="f1", name=EVIL, source=EVIL, bundle=EVIL, conditions={EVIL: EVIL, "light": FORMULA, "": ""}),
    failure(1, id="f2", text=FORMULA, light=-1e308, width=LARGE, height=-LARGE, frame=-LARGE),
    failure(1, id="f2", text="\t=1", light=1e308, detections=(Detection(-LARGE, 1e308, -1e308, 1e308, 0, 0),) * 3),
    failure(1, id="f3", detections=tuple(Detection(n, 0.5, n, n, n + 1, n + 1) for n in range(20_000))),
    failure(1, id="f4", stages_ms={EVIL: 1e308, FORMULA: -1.0}, data={EVIL: EVIL, FORMULA: None}),
    failure(1, id="f5", text="x" * 1_000_000, conditions={f"c{n}": "v" for n in range(2_000)}),
    Clip(failure="of nobody", frames=(ClipFrame(1e308, "../../x"),) * 1000, reason=EVIL),
    Clip(failure="f2", frames=(ClipFrame(-1e308, "ab" * 32),), reason=EVIL),
]


@pytest.fixture
def robot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A laptop that has heard three good failures, the hostile ones, and what is no failure at all."""
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path))
    monkeypatch.setenv("FIELDGATE_PERSON", "ada")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    store = store_with(tmp_path / "data" / "store.db", 3)
    store.note_labels(BUNDLE, (EVIL, FORMULA))
    fill(store, BODIES, journal="j-evil", robot="orin")
    known = store.journal("orin", "j-garbage")
    kinds = (
        b'{"kind":"failure"}',
        b'{"kind":"failure","name":5,"text":{}}',
        b'{"kind":"clip","failure":[]}',
        b'{"kind":"\\u001b"}',
    )
    import msgspec

    store.add(known.id, [Entry(n, "b" * 36, n, WALL_NS, msgspec.Raw(body)) for n, body in enumerate(kinds, 1)])
    store.close()
    return tmp_path


@pytest.fixture
def said(robot: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command in this process; what it said, in which nothing is that a terminal would obey."""

    def run(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["fieldgate", *words])
        with pytest.raises(SystemExit):
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err, err
        found = HOSTILE.search(out + err)
        assert found is None, (words, (out + err)[max(0, found.start() - 100) : found.end() + 40])
        return str(out)

    return run


def test_every_failure_is_listed_and_none_is_obeyed(said: Callable[..., str]) -> None:
    said("failures", "list", "--limit", "100")
    shown = [json.loads(line) for line in said("failures", "list", "--limit", "100", "--json").splitlines()]
    assert len(shown) == 10
    for one in shown:
        said("failures", "show", one["id"])
    said("failures", "list", "--by", "kind")
    said("failures", "patterns")
    said("failures", "note", shown[0]["id"], FORMULA)
    said("failures", "mark", "real", shown[0]["id"])


@pytest.mark.parametrize("format", ["coco", "csv", "parquet", "mcap"])
def test_exports_of_them_stay_in_their_folder_and_hold_no_formula(
    said: Callable[..., str], robot: Path, format: str
) -> None:
    before = {path for path in robot.rglob("*") if "data" not in path.parts}
    said("failures", "export", "--format", format, "-o", "out")
    made = [path for path in robot.rglob("*") if path not in before and not {"data", "cache"} & set(path.parts)]
    assert made
    assert [path for path in made if robot / "out" not in (path, *path.parents)] == []
    for path in made:
        if path.suffix == ".json":
            json.loads(path.read_text(), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    if format == "csv":
        usual = csv.field_size_limit(2**24)
        rows = list(csv.reader(io.StringIO((robot / "out").read_bytes().decode("utf-8-sig"))))
        csv.field_size_limit(usual)
        assert len(rows) == 11
        assert [cell for row in rows for cell in row if cell[:1] in ("=", "+", "@", "\t", "\r")] == []
