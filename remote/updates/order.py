"""What the agent tells the updates' client, and what that one says: one file in, lines of JSON out."""

from __future__ import annotations

from typing import Literal, Union

import msgspec

from remote.model_states import Progress
from remote.protocol import ErrorInfo
from remote.release import Release


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a release's Needs are held against. `robot` is the agent's name; versions are empty where there is none here."""

    robot: str
    robot_class: str
    l4t: str = ""
    tensorrt: str = ""
    contract_formats: tuple[int, ...] = (1,)


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One look at the repository at `url` (http, https, file).

    `cache` is the folder of the verified metadata, `root` the trusted root metadata, `bundles` the folder that staging
    folders `.staging-DIGEST` lie in. `only_root`: say what the root is, fetch nothing. `only_rollout`: say what is open,
    fetch no bundle. `held` are bundles that need no
    download. `floor_wall_ns` is the time before which it can't be; `free_floor_bytes` is what must stay free on the disk.
    """

    url: str
    cache: str
    root: bytes
    bundles: str
    facts: Facts
    only_root: bool = False
    only_rollout: bool = False
    highest_release: int = 0
    held: tuple[str, ...] = ()
    floor_wall_ns: int = 0
    free_floor_bytes: int = 0


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `taken`: `release` lies verified in `folder` (empty: it was held already); `nothing`: there is none,
    or `release` is the newest and this robot has had it.

    `stopped` is the release that the rollout says is stopped. `signed_wall_ns` is when the newest metadata was signed, by the
    signer's clock; None where it does not say.
    """

    outcome: Literal["taken", "nothing"]
    text: str
    release: Union[Release, None] = None
    folder: str = ""
    fetched_bytes: int = 0
    signed_wall_ns: Union[int, None] = None
    stopped: Union[int, None] = None


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the client: how far it is, at last `found` or `error`."""

    progress: Union[Progress, None] = None
    found: Union[Found, None] = None
    error: Union[ErrorInfo, None] = None
