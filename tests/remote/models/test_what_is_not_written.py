"""What must not be made, and where it must not be written: found before anything is in the way, with words that help."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

from remote import cli
from remote.errors import Trouble
from remote.models import commands
from remote.models.bundle import load_bundle
from remote.models.export.command import export
from remote.models.export.export import export_model
from remote.models.export.wishes import Wishes
from remote.models.make import make_bundle, write_bundle
from remote.models.provenance import Provenance
from remote.models.writing import refuse_output, writing
from remote.verdicts import Check
from tests.tiny_models import LABELS, base_yolov8, tiny_bundle, write_model

ROOT = Path(__file__).resolve().parents[3]


def agent(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "remote", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def raw_cells(folder: Path) -> list[str]:
    """The words for a model of another family's raw cells: the shape fits, its sizes are logarithms."""
    base = np.full((1, 84, 7), 0.001, np.float32)
    base[0, :, 2:4] = -1.0
    write_model(folder / "m.onnx", base, np.zeros_like(base))
    (folder / "n.txt").write_text("cube\nball\n")
    return [
        str(folder / "m.onnx"),
        "--like",
        "yolov5",
        "--labels",
        str(folder / "n.txt"),
        "--output",
        str(folder / "b"),
    ]


def exported(words: list[str]) -> Result:
    return CliRunner().invoke(export, words)


def made(words: list[str]) -> Result:
    return CliRunner().invoke(commands.bundle, ["make", *words])


@pytest.mark.parametrize("write", [exported, made], ids=["export", "make"])
def test_another_familys_raw_cells_are_not_written(tmp_path: Path, write: Callable[[list[str]], Result]) -> None:
    done = write(raw_cells(tmp_path))
    assert "raw cells of yolox" in f"{done.stderr}{done.exception}"
    assert done.exit_code == (3 if write is exported else 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.onnx", "n.txt"]


def test_an_output_that_would_be_in_the_way_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told to remove that folder first, a person would remove the model, or where they are."""
    source = tiny_bundle(tmp_path).path
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    refused = {"": "that you are in", ".": "that you are in", "file": "is a file"}
    refused |= {str(source): "what is read", f"{source}/new": "what is read", "..": "what is read"}
    for output, says in refused.items():
        with pytest.raises(Trouble, match=says) as caught:
            export_model(source, Wishes(output=Path(output)))
        assert "emove" not in caught.value.cure
    refuse_output(tmp_path / "new", source)


def test_a_folder_of_something_else_is_not_said_to_be_removed(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.txt").touch()
    with pytest.raises(Trouble, match="holds something else") as caught:
        make_bundle(write_model(tmp_path / "m.onnx", *base_yolov8()), "yolov8", LABELS, tmp_path / "b")
    assert caught.value.cure == "Choose another --output"


@pytest.mark.parametrize("output", ["file/n", "/proc/nowhere/n"])
def test_a_place_that_takes_no_folder_is_told_in_words(tmp_path: Path, output: str) -> None:
    source = tiny_bundle(tmp_path).path
    (tmp_path / "file").touch()
    with pytest.raises(Trouble, match="nothing can be written to") as caught:
        export_model(source, Wishes(output=tmp_path / output))
    assert caught.value.code == "unwritable"


def test_a_file_that_can_not_be_read_is_not_called_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), writing(tmp_path / "b" / "c"):
        raise PermissionError(13, "Permission denied", "/somewhere/else/m.onnx")
    with pytest.raises(Trouble, match="No space left"), writing(tmp_path / "b"):
        raise OSError(28, "No space left on device")


def test_a_bundle_that_was_refused_and_kept_stays_recognisable(tmp_path: Path) -> None:
    checks = Check(name="accuracy", verdict="fail", text="lost 9 %"), Check(name="size", verdict="pass", text="less")
    known = msgspec.json.encode(Provenance(step="int8", source="x", opset=17, measured=checks))
    plain = tiny_bundle(tmp_path)
    kept = write_bundle(plain.model, plain.contract, tmp_path / "kept", {"provenance.json": known})
    text = CliRunner().invoke(commands.bundle, ["check", str(kept.path)]).stdout
    assert "its maker measured a failure: accuracy: lost 9 %" in text
    assert "size" not in text
    assert "its maker" not in CliRunner().invoke(commands.bundle, ["check", str(plain.path)]).stdout


def test_a_folder_that_is_no_bundle_is_called_that(tmp_path: Path) -> None:
    for refusing in (load_bundle, lambda path: export_model(path, Wishes(output=tmp_path / "b", like="yolox"))):
        with pytest.raises(Trouble, match=r"is no bundle: it has no manifest\.json"):
            refusing(tmp_path)


def test_wrong_words_end_with_2_and_what_can_not_be_read_with_1_without_a_traceback(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path).path
    wrong = agent("model", "export", bundle, "--output", tmp_path / "b", "--size", "640")
    assert (wrong.returncode, wrong.stderr.splitlines()[0]) == (2, "fieldgate-agent: --size '640' is not WIDTHxHEIGHT")
    assert agent("model", "export").returncode == 2
    (tmp_path / "n.txt").mkdir()
    unread = agent(
        "bundle",
        "make",
        tmp_path / "tiny.onnx",
        "--like",
        "yolov8",
        "--labels",
        tmp_path / "n.txt",
        "--output",
        tmp_path / "b",
    )
    assert unread.returncode == 1
    assert "Traceback" not in unread.stderr


@pytest.mark.parametrize("called_as", ["fieldgate-agent", "fieldgate"])
def test_ctrl_c_is_said_once(
    called_as: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who hands work on says it too: `Aborted!` and then `interrupted` would be two ends of one command."""

    def stopped() -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(cli.cli.commands, "stopped", click.Command("stopped", callback=stopped))
    monkeypatch.setenv("FIELDGATE_CALLED_AS", called_as)
    monkeypatch.setattr(sys, "argv", ["fieldgate-agent", "stopped"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err.split()
    assert (ended.value.code, said) == (130, ["interrupted"] if called_as == "fieldgate-agent" else [])
