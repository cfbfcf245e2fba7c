"""Commands on bundles say what is wrong before they begin, and what they do while they do it: nobody waits for a silent one."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from remote.cli import USAGE_CODES
from remote.errors import Trouble
from remote.models.commands import bundle as bundle_group
from remote.models.comparing.command import compare
from remote.models.comparing.layers_command import layers
from remote.models.export.command import export
from remote.models.optimise.command import optimise
from remote.models.validation.command import validate
from tests.remote.models.conv_models import conv_bundle
from tests.tiny_models import base_yolov8, write_model


def run(command: click.Command, *words: object) -> tuple[int, str, str, BaseException | None]:
    done = CliRunner().invoke(command, [str(word) for word in words])
    return done.exit_code, done.stdout, done.stderr, done.exception


def test_calibration_pictures_that_are_not_there_are_said_before_anything_is_begun(tmp_path: Path) -> None:
    made = conv_bundle(tmp_path)
    _, _, said, error = run(
        optimise, made.path, "--int8", "--calibrate", tmp_path / "nothere", "--output", tmp_path / "out"
    )
    assert isinstance(error, Trouble)
    assert "nothere" in error.what
    assert said == ""


def test_a_bundle_that_is_not_there_is_said_before_anything_is_begun(tmp_path: Path) -> None:
    _, _, said, error = run(validate, tmp_path / "nothere", "--runs", "1")
    assert isinstance(error, Trouble)
    assert (error.code, said) == ("bundle_missing", "")


@pytest.mark.parametrize("words", [("--prune", "30"), ("--structured", "20"), ("--budget", "2")])
def test_a_percentage_given_for_a_share_is_told_what_a_share_is(tmp_path: Path, words: tuple[str, str]) -> None:
    code, _, said, _ = run(optimise, tmp_path, "--output", tmp_path / "out", *words)
    assert code == 2
    assert "0.3 is 30 %" in " ".join(said.split())


def test_what_goes_on_is_said_while_it_does(tmp_path: Path) -> None:
    made = conv_bundle(tmp_path)
    _, out, said, _ = run(compare, made.path, made.path, "--runs", "2", "--json")
    assert json.loads(out)["rows"]
    assert [line.split(" ")[0] for line in said.splitlines()] == ["reading", "running", "timing"]
    _, out, said, _ = run(layers, made.path, made.path, "--json")
    assert json.loads(out)["first_wrong"] is None
    assert "running every node" in said
    _, _, said, _ = run(optimise, made.path, "--fp16", "--runs", "1", "--output", tmp_path / "out")
    assert "measuring it beside its parent" in said


def test_options_that_exclude_each_other_end_as_a_usage_error() -> None:
    """docs/exit-codes.md says 2 of them; a script that tells its own mistakes by the code took this one for the bundle's."""
    assert "dynamic_on_tensorrt" in USAGE_CODES


def test_a_made_bundle_is_told_as_json(tmp_path: Path) -> None:
    base, follow = base_yolov8()
    model, names = write_model(tmp_path / "m.onnx", base, follow), tmp_path / "names.txt"
    names.write_text("cube\nball\n")
    words = ("make", model, "--like", "yolov8", "--labels", names, "--output", tmp_path / "b", "--json")
    code, out, said, _ = run(bundle_group, *words)
    assert code == 0, said
    told = json.loads(out)
    checked = json.loads(run(bundle_group, "check", tmp_path / "b", "--json")[1])
    assert {name: checked[name] for name in told if name != "path"} == {
        name: value for name, value in told.items() if name != "path"
    }


def test_a_bundle_that_is_called_as_every_training_calls_its_file_says_so(tmp_path: Path) -> None:
    base, follow = base_yolov8()
    names = tmp_path / "names.txt"
    names.write_text("cube\nball\n")
    for stem, is_said in (("model", True), ("gripper", False)):
        model = write_model(tmp_path / f"{stem}.onnx", base, follow)
        words = (model, "--like", "yolov8", "--labels", names, "--output", tmp_path / f"made-{stem}")
        code, _, said, _ = run(export, *words)
        assert code == 0, said
        assert ("--name gives it" in said) is is_said, said
