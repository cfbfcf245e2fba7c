"""What this computer is: serial number, board, L4T, JetPack, CUDA, TensorRT, kernel. Files only: nothing is run or imported."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from remote import __version__

READ_BYTES = 65_536
DPKG_BYTES = 64 * 1024 * 1024
WORD_LIMIT = 200

_NO_SERIAL = re.compile(
    r"(?i)|none|n/a|invalid|unknown|uninitialized|123456789|[0x.\- ]+|not (specified|applicable)"
    r"|(default|to be filled).*|.*serial ?num.*"
)
"""What boards without a serial number of their own say instead of one."""
_L4T = re.compile(r"#?\s*R(\d{1,4}) \(release\), REVISION: (\d{1,4}(?:\.\d{1,4}){0,3})")
_INSTALLED = re.compile(r"nvidia-jetpack|nvidia-l4t-core|libnvinfer\d+")
_UPSTREAM = re.compile(r"(?:\d+:)?([^-]+)(?:-.*)?")


@dataclass(frozen=True)
class Identity:
    """Who this computer is.

    `serial_source` is `device-tree` or `dmi` (the number on the label), `machine-id` (of this installation of the system)
    or empty where none of them can be read. `words` holds model, l4t, jetpack, tensorrt, cuda, kernel, machine, python and
    agent; empty: not known here.
    """

    serial: str
    serial_source: str
    words: dict[str, str]


def version_of(package: str) -> str:
    """The version of a Python package that is installed beside this one, without importing it; empty where it is not."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def read_identity(root: Path = Path("/"), version: Callable[[str], str] = version_of) -> Identity:
    """Look at the files below `root`; what is missing or unreadable is an empty word. Takes some milliseconds.

    Args:
        root: where /proc, /sys, /etc, /var and /usr are found.
        version: tells the version of a Python package.
    """
    serial, source = _serial(root)
    packages = _packages(root / "var/lib/dpkg/status")
    running = os.uname()
    words = {
        "model": _model(root),
        "l4t": _l4t(root) or _upstream(packages.get("nvidia-l4t-core", "")),
        "jetpack": packages.get("nvidia-jetpack", ""),
        "tensorrt": version("tensorrt") or _nvinfer(packages),
        "cuda": _cuda(root),
        "kernel": running.release,
        "machine": running.machine,
        "python": platform.python_version(),
        "agent": __version__,
    }
    return Identity(serial, source, words)


def _serial(root: Path) -> tuple[str, str]:
    places = (
        ("proc/device-tree/serial-number", "device-tree"),
        ("sys/firmware/devicetree/base/serial-number", "device-tree"),
        ("sys/class/dmi/id/product_serial", "dmi"),
        ("etc/machine-id", "machine-id"),
        ("var/lib/dbus/machine-id", "machine-id"),
    )
    for path, source in places:
        word = _word(root / path)
        if not _NO_SERIAL.fullmatch(word):
            return word, source
    return "", ""


def _model(root: Path) -> str:
    places = (
        "proc/device-tree/model",
        "sys/firmware/devicetree/base/model",
        "sys/class/dmi/id/product_name",
    )
    return next((word for path in places if (word := _word(root / path))), "")


def _l4t(root: Path) -> str:
    found = _L4T.match(_word(root / "etc/nv_tegra_release"))
    return f"{found[1]}.{found[2]}" if found else ""


def _cuda(root: Path) -> str:
    """The toolkit's version; JetPack 5 and newer write version.json, older ones version.txt."""
    try:
        told = json.loads(_read(root / "usr/local/cuda/version.json"))
        version = told["cuda"]["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        found = re.search(r"CUDA Version (\d{1,3}(?:\.\d{1,4}){1,3})", _read(root / "usr/local/cuda/version.txt"))
        return found[1] if found else ""
    return _clean(version) if isinstance(version, str) else ""


def _nvinfer(packages: dict[str, str]) -> str:
    """TensorRT's library by its package (libnvinfer8, libnvinfer10); the newest where several are installed."""
    names = sorted((name for name in packages if name.startswith("libnvinfer")), key=lambda name: int(name[10:]))
    return _upstream(packages[names[-1]]) if names else ""


def _upstream(version: str) -> str:
    """Debian's `10.3.0.30-1+cuda12.5` without its epoch and revision."""
    found = _UPSTREAM.fullmatch(version)
    return found[1] if found else version


def _packages(status: Path) -> dict[str, str]:
    """Versions of those installed packages that tell what this Jetson is."""
    found: dict[str, str] = {}
    name = state = version = ""
    for line in (*_lines(status), ""):
        key, _, value = line.partition(": ")
        if key == "Package":
            name = value
        elif key == "Status":
            state = value
        elif key == "Version":
            version = value
        elif not line:
            if _INSTALLED.fullmatch(name) and state.endswith(" installed") and version:
                found[name] = _clean(version)
            name = state = version = ""
    return found


def _lines(path: Path) -> Iterator[str]:
    left = DPKG_BYTES
    try:
        with path.open("rb") as file:
            while left > 0 and (raw := file.readline(READ_BYTES)):
                left -= len(raw)
                yield raw.decode("utf-8", "replace").rstrip("\n")
    except OSError:
        return


def _word(path: Path) -> str:
    """The first line without the device tree's NUL."""
    return _clean(_read(path).strip("\0 \n\t").partition("\n")[0])


def _clean(text: str) -> str:
    return "".join(char for char in text if char.isprintable()).strip()[:WORD_LIMIT]


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(READ_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
