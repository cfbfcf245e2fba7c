"""The cameras a robot offers, and whether a chosen one can be there at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from remote.errors import Trouble
from remote.perception.cameras.spec import PICTURE_SUFFIXES, parse_source
from remote.protocol import Choice

LOOK_AT_MOST = 10_000


def choices(
    folders: Sequence[str],
    chosen: str = "",
    devices: Path = Path("/dev"),
    names: Path = Path("/sys/class/video4linux"),
) -> tuple[Choice, ...]:
    """The rendered scene, the configured folders that are there, the V4L2 devices, and `chosen` if it is none of them."""
    found = [Choice("scene:", "rendered table-top scene")]
    for folder in folders:
        path = Path(folder).expanduser()
        if path.is_dir():
            found.append(Choice(f"folder:{path}", f"pictures in {path}"))
    for device in sorted(devices.glob("video[0-9]*")):
        found.append(Choice(f"v4l2:{device}", _device_text(device, names)))
    if chosen and all(choice.value != chosen for choice in found):
        found.append(Choice(chosen, "the source chosen now"))
    return tuple(found)


def check(source: str) -> None:
    """Raise Trouble (code `bad_source`) where `source` can't be a camera of this robot.

    What only opening it can tell (a broken video, a camera in use) the worker says when it starts.
    """
    wanted = parse_source(source)
    if wanted.kind == "folder":
        _check_folder(Path(wanted.place))
    elif wanted.kind == "video":
        _check_file(Path(wanted.place), "video file")
    elif wanted.kind == "v4l2":
        _check_device(Path(wanted.place))


def _check_folder(path: Path) -> None:
    try:
        with os.scandir(path) as entries:
            for number, entry in enumerate(entries):
                if entry.name.lower().endswith(PICTURE_SUFFIXES):
                    return
                if number > LOOK_AT_MOST:
                    return
    except OSError as error:
        raise _bad(
            f"the folder {path} can't be read: {error.strerror}", "give a folder of pictures on the robot"
        ) from error
    raise _bad(f"the folder {path} holds no pictures", f"put pictures there ({', '.join(PICTURE_SUFFIXES)})")


def _check_file(path: Path, what: str) -> None:
    if not path.is_file() or not os.access(path, os.R_OK):
        raise _bad(f"the {what} {path} is not there or can't be read", "give a file on the robot")


def _check_device(path: Path) -> None:
    if not path.exists():
        raise _bad(f"the camera {path} is not there", "plug it in, or look at the list of sources")
    if not os.access(path, os.R_OK | os.W_OK):
        raise _bad(f"this user may not open {path}", "add the user to the group `video` and log in again")


def _device_text(device: Path, names: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return f"{(names / device.name / 'name').read_text().strip()} ({device})"
    return f"camera {device}"


def _bad(what: str, cure: str) -> Trouble:
    return Trouble(what, cure=cure, code="bad_source")
