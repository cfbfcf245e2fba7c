"""The report of a field test: a manager reads the verdict, an engineer the numbers behind it, and both the same ones."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from console.failures.book import FailureBook
from console.failures.rows import FailureRow
from console.fieldwork.figures import figures
from console.record.roster import allowed_signers
from console.report.failures_sheet import WIDEST_PX, FailuresSheet, drawn, failures_sheet
from console.report.field_sheet import FieldSheet, field_sheet
from console.report.pages import report_html
from console.report.plots import MOST_BARS, Bar, bar_plot, path_plot
from console.report.plots import Path as Line
from console.report.writing import sheet_of_record
from console.store.pictures import Pictures
from console.store.store import Store
from remote.protocol import Detection
from tests.console.fieldwork.field_world import FieldRobot, FieldWorld


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FieldWorld:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))
    return FieldWorld(tmp_path)


def jpeg(width: int = 640, height: int = 480) -> bytes:
    written = io.BytesIO()
    Image.effect_noise((width, height), 60).convert("RGB").save(written, format="JPEG")
    return written.getvalue()


def page_of(world: FieldWorld, failures: FailuresSheet | None = None) -> tuple[str, FieldSheet]:
    field = world.unlinked()
    for place in range(24):
        outcome: Any = "failure" if place % 6 == 0 else "success"
        field.log_trial(outcome, "anna")
    field.undo("anna")
    campaign = field.campaign
    state = campaign.state()
    sheet = sheet_of_record(
        state, campaign.checklist, campaign.record, allowed_signers=allowed_signers(campaign.roster),
        figures=figures(campaign), failures=failures,
    )  # fmt: skip
    assert sheet.field is not None
    return report_html(sheet), sheet.field


def test_the_page_says_what_was_tried_and_what_it_proves(world: FieldWorld) -> None:
    html, sheet = page_of(world)
    bench = next(one for one in sheet.phases if one.title == "Without a link")
    assert "19 of 23" in bench.questions[0].words
    assert bench.counted == "23 of 20 planned trials; 1 left out (undone)"
    for words in (bench.questions[0].words, bench.reason, "Figures of the whole campaign", "phase Without a link"):
        assert words.replace(">", "&gt;") in html
    assert sheet.sessions[0].trials == "19 of 23"


def test_plots_are_svg_inside_of_the_page_and_the_same_each_time(world: FieldWorld) -> None:
    html, sheet = page_of(world)
    plots = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', html)
    assert plots
    assert all(base64.b64decode(plot).lstrip().startswith(b"<?xml") for plot in plots)
    assert "<script" not in html
    line = Line([50.0, 60.0], [1.0, 2.0], [99.0, 99.0])
    assert path_plot(line, 80.0, "success") == path_plot(line, 80.0, "success")
    assert len(bar_plot([Bar(f"bar {k}", k, None, k + 1) for k in range(100)], "%")) < 200_000
    assert MOST_BARS == 20
    assert sheet.phases[1].questions[0].plot


def test_success_is_shown_by_each_condition_that_varied(world: FieldWorld) -> None:
    robot = FieldRobot(world)
    field = world.in_lab(robot)
    for place in range(24):
        dim = place % 2
        light = {"light": "dim" if dim else "bright"}
        field.log_trial("failure" if dim and place % 4 == 1 else "success", "anna", conditions=light, sight=robot.sight)
    sheet = field_sheet(field.state(), ())
    assert sheet is not None
    (light_sheet,) = sheet.phases[0].conditions  # the place was never said
    assert light_sheet.title == "Success by light"
    assert any(note.startswith("dim: 6 of 12, unlike the others (p 0.0") for note in light_sheet.notes)


def test_a_pack_without_phases_and_measures_has_no_field_test(world: FieldWorld) -> None:
    pack = world.pack.read_text() if world.pack.exists() else ""
    assert pack or world.field()
    campaign = world.field().campaign
    empty = campaign.state().field
    bare = type(empty)()
    assert field_sheet(bare, ()) is None


def test_failures_come_with_their_pictures_and_with_the_reason_where_there_is_none(world: FieldWorld) -> None:
    pictures, data = Pictures(), jpeg()
    import hashlib

    digest = hashlib.sha256(data).hexdigest()
    pictures.keep(digest, data)
    rows = [
        FailureRow(
            id="x", robot="orin", wall_ns=10**18, kind="no_detection", text="cube <b>missing</b>", at=digest, width=640,
            height=480, detections=(Detection(0, 0.9, 10, 10, 200, 200), Detection(7, 0.5, 300, 300, 100, 100)),
            names=("cube",), light=31.0, conditions={"place": "dock"},
        ),
        FailureRow(id="y", robot="orin", wall_ns=2 * 10**18, kind="worker_crash", text="it ended", at="f" * 64),
        FailureRow(id="z", robot="orin", wall_ns=3 * 10**18, kind="operator_mark", text="odd", no_picture="the disk was full"),
    ]  # fmt: skip
    store, book = Store(), FailureBook()
    book.add_imported(((line, row) for line, row in enumerate(rows, 1)), "d" * 64, "made.log")
    sheet = failures_sheet(book, store, "orin", "")
    book.close()
    store.close()
    by_kind = {one.kind: one for one in sheet.examples}
    assert by_kind["no detection"].uri.startswith("data:image/jpeg")
    assert by_kind["no detection"].about == "place dock, light 31"
    assert "failures pull" in by_kind["worker crash"].why
    assert by_kind["operator mark"].why == "the disk was full"
    html, _ = page_of(world, sheet)
    assert "cube &lt;b&gt;missing&lt;/b&gt;" in html
    assert "<b>missing" not in html


def test_a_picture_is_made_small_and_a_broken_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(1920, 1080))
    row = FailureRow(
        id="x", robot="r", wall_ns=1, kind="k", text="t", width=1920, detections=(Detection(0, 1, 0, 0, 960, 540),)
    )
    small = drawn(path, row)
    assert small is not None
    assert Image.open(io.BytesIO(small)).width == WIDEST_PX
    path.write_bytes(jpeg()[:500])
    assert drawn(path, row) is None
    path.write_bytes(b"")
    assert drawn(path, row) is None
