"""A bundle's folder on the laptop: its digest, after every file was found to be the one that its manifest names.

`fieldgate bundle check` judges by the same rules (remote.manifest), and loads the model too.
"""

from __future__ import annotations

from pathlib import Path

from remote.errors import Trouble
from remote.manifest import MANIFEST, MAX_MANIFEST_BYTES, Manifest, digest_of, parse_manifest, verify_file

_MORE = "`fieldgate bundle check DIR` says more"


def bundle_in(folder: Path) -> tuple[str, str]:
    """Digest and name of the bundle in a folder on the laptop; the digest is the SHA-256 of its manifest's bytes.

    Blocks while every file is hashed. Raises Trouble: `bad_bundle` where there is no manifest that can be read,
    `bundle_incomplete` or `bundle_changed` where a file is not the one that the manifest names.
    """
    data, manifest = _manifest(folder / MANIFEST)
    for name, expected in manifest.files.items():
        try:
            verify_file(folder, name, expected)
        except OSError as error:
            what = f"{folder / name} can't be read: {error.strerror}"
            raise Trouble(what, cure="correct the folder's permissions", code="bundle_incomplete") from error
        except Trouble as trouble:
            raise Trouble(trouble.what, cure=f"{trouble.cure}; {_MORE}", code=trouble.code) from trouble
    return digest_of(data), manifest.name or folder.name


def _manifest(path: Path) -> tuple[bytes, Manifest]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_MANIFEST_BYTES + 1)
        if len(data) > MAX_MANIFEST_BYTES:
            raise ValueError(f"it is longer than {MAX_MANIFEST_BYTES} bytes")
        return data, parse_manifest(data, path)
    except (OSError, ValueError, Trouble) as error:
        reason = error.what if isinstance(error, Trouble) else error
        what = f"{path.parent} is no bundle: its {MANIFEST} can't be read ({reason})"
        raise Trouble(what, cure=_MORE, code="bad_bundle") from error
