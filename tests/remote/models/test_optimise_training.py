"""Structured pruning and distillation with real torch: a smaller graph that was trained back, and says what it cost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

torch = pytest.importorskip("torch", reason="torch is not installed here: run `make test-train`")
pytest.importorskip("torch_pruning", reason="torch-pruning is not installed here: run `make test-train`")

from remote.errors import Trouble  # noqa: E402
from remote.models.bundle import Bundle, load_bundle  # noqa: E402
from remote.models.comparing.model_file import read_model  # noqa: E402
from remote.models.export.export import export_model  # noqa: E402
from remote.models.export.wishes import Wishes  # noqa: E402
from remote.models.golden import read_golden  # noqa: E402
from remote.models.optimise.command import optimise  # noqa: E402
from remote.models.provenance import Provenance, read_provenance  # noqa: E402
from tests.remote.models import training_hooks  # noqa: E402
from tests.remote.models.conv_models import write_pictures  # noqa: E402

HOOKS = "tests.remote.models.training_hooks"


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle that was exported from the module."""
    folder = tmp_path_factory.mktemp("parent")
    (folder / "n.txt").write_text("cube\nball\n")
    torch.save(training_hooks.net().state_dict(), folder / "net.pt")
    wishes = Wishes(
        output=folder / "net", like="yolov8", labels=folder / "n.txt", size=(64, 48), factory=f"{HOOKS}:net"
    )
    export_model(folder / "net.pt", wishes)
    return load_bundle(folder / "net")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("train"), 12)


def run(parent: Bundle, output: Path, pictures: Path, *words: str) -> Result:
    always = ["--train", str(pictures), "--keep-refused", "--runs", "0", "--json"]
    return CliRunner().invoke(optimise, [str(parent.path), "--output", str(output), *always, *words])


def parity_db(done: Result) -> float:
    assert done.exit_code in (0, 3, 7), done.output
    return float(json.loads(done.stdout)["comparison"]["rows"][1]["parity"]["snr_db"])


def origin(output: Path, step: str) -> Provenance:
    found = read_provenance(next(output.glob(f"*-{step}")))
    assert found is not None
    return found


def test_channels_that_were_taken_out_are_gone_and_training_brings_the_answers_back(
    parent: Bundle, pictures: Path, tmp_path: Path
) -> None:
    words = ("--structured", "0.5", "--module", f"{HOOKS}:net")
    bare = run(parent, tmp_path / "bare", pictures, *words)
    tuned = run(parent, tmp_path / "tuned", pictures, *words, "--finetune", f"{HOOKS}:finetune")
    assert parity_db(tuned) > parity_db(bare) + 6
    assert "nothing was trained after it: give --finetune or --distil, or expect a loss" in bare.stdout
    made = load_bundle(next((tmp_path / "tuned").glob("*-structured")))
    stem = next(one for one in read_model(made.model).graph.initializer if list(one.dims)[1:] == [3, 3, 3])
    assert stem.dims[0] == training_hooks.WIDTH // 2
    settings = origin(tmp_path / "tuned", "structured").settings
    assert settings["finetune"] == f"{HOOKS}:finetune"
    assert int(settings["parameters_after"] or 0) < 0.6 * int(settings["parameters_before"] or 0)
    ours, theirs = read_golden(made.path), read_golden(parent.path)
    assert ours is not None
    assert theirs is not None
    assert (ours.inputs["images"] == theirs.inputs["images"]).all()
    assert (ours.outputs["output"] != theirs.outputs["output"]).any()  # trained anew: it is held to its own


def test_a_student_learns_what_its_parent_says(parent: Bundle, pictures: Path, tmp_path: Path) -> None:
    words = ("--module", f"{HOOKS}:student", "--distil", f"{HOOKS}:distil")
    taught = run(parent, tmp_path / "taught", pictures, *words)
    untaught = run(parent, tmp_path / "bare", pictures, "--module", f"{HOOKS}:student", "--structured", "0.0")
    assert parity_db(taught) > parity_db(untaught) + 6
    settings = origin(tmp_path / "taught", "distil").settings
    assert (settings["distil"], settings["share"]) == (f"{HOOKS}:distil", 0.0)
    again = run(parent, tmp_path / "again", pictures, *words)
    assert json.loads(again.stdout)["digest"] == json.loads(taught.stdout)["digest"]


def test_a_module_that_ends_otherwise_is_refused(parent: Bundle, pictures: Path, tmp_path: Path) -> None:
    refused = run(
        parent, tmp_path / "o", pictures, "--structured", "0.0", "--module", f"{HOOKS}:other_outputs"
    ).exception
    assert isinstance(refused, Trouble)
    assert refused.code == "outputs_changed"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--module", f"{HOOKS}:net", "--finetune", f"{HOOKS}:forgetful"), "forgetful gave None, not a torch module"),
        (("--module", f"{HOOKS}:nothing"), "nothing gave None, not a torch module"),
    ],
    ids=["finetune", "module"],
)
def test_a_hook_that_forgets_to_return_is_told_so(
    parent: Bundle, pictures: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    refused = run(parent, tmp_path / "o", pictures, "--structured", "0.0", *words).exception
    assert isinstance(refused, Trouble)
    assert (refused.code, refused.what.partition(":")[2]) == ("hook_invalid", said)
