"""A folder that is no whole bundle is refused on the laptop, in words, before a robot waits for it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.link.bundle_send import look_at
from remote.errors import Trouble
from remote.manifest import MANIFEST, digest_of
from tests.tiny_models import tiny_bundle

Damage = Callable[[Path], object]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("made")).path


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "bundle"))


def manifest(**files: object) -> Damage:
    """Other entries of the manifest."""

    def change(said: dict[str, Any]) -> None:
        said["files"] |= files

    return changed(change)


def changed(change: Callable[[dict[str, Any]], object]) -> Damage:
    def damage(folder: Path) -> None:
        said = json.loads((folder / MANIFEST).read_text())
        change(said)
        (folder / MANIFEST).write_text(json.dumps(said))

    return damage


def bytes_of(data: bytes) -> Damage:
    return lambda folder: (folder / MANIFEST).write_bytes(data)


def twice(folder: Path) -> None:
    text = (folder / MANIFEST).read_text()
    entry = '"model.onnx": {"bytes": 1, "sha256": "' + "0" * 64 + '"},'
    (folder / MANIFEST).write_text(text.replace('"files": {', '"files": {' + entry))


def linked(folder: Path) -> None:
    (folder / "model.onnx").rename(folder.parent / "elsewhere.onnx")
    (folder / "model.onnx").symlink_to(folder.parent / "elsewhere.onnx")


def cut(folder: Path) -> None:
    os.truncate(folder / "model.onnx", 10)


def a_pipe(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    os.mkfifo(folder / MANIFEST)


ENTRY = {"sha256": "0" * 64, "bytes": 1}
NAMES = ["../secret", "/etc/passwd", "a/b", "..", ".hidden", "a\0b", "c:\\x", "", "x" * 50_000, "a\nb", "a'; reboot"]


def test_a_whole_bundle_may_be_sent(copy: Path) -> None:
    (copy / "notes.txt").write_text("mine")
    assert look_at(copy) == (digest_of((copy / MANIFEST).read_bytes()), ("notes.txt",))


@pytest.mark.parametrize(
    ("damage", "code", "says"),
    [
        (shutil.rmtree, "bundle_incomplete", "there is no folder"),
        (lambda f: (f / MANIFEST).unlink(), "bundle_incomplete", "manifest.json does not exist"),
        (a_pipe, "bundle_incomplete", "is not a regular file"),
        (bytes_of(b""), "bundle_incomplete", "is no bundle"),
        (bytes_of(b"\xff\xfe{}"), "bundle_incomplete", "is no bundle"),
        (bytes_of("{}".encode("utf-16")), "bundle_incomplete", "is no bundle"),
        (bytes_of(b"[" * 60_000), "bundle_incomplete", "is no bundle"),
        (bytes_of(b"[]"), "bundle_incomplete", "Expected `object`"),
        (bytes_of(b" " * 70_000), "bundle_incomplete", "longer than 65536 bytes"),
        (manifest(**{f"f{n}": ENTRY for n in range(100_000)}), "bundle_incomplete", "longer than 65536 bytes"),
        (manifest(**{f"f{n}": ENTRY for n in range(100)}), "bundle_incomplete", "<= 64"),
        (manifest(x=1), "bundle_incomplete", "Expected `object`"),
        (manifest(x={"sha256": "0" * 64}), "bundle_incomplete", "`bytes`"),
        (manifest(x={"sha256": "0" * 63, "bytes": 1}), "bundle_incomplete", "sha256"),
        (manifest(x={"sha256": 7, "bytes": 1}), "bundle_incomplete", "Expected `str`"),
        (manifest(x={"sha256": "0" * 64, "bytes": -1}), "bundle_incomplete", "bytes"),
        (manifest(x={"sha256": "0" * 64, "bytes": "1"}), "bundle_incomplete", "Expected `int`"),
        (changed(lambda said: said.update(files=[])), "bundle_incomplete", "Expected `object`"),
        (changed(lambda said: said.update(format=2)), "bundle_incomplete", "format"),
        (changed(lambda said: said["files"].pop("contract.yaml")), "bundle_incomplete", "lacks contract.yaml"),
        (changed(lambda said: said["files"]["model.onnx"].update(bytes=1)), "bundle_changed", "model.onnx is not the"),
        (changed(lambda said: said["files"]["model.onnx"].update(ENTRY)), "bundle_changed", "model.onnx is not the"),
        (twice, "bundle_incomplete", "gives 'model.onnx' twice"),
        (manifest(x=ENTRY), "bundle_incomplete", "x is missing, the manifest names it"),
        (lambda f: (f / "model.onnx").open("ab").write(b"x"), "bundle_changed", "model.onnx is not the file"),
        (cut, "bundle_incomplete", "model.onnx is truncated: 10 of"),
        (linked, "bundle_changed", "is a symbolic link"),
    ],
)
def test_what_is_no_whole_bundle_is_refused_in_words(copy: Path, damage: Damage, code: str, says: str) -> None:
    damage(copy)
    with pytest.raises(Trouble) as caught:
        look_at(copy)
    assert caught.value.code == code
    assert says in caught.value.what
    assert len(caught.value.what) < 2000
    assert caught.value.cure


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_no_manifest_makes_another_file_be_sent(copy: Path, name: str) -> None:
    manifest(**{name: ENTRY})(copy)
    with pytest.raises(Trouble, match="outside of the bundle's folder") as caught:
        look_at(copy)
    assert caught.value.code == "bundle_incomplete"
    assert len(caught.value.what) < 2000


@settings(max_examples=40, deadline=None)
@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_no_manifest_ends_in_a_crash(made: Path, tmp_path_factory: pytest.TempPathFactory, said: object) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    (folder / MANIFEST).write_text(json.dumps(said))
    with pytest.raises(Trouble) as caught:
        look_at(folder)
    assert caught.value.code == "bundle_incomplete"
