"""Sending a bundle to a robot: file by file into a staging folder, then one rename, or the robot's own sealing."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from console.link.asking import asker_for_terminal
from console.link.opening import transport_of
from console.link.probe import prologue
from console.link.transport import Transport
from console.link.upload import Ticker, no_progress, upload
from console.robots import Robot
from remote.errors import Trouble
from remote.manifest import MANIFEST, MAX_MANIFEST_BYTES, Manifest, digest_of, parse_manifest, verify_file

_WHERE = r"""
set -e
bundles="$state/bundles"; mkdir -p "$bundles"; chmod 700 "$state" "$bundles"
whole() { cd "$bundles/$digest" && [ "$(ls -A | wc -l)" -eq "$count" ] && sha256sum --check --strict --status; }
if printf '%s\n' "$sums" | (whole) 2>/dev/null; then echo there; else echo missing; fi
(cd "$bundles" && pwd)
"""
_RENAME = r"""
set -e
cd "$state/bundles"
[ ! -d "$digest" ] || chmod -R u+w "$digest"
rm -rf "$digest"
mv ".staging-$digest" "$digest"
sync -f . 2>/dev/null || sync
"""


def put_bundle(
    robot: Robot,
    folder: Path,
    *,
    transport: Transport | None = None,
    tick: Ticker = no_progress,
    staged: bool = False,
    already: Callable[[], None] = lambda: None,
) -> str:
    """Put the bundle in `folder` into the agent's store on the robot; its digest.

    With `staged` it stays in its staging folder, from which the agent makes a release of it when it is activated.

    Nothing is sent where every file of it is there already, by its SHA-256, and `already` is called: a damaged one is sent
    again. A send that was cut off goes on where it stopped; the agent sees the bundle only once it is whole. Raises Trouble:
    `bundle_incomplete`, `bundle_changed` for a folder that does not agree with its manifest, and whatever the link says.
    """
    manifest, files = _checked(folder)
    digest = digest_of(manifest)
    way = transport or transport_of(robot, asker_for_terminal())
    try:
        head = prologue(robot) + f"digest={digest}\n"
        sums = shlex.quote("\n".join(f"{sha256}  {path.name}" for path, sha256 in files))
        there, bundles = _run(way, robot, f"{head}sums={sums}; count={len(files)}\n{_WHERE}").split("\n", 1)
        if there == "there":
            already()
            return digest
        for path, sha256 in files:
            upload(way, path, f"{bundles.strip()}/.staging-{digest}/{path.name}", sha256, tick)
        if not staged:
            _run(way, robot, head + _RENAME)
    finally:
        if transport is None:
            way.close()
    return digest


class Looked(NamedTuple):
    """A bundle's folder on this laptop: the bundle's digest, and what lies beside it that its manifest does not name."""

    digest: str
    unnamed: tuple[str, ...]


def look_at(folder: Path) -> Looked:
    """What put_bundle would send. Raises Trouble: `bundle_incomplete`, `bundle_changed`."""
    manifest, files = _checked(folder)
    named = {path.name for path, _ in files}
    unnamed = sorted(path.name for path in folder.iterdir() if path.name not in named)
    return Looked(digest_of(manifest), tuple(unnamed))


def _checked(folder: Path) -> tuple[bytes, list[tuple[Path, str]]]:
    """The manifest's bytes, and every file to send, itself among them, with its SHA-256; all were found as they should be."""
    if not folder.is_dir():
        cure = "give the folder of a bundle: the one that has its manifest.json"
        raise Trouble(f"there is no folder {shlex.quote(str(folder))}", cure=cure, code="bundle_incomplete")
    data, manifest = _manifest(folder)
    for name, expected in manifest.files.items():
        try:
            verify_file(folder, name, expected)
        except OSError as error:
            what = f"{folder / name} can't be read: {error.strerror}"
            raise Trouble(what, cure="correct the folder's permissions", code="bundle_incomplete") from error
    named = [(folder / name, expected.sha256) for name, expected in manifest.files.items()]
    return data, [(folder / MANIFEST, digest_of(data)), *named]


def _manifest(folder: Path) -> tuple[bytes, Manifest]:
    from remote.strict_yaml import read_bytes

    where = folder / MANIFEST
    try:
        data = read_bytes(where, code="bundle_incomplete", what="manifest", limit_bytes=MAX_MANIFEST_BYTES)
        return data, parse_manifest(data, where)
    except Trouble as trouble:
        what = f"{shlex.quote(str(folder))} is no bundle: {trouble.what}"
        raise Trouble(what, cure="make it with `fieldgate model export`", code="bundle_incomplete") from trouble


def _run(transport: Transport, robot: Robot, script: str) -> str:
    ran = transport.run(script, timeout_s=120)
    return ran.output(f"the bundle can't be put on '{robot.name}'", "check space and permissions there")
