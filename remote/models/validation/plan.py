"""What a run of the suite is told, as one value that a child process can be given too."""

from __future__ import annotations

from typing import Annotated

import msgspec

from remote.perception.engines.wishes import Wishes
from remote.protocol import Constraints


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One run.

    `folder` is the bundle's. `limits` are given instead of the profile's. `pictures` is a folder of recorded pictures, empty
    for none; `simulation` and `hil` are tables of results (CSV), empty for none. `constraints` are those in force. `beside`
    says what else runs on this machine now (the robot's worker), empty for nothing. `engines` is the folder of engines that
    this robot built, empty for none; `wishes` is how they were built.
    """

    folder: str
    profile: str
    limits: dict[str, float] = {}
    runs: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 299
    threads: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    pictures: str = ""
    simulation: str = ""
    hil: str = ""
    constraints: Constraints = Constraints()
    beside: str = ""
    engines: str = ""
    wishes: Wishes = Wishes()
