"""A campaign about a folder that is not what its manifest says would vouch for weights that nobody has seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from console.campaigns.bundle_folder import bundle_in
from remote.errors import Trouble
from tests.console.checklist.bundle_files import FILES, make_bundle


def test_a_whole_bundle_gives_its_digest_and_its_name(tmp_path: Path) -> None:
    digest = make_bundle(tmp_path)
    assert bundle_in(tmp_path) == (digest, "tabletop")


def _name_outside(folder: Path) -> None:
    said = json.loads((folder / "manifest.json").read_text())
    said["files"]["../else"] = said["files"]["model.onnx"]
    (folder / "manifest.json").write_text(json.dumps(said))


def _link(folder: Path) -> None:
    (folder / "model.onnx").rename(folder / "real.onnx")
    (folder / "model.onnx").symlink_to("real.onnx")


@pytest.mark.parametrize(
    ("harm", "code", "said"),
    [
        (lambda f: (f / "model.onnx").write_bytes(b"OTHER 3eight"[:11]), "bundle_changed", "SHA-256 differs"),
        (lambda f: (f / "model.onnx").write_bytes(b"the weights and more"), "bundle_changed", "SHA-256 differs"),
        (lambda f: (f / "model.onnx").write_bytes(b"the"), "bundle_incomplete", "truncated: 3 of 11 bytes"),
        (lambda f: (f / "contract.yaml").unlink(), "bundle_incomplete", "contract.yaml is missing"),
        (_link, "bundle_changed", "symbolic link"),
        (_name_outside, "bad_bundle", "outside of the bundle's folder"),
        (lambda f: (f / "manifest.json").unlink(), "bad_bundle", "can't be read"),
        (lambda f: (f / "manifest.json").write_bytes(b"{"), "bad_bundle", "can't be read"),
        (lambda f: (f / "manifest.json").write_bytes(b"[" * 60_000), "bad_bundle", "can't be read"),
        (lambda f: (f / "manifest.json").write_bytes(b" " * 70_000), "bad_bundle", "longer than"),
        (lambda f: make_bundle(f, files={"model.onnx": FILES["model.onnx"]}) and None, "bad_bundle", "lacks contract"),
    ],
)
def test_what_the_manifest_does_not_name_is_refused(
    tmp_path: Path, harm: Callable[[Path], None], code: str, said: str
) -> None:
    make_bundle(tmp_path)
    harm(tmp_path)
    with pytest.raises(Trouble, match=said) as caught:
        bundle_in(tmp_path)
    assert caught.value.code == code


def test_a_folder_that_is_not_there_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="is no bundle"):
        bundle_in(tmp_path / "nowhere")
