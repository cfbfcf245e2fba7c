"""`model optimise`: what is smaller must still be the same model, and what is not must not be written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result
from onnx import helper, numpy_helper

import remote
from remote.errors import Trouble
from remote.models.bundle import load_any_bundle, load_bundle
from remote.models.comparing.layers import compare_layers
from remote.models.comparing.model_file import read_model
from remote.models.comparing.runner import Runner
from remote.models.comparing.samples import PictureFeeds, drawn
from remote.models.comparing.size import size_of
from remote.models.export.command import export
from remote.models.golden import Golden, read_golden
from remote.models.optimise.advice import int8_advice
from remote.models.optimise.calibration import LEAST_PICTURES, light_of, read_calibration
from remote.models.optimise.command import optimise
from remote.models.optimise.derive import tolerance_for
from remote.models.optimise.dynamic import ONLY_CPU, made_dynamic, refuse_for_tensorrt
from remote.models.optimise.graph import decoding_part, model_bytes, simplified, tidied
from remote.models.optimise.half import made_half
from remote.models.optimise.influence import influence
from remote.models.optimise.int8 import METHODS, float_nodes, prepared, quantised
from remote.models.optimise.prune import made_pruned, without_smallest
from remote.models.optimise.structured import hook
from remote.models.provenance import read_provenance, sane
from remote.models.self_test import self_test
from remote.models.validation.suite import makers_measurements
from remote.perception.picture_files import list_pictures
from remote.verdicts import Check
from tests.remote.models.conv_models import conv_bundle, write_conv_model, write_pictures
from tests.remote.models.proved_bundles import proved_bundle
from tests.tiny_models import tiny_bundle
from tests.tiny_policies import policy_bundle

TABLETOP = Path(remote.__file__).parent / "bundles" / "tabletop"


@pytest.fixture(scope="module")
def calibration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("calibration"), LEAST_PICTURES)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("pictures"), 50, seed=9)


def run(*words: object) -> Result:
    return CliRunner().invoke(optimise, [*map(str, words), "--runs", "0"])


def refused(*words: object) -> Trouble:
    found = run(*words).exception
    assert isinstance(found, Trouble)
    return found


def test_each_option_makes_a_bundle_with_its_origin_and_proof(
    tmp_path: Path, calibration: Path, pictures: Path
) -> None:
    bundle = conv_bundle(tmp_path)
    words = ("--simplify", "--fp16", "--int8", "--calibrate", calibration, "--dynamic", "--images", pictures, "--json")
    done = run(bundle.path, "--output", tmp_path / "out", *words, "--agreement", "0.5")
    assert done.exit_code == 0, done.output
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["step"] for one in told] == ["simplify", "fp16", "dynamic", "int8"]
    for one in told:
        made = load_bundle(Path(one["path"]))
        assert made.digest == one["digest"] != bundle.digest
        origin = read_provenance(made.path)
        assert origin is not None
        assert (origin.parent, origin.step) == (bundle.digest, one["step"])
        assert {check.name for check in origin.measured} == {"finite", "parity", "agreement"}
        assert [check.verdict for check in self_test(made.path, lambda _: None, runs=1)] == ["pass"] * 4
    of_int8 = read_provenance(tmp_path / "out" / "conv-int8")
    assert of_int8 is not None
    assert of_int8.calibration is not None
    assert of_int8.calibration.pictures == LEAST_PICTURES
    assert sum(of_int8.calibration.by_light.values()) == LEAST_PICTURES


def test_the_golden_samples_are_the_parents(tmp_path: Path) -> None:
    """Else each step would be compared with the one before, and a loss could creep in."""
    bundle = conv_bundle(tmp_path)
    run(bundle.path, "--output", tmp_path / "one", "--fp16")
    run(tmp_path / "one" / "conv-fp16", "--output", tmp_path / "two", "--simplify", "--snr", "20")
    first, second = read_golden(tmp_path / "one" / "conv-fp16"), read_golden(tmp_path / "two" / "conv-fp16-simplify")
    assert first is not None
    assert second is not None
    assert np.array_equal(first.outputs["output0"], second.outputs["output0"])


def test_the_same_input_gives_the_same_digest(tmp_path: Path, calibration: Path) -> None:
    bundle = conv_bundle(tmp_path)
    words = ("--fp16", "--int8", "--calibrate", calibration, "--dynamic", "--prune", "0.1", "--keep-refused", "--json")
    one, two = (run(bundle.path, "--output", tmp_path / name, *words) for name in ("one", "two"))
    digests = [[json.loads(line)["digest"] for line in done.stdout.splitlines()] for done in (one, two)]
    assert digests[0] == digests[1]
    assert len(set(digests[0])) == 4


def test_what_loses_more_than_the_budget_is_not_written(tmp_path: Path, pictures: Path) -> None:
    bundle = conv_bundle(tmp_path)
    words = (bundle.path, "--output", tmp_path / "out", "--prune", "0.9", "--images", pictures)
    done = run(*words)
    assert (done.exit_code, done.stdout) == (3, "")
    assert "at least 95 % is wanted (--agreement)" in " ".join(done.stderr.split())
    assert "nothing was written" in done.stderr
    assert "-> set a smaller share to zero" in done.stderr
    assert not (tmp_path / "out").exists()
    kept = run(*words, "--keep-refused")
    assert kept.exit_code == 3
    made = load_bundle(tmp_path / "out" / "conv-prune")
    assert kept.stdout == f"{made.digest}\n"
    assert f"conv-prune  {made.digest[:8]}" in kept.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), "usage"),
        (("--int8",), "calibration_missing"),
        (("--dynamic", "--for", "tensorrt"), "dynamic_on_tensorrt"),
        (("--structured", "0.2"), "usage"),
        (("--fp16", "--whole", "--method", "entropy"), "usage"),
        (("--fp16", "--finetune", "nets:f"), "usage"),
        (("--distil", "nets:f", "--module", "nets:g"), "usage"),
    ],
    ids=["nothing", "uncalibrated", "dynamic", "module", "of_int8", "of_training", "no_pictures"],
)
def test_wants_that_cannot_be_are_refused_before_any_work(tmp_path: Path, words: tuple[str, ...], code: str) -> None:
    bundle = tiny_bundle(tmp_path)
    assert refused(bundle.path, "--output", tmp_path / "out", *words).code == code
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["inside", "file", "foreign", "other"])
def test_where_nothing_could_be_written_nothing_is_computed(tmp_path: Path, place: str) -> None:
    """A bundle in its parent's folder damages that one; a foreign folder found at the end costs all the computing."""
    bundle, output = tiny_bundle(tmp_path), tmp_path / "out"
    if place == "inside":
        output = bundle.path / "made"
    elif place == "file":
        output.write_text("mine")
    elif place == "foreign":
        (output / f"{bundle.contract.name}-fp16").mkdir(parents=True)
        (output / f"{bundle.contract.name}-fp16" / "mine.txt").write_text("mine")
    else:
        shutil.copytree(bundle.path, output / f"{bundle.contract.name}-fp16")
    before = sorted(tmp_path.rglob("*"))
    code = refused(bundle.path, "--output", output, "--simplify", "--fp16").code
    assert code == ("usage" if place in ("inside", "file") else "bundle_exists")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_step_that_fails_leaves_what_was_written_before_told(tmp_path: Path) -> None:
    """Else two bundles lie there that nobody was told the digest of."""
    bundle = tiny_bundle(tmp_path)
    done = run(bundle.path, "--output", tmp_path / "out", "--simplify", "--prune", "0.5")
    assert isinstance(done.exception, Trouble)
    assert done.stdout == f"{load_bundle(next((tmp_path / 'out').iterdir())).digest}\n"


def test_to_prune_nothing_is_no_step(tmp_path: Path) -> None:
    assert run(tmp_path, "--output", tmp_path / "out", "--prune", "0").exit_code == 2


def test_black_and_double_pictures_do_not_count_for_calibration(tmp_path: Path) -> None:
    bundle = conv_bundle(tmp_path)
    folder = write_pictures(tmp_path / "few", LEAST_PICTURES - 1)
    image = cv2.imread(str(folder / "000.png"))
    cv2.imwrite(str(folder / "twice.png"), image)
    cv2.imwrite(str(folder / "black.png"), np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(Trouble) as caught:
        read_calibration(bundle, folder)
    assert caught.value.code == "too_few_pictures"
    assert "99 different pictures that show something (1 black, 1 twice there)" in caught.value.what
    cv2.imwrite(str(folder / "new.png"), cv2.flip(image, 1))
    found = read_calibration(bundle, folder)
    assert (found.calibration.pictures, found.left_out) == (LEAST_PICTURES, {"black": 1, "twice there": 1})


def test_a_calibration_set_has_one_digest_whatever_its_files_are_called(tmp_path: Path, calibration: Path) -> None:
    bundle = conv_bundle(tmp_path)
    (tmp_path / "other").mkdir()
    for at, path in enumerate(reversed(list_pictures(calibration))):
        (tmp_path / "other" / f"z{at:03d}.png").write_bytes(path.read_bytes())
    digests = {read_calibration(bundle, place).calibration.digest for place in (calibration, tmp_path / "other")}
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("level", "name"), [(31, "dark"), (32, "dim"), (80, "normal"), (179, "normal"), (180, "bright")], ids=str
)
def test_light_is_named_by_the_mean_level(level: int, name: str) -> None:
    assert light_of(np.full((2, 2, 3), level, np.uint8)) == name


def test_a_model_is_not_measured_on_what_it_was_calibrated_with(tmp_path: Path, calibration: Path) -> None:
    bundle = conv_bundle(tmp_path)
    words = (bundle.path, "--output", tmp_path / "out", "--int8", "--calibrate", calibration)
    assert refused(*words, "--images", calibration).code == "same_pictures"
    alone = run(*words, "--agreement", "0.1")
    assert alone.exit_code == 7, alone.output
    assert "measured on the calibration pictures, which proves little" in " ".join(alone.stderr.split())
    assert "round 1" not in alone.stderr


@pytest.mark.parametrize("method", METHODS)
def test_every_calibration_picture_counts(tmp_path: Path, method: str) -> None:
    """The bright picture comes first of many: a calibrator that drops batches would set scales too small."""
    bundle = conv_bundle(tmp_path)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for at in range(32):
        level = 250 if at == 0 else 20
        cv2.imwrite(str(folder / f"{at:03d}.png"), np.full((64, 64, 3), level, np.uint8))
    feeds = PictureFeeds(bundle.contract, list_pictures(folder))
    model = quantised(prepared(simplified(bundle.model)), feeds, (), method=method, pack=False)
    scale = next(one for one in model.graph.initializer if one.name == "images_scale")
    assert float(numpy_helper.to_array(scale)) * 127 == pytest.approx(250 / 255, rel=0.1)


def test_boxes_and_scores_are_not_quantised_in_one_tensor(tmp_path: Path, calibration: Path) -> None:
    """Coordinates up to 64 leave scores of at most 1 two steps: the detector would find nothing, at 40 dB of parity."""
    bundle = conv_bundle(tmp_path)
    model = prepared(simplified(bundle.model))
    last, light = decoding_part(model)
    assert last == ("last",)
    assert {"together", "sigmoid", "sizes"} <= set(light)
    feeds = PictureFeeds(bundle.contract, list_pictures(calibration))
    found = {}
    for whole in (False, True):
        made = quantised(model, feeds, float_nodes(model, whole=whole), method="minmax", pack=False)
        (tmp_path / "made.onnx").write_bytes(model_bytes(made))
        found[whole] = compare_layers(bundle.model, tmp_path / "made.onnx", drawn(bundle, 4)).layers[-1]
    assert found[True].node == "together"
    assert (found[True].weakest_db or 0) < (found[False].weakest_db or 0) - 6


def test_auto_gives_back_to_float_what_costs_most_and_no_more(
    tmp_path: Path, calibration: Path, pictures: Path
) -> None:
    """One loud channel leaves the others no steps: without the way out the whole bundle would be lost."""
    bundle = conv_bundle(tmp_path, loud=2000.0)
    words = (bundle.path, "--output", tmp_path / "out", "--int8", "--calibrate", calibration, "--images", pictures)
    lost = run(*words, "--agreement", "0.8")
    assert lost.exit_code == 3, lost.output
    done = run(*words, "--agreement", "0.8", "--auto")
    assert done.exit_code == 0, done.output
    assert "round 3: pass" in done.stderr
    assert "most is lost by middle" in done.stderr
    origin = read_provenance(tmp_path / "out" / "conv-int8")
    assert origin is not None
    assert (origin.settings["float_nodes"], origin.settings["int8_nodes"]) == ("middle, last", 1)


def test_auto_ends_also_where_nothing_helps(tmp_path: Path, calibration: Path, pictures: Path) -> None:
    bundle = conv_bundle(tmp_path, loud=2000.0)
    words = ("--int8", "--calibrate", calibration, "--images", pictures, "--auto", "--budget", "0", "--agreement", "1")
    done = run(bundle.path, "--output", tmp_path / "out", *words)
    assert done.exit_code in (3, 7), done.output
    assert done.stderr.count("round ") == 3


def test_what_was_not_measured_in_time_is_given_back_last(tmp_path: Path) -> None:
    bundle = conv_bundle(tmp_path, loud=2000.0)
    model = prepared(simplified(bundle.model))
    assert influence(model, drawn(bundle, 2), ()).order[0] == "middle"
    ticks = iter([0.0, 1.0, 99.0, 99.0])
    found = influence(model, drawn(bundle, 2), (), limit_s=10, clock=lambda: next(ticks))
    assert (found.order, found.looked_at) == (("first", "middle", "last"), 1)


def test_packed_weights_are_a_quarter_and_compute_the_same(tmp_path: Path, calibration: Path) -> None:
    bundle = conv_bundle(tmp_path)
    model = prepared(simplified(bundle.model))
    feeds = PictureFeeds(bundle.contract, list_pictures(calibration))
    for name, pack in (("pair", False), ("packed", True)):
        made = quantised(model, feeds, float_nodes(model), method="minmax", pack=pack)
        (tmp_path / f"{name}.onnx").write_bytes(model_bytes(made))
    last = compare_layers(tmp_path / "pair.onnx", tmp_path / "packed.onnx", drawn(bundle, 2)).layers[-1]
    assert last.parity.equal
    assert size_of(tmp_path / "packed.onnx").model_bytes < 0.75 * size_of(tmp_path / "pair.onnx").model_bytes


def test_the_form_is_the_engines(tmp_path: Path, calibration: Path) -> None:
    """TensorRT refuses INT32 biases and zero points other than 0; without them ONNX Runtime computes in float."""
    bundle = conv_bundle(tmp_path)
    model = prepared(simplified(bundle.model))
    feeds = PictureFeeds(bundle.contract, list_pictures(calibration))
    kinds = {}
    for cpu in (False, True):
        made = quantised(model, feeds, (), method="minmax", pack=False, cpu=cpu)
        kinds[cpu] = {one.data_type for one in made.graph.initializer}
        zeros = [numpy_helper.to_array(one) for one in made.graph.initializer if one.name.endswith("zero_point")]
        assert any(zero.any() for zero in zeros) == cpu
    assert onnx.TensorProto.INT32 not in kinds[False]
    assert {onnx.TensorProto.INT32, onnx.TensorProto.UINT8} <= kinds[True]


def test_an_old_opset_is_raised_and_nothing_to_quantise_is_said(tmp_path: Path) -> None:
    write_conv_model(tmp_path / "model.onnx", opset=17)
    assert prepared(simplified(tmp_path / "model.onnx")).opset_import[0].version == 17
    with pytest.raises(Trouble) as caught:
        prepared(simplified(tiny_bundle(tmp_path).model))
    assert caught.value.code == "nothing_to_quantise"


@pytest.mark.parametrize("step", ["--simplify", "--prune"])
def test_what_is_in_half_precision_stays_so(tmp_path: Path, step: str) -> None:
    """ONNX Runtime has no such convolution on a CPU: its rewriting would make each one float32 again, between casts."""
    more = ("--keep-refused", "--runs", "0")
    run(conv_bundle(tmp_path).path, "--output", tmp_path / "one", "--fp16", *more)
    run(
        tmp_path / "one" / "conv-fp16",
        "--output",
        tmp_path / "two",
        step,
        *(["0.1"] if step == "--prune" else []),
        *more,
    )
    [made] = (tmp_path / "two").iterdir()
    before, after = (read_model(folder / "model.onnx") for folder in (tmp_path / "one" / "conv-fp16", made))
    assert [node.op_type for node in after.graph.node] == [node.op_type for node in before.graph.node]
    weights = {one.name: one.data_type for one in after.graph.initializer}
    heavy = [node for node in after.graph.node if node.op_type == "Conv"]
    assert {weights[node.input[1]] for node in heavy} == {onnx.TensorProto.FLOAT16}


@pytest.mark.parametrize(
    ("parent", "step", "said"),
    [
        ("--fp16", "--int8", "in half precision already"),
        ("--int8", "--fp16", "quantised already"),
        ("--int8", "--int8", "quantised already"),
        ("--dynamic", "--fp16", "quantised already"),
        ("--fp16", "--dynamic", "in half precision already"),
    ],
)
def test_a_step_that_does_not_take_what_another_made_says_so(
    tmp_path: Path, calibration: Path, parent: str, step: str, said: str
) -> None:
    """Each alone is possible, so somebody does one after the other: no traceback, no file of ours in a temporary folder."""
    words = {"--int8": ("--int8", "--calibrate", calibration)}
    more = ("--keep-refused", "--runs", "0")
    run(conv_bundle(tmp_path).path, "--output", tmp_path / "one", *words.get(parent, (parent,)), *more)
    [made] = (tmp_path / "one").iterdir()
    trouble = refused(made, "--output", tmp_path / "two", *words.get(step, (step,)), *more)
    assert trouble.code == "not_convertible"
    assert said in trouble.what
    assert not (tmp_path / "two").exists()


def test_what_does_not_fit_into_half_precision_stays_in_float_and_is_named(tmp_path: Path) -> None:
    plain, loud = conv_bundle(tmp_path / "plain"), conv_bundle(tmp_path / "loud", first_scale=1e5)
    assert made_half(plain.model, drawn(plain, 2)).notes == ()
    made = made_half(loud.model, drawn(loud, 2))
    assert made.settings["kept_float_nodes"] == "first, relu, middle"
    (tmp_path / "half.onnx").write_bytes(model_bytes(made.model))
    last = compare_layers(loud.model, tmp_path / "half.onnx", drawn(loud, 2)).layers[-1]
    assert last.parity.reaches(40)


def test_pruning_says_what_it_does_not_save(tmp_path: Path) -> None:
    bundle = conv_bundle(tmp_path)
    made = made_pruned(simplified(bundle.model), 0.5)
    (tmp_path / "pruned.onnx").write_bytes(model_bytes(made.model))
    before, after = size_of(bundle.model), size_of(tmp_path / "pruned.onnx")
    assert after.zero_share == pytest.approx(0.5, abs=0.01)
    assert after.model_bytes == pytest.approx(before.model_bytes, rel=0.05)
    assert after.packed_bytes < before.packed_bytes
    assert "neither the file nor the time smaller" in made.notes[0]


def test_the_smallest_weights_go_first() -> None:
    assert without_smallest(np.array([[3.0, -1.0], [0.5, 2.0]]), 0.5).tolist() == [[3, 0], [0, 2]]
    assert without_smallest(np.array([1.0, 1.0]), 0.0).tolist() == [1, 1]


def test_dynamic_quantisation_is_not_made_for_tensorrt(tmp_path: Path) -> None:
    refuse_for_tensorrt("cpu")
    run(conv_bundle(tmp_path).path, "--output", tmp_path / "out", "--dynamic", "--snr", "0")
    ops = {node.op_type for node in read_model(tmp_path / "out" / "conv-dynamic" / "model.onnx").graph.node}
    assert ops & set(ONLY_CPU)


def test_what_is_zero_is_zero_however_it_is_stored(tmp_path: Path, calibration: Path) -> None:
    """Dynamic quantisation stores 0 as its zero point: the table would say that nothing of the pruning was left."""
    pruned = made_pruned(simplified(conv_bundle(tmp_path).model), 0.5).model
    forms = {"dynamic": made_dynamic(pruned).model, "static": pruned}
    for name, model in forms.items():
        (tmp_path / f"{name}.onnx").write_bytes(model_bytes(model))
        assert size_of(tmp_path / f"{name}.onnx").zero_share == pytest.approx(0.5, abs=0.02), name


@pytest.mark.parametrize("axis", [0, 1], ids=["rows", "columns"])
def test_each_channel_has_a_zero_of_its_own(tmp_path: Path, axis: int) -> None:
    weights, points = np.array([[3, 9], [3, 7]], np.uint8), np.array([3, 7], np.uint8)
    arrays = {"w": weights, "scale": np.ones(2, np.float32), "point": points}
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "scale", "point"], ["float"], axis=axis),
        helper.make_node("MatMul", ["x", "float"], ["y"]),
    ]
    ends = [[helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 2])] for name in ("x", "y")]
    constants = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    graph = helper.make_graph(nodes, "one", *ends, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "m.onnx")
    assert size_of(tmp_path / "m.onnx").zero_share == (0.5 if axis == 0 else 0.75)


def test_a_tolerance_for_large_numbers_can_be_read_again(tmp_path: Path) -> None:
    """Else optimise writes a bundle that each robot refuses."""
    ends = [[helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 2])] for name in ("x", "y")]
    nodes = [helper.make_node("Mul", ["x", "much"], ["y"])]
    graph = helper.make_graph(nodes, "large", *ends, [numpy_helper.from_array(np.float32(1e6), "much")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "m.onnx")
    given = np.array([[1, -1]], np.float32)
    found = tolerance_for("dynamic", Golden({"x": given}, {"y": given * 1e6}), Runner(tmp_path / "m.onnx"))
    assert sane(found) == found


@pytest.mark.parametrize("step", ["optimise", "export"])
def test_what_was_refused_is_not_made_good_by_a_step_that_loses_nothing(tmp_path: Path, step: str) -> None:
    """Each step is measured against its parent: measured against a bad one everything is as it was."""
    failed = Check(name="agreement", verdict="fail", text="12 of 40 boxes")
    bad = proved_bundle(tmp_path, measured=(failed, Check(name="finite", verdict="pass", text="finite")))
    made = bad.path
    for number in range(2):
        if step == "export":
            parent, made = made, tmp_path / f"again-{number}"
            done = CliRunner().invoke(export, [str(parent), "--output", str(made)])
        else:
            done = run(made, "--output", tmp_path / "out", "--simplify", "--runs", "0")
            made = tmp_path / "out" / f"{load_bundle(made).contract.name}-simplify"
        assert done.exit_code in (0, 7), done.output
        found = makers_measurements(made)
        assert found.verdict == "fail"
        assert "parent_agreement: 12 of 40 boxes" in found.text


def test_an_engines_own_operators_are_refused(tmp_path: Path) -> None:
    model = onnx.load(str(conv_bundle(tmp_path).model))
    model.graph.node.append(helper.make_node("FusedConv", ["images"], ["x"], domain="com.microsoft"))
    with pytest.raises(Trouble) as caught:
        tidied(model)
    assert caught.value.code == "not_standard"


def test_a_hook_that_is_not_there_is_refused() -> None:
    assert hook("math:sqrt")(4) == 2
    for name in ("math", "math:nothing", "no_such_module:f", ":f", "math:pi"):
        with pytest.raises(Trouble) as caught:
            hook(name)
        assert caught.value.code == "hook_invalid"


def test_a_policy_is_made_smaller_too_but_not_calibrated_with_pictures(tmp_path: Path, calibration: Path) -> None:
    policy = policy_bundle(tmp_path)
    done = run(policy.path, "--output", tmp_path / "out", "--fp16", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["comparison"]["rested_on"].endswith("golden samples")
    assert load_any_bundle(tmp_path / "out" / "arm-fp16").contract.task == "policy"
    code = refused(policy.path, "--output", tmp_path / "out", "--int8", "--calibrate", calibration).code
    assert code == "wrong_task"
    assert drawn(policy, 1)[0]["joints"].shape == (1, 2)


def test_advice_says_what_decides() -> None:
    assert "usually suits" in int8_advice("detection")
    assert "does not suit" in int8_advice("depth")
    assert all("what is measured decides" in int8_advice(task) for task in ("segmentation", "policy", "other"))


def test_the_embedded_detector_survives_fp16_and_without_pictures_that_is_no_pass(tmp_path: Path) -> None:
    done = run(TABLETOP, "--output", tmp_path, "--fp16", "--json")
    assert done.exit_code == 7, done.output
    rows = json.loads(done.stdout)["comparison"]["rows"]
    assert rows[1]["size"]["model_bytes"] < 0.52 * rows[0]["size"]["model_bytes"]
