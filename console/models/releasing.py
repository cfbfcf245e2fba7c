"""From a bundle's folder to a release: its number, its targets, and the metadata that the offline keys sign."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from console.models.audit import Audit, highest_release
from console.models.hands import Hands
from console.models.keys import holder_of
from console.models.pending import Change, Opening, Pending, keep_pending, refuse_second
from console.models.repository import Published, Repository, id_of
from console.models.roles import expiry, releases_above
from remote.atomic import replacing
from remote.errors import Trouble
from remote.manifest import MANIFEST, MAX_MANIFEST_BYTES, Manifest, digest_of, parse_manifest
from remote.release import MOST_RELEASE, RELEASE_LIMIT_BYTES, Needs, Release, file_target, parse_release, release_target

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner
    from tuf.api.metadata import Metadata, Targets

_PIECE_BYTES = 1 << 20
_TARGETS_LIMIT_BYTES = 4 * 1024 * 1024
"""What robots take of targets.json; a release needs about 2 kB of it."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says of a release. `again`: the bundle was released before. `opens`: the wave that begins at once."""

    needs: Needs = Needs()
    notes: str = ""
    again: bool = False
    opens: Opening = ""


def next_number(repository: Repository, hands: Hands, published: Published) -> int:
    """One above every number that was ever given, also where the repository was restored from an older copy."""
    lines = (*hands.lines(id_of(published.root.signed)), *Audit(repository.audit_path).lines())
    floor = releases_above(published.root.signed)
    return 1 + max(highest_release(lines), floor, *(one.number for one in published.releases()))


def refuse_release(repository: Repository, bundle: Path, wanted: Wanted, signers: Sequence[CryptoSigner]) -> None:
    """Raises Trouble for what can be known before the bundle is read and run: `key_not_wanted`, `released_before`,
    `bad_bundle`.
    """
    published = repository.published()
    wanted_keys = published.root.signed.roles["targets"].keyids
    for signer in signers:
        if signer.public_key.keyid not in wanted_keys:
            holders = ", ".join(sorted(holder_of(published.root.signed.keys[keyid]) for keyid in wanted_keys))
            what = f"the key of {holder_of(signer.public_key)} signs no release of {repository.folder}"
            raise Trouble(what, cure=f"wanted are: {holders}", code="key_not_wanted")
    _check_again(published, digest_of(_manifest(bundle)[0]), wanted.again)


def release_bundle(repository: Repository, hands: Hands, bundle: Path, wanted: Wanted) -> Pending:
    """Lay a release of the bundle beside the repository, unsigned. Call it with the repository locked.

    Every file is read once, and what is kept is what the manifest names. Raises Trouble: `bad_bundle`, `bundle_changed`,
    `bundle_incomplete`, `released_before`, `change_waits`, `release_invalid`, `repository_full`, `too_many_releases`.
    """
    refuse_second(repository)
    data, manifest = _manifest(bundle)
    published = repository.published()
    digest, number = digest_of(data), next_number(repository, hands, published)
    _check_again(published, digest, wanted.again)
    if number > MOST_RELEASE:
        raise Trouble("all release numbers are used", cure="make a new repository", code="too_many_releases")
    release = Release(
        number=number,
        bundle=digest,
        name=(manifest.name or bundle.name)[:128],
        files=manifest.files,
        needs=wanted.needs,
        notes=wanted.notes,
    )
    parse_release(msgspec.json.encode(release))  # what no robot could read must not wait for signatures
    targets = _with_release(repository, hands, published, release, data)
    text = f"release {number}: {release.name} {digest[:8]}"
    change = Change(
        kind="release",
        text=text,
        person=hands.person,
        began_wall_ns=hands.wall_ns(),
        release=number,
        bundle=digest,
        opens=wanted.opens,
    )
    return keep_pending(
        repository, change, None, targets, lambda folder: _stage(repository, bundle, release, data, folder, targets)
    )


def _check_again(published: Published, digest: str, again: bool) -> None:
    before = [one.number for one in published.releases() if one.bundle == digest]
    if before and not again:
        what = f"this bundle is release {before[-1]} already"
        cure = "give `--again` to release it under a new number, as one does to go back to it"
        raise Trouble(what, cure=cure, code="released_before")


def _with_release(
    repository: Repository, hands: Hands, published: Published, release: Release, manifest: bytes
) -> Metadata[Targets]:
    """The next targets' metadata, unsigned."""
    from tuf.api.metadata import Metadata, TargetFile

    found: Metadata[Targets] = Metadata.from_bytes(published.targets.to_bytes())
    found.signatures.clear()
    signed = found.signed
    known = [line.versions.get("targets", 0) for line in hands.lines(id_of(published.root.signed))]
    signed.version = max([signed.version, *known]) + 1
    signed.expires = expiry(published.root.signed, "targets", hands.now())
    infos = [TargetFile.from_data(release_target(release.number), msgspec.json.encode(release), ["sha256"])]
    infos.append(TargetFile.from_data(file_target(release.bundle, MANIFEST), manifest, ["sha256"]))
    for name, entry in release.files.items():
        infos.append(TargetFile(entry.bytes, {"sha256": entry.sha256}, file_target(release.bundle, name)))
    signed.targets.update({info.path: info for info in infos})
    _check_sizes(infos[0].length, len(found.to_bytes()))
    return found


def _check_sizes(release: int, targets: int) -> None:
    cure = "give shorter notes"
    if release > RELEASE_LIMIT_BYTES:
        raise Trouble(
            f"the release has {release} bytes, robots take {RELEASE_LIMIT_BYTES}", cure=cure, code="too_large"
        )
    if targets > _TARGETS_LIMIT_BYTES * 9 // 10:
        what = f"the list of releases has {targets} bytes, robots take {_TARGETS_LIMIT_BYTES}"
        raise Trouble(what, cure="make a new repository and enrol the robots there", code="too_many_releases")


def _stage(
    repository: Repository, bundle: Path, release: Release, manifest: bytes, folder: Path, targets: Metadata[Targets]
) -> None:
    """Put the new targets into `folder`; what the repository has already is not copied again."""
    _put(folder / release_target(release.number), msgspec.json.encode(release))
    if not repository.target_path(targets.signed.targets[file_target(release.bundle, MANIFEST)]).is_file():
        _put(folder / file_target(release.bundle, MANIFEST), manifest)
    for name, entry in release.files.items():
        path = file_target(release.bundle, name)
        if not repository.target_path(targets.signed.targets[path]).is_file():
            _copy(bundle / name, folder / path, entry.sha256)


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, 0o644) as file:
        file.write(data)


def _copy(source: Path, path: Path, sha256: str) -> None:
    """Copy and hash in one reading: what is published is what was verified."""
    if source.is_symlink() or not source.is_file():
        raise Trouble(f"{source} is missing, the manifest names it", cure=_CURE, code="bundle_incomplete")
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with source.open("rb") as file, replacing(path, 0o644) as out:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            out.write(piece)
        if digest.hexdigest() != sha256:
            raise Trouble(
                f"{source} is not the file of the manifest (its SHA-256 differs)", cure=_CURE, code="bundle_changed"
            )


def _manifest(bundle: Path) -> tuple[bytes, Manifest]:
    from remote.strict_yaml import read_bytes

    path = bundle / MANIFEST
    data = read_bytes(path, code="bad_bundle", what="the manifest", limit_bytes=MAX_MANIFEST_BYTES)
    return data, parse_manifest(data, path)


_CURE = "copy the whole bundle again, or make it anew with `fieldgate model export`"
