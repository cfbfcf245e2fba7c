"""Export without torch: ONNX files and bundles. What is written must do what its source did, or nothing is written."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from remote.errors import Trouble
from remote.manifest import MODEL
from remote.models.bundle import load_bundle
from remote.models.export.command import export
from remote.models.export.export import export_model
from remote.models.export.kinds import kind_of
from remote.models.export.onnx_file import MOST_IR, examine, read_onnx
from remote.models.export.opened import open_checks
from remote.models.export.parity import USUAL, parity, worst_of
from remote.models.export.runs import by_definition
from remote.models.export.samples import made, of_pictures
from remote.models.export.wishes import Wishes
from remote.models.golden import Golden, golden_bytes, read_golden
from remote.models.make import input_of_family, write_bundle
from remote.models.provenance import Tolerance, read_provenance
from tests.tiny_models import base_yolov8, tiny_bundle, write_model
from tests.tiny_policies import policy_bundle

EMBEDDED = Path(__file__).resolve().parents[3] / "remote" / "bundles" / "tabletop"


def run(*words: object) -> Result:
    return CliRunner().invoke(export, [str(word) for word in words])


def labels(folder: Path) -> Path:
    (folder / "n.txt").write_text("cube\nball\n")
    return folder / "n.txt"


def test_the_embedded_bundle_is_proved_and_keeps_its_model_byte_for_byte(tmp_path: Path) -> None:
    done = run(EMBEDDED, "--output", tmp_path / "b", "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    before, after = load_bundle(EMBEDDED), load_bundle(tmp_path / "b")
    assert after.model.read_bytes() == before.model.read_bytes()
    assert after.contract == before.contract
    assert report["digest"] == after.digest != before.digest
    provenance, golden = read_provenance(after.path), read_golden(after.path)
    assert provenance is not None
    assert golden is not None
    assert (provenance.step, provenance.parent, provenance.opset) == ("export", before.digest, 17)
    assert golden.samples == 5
    assert "no real pictures" in report["golden"]
    assert {check["name"]: check["verdict"] for check in report["checks"]}["definition"] == "pass"
    assert "MODEL_CARD.md" in report["files"]


def test_exporting_again_gives_the_same_bundle_and_compares_with_its_own_golden_samples(tmp_path: Path) -> None:
    tiny_bundle(tmp_path)
    first = export_model(tmp_path / "bundle", Wishes(output=tmp_path / "b"))
    second = export_model(tmp_path / "bundle", Wishes(output=tmp_path / "b"))
    assert (second.digest, first.was_there, second.was_there) == (first.digest, False, True)
    again = export_model(tmp_path / "b", Wishes(output=tmp_path / "c"))
    assert (again.golden, again.samples) == ("those of the bundle", first.samples)
    assert export_model(policy_bundle(tmp_path).path, Wishes(output=tmp_path / "p")).task == "policy"


def with_golden(folder: Path, off: float) -> Path:
    """A bundle whose golden output differs by `off` in one place from what its model gives."""
    bundle = tiny_bundle(folder)
    export_model(bundle.path, Wishes(output=folder / "proved"))
    golden = read_golden(folder / "proved")
    assert golden is not None
    golden.outputs["output0"][3, 4, 1] += off
    extra = {"golden.npz": golden_bytes(Golden(golden.inputs, golden.outputs))}
    return write_bundle(bundle.model, bundle.contract, folder / "off", extra).path


def test_a_difference_beyond_the_tolerance_is_refused_with_numbers_and_place_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    done = run(with_golden(tmp_path, 0.01), "--output", tmp_path / "out")
    assert done.exit_code == 3
    assert "differs from the golden outputs of bundle tiny in 1 of 90 values on 5 samples" in done.stderr
    assert "worst output0[4, 1] of sample 3: 0 instead of 0.01 (allowed +-0.001)" in done.stderr
    assert not (tmp_path / "out").exists()
    assert run(tmp_path / "off", "--output", tmp_path / "out", "--atol", "0.02").exit_code == 0
    provenance = read_provenance(tmp_path / "out")
    assert provenance is not None
    assert provenance.tolerance == Tolerance(absolute=0.02, relative=0.001)


def test_a_difference_within_the_tolerance_passes(tmp_path: Path) -> None:
    assert run(with_golden(tmp_path, 0.0009), "--output", tmp_path / "out").exit_code == 0


def test_nan_is_refused_with_its_place(tmp_path: Path) -> None:
    done = run(tiny_bundle(tmp_path, dark_is_nan=True).path, "--output", tmp_path / "out")
    assert done.exit_code == 3
    assert "NaN or infinite" in done.stderr
    assert "of sample 0" in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_onnx_file_becomes_a_bundle_with_the_opset_that_it_has(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.onnx", *base_yolov8())
    done = run(model, "--like", "yolov8", "--labels", labels(tmp_path), "--output", tmp_path / "b", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["opset"] == 13
    assert json.loads(done.stdout)["inputs"] == {"images": "1 x 3 x 64 x 64"}


def test_real_pictures_become_golden_inputs(tmp_path: Path) -> None:
    import cv2

    (tmp_path / "pictures").mkdir()
    for level in (10, 90, 200):
        cv2.imwrite(str(tmp_path / "pictures" / f"{level:03}.png"), np.full((48, 80, 3), level, np.uint8))
    tiny_bundle(tmp_path)
    wishes = Wishes(output=tmp_path / "b", golden=tmp_path / "pictures", samples=2)
    assert export_model(tmp_path / "bundle", wishes).golden == "2 of 3 pictures of pictures"
    golden = read_golden(tmp_path / "b")
    assert golden is not None
    assert golden.inputs["images"][1].max() == pytest.approx(114 / 255, abs=1e-6)


# ---------------------------------------------------------------- hostile and broken sources


def apart(folder: Path, location: str, *, nested: bool = False) -> Path:
    """A model with a weight in another file, in the main graph or hidden in the branch of an If."""
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    weight.external_data.add(key="location", value=location)
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    if not nested:
        graph = helper.make_graph([helper.make_node("Identity", ["w"], ["y"])], "g", [], [result], [weight])
    else:
        branch = helper.make_graph([helper.make_node("Constant", [], ["y"], value=weight)], "b", [], [result])
        node = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
        given = helper.make_tensor_value_info("c", TensorProto.BOOL, [])
        graph = helper.make_graph([node], "g", [given], [result])
    (folder / "apart.onnx").write_bytes(helper.make_model(graph, ir_version=8).SerializeToString())
    return folder / "apart.onnx"


@pytest.mark.parametrize("location", ["weights.bin", "../../../../etc/passwd", "/etc/passwd"])
@pytest.mark.parametrize("nested", [False, True], ids=["plain", "nested"])
def test_weights_in_other_files_are_refused_before_anything_opens_them(
    tmp_path: Path, location: str, nested: bool
) -> None:
    with pytest.raises(Trouble) as caught:
        read_onnx(apart(tmp_path, location, nested=nested))
    assert caught.value.code == "model_apart"
    assert location in caught.value.what
    done = run(tmp_path / "apart.onnx", "--like", "yolov8", "--labels", labels(tmp_path), "--output", tmp_path / "b")
    assert done.exit_code == 1
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(("version", "fits"), [(MOST_IR, True), (MOST_IR + 1, False)])
def test_an_ir_that_robots_can_not_read_is_refused_here(tmp_path: Path, version: int, fits: bool) -> None:
    model = onnx.load(str(write_model(tmp_path / "m.onnx", *base_yolov8())))
    model.ir_version = version
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    if fits:
        assert examine(tmp_path / "m.onnx").ir_version == version
        return
    with pytest.raises(Trouble, match=f"IR version {version}"):
        examine(tmp_path / "m.onnx")


def test_what_the_checker_refuses_is_refused(tmp_path: Path) -> None:
    model = onnx.load(str(write_model(tmp_path / "m.onnx", *base_yolov8())))
    model.graph.node[0].op_type = "NoSuchThing"
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(Trouble, match="NoSuchThing") as caught:
        examine(tmp_path / "m.onnx")
    assert caught.value.code == "model_refused"


@given(st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=3)), min_size=1, max_size=6))
def test_any_change_of_a_models_bytes_ends_in_a_refusal_or_a_model(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[float, bytes]]
) -> None:
    path = tmp_path_factory.mktemp("m") / "m.onnx"
    data = bytearray(write_model(path, *base_yolov8()).read_bytes())
    for share, new in changes:
        at = int(share * (len(data) - 1))
        data[at : at + 1] = new
    path.write_bytes(data)
    try:
        assert examine(path).nodes > 0
    except Trouble as trouble:
        assert trouble.code in ("model_unreadable", "model_refused", "model_apart")  # noqa: PT017


def a_zip(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return path


@pytest.mark.parametrize(
    ("side", "greys", "patches"), [(64, 3, 2), (1280, 2, 1), (1920, 1, 1)], ids=["small", "large", "largest"]
)
def test_of_large_inputs_there_are_fewer_samples_and_the_words_say_so(
    tmp_path: Path, side: int, greys: int, patches: int
) -> None:
    """Else the bundle says that it was proved on patches, and was proved on grey."""
    contract = input_of_family("yolov8", "images", (side, side))
    found = made(contract)
    inputs = found.inputs["images"]
    assert [float(one.std()) > 0.01 for one in inputs] == [False] * greys + [True] * patches
    assert found.words.endswith(f"and {patches} made at random")
    for number in range(6):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((8, 8, 3), 40 * number, np.uint8))
    pictures = of_pictures(contract, tmp_path)
    assert pictures.words.startswith(f"{len(pictures.inputs['images'])} of 6 pictures")
    assert len(pictures.inputs["images"]) == greys + patches


@pytest.mark.parametrize("samples", [1, 2])
def test_an_open_batch_is_proved_from_one_sample_too(tmp_path: Path, samples: int) -> None:
    """A file that says that its batch is open and is made for one: with one golden picture nothing else was tried."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 2]) for name in ("x", "y")]
    one = helper.make_tensor("one", TensorProto.INT64, [2], [1, 2])
    inputs = {"x": np.ones((samples, 2), np.float32)}
    nodes = {"fixed": helper.make_node("Reshape", ["x", "one"], ["y"]), "open": helper.make_node("Tanh", ["x"], ["y"])}
    for name, node in nodes.items():
        graph = helper.make_graph([node], name, ends[:1], ends[1:], [one] if name == "fixed" else [])
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(made, tmp_path / f"{name}.onnx")
    assert open_checks(tmp_path / "open.onnx", inputs, ("batch",), USUAL)[0].n == 2
    with pytest.raises(Trouble) as caught:
        open_checks(tmp_path / "fixed.onnx", inputs, ("batch",), USUAL)
    assert caught.value.code == "not_dynamic"


def test_the_kind_is_told_by_the_content(tmp_path: Path) -> None:
    assert kind_of(EMBEDDED) == "bundle"
    assert kind_of(EMBEDDED / MODEL) == "onnx"
    assert kind_of(a_zip(tmp_path / "a.zip", "data", "policy.pth")) == "policy"
    assert kind_of(a_zip(tmp_path / "a.pt", "a/data.pkl", "a/version")) == "checkpoint"
    assert kind_of(a_zip(tmp_path / "a.ts", "a/constants.pkl", "a/code/x.py", "a/data.pkl")) == "torchscript"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("m.pt", b"", "source_damaged"),
        ("m.pt", b"PK\x03\x04" + b"\x00" * 100, "source_damaged"),
        ("m.txt", b"hello", "source_unknown"),
        ("m.onnx", b"\x08\x07" * 500, "model_unreadable"),
        ("m.onnx", b"not a model", "model_unreadable"),
    ],
)
def test_a_file_that_is_none_of_them_is_refused(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(content)
    wishes = Wishes(output=tmp_path / "b", like="yolov8" if name.endswith("onnx") else None)
    with pytest.raises(Trouble) as caught:
        export_model(tmp_path / name, wishes)
    assert caught.value.code == code
    assert caught.value.cure


def test_a_zip_that_is_no_policy_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="is a zip, but neither"):
        export_model(a_zip(tmp_path / "a.zip", "readme.txt"), Wishes(output=tmp_path / "b"))
    with pytest.raises(Trouble, match="does not exist"):
        export_model(tmp_path / "none.pt", Wishes(output=tmp_path / "b"))


def test_a_truncated_bundle_and_a_damaged_golden_file_are_refused(tmp_path: Path) -> None:
    shutil.copytree(tiny_bundle(tmp_path).path, tmp_path / "cut")
    (tmp_path / "cut" / MODEL).write_bytes((tmp_path / "cut" / MODEL).read_bytes()[:-1])
    with pytest.raises(Trouble) as caught:
        export_model(tmp_path / "cut", Wishes(output=tmp_path / "b"))
    assert caught.value.code == "bundle_incomplete"
    bundle = load_bundle(tmp_path / "bundle")
    write_bundle(bundle.model, bundle.contract, tmp_path / "bad", {"golden.npz": b"PK\x03\x04 no zip"})
    with pytest.raises(Trouble) as caught:
        export_model(tmp_path / "bad", Wishes(output=tmp_path / "b"))
    assert caught.value.code == "golden_invalid"


def test_a_golden_file_that_claims_terabytes_is_refused_not_tried(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (10**14,)})
    with zipfile.ZipFile(tmp_path / "golden.npz", "w") as archive:
        archive.writestr("input:x.npy", header.getvalue())
    with pytest.raises(Trouble) as caught:
        read_golden(tmp_path)
    assert caught.value.code == "golden_invalid"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--like", "yolov8"], "--like does nothing for a bundle"),
        (["--trust-pickle"], "--trust-pickle does nothing for a bundle"),
        (["--dynamic", "batch"], "--dynamic does nothing for a bundle"),
        (["--size", "64"], "is not WIDTHxHEIGHT"),
    ],
)
def test_an_option_that_would_change_nothing_is_told(tmp_path: Path, options: list[str], says: str) -> None:
    done = run(tiny_bundle(tmp_path).path, "--output", tmp_path / "b", *options)
    assert says in str(done.exception)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"exporter": "dynamo"}, "--exporter does nothing for an ONNX file"),
        ({"opset": 13}, "--opset does nothing for an ONNX file"),
        ({"contract": EMBEDDED / "contract.yaml"}, "--contract says what --like and --labels would say"),
        ({"size": (96, 96)}, "takes 64x64, not 96x96"),
        ({"contract": EMBEDDED / "contract.yaml", "like": None, "labels": None}, "contract and model differ"),
    ],
)
def test_what_does_not_belong_to_this_model_is_told_plainly(tmp_path: Path, more: dict[str, Any], says: str) -> None:
    model = write_model(tmp_path / "m.onnx", *base_yolov8())
    usual: dict[str, Any] = {"like": "yolov8", "labels": labels(tmp_path)}
    with pytest.raises(Trouble, match=says):
        export_model(model, Wishes(output=tmp_path / "b", **{**usual, **more}))


def test_what_was_found_can_be_read_on_a_terminal_of_80(tmp_path: Path) -> None:
    done = run(EMBEDDED, "--output", tmp_path / "b")
    assert max(map(len, done.stderr.splitlines())) <= 80 + len(str(tmp_path))


def test_a_sigmoid_that_overflows_on_its_way_warns_nobody(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    node = helper.make_node("Sigmoid", ["x"], ["y"])
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2]) for name in "xy"]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), tmp_path / "m.onnx")
    found = by_definition(tmp_path / "m.onnx", ["y"])({"x": np.array([[-1000, 1000]], np.float32)})
    assert found["y"].tolist() == [[0.0, 1.0]]
    assert not [str(one.message) for one in recwarn if one.category is RuntimeWarning]


def test_without_a_family_the_boxes_mean_nothing(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.onnx", *base_yolov8())
    with pytest.raises(Trouble, match="nothing says how") as caught:
        export_model(model, Wishes(output=tmp_path / "b"))
    assert caught.value.code == "contract_missing"


# ---------------------------------------------------------------- the rule of parity


@pytest.mark.parametrize(
    ("golden", "found", "beyond"),
    [(1.0, 1.0011, 0), (1.0, 1.0021, 1), (-100.0, -100.1, 0), (-100.0, -100.2, 1), (0.0, 0.001, 0), (0.0, -0.0011, 1)],
)
def test_an_element_may_differ_by_the_absolute_and_the_relative_part_together(
    golden: float, found: float, beyond: int
) -> None:
    tolerance = Tolerance(absolute=0.001, relative=0.001)
    worst = worst_of({"y": np.array([[golden]])}, {"y": np.array([[found]])}, tolerance)
    assert worst.beyond == beyond


@pytest.mark.parametrize(("off", "fits"), [(0.099, True), (0.101, False)])
def test_a_quantised_model_must_be_as_clear_as_was_recorded(off: float, fits: bool) -> None:
    """A difference of a tenth of the signal is 20 dB."""
    tolerance = Tolerance(absolute=1.0, relative=0.0, snr_db=20.0)
    golden, found = {"y": np.ones((2, 4))}, {"y": np.full((2, 4), 1.0 + off)}
    if fits:
        assert parity(golden, found, tolerance, name="parity", against="it").verdict == "pass"
        return
    with pytest.raises(Trouble, match=r"19\.9 dB clear"):
        parity(golden, found, tolerance, name="parity", against="it")


@pytest.mark.parametrize(("wrong", "fits"), [(1, True), (2, False)])
def test_so_many_elements_of_a_quantised_model_may_be_further_away(wrong: int, fits: bool) -> None:
    tolerance = Tolerance(absolute=0.1, relative=0.0, wrong_share=0.1)
    golden, found = {"y": np.zeros((1, 10))}, {"y": np.zeros((1, 10))}
    found["y"][0, :wrong] = 0.2
    if fits:
        assert parity(golden, found, tolerance, name="parity", against="it").verdict == "pass"
        return
    with pytest.raises(Trouble, match="2 of 10 values"):
        parity(golden, found, tolerance, name="parity", against="it")


@pytest.mark.parametrize("other", [{"z": np.zeros((1, 2))}, {"y": np.zeros((1, 3))}, {}])
def test_other_outputs_are_no_parity(other: dict[str, Any]) -> None:
    with pytest.raises(Trouble) as caught:
        worst_of({"y": np.zeros((1, 2))}, other, Tolerance(absolute=1.0, relative=0.0))
    assert caught.value.code == "parity_failed"
