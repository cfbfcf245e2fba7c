"""What an update repository says to robots, beside TUF's own metadata: releases, and which of them is open to whom.

Layout of the targets (docs/updates.md): `releases/NNNNNN.json` is a Release and `bundles/DIGEST/NAME` the files of its bundle,
both signed by the offline `targets` role with its threshold. `rollout.json` is a Rollout, signed by the delegated role
`rollout`. A robot takes only what both say: the release is what the offline keys signed, the rollout merely opens it.
Below the repository's URL or folder, TUF's metadata lies in `metadata/` and the targets in `targets/`, as consistent snapshots:
`bundles/DIGEST/NAME` is the file `targets/bundles/DIGEST/SHA256.NAME`. The timestamp says in SIGNED_AT when it was signed.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeVar

import msgspec

from remote.errors import Trouble
from remote.manifest import Digest, FileEntry
from remote.ready_types import ready

METADATA_FOLDER = "metadata"
TARGETS_FOLDER = "targets"
SIGNED_AT = "x-fieldgate-signed-at"
"""A field of the timestamp's own: when it was signed, as in `2026-11-21T12:00:00Z`. A robot's clock can't be before it."""
ROLLOUT_ROLE = "rollout"
ROLLOUT_TARGET = "rollout.json"
RELEASE_LIMIT_BYTES = 256 * 1024
MOST_RELEASE = 999_999
CODE = "release_invalid"

_VERSION = re.compile(r"\d+(?:\.\d+)*")
T = TypeVar("T")
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class Needs(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a robot must be to take a release; an empty tuple: anything. Versions as version_fits says."""

    robot_classes: tuple[Name, ...] = ()
    l4t: tuple[Name, ...] = ()
    tensorrt: tuple[Name, ...] = ()
    contract_format: int = 1


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One release. Numbers only rise: going back to an older bundle is a new number. `files` are those of the bundle."""

    format: Literal[1] = 1
    number: Annotated[int, msgspec.Meta(ge=1, le=MOST_RELEASE)]
    bundle: Digest
    name: Name
    files: Annotated[dict[str, FileEntry], msgspec.Meta(min_length=1, max_length=64)]
    needs: Needs = Needs()
    notes: Annotated[str, msgspec.Meta(max_length=4000)] = ""


class Rollout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which release is open, and to whom: robots by the name of their agent, or everyone. `stopped` says why to nobody."""

    format: Literal[1] = 1
    release: Annotated[int, msgspec.Meta(ge=0, le=MOST_RELEASE)]
    robots: tuple[Name, ...] = ()
    everyone: bool = False
    stopped: Annotated[str, msgspec.Meta(max_length=400)] = ""


def release_target(number: int) -> str:
    """The target path of a release."""
    return f"releases/{number:06d}.json"


def file_target(bundle: str, name: str) -> str:
    """The target path of one file of a bundle."""
    return f"bundles/{bundle}/{name}"


def parse_release(data: bytes) -> Release:
    """Raises Trouble (code `release_invalid`) for anything that is no Release."""
    return _parsed(data, Release, "the release")


def parse_rollout(data: bytes) -> Rollout:
    """Raises Trouble (code `release_invalid`) for anything that is no Rollout."""
    return _parsed(data, Rollout, ROLLOUT_TARGET)


def _parsed(data: bytes, kind: type[T], what: str) -> T:
    try:
        return msgspec.json.decode(data, type=ready(kind))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        cure = "publish it again with `fieldgate publish`"
        raise Trouble(f"{what} is refused: {error}", cure=cure, code=CODE) from error


def version_fits(has: str, wanted: tuple[str, ...]) -> bool:
    """Whether a version begins with one of `wanted`, compared part by part as numbers (`10.3` fits `10.3.0`, not `10.30`)."""
    if not wanted:
        return True
    parts = _parts(has)
    return bool(parts) and any(_parts(one) and parts[: len(_parts(one))] == _parts(one) for one in wanted)


def _parts(version: str) -> tuple[int, ...]:
    found = _VERSION.match(version.strip().lstrip("R"))
    return tuple(int(part) for part in found.group().split(".")) if found else ()
