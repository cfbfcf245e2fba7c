"""The store of releases: what has a digest as its name is whole, nothing else gets such a name, and nothing outside is
touched.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from remote.activation.store import SPARE_BYTES, ReleaseStore
from remote.errors import Trouble
from remote.manifest import MANIFEST, FileEntry, digest_of, manifest_bytes
from tests.killing import ended, forked
from tests.remote.activation.small_robot import bundle_files, write_bundle


@pytest.fixture
def store(tmp_path: Path) -> ReleaseStore:
    (tmp_path / "bundles").mkdir()
    return ReleaseStore(tmp_path / "bundles", free=lambda folder: 1 << 40)


def staged(store: ReleaseStore, model: bytes = b"model") -> tuple[str, Path]:
    digest, files = bundle_files(model)
    folder = store.staging(digest)
    write_bundle(folder, files)
    return digest, folder


def refused(action: Callable[[], object]) -> str:
    with pytest.raises(Trouble) as caught:
        action()
    return caught.value.code


def test_a_release_is_read_only_and_under_its_digest(store: ReleaseStore) -> None:
    digest, folder = staged(store)
    assert not store.has(digest), "what only lies in staging is no release"
    final = store.stage(digest)
    assert final.name == digest
    assert not folder.exists()
    assert final.stat().st_mode & 0o777 == 0o555
    assert {path.stat().st_mode & 0o777 for path in final.iterdir()} == {0o444}
    assert store.folder(digest) == final
    assert store.has(digest)
    assert store.stage(digest) == final, "staging it again changes nothing"
    assert store.sizes() == {digest: sum(path.stat().st_size for path in final.iterdir())}


def test_a_bundle_that_was_sent_under_its_name_is_sealed_where_it_lies(store: ReleaseStore) -> None:
    digest, folder = staged(store)
    final = folder.rename(folder.with_name(digest))
    assert store.stage(digest) == final
    assert final.stat().st_mode & 0o777 == 0o555


def link_out(folder: Path, outside: Path) -> None:
    (folder / "model.onnx").unlink()
    outside.write_bytes(b"model")
    (folder / "model.onnx").symlink_to(outside)


def link_manifest(folder: Path, outside: Path) -> None:
    (folder / MANIFEST).rename(outside)
    (folder / MANIFEST).symlink_to(outside)


def link_hard(folder: Path, outside: Path) -> None:
    (folder / "model.onnx").unlink()
    outside.write_bytes(b"model")
    os.link(outside, folder / "model.onnx")


def put_folder(folder: Path, outside: Path) -> None:
    (folder / "model.onnx").unlink()
    (folder / "model.onnx").mkdir()


def put_pipe(folder: Path, outside: Path) -> None:
    (folder / "model.onnx").unlink()
    os.mkfifo(folder / "model.onnx")


ATTACKS: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "symlink": (link_out, "bundle_changed"),
    "symlinked-manifest": (link_manifest, "bundle_changed"),
    "hard-link": (link_hard, "bundle_changed"),
    "extra-file": (lambda folder, outside: (folder / "more").write_bytes(b""), "bundle_changed"),
    "extra-folder": (lambda folder, outside: (folder / "more").mkdir(), "bundle_changed"),
    "extra-link": (lambda folder, outside: (folder / "more").symlink_to(outside), "bundle_changed"),
    "folder-for-file": (put_folder, "bundle_changed"),
    "pipe-for-file": (put_pipe, "bundle_changed"),
    "truncated": (lambda folder, outside: (folder / "model.onnx").write_bytes(b"mod"), "bundle_incomplete"),
    "longer": (lambda folder, outside: (folder / "model.onnx").write_bytes(b"models"), "bundle_changed"),
    "other-bytes": (lambda folder, outside: (folder / "model.onnx").write_bytes(b"modem"), "bundle_changed"),
    "missing": (lambda folder, outside: (folder / "model.onnx").unlink(), "bundle_incomplete"),
    "other-manifest": (lambda folder, outside: (folder / MANIFEST).write_bytes(b"{}"), "bundle_changed"),
    "endless-manifest": (lambda folder, outside: (folder / MANIFEST).write_bytes(b" " * 10**6), "bundle_changed"),
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("where", ["staging", "in-place"])
def test_what_is_not_the_manifests_is_never_staged(
    store: ReleaseStore, tmp_path: Path, attack: str, where: str
) -> None:
    """Nor is anything outside of the folder changed, not even its mode."""
    digest, folder = staged(store)
    if where == "in-place":
        folder = folder.rename(folder.with_name(digest))
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    outside.chmod(0o640)
    change, code = ATTACKS[attack]
    change(folder, outside)
    before = outside.read_bytes()
    assert refused(lambda: store.verify(digest)) in (code, "unknown_bundle")
    assert refused(lambda: store.stage(digest)) in (code, "unknown_bundle")
    if where == "staging":
        assert not (tmp_path / "bundles" / digest).exists()
        assert not store.has(digest)
    else:
        assert refused(lambda: store.folder(digest)) in (code, "unknown_bundle")
    assert outside.read_bytes() == before
    assert outside.stat().st_mode & 0o222, "it was not made read-only through a link"


@pytest.mark.parametrize("name", ["../escape", "a/b", "/etc/passwd", "..", ".hidden", "a\0b", "x" * 200])
def test_a_manifest_that_names_files_elsewhere_is_refused(store: ReleaseStore, name: str) -> None:
    entry = FileEntry("0" * 64, 0)
    manifest = manifest_bytes("evil", {"model.onnx": entry, "contract.yaml": entry, name: entry})
    digest = digest_of(manifest)
    (store.staging(digest) / MANIFEST).write_bytes(manifest)
    assert refused(lambda: store.stage(digest)) == "manifest_invalid"


@pytest.mark.parametrize("digest", ["", "..", "../" * 20 + "x", "A" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n"])
def test_what_is_no_digest_never_becomes_a_path(store: ReleaseStore, digest: str) -> None:
    assert refused(lambda: store.staging(digest)) == "bad_digest"
    assert refused(lambda: store.remove(digest, ())) == "bad_digest"
    assert not store.has(digest)


def test_a_staging_folder_that_is_a_link_is_refused_and_what_it_leads_to_untouched(
    store: ReleaseStore, tmp_path: Path
) -> None:
    digest, files = bundle_files(b"model")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_bundle(elsewhere, files)
    (tmp_path / "bundles" / f".staging-{digest}").symlink_to(elsewhere)
    assert refused(lambda: store.staging(digest)) == "unsafe_place"
    assert refused(lambda: store.stage(digest)) == "bundle_changed"
    assert store.sweep() == 1
    assert (elsewhere / "model.onnx").read_bytes() == b"model"


def test_a_file_that_rots_is_noticed_and_mended_by_sending_it_again(store: ReleaseStore) -> None:
    digest, _ = staged(store)
    final = store.stage(digest)
    (final / "model.onnx").chmod(0o600)
    (final / "model.onnx").write_bytes(b"modem")
    assert refused(lambda: store.folder(digest)) == "bundle_changed"
    assert refused(lambda: store.stage(digest)) == "bundle_changed"
    staged(store)
    assert store.stage(digest) == final
    assert store.folder(digest) == final


def test_no_room_is_said_before_a_byte_comes(tmp_path: Path) -> None:
    small = ReleaseStore(tmp_path, free=lambda folder: SPARE_BYTES + 100)
    digest = "0" * 64
    assert refused(lambda: small.staging(digest, 101)) == "no_space"
    folder = small.staging(digest, 100)
    (folder / "model.onnx").write_bytes(b"x" * 60)
    assert small.staging(digest, 160) == folder, "what came already is not asked for twice"
    assert refused(lambda: small.staging(digest, 161)) == "no_space"


def test_removing_takes_the_folder_away_but_nothing_in_use(store: ReleaseStore, tmp_path: Path) -> None:
    digest, _ = staged(store)
    store.stage(digest)
    assert refused(lambda: store.remove(digest, {digest})) == "bundle_in_use"
    assert store.has(digest)
    assert store.remove(digest, ()) > 0
    assert list((tmp_path / "bundles").iterdir()) == []
    assert refused(lambda: store.remove(digest, ())) == "unknown_bundle"


def test_what_a_killed_agent_left_is_swept_and_what_still_comes_is_kept(store: ReleaseStore, tmp_path: Path) -> None:
    coming, _ = staged(store, b"coming")
    gone, _ = staged(store, b"gone")
    release, _ = staged(store, b"release")
    store.stage(release).rename(tmp_path / "bundles" / ".trash-half")
    kept, _ = staged(store, b"kept")
    store.stage(kept)
    assert store.sweep(keep={coming}) == 2
    assert {path.name for path in (tmp_path / "bundles").iterdir()} == {kept, f".staging-{coming}"}
    assert refused(lambda: store.must_have(gone)) == "unknown_bundle"


def test_the_bundle_of_the_agent_is_a_release_that_is_always_there(tmp_path: Path) -> None:
    digest, files = bundle_files(b"embedded")
    embedded, folder = tmp_path / "embedded", tmp_path / "bundles"
    embedded.mkdir()
    folder.mkdir()
    write_bundle(embedded, files)
    (embedded / "__init__.py").write_text("")
    store = ReleaseStore(folder, embedded)
    assert store.embedded_digest == digest
    assert store.has(digest)
    assert store.stage(digest) == embedded
    assert store.folder(digest) == embedded
    assert store.sizes() == {}
    assert refused(lambda: store.remove(digest, ())) == "unknown_bundle"
    (embedded / "model.onnx").write_bytes(b"EMBEDDED")
    assert refused(lambda: store.folder(digest)) == "bundle_changed"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can leave a folder that the agent's user can't delete")
def test_a_folder_of_another_user_keeps_nothing_else_from_being_swept() -> None:
    """Somebody sent a bundle as root once: the disk of the robot would fill up with all that was half deleted since."""
    nobody = 65_534
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "bundles"
        theirs, ours = folder / f".staging-{'a' * 64}", folder / ".trash-abc"
        for one in (theirs, ours):
            one.mkdir(parents=True)
            (one / "model.onnx").write_bytes(b"model")
        for one in (Path(place), folder, ours, ours / "model.onnx"):
            os.chown(one, nobody, nobody)

        def as_nobody() -> None:
            os.setegid(nobody)
            os.seteuid(nobody)
            assert refused(ReleaseStore(folder).sweep) == "store_unwritable"

        assert ended(forked(as_nobody)) == 0
        assert (theirs.exists(), ours.exists()) == (True, False)
