"""fleet.yaml: the robots, the waves in which a release reaches them, and when a wave stops it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Union

import msgspec

from remote import strict_yaml
from remote.errors import Trouble

CODE = "bad_fleet"
REST = "rest"
EVERYONE = "everyone"

_SAMPLE = "robots: [orin-1, orin-2, orin-3]\nwaves: [[orin-1], rest]"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Share = Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)]
Wave = Union[list[Name], Name]


class Stop(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When a release is stopped. A mishap is a robot that returned to the model before, or refused after its self-test.

    `first_wave_mishaps`: more than so many in the first wave stop it. `allowed_share`: it is stopped where the share of
    mishaps is shown to lie above this with `confidence`; and the next wave opens by itself only where it is not above it.
    """

    first_wave_mishaps: Annotated[int, msgspec.Meta(ge=0)] = 0
    allowed_share: Share = 0.1
    confidence: Annotated[float, msgspec.Meta(ge=0.5, lt=1.0)] = 0.95


class Fleet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file. `robots` are all of them by this laptop's names; `agents` gives the agent's own name where it differs.

    Each wave is a list of robots, `rest` (all of `robots` that no wave names) or `everyone` (known here or not).
    """

    format: Literal[1] = 1
    robots: tuple[Name, ...] = ()
    waves: Annotated[list[Wave], msgspec.Meta(min_length=1, max_length=64)]
    agents: dict[Name, Name] = {}
    stop: Stop = Stop()

    def agent(self, robot: str) -> str:
        """The name by which the robot's agent knows itself."""
        return self.agents.get(robot, robot)

    def steps(self) -> tuple[tuple[str, ...], ...]:
        """The robots of each wave, by this laptop's names; for `everyone` all that are known here."""
        named = {name for wave in self.waves if not isinstance(wave, str) for name in wave}
        known = tuple(dict.fromkeys((*self.robots, *sorted(named - set(self.robots)))))
        rest = tuple(name for name in known if name not in named)
        return tuple(known if wave == EVERYONE else rest if wave == REST else tuple(wave) for wave in self.waves)

    def opens_everyone(self, step: int) -> bool:
        """Whether the wave of that place opens the release to robots that are not known here."""
        return self.waves[step] == EVERYONE

    @property
    def known(self) -> tuple[str, ...]:
        """Every robot of the file, in the order of the waves."""
        return tuple(dict.fromkeys(name for wave in self.steps() for name in wave))


def load_fleet(path: Path) -> Fleet:
    """Read the file. Raises Trouble `bad_fleet`, naming line and key."""
    if not path.exists():
        raise _bad(
            path, "is not there, so nobody knows who comes first", f"write it, with your robots' names:\n{_SAMPLE}"
        )
    fleet = strict_yaml.load(path, Fleet, code=CODE, what="the fleet")
    _check(fleet, path)
    return fleet


def _check(fleet: Fleet, path: Path) -> None:
    seen: set[str] = set()
    for number, wave in enumerate(fleet.waves, 1):
        if isinstance(wave, str):
            if wave not in (REST, EVERYONE):
                raise _bad(path, f"wave {number} is '{wave}'", f"write a list of robots, `{REST}` or `{EVERYONE}`")
            if number != len(fleet.waves):
                raise _bad(path, f"`{wave}` is wave {number} of {len(fleet.waves)}", "put it last")
            if wave == REST and not fleet.robots:
                raise _bad(path, "`rest` of no robots", "name all robots under `robots:`")
            continue
        for name in wave:
            if name in seen:
                raise _bad(path, f"'{name}' is in two waves", "let each robot be in one")
            seen.add(name)
    if any(not wave for wave in fleet.steps()):
        raise _bad(path, "a wave has no robots", "name some, or leave it out")
    strangers = seen - set(fleet.robots) if fleet.robots else set()
    if strangers:
        raise _bad(path, f"'{min(strangers)}' is in a wave and not under `robots:`", "add it there")
    names = [fleet.agent(name) for name in fleet.known]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise _bad(path, f"two robots have the agent '{min(twice)}'", "give each its own under `agents:`")


def _bad(path: Path, what: str, cure: str) -> Trouble:
    return Trouble(
        f"the fleet {path} {what}" if what.startswith("is ") else f"the fleet {path}: {what}", cure=cure, code=CODE
    )
