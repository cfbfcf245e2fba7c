"""Sending a bundle to a robot: file by file into a staging folder, then one rename, or the robot's own sealing."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from pathlib import Path
from typing import NamedTuple

from console.link.asking import asker_for_terminal
from console.link.opening import transport_of
from console.link.probe import prologue
from console.link.transport import Transport
from console.link.upload import Ticker, no_progress, upload
from console.link.wheelhouse import Wheel
from console.robots import Robot
from remote.errors import Trouble

_MANIFEST = "manifest.json"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
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
) -> str:
    """Put the bundle in `folder` into the agent's store on the robot; its digest.

    With `staged` it stays in its staging folder, from which the agent makes a release of it when it is activated.

    Nothing is sent where every file of it is there already, by its SHA-256: a damaged one is sent again. A send that was cut
    off goes on where it stopped; the agent sees the bundle only once it is whole. Raises Trouble: `bundle_incomplete`,
    `bundle_changed` for a folder that does not agree with its manifest, and whatever the link says.
    """
    manifest, files = _checked(folder)
    digest = hashlib.sha256(manifest).hexdigest()
    way = transport or transport_of(robot, asker_for_terminal())
    try:
        head = prologue(robot) + f"digest={digest}\n"
        sums = shlex.quote("\n".join(f"{sha256}  {path.name}" for path, sha256 in files))
        there, bundles = _run(way, robot, f"{head}sums={sums}; count={len(files)}\n{_WHERE}").split("\n", 1)
        if there == "there":
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
    return Looked(hashlib.sha256(manifest).hexdigest(), tuple(unnamed))


def _checked(folder: Path) -> tuple[bytes, list[tuple[Path, str]]]:
    if not folder.is_dir():
        cure = "give the folder of a bundle: the one that has its manifest.json"
        raise Trouble(f"there is no folder {shlex.quote(str(folder))}", cure=cure, code="bundle_incomplete")
    try:
        manifest = (folder / _MANIFEST).read_bytes()
        listed = json.loads(manifest)["files"]
        expected = {str(name): str(entry["sha256"]) for name, entry in listed.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = error.strerror or "unreadable" if isinstance(error, OSError) else str(error)
        what = f"{shlex.quote(str(folder))} is no bundle: its {_MANIFEST} can't be read ({why})"
        raise Trouble(what, cure="make it with `fieldgate model export`", code="bundle_incomplete") from error
    files = [(folder / _MANIFEST, hashlib.sha256(manifest).hexdigest())]
    for name, sha256 in expected.items():
        path = folder / name
        if not _PLAIN.match(name) or path.is_symlink() or not path.is_file():
            raise Trouble(
                f"the bundle's file {name!r} is missing", cure="copy the whole bundle", code="bundle_incomplete"
            )
        if Wheel.of(path).sha256 != sha256:
            cure = "make the bundle anew with `fieldgate model export`"
            raise Trouble(f"{path} is not the file that the manifest names", cure=cure, code="bundle_changed")
        files.append((path, sha256))
    return manifest, files


def _run(transport: Transport, robot: Robot, script: str) -> str:
    ran = transport.run(script, timeout_s=120)
    return ran.output(f"the bundle can't be put on '{robot.name}'", "check space and permissions there")
