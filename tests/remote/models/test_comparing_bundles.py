"""`model compare` and `model layers`: a worse model must not look as good as the first, nor a few pictures decide."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import numpy_helper

from remote.errors import Trouble
from remote.models.bundle import Bundle
from remote.models.comparing.accuracy import Label, Matches, difference
from remote.models.comparing.agreement import Agreement, found_again
from remote.models.comparing.command import compare
from remote.models.comparing.compare import Budget, compare_bundles
from remote.models.comparing.judging import agreement_check
from remote.models.comparing.latency import measured
from remote.models.comparing.layers import compare_layers, noisiest
from remote.models.comparing.layers_command import layers, layers_text
from remote.models.comparing.looking import Looker, read_frame
from remote.models.comparing.model_file import read_model
from remote.models.comparing.parity import Tally
from remote.models.comparing.resampling import Interval, judged, resampled
from remote.models.comparing.samples import drawn
from remote.models.evaluate import Settings, evaluate_bundle
from remote.models.make import make_bundle
from remote.perception.picture_files import list_pictures
from remote.perception.postprocess import Boxes
from tests.remote.models.conv_models import conv_bundle, write_pictures
from tests.tiny_models import tiny_bundle
from tests.tiny_policies import policy_bundle


def changed(bundle: Bundle, folder: Path, constant: str, factor: float) -> Bundle:
    """The bundle with one constant multiplied."""
    model = onnx.load(str(bundle.model))
    one = next(one for one in model.graph.initializer if one.name == constant)
    one.CopyFrom(numpy_helper.from_array((numpy_helper.to_array(one) * factor).astype(np.float32), constant))
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(folder / "changed.onnx"))
    return make_bundle(folder / "changed.onnx", "yolov8", bundle.contract.labels, folder / "changed")


def boxes(*rows: tuple[float, float, float, float, int]) -> Boxes:
    corners = np.array([row[:4] for row in rows], np.float32).reshape(-1, 4)
    return Boxes(
        corners, np.linspace(0.9, 0.5, len(rows), dtype=np.float32), np.array([row[4] for row in rows], np.int64)
    )


def label_by(bundle: Bundle, pictures: Path, folder: Path) -> None:
    """Labels that the model is right about more or less: some of its own boxes, moved a little."""
    random = np.random.default_rng(3)
    folder.mkdir()
    looker = Looker(bundle, 1)
    for path in list_pictures(pictures):
        found, rows = looker.look(read_frame(path)).every, []
        for (x1, y1, x2, y2), label in list(zip(found.corners / 64, found.labels, strict=True))[:8]:
            cx, cy = np.clip([(x1 + x2) / 2, (y1 + y2) / 2] + random.normal(0, 0.03, 2), 0, 1)
            rows.append(f"{label} {cx:.4f} {cy:.4f} {x2 - x1:.4f} {y2 - y1:.4f}\n")
        (folder / f"{path.stem}.txt").write_text("".join(rows[::2]))
    looker.close()


def test_parity_says_how_far_outputs_are_apart() -> None:
    tally = Tally()
    tally.add(np.array([3.0, 4.0]), np.array([3.0, 3.5]))
    found = tally.parity()
    assert found.snr_db == pytest.approx(20.0)
    assert (found.max_abs, found.max_rel) == (0.5, 0.125)
    assert found.reaches(20.0 - 1e-9)
    assert not found.reaches(20.1)


def test_nan_in_the_second_is_never_parity() -> None:
    tally = Tally()
    tally.add(np.array([1.0, 2.0]), np.array([1.0, np.nan]))
    assert tally.parity().not_finite == 1
    assert not tally.parity().reaches(-1000)


def test_equal_outputs_need_no_ratio() -> None:
    tally = Tally()
    tally.add(np.zeros(3), np.zeros(3))
    assert tally.parity().equal
    assert tally.parity().reaches(1000)


def test_a_box_of_another_label_or_place_is_not_found_again() -> None:
    ours = boxes((0, 0, 10, 10, 0), (20, 20, 30, 30, 1))
    assert found_again(ours, ours) == 2
    assert found_again(ours, boxes((0, 0, 10, 10, 1), (20, 20, 30, 30, 1))) == 1
    assert found_again(ours, boxes((6, 6, 16, 16, 0))) == 0
    assert found_again(boxes((0, 0, 10, 10, 0), (0, 0, 10, 10, 0)), boxes((0, 0, 10, 10, 0))) == 1


@pytest.mark.parametrize(
    ("low", "high", "pictures", "verdict"),
    [(0.95, 1, 50, "pass"), (0.949, 1, 50, "inconclusive"), (0.9, 0.949, 50, "fail"), (0.99, 1, 49, "inconclusive")],
    ids=["just", "maybe", "below", "few"],
)
def test_the_bound_decides_and_few_pictures_decide_nothing(
    low: float, high: float, pictures: int, verdict: str
) -> None:
    assert judged(Interval(value=(low + high) / 2, low=low, high=high, n=pictures), 0.95) == verdict


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(5)
    held = 0
    for seed in range(60):
        hits = random.random(80) < 0.7
        found = resampled(lambda weights, hits=hits: float(weights @ hits / weights.sum()), 80, seed=seed, draws=200)  # type: ignore[misc]
        held += found.low <= 0.7 <= found.high
    assert held >= 50


def test_a_difference_is_paired_over_pictures() -> None:
    """Two models that go wrong on the same pictures differ by nothing, however much the pictures differ."""
    random = np.random.default_rng(0)
    right = (random.random((10, 80)) < 0.6).astype(float)
    label = Label(np.arange(80), right, 1 - right, np.ones(80, np.int64))
    found = difference(Matches((label,), 80, 80), Matches((label,), 80, 80))
    assert (found.low, found.value, found.high) == (0, 0, 0)


def test_accuracy_is_that_of_pycocotools(tmp_path: Path) -> None:
    bundle = conv_bundle(tmp_path)
    pictures = write_pictures(tmp_path / "images", 12)
    label_by(bundle, pictures, tmp_path / "labels")
    theirs = evaluate_bundle(bundle, pictures, tmp_path / "labels", Settings(0.01, 0.65, 100))
    found = compare_bundles([bundle], pictures=list_pictures(pictures), labels=tmp_path / "labels").rows[0].accuracy
    assert found is not None
    assert theirs.map is not None
    assert theirs.ap50 is not None
    assert found.map == pytest.approx(theirs.map, abs=1e-9)
    assert found.ap50 == pytest.approx(theirs.ap50, abs=1e-9)
    assert 0.01 < theirs.map < theirs.ap50 < 1


def test_a_model_that_finds_other_boxes_fails_and_an_equal_one_passes(tmp_path: Path) -> None:
    bundle = conv_bundle(tmp_path)
    worse = changed(bundle, tmp_path / "worse", "last.weight", -1.0)
    pictures = list_pictures(write_pictures(tmp_path / "images", 50))
    rows = compare_bundles([bundle, bundle, worse], pictures=pictures).rows
    assert [row.verdict for row in rows] == ["skipped", "pass", "fail"]
    again = compare_bundles([bundle, bundle], pictures=pictures[:49]).rows[1]
    assert again.verdict == "inconclusive"


def test_without_pictures_a_detector_may_fail_but_never_passes(tmp_path: Path) -> None:
    """A quantised detector with 36 dB of parity on drawn inputs finds no box at all."""
    bundle = conv_bundle(tmp_path)
    near = changed(bundle, tmp_path / "near", "last.weight", 1.0001)
    for limit, verdict in ((40.0, "inconclusive"), (200.0, "fail")):
        found = compare_bundles([bundle, near], budget=Budget(snr_db=limit))
        assert (found.rested_on, found.rows[1].verdict) == ("8 drawn inputs", verdict)
        assert ("give --images" in found.rows[1].checks[1].text) == (verdict == "inconclusive")


def test_without_pictures_parity_of_a_policy_decides(tmp_path: Path) -> None:
    policy = policy_bundle(tmp_path)
    assert compare_bundles([policy, policy]).rows[1].verdict == "pass"


def test_pictures_for_a_policy_are_refused_and_not_left_unlooked_at(tmp_path: Path) -> None:
    """Its verdict would read as if it had been measured on them."""
    path = str(policy_bundle(tmp_path).path)
    pictures = str(write_pictures(tmp_path / "pictures", 2))
    trouble = CliRunner().invoke(compare, [path, path, "--images", pictures]).exception
    assert isinstance(trouble, Trouble)
    assert trouble.code == "wrong_task"


def test_a_bundle_that_gives_impossible_boxes_fails_and_nothing_is_compared_with_it(tmp_path: Path) -> None:
    """Raw cells read as boxes are finite numbers: without this they pass for an answer."""
    bundle = conv_bundle(tmp_path)
    broken = changed(bundle, tmp_path / "broken", "eight", -1.0)
    pictures = list_pictures(write_pictures(tmp_path / "images", 1))
    for given in ((), pictures):
        check = compare_bundles([bundle, broken], pictures=given).rows[1].checks[0]
        assert (check.name, check.verdict) == ("finite", "fail")
        with pytest.raises(Trouble) as caught:
            compare_bundles([broken, bundle], pictures=given)
        assert caught.value.code == "bad_output"


def test_where_nothing_is_lost_the_boxes_say_how_much_may_be() -> None:
    """Drawing pictures again and again finds no loss: 100 % to 100 %, on however few boxes."""
    one, found = boxes((0, 0, 10, 10, 0)), Agreement()
    for _ in range(50):
        found.add(one, one)
    share = found.share()
    assert share is not None
    assert (share.value, share.high, share.hits, share.of) == (1.0, 1.0, 50, 50)
    assert share.low == pytest.approx(0.025 ** (1 / 50))
    check = agreement_check(share, 0.95)
    assert check.verdict == "inconclusive"
    assert check.text.startswith(
        "50 of 50 of the first bundle's boxes are found again on 50 pictures: 100 % (95 %: 92.9 %"
    )


def test_where_no_box_is_labelled_there_is_no_score(tmp_path: Path) -> None:
    pictures = write_pictures(tmp_path / "images", 2)
    (tmp_path / "labels").mkdir()
    for path in list_pictures(pictures):
        (tmp_path / "labels" / f"{path.stem}.txt").write_text("")
    bundle = conv_bundle(tmp_path)
    with pytest.raises(Trouble) as caught:
        compare_bundles([bundle, bundle], pictures=list_pictures(pictures), labels=tmp_path / "labels")
    assert caught.value.code == "no_labelled_box"


@pytest.mark.parametrize("width", [80, 100])
def test_the_comparison_fits_into_the_terminal(tmp_path: Path, width: int) -> None:
    bundle = conv_bundle(tmp_path)
    pictures = write_pictures(tmp_path / "images", 3)
    label_by(bundle, pictures, tmp_path / "labels")
    words = ["--images", pictures, "--labels", tmp_path / "labels", "--runs", 3]
    done = CliRunner(env={"COLUMNS": str(width)}).invoke(compare, list(map(str, (bundle.path, bundle.path, *words))))
    assert max(map(len, done.stdout.splitlines())) <= width
    assert bundle.digest[:8] in done.stdout
    assert "3 runs decide nothing, 20 are needed" in " ".join(done.stdout.split())
    alone = CliRunner(env={"COLUMNS": "200"}).invoke(compare, [str(bundle.path), str(bundle.path), "--runs", "0"])
    assert alone.stdout.splitlines()[0].split() == ["bundle", "digest", "size", "packed", "parity", "verdict"]


def test_one_bundle_alone_is_no_comparison(tmp_path: Path) -> None:
    assert CliRunner().invoke(compare, [str(conv_bundle(tmp_path).path)]).exit_code == 2


def test_bundles_of_other_labels_are_not_compared(tmp_path: Path) -> None:
    one = tiny_bundle(tmp_path)
    (tmp_path / "other").mkdir()
    other = tiny_bundle(tmp_path / "other", labels=("cube", "ball", "cone"))
    with pytest.raises(Trouble) as caught:
        compare_bundles([one, other])
    assert caught.value.code == "not_alike"


def test_engines_are_timed_in_turns() -> None:
    """A machine that gets slower meanwhile must not make the second engine look slow."""
    now = [0]

    def clock() -> int:
        return now[0]

    slower = iter(range(1, 10_000))

    def run() -> None:
        now[0] += 1_000_000 + next(slower) * 10_000

    first, second = measured([run, run], ["a", "b"], rounds=40, clock=clock)
    assert first.p50_ms > 1
    assert second.ratio == pytest.approx(1, abs=0.02)
    assert second.ratio == second.p50_ms / first.p50_ms  # else the table contradicts itself


def test_the_first_node_that_goes_wrong_is_named(tmp_path: Path) -> None:
    bundle = conv_bundle(tmp_path)
    worse = changed(bundle, tmp_path / "worse", "middle.weight", 0.2)
    found = compare_layers(bundle.model, worse.model, drawn(bundle, 3))
    assert found.first_wrong == "middle"
    assert noisiest(found, 1) == ("middle",)
    assert [one.node for one in found.layers][:3] == ["first", "relu", "middle"]
    text = layers_text(found, 80)
    assert text.startswith("first that goes wrong (below 10 dB, or a column of a table below 3 dB): middle\n")
    assert "the 5 weakest (" in text
    assert len(layers_text(found, 80, everything=True).splitlines()) > len(text.splitlines())
    assert max(map(len, text.splitlines())) <= 80
    assert compare_layers(bundle.model, bundle.model, drawn(bundle, 3)).first_wrong is None


@pytest.mark.parametrize("command", ["compare", "layers"])
def test_a_script_learns_of_a_loss_by_the_exit_code(tmp_path: Path, command: str) -> None:
    bundle = conv_bundle(tmp_path)
    worse = changed(bundle, tmp_path / "worse", "middle.weight", 0.2)
    run = {"compare": compare, "layers": layers}[command]
    words = ["--runs", "2"] if command == "compare" else []
    done = CliRunner().invoke(run, [str(bundle.path), str(worse.path), "--json", *words])
    assert done.exit_code == 3, done.output
    told = json.loads(done.stdout)
    assert told.get("first_wrong", "middle") == "middle"
    same = CliRunner().invoke(run, [str(bundle.path), str(bundle.path), *words])
    assert same.exit_code == (7 if command == "compare" else 0)  # without pictures a comparison is never passed


def test_labels_without_pictures_are_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(compare, [str(tmp_path), "--labels", str(tmp_path)])
    assert done.exit_code == 2


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99], ids=["empty", "third", "nearly"])
def test_a_truncated_model_is_refused(tmp_path: Path, share: float) -> None:
    data = conv_bundle(tmp_path).model.read_bytes()
    (tmp_path / "cut.onnx").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(Trouble) as caught:
        read_model(tmp_path / "cut.onnx")
    assert caught.value.code == "model_unreadable"


def test_a_model_that_reads_files_beside_it_is_refused(tmp_path: Path) -> None:
    """A hostile file may name /etc/passwd as the place of its weights."""
    model = onnx.load(str(conv_bundle(tmp_path).model))
    one = model.graph.initializer[0]
    one.ClearField("raw_data")
    one.data_location = onnx.TensorProto.EXTERNAL
    one.external_data.add(key="location", value="/etc/passwd")
    (tmp_path / "hostile.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(Trouble) as caught:
        read_model(tmp_path / "hostile.onnx")
    assert caught.value.code == "model_apart"
    assert "/etc/passwd" in caught.value.what
