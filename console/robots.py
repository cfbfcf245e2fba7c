"""The robots of this laptop: their names, addresses and settings, kept in robots.yaml."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from console.places import config_dir, data_dir
from remote import strict_yaml
from remote.atomic import write_atomically
from remote.errors import Trouble

Transport = Literal["paramiko", "openssh", "local"]
DEFAULT_ROOT = "~/.local/share/fieldgate"
DEMO = "demo"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}\Z")
_ADDRESS = re.compile(r"(?:[A-Za-z0-9_.-]+@)?(?:\[[0-9A-Fa-f:.%a-z]+\]|[A-Za-z0-9_.-]+)(?::\d{1,5})?\Z")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the agent is attached.

    `start_agent` starts an agent where none runs; `autostart` lets that agent start its worker by itself; `drills` allows
    faults on purpose; `exit_when_alone_s` ends that agent when no console was attached for so long (None: never).
    """

    start_agent: bool = False
    autostart: bool = False
    drills: bool = False
    exit_when_alone_s: Annotated[float, msgspec.Meta(gt=0)] | None = None


class Reach(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """How a robot is reached: what robots.yaml says under its name.

    `address` is `user@host[:port]` or an alias of the SSH configuration; empty for the transport `local`. `root` is the
    folder on the robot that holds fieldgate's versions, `home` the agent's own folder there (None: the agent's default).
    """

    address: str = ""
    transport: Transport = "paramiko"
    root: str = DEFAULT_ROOT
    home: str | None = None
    settings: Settings = Settings()


class Robot(Reach, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One robot and how to reach it."""

    name: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    robots: dict[str, Reach] = {}


class Robots:
    """robots.yaml, read at once and written atomically (mode 0600).

    Args:
        path: the file; None takes `config_dir()/robots.yaml`. It need not exist.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or config_dir() / "robots.yaml"
        self._robots = self._read()

    def all(self) -> tuple[Robot, ...]:
        """Every robot by name, the built-in one last."""
        own = tuple(self._robots[name] for name in sorted(self._robots))
        return own if DEMO in self._robots else (*own, demo_robot())

    def get(self, name: str) -> Robot:
        """The robot of that name; a Trouble with the nearest known name otherwise (code `unknown_robot`)."""
        if name in self._robots:
            return self._robots[name]
        if name == DEMO:
            return demo_robot()
        raise self._unknown(name)

    def add(self, robot: Robot, *, replace: bool = False) -> None:
        """Keep a robot; refused where its name is taken (unless `replace`) or something in it can't be right."""
        _check(robot, self.path)
        if robot.name == DEMO:
            what = f"the name '{DEMO}' belongs to the embedded robot"
            raise Trouble(what, cure="choose another name", code="robot_builtin")
        if robot.name in self._robots and not replace:
            cure = f"choose another name, or `fieldgate robot remove {robot.name}` first"
            raise Trouble(f"a robot named '{robot.name}' exists already", cure=cure, code="robot_exists")
        self._write({**self._robots, robot.name: robot})

    def remove(self, name: str) -> None:
        """Forget a robot; what the store holds of it stays."""
        if name not in self._robots:
            if name == DEMO:
                raise Trouble("the robot 'demo' is built in and can't be removed", code="robot_builtin")
            raise self._unknown(name)
        self._write({key: robot for key, robot in self._robots.items() if key != name})

    def _unknown(self, name: str) -> Trouble:
        known = [*sorted(self._robots), DEMO]
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        add = f"add it with `fieldgate robot add {name} user@host`"
        cure = f"did you mean '{near[0]}'? Otherwise {add}" if near else f"{add}; known are: {', '.join(known)}"
        return Trouble(f"no robot is named '{name}'", cure=cure, code="unknown_robot")

    def _read(self) -> dict[str, Robot]:
        kept = strict_yaml.load(self.path, _File, code="bad_robots_file", absent=_File())
        robots = {name: Robot(name=name, **msgspec.structs.asdict(reach)) for name, reach in kept.robots.items()}
        for robot in robots.values():
            _check(robot, self.path)
        return robots

    def _write(self, robots: dict[str, Robot]) -> None:
        import yaml

        rows = {name: {k: v for k, v in msgspec.to_builtins(r).items() if k != "name"} for name, r in robots.items()}
        text = yaml.safe_dump({"robots": rows}, sort_keys=True, allow_unicode=True)
        try:
            write_atomically(self.path, text.encode())
        except OSError as error:
            what = f"{self.path} can't be written: {error.strerror}"
            raise Trouble(what, cure="free some space or correct the folder's permissions") from error
        self._robots = robots


def demo_robot() -> Robot:
    """The robot that runs on this very machine, as a child process, with a folder of its own."""
    settings = Settings(start_agent=True, autostart=True, drills=True, exit_when_alone_s=30.0)
    return Robot(name=DEMO, transport="local", home=str(data_dir() / "demo"), settings=settings)


def _check(robot: Robot, path: Path) -> None:
    if not _NAME.match(robot.name):
        cure = "use letters, digits, '_', '-' and '.', at most 63 of them, a letter or digit first"
        raise Trouble(f"'{robot.name}' can't be a robot's name", cure=cure, code="bad_robot")
    if robot.transport == "local":
        return
    port = robot.address.rpartition(":")[2] if robot.address.count(":") == 1 or "]:" in robot.address else "22"
    # An address that begins with '-' would be an option to ssh.
    if not _ADDRESS.match(robot.address) or robot.address.startswith("-") or not 0 < int(port) < 65536:
        what = f"'{robot.address}' can't be the address of robot '{robot.name}' ({path})"
        raise Trouble(what, cure="write user@host, user@host:port, or an alias of ~/.ssh/config", code="bad_robot")
    if not robot.root.startswith(("/", "~/")):
        what = f"the root '{robot.root}' of robot '{robot.name}' is no absolute folder ({path})"
        raise Trouble(what, cure="begin it with '/' or '~/'", code="bad_robot")
