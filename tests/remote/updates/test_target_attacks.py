"""Releases, files and names that the right keys signed by mistake, or that were exchanged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from remote.manifest import MANIFEST, FileEntry, digest_of, manifest_bytes
from remote.release import Release, file_target, parse_release
from tests.remote.updates.looking_robot import Robot
from tests.tuf_repository import Repository, bundle_files

# ------------------------------------------------------------------ attacks on targets and names


def listed_rollout(repository: Repository) -> None:
    repository.add("rollout.json", b'{"release": 1, "everyone": true}')


def delegated_release(repository: Repository) -> None:
    """The rollout role signs a release itself."""
    for path in list(repository.targets.targets):
        if path.startswith("releases/"):
            repository.rollout.targets[path] = repository.targets.targets.pop(path)


def without_file(repository: Repository) -> None:
    repository.targets.targets = {path: one for path, one in repository.targets.targets.items() if "model" not in path}


def release_bytes(repository: Repository, **changes: Any) -> bytes:
    target = repository.targets.targets["releases/000001.json"]
    release = parse_release(repository.place(target).read_bytes())
    return msgspec.json.encode(msgspec.structs.replace(release, **changes))


def says(**changes: Any) -> Callable[[Repository], None]:
    return lambda repository: (
        repository.add("releases/000001.json", release_bytes(repository, **changes)),
        None,
    )[1]


def written_release(data: bytes) -> Callable[[Repository], None]:
    return lambda repository: (repository.add("releases/000001.json", data), None)[1]


def mixed_pair(repository: Repository) -> None:
    """The model of one bundle under the digest of another."""
    digest = digest_of(bundle_files()[MANIFEST])
    repository.add(file_target(digest, "model.onnx"), b"another model")


def other_manifest(repository: Repository) -> None:
    digest = digest_of(bundle_files()[MANIFEST])
    data = bundle_files(b"other")[MANIFEST]
    repository.add(file_target(digest, MANIFEST), data)
    files = {name: entry for name, entry in parse_release(release_bytes(repository)).files.items() if name != MANIFEST}
    says(files=files)(repository)


SIGNED_NONSENSE: dict[str, Callable[[Repository], None]] = {
    "rollout-in-targets": listed_rollout,
    "release-by-rollout-role": delegated_release,
    "file-missing": without_file,
    "another-number": says(number=2),
    "mixed-pair": mixed_pair,
    "manifest-of-another": other_manifest,
    "files-not-the-manifests": says(files={"model.onnx": FileEntry("0" * 64, 1)}),
    "bundle-no-digest": written_release(b'{"number":1,"bundle":"../../etc","name":"x","files":{}}'),
    "unknown-field": written_release(b'{"number":1,"evil":true}'),
    "not-json": written_release(b"\x00\xff"),
    "deep": written_release(b"[" * 100_000),
    "too-large": written_release(b" " * 300_000),
}


@pytest.mark.parametrize("name", SIGNED_NONSENSE)
def test_signed_nonsense_is_refused(repository: Repository, robot: Robot, name: str) -> None:
    """Even what the right keys signed by mistake does not get onto the robot unless it is whole and of one piece."""
    SIGNED_NONSENSE[name](repository)
    repository.publish(bump=True)
    trouble = robot.refused()
    assert trouble.code in ("release_invalid", "manifest_invalid", "too_much_data"), trouble.what


@pytest.mark.parametrize("name", ["../escaped", "..", "/tmp/x", "a/b", ".hidden", "con\x00trol"], ids=repr)
def test_a_name_that_leaves_the_folder_is_refused(repository: Repository, robot: Robot, name: str) -> None:
    files = {"model.onnx": b"m", "contract.yaml": b"c", name: b"gotcha"}
    entries = {one: FileEntry(hashlib.sha256(data).hexdigest(), len(data)) for one, data in files.items()}
    manifest = manifest_bytes("evil", entries)
    digest = digest_of(manifest)
    release = Release(number=1, bundle=digest, name="evil", files=entries)
    repository.add("releases/000001.json", msgspec.json.encode(release))
    repository.add(file_target(digest, MANIFEST), manifest)
    repository.publish(bump=True)
    assert robot.refused().code == "manifest_invalid"
    assert not list(robot.folder.rglob("*escaped*"))
