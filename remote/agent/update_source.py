"""Where releases may come from: addresses and folders that a person names, and the root that is trusted for them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from remote.agent.update_files import ROOT_LIMIT_BYTES, Trusted
from remote.errors import Trouble
from remote.model_states import UpdateSource
from remote.release import METADATA_FOLDER


def trusted_source(source: UpdateSource, root: bytes, before: Trusted | None) -> Trusted:
    """What a person's SetUpdates means; without a root the one `before` stays. Raises Trouble: `bad_source`, `no_root`."""
    _check_address(source.url)
    if len(root) > ROOT_LIMIT_BYTES:
        raise Trouble(f"a root of {len(root)} bytes is not taken", cure="give the repository's root", code="no_root")
    if root:
        return Trusted(source=source, root=root)
    if before is None:
        cure = "give the root with it: `N.root.json` of the repository's metadata"
        raise Trouble("no root was given and none is trusted yet", cure=cure, code="no_root")
    return Trusted(source=source, root=before.root)


def _check_address(url: str) -> None:
    """Raise Trouble (`bad_source`). A password in it would be shown to every console and written into the journal."""
    cure = "give http://, https:// or file:// and the repository's folder"
    try:
        parts = urlsplit(url)
        place = parts.hostname if parts.scheme in ("http", "https") else parts.path if parts.scheme == "file" else ""
        right = bool(place) and parts.port != 0 and url.isprintable() and " " not in url
    except ValueError:
        parts, right = urlsplit(""), False
    if "@" in parts.netloc:
        raise Trouble("the address holds a name or a password", cure="give it without", code="bad_source")
    if not right:
        raise Trouble(f"{url[:200]!r} is no address of a repository", cure=cure, code="bad_source")


def of_a_stick(trouble: Trouble, folder: str) -> Trouble:
    """The same in the words of a copy where the copy in `folder` is only older than what the robot has seen."""
    if trouble.code != "metadata_rollback":
        return trouble
    what = f"the copy in {folder[:200]} is older than what this robot has seen: {trouble.what}"
    return Trouble(what, cure="copy the repository again with `fieldgate updates copy`", code=trouble.code)


def folder_url(folder: str) -> str:
    """The address of a folder on this robot that holds a copy of the repository. Raises Trouble (`bad_source`)."""
    path = Path(folder)
    if not path.is_absolute() or not (path / METADATA_FOLDER).is_dir():
        cure = f"name the folder on the robot that holds `{METADATA_FOLDER}` and `targets`"
        raise Trouble(f"there is no copy of the repository in {folder[:200]}", cure=cure, code="bad_source")
    return path.as_uri()
