"""A bundle that is damaged, swapped or hostile must never become a running model, and the person must learn which file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from remote.errors import Trouble
from remote.manifest import digest_of, entry_of, parse_manifest
from remote.models.bundle import load_bundle
from remote.models.contract_file import contract_text, parse_contract
from tests.tiny_models import tiny_bundle

Damage = Callable[[Path], object]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("made")).path


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "bundle"))


def test_an_undamaged_bundle_is_read_and_named_by_its_manifest(copy: Path) -> None:
    bundle = load_bundle(copy)
    assert bundle.digest == digest_of((copy / "manifest.json").read_bytes())
    assert bundle.contract.labels == ("cube", "ball")
    assert bundle.model == copy / "model.onnx"


def cut(name: str, share: float) -> Damage:
    def damage(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(len(data) * share)])

    return damage


def flip(folder: Path) -> None:
    data = bytearray((folder / "model.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "model.onnx").write_bytes(bytes(data))


def link_out(folder: Path) -> None:
    outside = folder.parent / "elsewhere.onnx"
    (folder / "model.onnx").rename(outside)
    (folder / "model.onnx").symlink_to(outside)


@pytest.mark.parametrize(
    ("damage", "code", "names"),
    [
        (lambda f: (f / "model.onnx").unlink(), "bundle_incomplete", "model.onnx is missing"),
        (cut("model.onnx", 0.5), "bundle_incomplete", "model.onnx is truncated"),
        (flip, "bundle_changed", "model.onnx is not the file of the manifest"),
        (lambda f: (f / "contract.yaml").open("a").write("# x\n"), "bundle_changed", "contract.yaml"),
        (link_out, "bundle_changed", "symbolic link"),
        (lambda f: (f / "manifest.json").unlink(), "bundle_incomplete", "manifest.json does not exist"),
        (cut("manifest.json", 0.5), "manifest_invalid", "manifest.json"),
        (lambda f: (f / "manifest.json").write_bytes(b"\xff\xfe"), "manifest_invalid", "manifest.json"),
        (lambda f: (f / "manifest.json").write_bytes(b" " * 70_000), "bundle_incomplete", "longer than"),
        (lambda f: (f / "manifest.json").write_bytes(b"[" * 60_000), "manifest_invalid", "manifest.json"),
        (shutil.rmtree, "bundle_missing", "does not exist"),
    ],
)
def test_a_damaged_bundle_is_refused_with_file_and_cure(copy: Path, damage: Damage, code: str, names: str) -> None:
    damage(copy)
    with pytest.raises(Trouble) as caught:
        load_bundle(copy)
    assert caught.value.code == code
    assert names in caught.value.what
    assert caught.value.cure


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", "..", ".hidden", "a\0b", "c:\\x", "", "x" * 200])
def test_a_manifest_cannot_name_files_outside_of_its_folder(copy: Path, name: str) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"][name] = {"sha256": "0" * 64, "bytes": 1}
    with pytest.raises(Trouble, match="outside of the bundle's folder"):
        parse_manifest(json.dumps(manifest).encode(), copy / "manifest.json")


def test_a_manifest_needs_model_and_contract(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["files"]["contract.yaml"]
    with pytest.raises(Trouble, match=r"lacks contract\.yaml"):
        parse_manifest(json.dumps(manifest).encode(), copy / "manifest.json")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('"files": {', '"files": {"\\u006dodel.onnx": {"bytes": 1, "sha256": "' + "0" * 64 + '"},', "model.onnx"),
        ('"bytes": ', '"bytes": 1, "bytes": ', "bytes"),
        ('"format": 1', '"format": 1, "name": "x"', "name"),
    ],
)
def test_a_manifest_that_two_readers_may_read_in_two_ways_is_refused(copy: Path, old: str, new: str, key: str) -> None:
    text = (copy / "manifest.json").read_text()
    parse_manifest(text.encode(), copy / "manifest.json")
    with pytest.raises(Trouble, match=f"gives '{key}' twice") as caught:
        parse_manifest(text.replace(old, new, 1).encode(), copy / "manifest.json")
    assert caught.value.code == "manifest_invalid"


def test_a_manifest_from_another_bundle_is_noticed(copy: Path) -> None:
    text = (copy / "contract.yaml").read_text().replace("name: tiny", "name: other", 1)
    (copy / "contract.yaml").write_text(text)
    manifest = json.loads((copy / "manifest.json").read_text())
    entry = entry_of(copy / "contract.yaml")
    manifest["files"]["contract.yaml"] = {"sha256": entry.sha256, "bytes": entry.bytes}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(Trouble, match="calls it 'tiny'"):
        load_bundle(copy)


def refused(text: str) -> Trouble:
    with pytest.raises(Trouble) as caught:
        parse_contract(text, Path("contract.yaml"))
    assert caught.value.code == "contract_invalid"
    return caught.value


def test_a_contract_reads_back_as_it_was_written(copy: Path) -> None:
    contract = load_bundle(copy).contract
    assert parse_contract(contract_text(contract), Path("x")) == contract


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("  score:", "  scroe:", "(thresholds): unknown key `scroe`\n  -> Did you mean `score`?"),
        ("layout:", "layuot:", "(input): unknown key `layuot`\n  -> Did you mean `layout`?"),
        ("task:", "zzz:", "Known keys here"),
        ("score: 0.3", "score: 1.3", "(thresholds.score)"),
        ("width: 64", "width: -64", "(input.width)"),
        ("width: 64", "width: 64\n  width: 65", "given twice"),
        ("- ball", "- cube", "twice"),
        ("scale: ", "scale: .nan #", "finite"),
        ("head: yolov8", "head: yolov9", "(output.head)"),
        ("pad: 114", "pad: 300", "(input.pad)"),
        ("dtype: float32", "dtype: uint8", "scales a uint8 input"),
        ("format: 1", "format: 2", "line 1 (format)"),
    ],
)
def test_a_wrong_contract_names_key_and_cure(made: Path, old: str, new: str, says: str) -> None:
    text = (made / "contract.yaml").read_text()
    assert old in text
    assert says in str(refused(text.replace(old, new, 1)))


BOMB = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(12)
)


@pytest.mark.parametrize(
    "text",
    [BOMB, "a: !!python/object/apply:os.system [true]", "[" * 20_000, "- 1", "", "a: {b", "\x00", "name: 1e999999999"],
)
def test_hostile_yaml_is_refused_quickly(text: str) -> None:
    assert refused(text).cure
