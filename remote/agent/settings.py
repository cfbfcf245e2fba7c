"""settings.yaml of the agent: what it uses, what it offers, what it may take, what it does when the link dies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from remote import strict_yaml
from remote.atomic import write_atomically
from remote.errors import Trouble
from remote.model_states import Probation
from remote.perception.engines.wishes import Wishes

MiB = 1024 * 1024
Bytes = Annotated[int, msgspec.Meta(ge=0)]

_HEADER = "# Settings of the fieldgate agent (docs/agent.md). The agent rewrites this file when a console chooses.\n"
_CURE = "correct that line, or move the file away to start with the defaults"


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the agent may take of the disk.

    Beyond `keep_bytes` or `keep_running_days` the journal lets go of what every console has taken. Beyond `max_bytes`, or
    with less than `disk_free_floor_bytes` free, the oldest go whether taken or not. Days count while the agent runs.
    """

    keep_bytes: Bytes = 256 * MiB
    keep_running_days: Annotated[float, msgspec.Meta(gt=0)] = 30.0
    max_bytes: Annotated[int, msgspec.Meta(ge=256 * 1024)] = 1024 * MiB
    disk_free_floor_bytes: Bytes = 300 * MiB
    pictures_bytes: Bytes = 256 * MiB


class Idle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the robot says that it may be switched to another model: by a command or by a file, one of both.

    `command` ends with 0 within `timeout_s` where the robot is idle; else its first line of stdout says why not. `file` is
    there where the robot is idle; with `newer_than_s` it must have been touched within so many seconds. No answer counts as
    busy.
    """

    command: tuple[str, ...] = ()
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=300)] = 5.0
    file: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)] | None = None
    newer_than_s: Annotated[float, msgspec.Meta(gt=0)] | None = None

    def __post_init__(self) -> None:
        if bool(self.command) == bool(self.file):
            raise ValueError("give either `command` or `file`")
        if self.newer_than_s is not None and not self.file:
            raise ValueError("`newer_than_s` belongs to `file`")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All settings with their defaults. `bundle` is what a fresh agent begins with, None: the bundle that came with it.

    `folders` are offered to consoles as sources. `threads` is what the engine may use. `autostart` starts the worker with
    the agent. `name` is shown as the robot's name; the host name where empty. `idle` asks the robot before a model is
    switched. `engine` is how TensorRT engines are built here. `probation` is what a model must show
    where a push says nothing else, so each release over the air.
    """

    source: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)] = "scene:"
    bundle: str | None = None
    on_link_loss: Literal["continue", "stop"] = "continue"
    autostart: bool = False
    name: str = ""
    folders: tuple[str, ...] = ()
    threads: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    idle: Idle | None = None
    probation: Probation = Probation()
    engine: Wishes = Wishes()
    limits: Limits = Limits()


def load(path: Path) -> Settings:
    """Read the settings; defaults where the file is missing. Raises Trouble naming file, line and key for anything wrong."""
    return strict_yaml.load(path, Settings, code="bad_settings", what="the settings", cure=_CURE, absent=Settings())


def save(path: Path, settings: Settings) -> None:
    """Write the settings atomically. Raises Trouble (code `settings_unwritable`)."""
    import yaml

    text = _HEADER + yaml.safe_dump(msgspec.to_builtins(settings), sort_keys=False, allow_unicode=True)
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        what = f"the settings {path} can't be written: {error.strerror}"
        raise Trouble(what, cure="make space or check the owner", code="settings_unwritable") from error
