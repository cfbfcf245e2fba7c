"""Export from torch, with real torch: what the robot runs gives what the training's own module gives."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result

torch = pytest.importorskip("torch", reason="torch is not installed here: run `make test-train`")

from remote.errors import Trouble  # noqa: E402
from remote.models.bundle import load_bundle  # noqa: E402
from remote.models.check import check_bundle  # noqa: E402
from remote.models.export.command import export  # noqa: E402
from remote.models.export.export import export_model  # noqa: E402
from remote.models.export.wishes import Wishes  # noqa: E402
from remote.models.golden import read_golden  # noqa: E402
from remote.models.provenance import read_provenance  # noqa: E402
from tests.remote.models import export_factories  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
EMBEDDED = ROOT / "remote" / "bundles" / "tabletop"
FACTORIES = "tests.remote.models.export_factories"


def run(*words: object) -> Result:
    return CliRunner().invoke(export, [str(word) for word in words])


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    """A state_dict of the small network, with its labels beside it."""
    torch.manual_seed(3)
    (tmp_path / "n.txt").write_text("cube\nball\n")
    torch.save(export_factories.boxes().state_dict(), tmp_path / "boxes.pt")
    return tmp_path / "boxes.pt"


def wishes(folder: Path, **more: Any) -> Wishes:
    usual: dict[str, Any] = {
        "output": folder / "b", "like": "yolov8", "labels": folder / "n.txt", "size": (64, 48), "factory": f"{FACTORIES}:boxes",
    }  # fmt: skip
    return Wishes(**{**usual, **more})


def test_the_embedded_network_with_other_weights_becomes_a_bundle_that_checks(tmp_path: Path) -> None:
    torch.manual_seed(1)
    torch.save({"epoch": 3, "state_dict": export_factories.tabletop().state_dict()}, tmp_path / "c.pt")
    words = ["--factory", f"{FACTORIES}:tabletop", "--contract", EMBEDDED / "contract.yaml", "--torchscript", "--json"]
    done = run(tmp_path / "c.pt", *words, "--output", tmp_path / "b")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    verdicts = {check["name"]: check["verdict"] for check in report["checks"]}
    for name in ("parity", "definition", "torchscript", "tracing", "checker"):
        assert verdicts[name] == "pass", name
    assert check_bundle(tmp_path / "b", runs=1).labels == 4
    assert "model.torchscript.pt" in report["files"]
    scripted = torch.jit.load(str(tmp_path / "b" / "model.torchscript.pt"))
    golden = read_golden(tmp_path / "b")
    assert golden is not None
    again = scripted(torch.from_numpy(golden.inputs["images"][:1])).numpy()
    assert np.allclose(again[0], golden.outputs["output"][0], atol=1e-3)


def test_golden_outputs_are_the_modules_own(boxes: Path) -> None:
    export_model(boxes, wishes(boxes.parent))
    module = export_factories.boxes()
    module.load_state_dict(torch.load(boxes, weights_only=True))
    golden = read_golden(boxes.parent / "b")
    assert golden is not None
    with torch.no_grad():
        assert np.array_equal(
            module(torch.from_numpy(golden.inputs["images"][4:5])).numpy()[0], golden.outputs["output"][4]
        )


@pytest.mark.parametrize(("exporter", "asked", "came"), [("trace", 16, 16), ("dynamo", 16, 18)])
def test_the_opset_is_the_one_in_the_file_not_the_one_asked_for(
    boxes: Path, exporter: Any, asked: int, came: int
) -> None:
    """Who asks for 16 because the robot's parser ends there must learn that 18 came."""
    report = export_model(boxes, wishes(boxes.parent, exporter=exporter, opset=asked))
    written = onnx.load(str(boxes.parent / "b" / "model.onnx"))
    assert report.opset == written.opset_import[0].version == came
    [check] = [one for one in report.checks if one.name == "opset"]
    assert ("16 was asked for" in check.text) == (came != asked)
    provenance = read_provenance(boxes.parent / "b")
    assert provenance is not None
    assert (provenance.opset, provenance.settings["opset_asked"]) == (came, asked)


def test_axes_are_open_on_request_and_proved_to_be(boxes: Path) -> None:
    report = export_model(boxes, wishes(boxes.parent, dynamic=("batch", "size")))
    assert report.inputs == {"images": "batch x 3 x height x width"}
    assert {"dynamic_batch", "dynamic_size"} <= {check.name for check in report.checks}
    assert load_bundle(boxes.parent / "b").contract.input.width == 64


def test_a_module_made_for_one_size_is_not_called_dynamic(tmp_path: Path) -> None:
    torch.save(export_factories.tabletop().state_dict(), tmp_path / "c.pt")
    asked = Wishes(
        output=tmp_path / "b", contract=EMBEDDED / "contract.yaml", factory=f"{FACTORIES}:tabletop", dynamic=("size",)
    )
    with pytest.raises(Trouble, match="does not take another size") as caught:
        export_model(tmp_path / "c.pt", asked)
    assert caught.value.code == "not_dynamic"
    assert not (tmp_path / "b").exists()


def test_torchscript_needs_no_factory(boxes: Path) -> None:
    torch.jit.save(torch.jit.script(export_factories.boxes().eval()), str(boxes.parent / "m.ts"))
    assert export_model(boxes.parent / "m.ts", wishes(boxes.parent, factory=None)).source == "TorchScript m.ts"


@pytest.mark.parametrize("key", ["state_dict", "model", None])
def test_a_state_dict_is_found_where_trainings_put_it(boxes: Path, key: str | None) -> None:
    state = {f"module.{name}": one for name, one in torch.load(boxes, weights_only=True).items()}
    torch.save({key: state, "epoch": 1} if key else state, boxes)
    assert export_model(boxes, wishes(boxes.parent)).task == "detection"
    made = read_provenance(boxes.parent / "b")
    assert made is not None
    assert made.settings.get("key") == key


def test_of_weights_and_their_moving_average_none_is_taken_without_a_word(boxes: Path) -> None:
    state = torch.load(boxes, weights_only=True)
    torch.save({"model": state, "ema": {name: one * 2 for name, one in state.items()}}, boxes)
    with pytest.raises(Trouble, match="several state_dicts: model, ema") as caught:
        export_model(boxes, wishes(boxes.parent))
    assert caught.value.cure == "Say which: --key model or --key ema"
    assert export_model(boxes, wishes(boxes.parent, key="ema")).task == "detection"


# ---------------------------------------------------------------- refusals


class Runs:
    """Makes a folder when it is unpickled."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.proof),)


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old file"])
def test_a_pickle_that_runs_code_does_not_run_and_what_it_wanted_is_named(boxes: Path, old: bool) -> None:
    proof = boxes.parent / "ran"
    torch.save({"state_dict": Runs(proof)}, boxes, _use_new_zipfile_serialization=not old)
    with pytest.raises(Trouble, match=r"posix\.mkdir") as caught:
        export_model(boxes, wishes(boxes.parent))
    assert caught.value.code == "pickle_refused"
    assert not proof.exists()


def test_a_whole_module_is_refused_unless_its_owner_trusts_it(boxes: Path) -> None:
    torch.save(export_factories.boxes(), boxes)
    with pytest.raises(Trouble, match=r"it wants .*export_factories\.Boxes") as caught:
        export_model(boxes, wishes(boxes.parent, factory=None))
    assert "--trust-pickle" in caught.value.cure
    assert export_model(boxes, wishes(boxes.parent, factory=None, trust_pickle=True)).task == "detection"


@pytest.mark.parametrize("share", [0.05, 0.5, 0.98])
def test_a_truncated_checkpoint_is_refused(boxes: Path, share: float) -> None:
    whole = boxes.read_bytes()
    boxes.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(Trouble) as caught:
        export_model(boxes, wishes(boxes.parent))
    assert caught.value.code == "source_damaged"


@pytest.mark.parametrize("share", [0.05, 0.5, 0.98])
def test_truncated_torchscript_is_refused(boxes: Path, share: float) -> None:
    path = boxes.parent / "m.ts"
    torch.jit.save(torch.jit.script(export_factories.boxes().eval()), str(path))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(Trouble) as caught:
        export_model(path, wishes(boxes.parent, factory=None))
    assert caught.value.code == "source_damaged"


def test_torchscript_with_a_damaged_program_is_refused(boxes: Path) -> None:
    path = boxes.parent / "m.ts"
    torch.jit.save(torch.jit.script(export_factories.boxes().eval()), str(path))
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        entries = {one.filename: archive.read(one) for one in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, b"def forward(:" if name.endswith(".py") else content)
    assert path.read_bytes() != data
    with pytest.raises(Trouble) as caught:
        export_model(path, wishes(boxes.parent, factory=None))
    assert caught.value.code == "source_damaged"


@pytest.mark.parametrize(
    ("factory", "code", "says"),
    [
        (None, "factory_missing", "--factory"),
        (f"{FACTORIES}:none", "factory_missing", "none"),
        ("no.such.package:x", "factory_missing", "no"),
        ("words", "usage", "names no function"),
        (f"{FACTORIES}:needs_arguments", "factory_failed", "TypeError"),
        (f"{FACTORIES}:no_module", "factory_failed", "gives a int"),
        (f"{FACTORIES}:tabletop", "state_mismatch", "missing"),
    ],
)
def test_a_factory_that_does_not_make_the_module_is_told(boxes: Path, factory: Any, code: str, says: str) -> None:
    with pytest.raises(Trouble) as caught:
        export_model(boxes, wishes(boxes.parent, factory=factory))
    assert caught.value.code == code
    assert says in str(caught.value)


def test_weights_of_another_shape_or_name_are_told_by_name(boxes: Path) -> None:
    torch.save({"stem.weight": torch.zeros(6, 3, 1, 1), "stm.bias": torch.zeros(6)}, boxes)
    with pytest.raises(Trouble) as caught:
        export_model(boxes, wishes(boxes.parent))
    for words in ("1 missing (stem.bias)", "1 unknown (stm.bias)", "stem.weight is [6, 3, 1, 1]"):
        assert words in caught.value.what


def test_weights_that_are_nan_are_refused_with_exit_code_3(boxes: Path) -> None:
    state = torch.load(boxes, weights_only=True)
    state["stem.weight"][0, 0, 0, 0] = float("nan")
    torch.save(state, boxes)
    words = [
        "--like",
        "yolov8",
        "--labels",
        boxes.parent / "n.txt",
        "--size",
        "64x48",
        "--factory",
        f"{FACTORIES}:boxes",
    ]
    done = run(boxes, *words, "--output", boxes.parent / "b")
    assert done.exit_code == 3
    assert "NaN or infinite where it was trained" in done.stderr
    assert not (boxes.parent / "b").exists()


def test_what_depends_on_the_input_and_was_frozen_is_caught_by_parity(boxes: Path) -> None:
    """Tracing runs once, on zeros: the branch for a bright picture is not in the file."""
    torch.save(export_factories.branching().state_dict(), boxes)
    with pytest.raises(Trouble) as caught:
        export_model(boxes, wishes(boxes.parent, factory=f"{FACTORIES}:branching"))
    assert caught.value.code == "parity_failed"
    assert "of sample" in caught.value.what
    assert not (boxes.parent / "b").exists()


def test_labels_that_do_not_fit_the_output_are_refused(boxes: Path) -> None:
    (boxes.parent / "n.txt").write_text("cube\nball\ncone\n")
    with pytest.raises(Trouble, match="4 \\+ 2 labels; the contract has 3"):
        export_model(boxes, wishes(boxes.parent))
