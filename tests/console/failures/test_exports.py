"""Exports open in what they are made for: read back with the field's own readers, with everything counted."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from console.failures.exports.coco import export_coco
from console.failures.exports.csv_table import export_csv
from console.failures.exports.parquet import export_parquet
from console.failures.exports.recording import export_mcap
from console.failures.exports.table import COLUMNS
from console.failures.looks import Looks
from console.failures.rows import ClipPicture, FailureRow
from console.store.pictures import Pictures
from remote.errors import Trouble
from tests.console.failures.pattern_samples import START_NS, S, kept, picture, row


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    return Pictures(tmp_path / "pictures")


@pytest.fixture
def rows(tmp_path: Path) -> list[FailureRow]:
    """Two scenes (one of them twice), one that was not pulled, one without a picture, one of an imported log."""
    first, again, other = (kept(tmp_path / "pictures", picture(n, noise=n * 7)) for n in (1, 1, 2))
    grainy = kept(tmp_path / "pictures", picture(1, noise=3))
    assert first == again
    return [
        row(1, at=first, text="=cmd()", clip=(ClipPicture(-5000.0, grainy), ClipPicture(0.0, first))),
        row(2, at=grainy, names=("cube", "cup", "person")),
        row(3, at=other, detections=()),
        row(4, at="ef" * 32),
        row(5, no_picture="the disk was full"),
        row(6, wall_ns=0, imported_from="a.log:1", detections=(), names=(), labels=()),
    ]


def read(path: Path) -> Any:
    return json.loads(path.read_text())


# ------------------------------------------------------------ COCO


def test_coco_is_read_by_pycocotools_with_predictions_apart_from_labels(
    rows: list[FailureRow], pictures: Pictures, tmp_path: Path
) -> None:
    from PIL import Image
    from pycocotools.coco import COCO

    folder = tmp_path / "out"
    made = export_coco(rows, pictures, folder)
    assert (made.failures, made.pictures, made.boxes) == (6, 3, 4)
    assert sum(made.missing.values()) == 3
    truth, seen = (COCO(str(folder / part / "instances_default.json")) for part in ("annotations", "predictions"))
    assert truth.getAnnIds() == []  # what a model said is never handed on as what is there
    assert len(seen.getAnnIds()) == 4
    assert [one["name"] for one in seen.loadCats(seen.getCatIds())] == ["cube", "cup", "person"]
    assert min(seen.getCatIds()) == 1  # CVAT's importer takes 0 for no label
    for image in seen.loadImgs(seen.getImgIds()):
        with Image.open(folder / "images" / image["file_name"]) as opened:
            assert opened.size == (image["width"], image["height"])
    scored = truth.loadRes(str(folder / "predictions" / "results.json"))
    assert sorted(one["score"] for one in scored.dataset["annotations"]) == [0.5, 0.5, 0.75, 0.75]


def test_boxes_are_in_the_pictures_own_pixels_and_inside_of_it(
    rows: list[FailureRow], pictures: Pictures, tmp_path: Path
) -> None:
    """The robot's frame has 640 x 480, its picture half of it; one box reaches over the edge."""
    export_coco(rows, pictures, tmp_path / "out")
    boxes = [one["bbox"] for one in read(tmp_path / "out/predictions/instances_default.json")["annotations"][:2]]
    assert boxes == [[10.0, 20.0, 50.0, 50.0], [0.0, 0.0, 25.0, 25.0]]


def test_the_importers_rules_are_kept(rows: list[FailureRow], pictures: Pictures, tmp_path: Path) -> None:
    """CVAT's wants `segmentation` and whole-number ids, FiftyOne's a category, Label Studio's per cents and own names."""
    export_coco(rows, pictures, tmp_path / "out")
    data = read(tmp_path / "out/predictions/instances_default.json")
    for one in data["annotations"]:
        assert one["segmentation"] == []
        assert (type(one["id"]), one["iscrowd"], len(one["bbox"])) == (int, 0, 4)
    tasks = read(tmp_path / "out/label_studio.json")
    assert [len(one["predictions"][0]["result"]) for one in tasks] == [2, 2, 0]
    value = tasks[0]["predictions"][0]["result"][0]["value"]
    assert (value["x"], value["width"], value["rectanglelabels"]) == (
        pytest.approx(3.125),
        pytest.approx(15.625),
        ["cube"],
    )
    assert '<Label value="person"/>' in (tmp_path / "out/label_studio.xml").read_text()
    export_coco([row(1, detections=(), names=(), at=rows[0].at)], pictures, tmp_path / "bare")
    assert len(read(tmp_path / "bare/annotations/instances_default.json")["categories"]) == 1


def test_pictures_that_look_alike_are_exported_once_and_say_whose_they_are(
    rows: list[FailureRow], pictures: Pictures, tmp_path: Path
) -> None:
    made = export_coco(rows, pictures, tmp_path / "out", fold_by=Looks(pictures).of)
    assert (made.pictures, made.folded, made.failures) == (2, 1, 6)
    assert read(tmp_path / "out/annotations/instances_default.json")["images"][0]["failures"] == ["j:1", "j:2"]


def test_an_export_says_what_is_in_it_and_what_is_not(
    rows: list[FailureRow], pictures: Pictures, tmp_path: Path
) -> None:
    made = export_coco(rows, pictures, tmp_path / "out")
    text = "\n".join(made.words()) + (tmp_path / "out/README.txt").read_text()
    for words in ("people may be seen", "the disk was full", "not on this laptop yet", "imported from a log"):
        assert words in text
    assert oct((tmp_path / "out").stat().st_mode & 0o777) == "0o700"


def test_nothing_is_replaced_and_nothing_half_is_left(
    rows: list[FailureRow], pictures: Pictures, tmp_path: Path
) -> None:
    target = tmp_path / "work"
    target.mkdir()
    (target / "mine").write_text("x")
    for export in (export_csv, export_parquet):
        with pytest.raises(Trouble, match="there already"):
            export(rows, target)
    with pytest.raises(Trouble, match="there already"):
        export_mcap(rows, pictures, target)
    with pytest.raises(Trouble, match="there already"):
        export_coco(rows, pictures, target)

    def breaks() -> Any:
        yield rows[0]
        raise KeyboardInterrupt

    for number, begin in enumerate((export_csv, export_parquet)):
        with pytest.raises(KeyboardInterrupt):
            begin(breaks(), target / f"{number}")
    with pytest.raises(KeyboardInterrupt):
        export_mcap(breaks(), pictures, target / "m.mcap")
    with pytest.raises(KeyboardInterrupt):
        export_coco(breaks(), pictures, target / "c")
    assert [path.name for path in target.iterdir()] == ["mine"]


# ------------------------------------------------------------ tables


def test_csv_and_parquet_hold_the_same_and_a_spreadsheet_runs_nothing(rows: list[FailureRow], tmp_path: Path) -> None:
    import pyarrow.parquet as parquet

    assert export_csv(rows, tmp_path / "f.csv").failures == 6
    assert export_parquet(rows, tmp_path / "f.parquet").boxes == 8
    with (tmp_path / "f.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    table = parquet.read_table(tmp_path / "f.parquet").to_pylist()
    assert tuple(lines[0]) == tuple(table[0]) == COLUMNS
    assert lines[0]["text"] == "'=cmd()"
    assert table[0]["text"] == "=cmd()"
    assert (table[0]["light"], table[0]["phase"], table[5]["time_utc"]) == (31.0, "office", None)
    assert json.loads(lines[1]["boxes"])[0][:2] == ["cube", 0.75]
    for line, one in zip(lines, table, strict=True):
        assert line["wall_ns"] == ("" if one["wall_ns"] is None else str(one["wall_ns"]))


# ------------------------------------------------------------ MCAP


def test_a_recording_has_foxgloves_schemas_in_order_of_time_with_pictures_that_decode(
    rows: list[FailureRow], pictures: Pictures, tmp_path: Path
) -> None:
    from mcap.reader import make_reader

    made = export_mcap(rows, pictures, tmp_path / "f.mcap")
    assert (made.failures, made.pictures, made.boxes) == (5, 4, 4)
    assert made.missing["left out: no time is known"] == 1
    assert made.missing["the disk was full"] == 1
    with (tmp_path / "f.mcap").open("rb") as file:
        reader = make_reader(file)
        summary = reader.get_summary()
        assert summary is not None
        assert summary.statistics is not None
        assert summary.statistics.message_count == 4 + 3 + 5 + 5
        stored = list(make_reader(file).iter_messages(log_time_order=False))
    schemas = {channel.topic: schema.name for schema, channel, _ in stored if schema}
    assert schemas == {
        "/camera": "foxglove.CompressedImage",
        "/camera/boxes": "foxglove.ImageAnnotations",
        "/failures": "foxglove.Log",
        "/metrics": "fieldgate.Metrics",
    }
    times = [message.log_time for _, _, message in stored]
    assert times == sorted(times)
    assert times[0] == START_NS + 60 * S - 5 * S  # the picture before the first failure
    metrics = [json.loads(message.data) for _, channel, message in stored if channel.topic == "/metrics"]
    assert metrics[0]["stages_ms"] == {"inference": 5.5}
    assert (metrics[0]["conditions"]["place"], metrics[0]["best_score"]) == ("dock", 0.75)


def test_pictures_and_boxes_of_a_recording_are_those_of_the_failure(
    rows: list[FailureRow], pictures: Pictures, tmp_path: Path
) -> None:
    from mcap.reader import make_reader

    export_mcap(rows[2:3] + rows[1:2], pictures, tmp_path / "f.mcap")
    with (tmp_path / "f.mcap").open("rb") as file:
        found = [(channel.topic, message.data) for _, channel, message in make_reader(file).iter_messages()]
    jpegs = [data for topic, data in found if topic == "/camera"]
    path = pictures.path(rows[1].at or "")
    assert path is not None
    assert sum(path.read_bytes() in data for data in jpegs) == 1
    boxes = [data for topic, data in found if topic == "/camera/boxes"]
    assert sorted(b"cube 0.75" in data for data in boxes) == [False, True]
