"""The wheels that a robot needs, kept on the laptop: robots need no internet."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from console.link.pins import Pin
from console.places import cache_dir
from remote.errors import Trouble

_OLDEST_GLIBC = 17
_TIMEOUT_S = 1800


class Wanted(msgspec.Struct, frozen=True):
    """The robot's Python (`3.10.12`), machine (`aarch64`) and glibc's minor version (35 for 2.35)."""

    python: str
    machine: str
    glibc_minor: int

    @property
    def short(self) -> str:
        """`3.10`."""
        return ".".join(self.python.split(".")[:2])

    @property
    def key(self) -> str:
        """Name of the cache's folder: wheels for one are not for another."""
        return f"cp{self.short.replace('.', '')}-{self.machine}-glibc{self.glibc_minor}"


class Wheel(msgspec.Struct, frozen=True):
    """One wheel's file on the laptop."""

    path: Path
    sha256: str
    size: int

    @classmethod
    def of(cls, path: Path) -> Wheel:
        """Hash the file."""
        return cls(path, _hashed(path), path.stat().st_size)


def gather(
    pins: Sequence[Pin], wanted: Wanted, *, offline: bool = False, say: Callable[[str], None] = lambda text: None
) -> tuple[Wheel, ...]:
    """A wheel for each pin, from the cache or (unless `offline`) downloaded into it by pip with its own settings.

    Raises Trouble `wheels_missing` that lists what can't be had.
    """
    folder = cache_dir() / "wheels" / wanted.key
    folder.mkdir(parents=True, exist_ok=True)
    missing = [pin for pin in pins if _cached(pin, folder) is None]
    if missing and offline:
        raise _missing(missing, wanted, "--offline was given", "run `fieldgate deploy` once without --offline")
    if missing:
        say(f"downloading {len(missing)} wheels for Python {wanted.short} on {wanted.machine}")
        _download(missing, wanted, folder)
    wheels = [(pin, _cached(pin, folder)) for pin in pins]
    gone = [pin for pin, wheel in wheels if wheel is None]
    if gone:
        raise _missing(gone, wanted, "pip did not bring them", "look at pip's settings (`pip config list`)")
    return tuple(wheel for _, wheel in wheels if wheel is not None)


def _cached(pin: Pin, folder: Path) -> Wheel | None:
    for path in sorted(folder.glob("*.whl")):
        if path.name.lower().startswith(pin.wheel_prefix):
            wheel = Wheel.of(path)
            if wheel.sha256 in pin.hashes:
                return wheel
    return None


def _download(pins: Sequence[Pin], wanted: Wanted, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".staging-") as name:
        staging = Path(name)
        lines = staging / "requirements.txt"
        lines.write_text("".join(pin.requirement() + "\n" for pin in pins))
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--only-binary=:all:",
            "--require-hashes",
        ]
        command += ["--implementation", "cp", "--python-version", wanted.short, "-d", str(staging), "-r", str(lines)]
        command += [word for platform in _platforms(wanted) for word in ("--platform", platform)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired as error:
            raise _missing(pins, wanted, "pip took too long", "check the network and try again") from error
        for path in staging.glob("*.whl"):
            path.replace(folder / path.name)
    if done.returncode != 0:
        raise _pip_trouble(done.stderr, [pin for pin in pins if _cached(pin, folder) is None], wanted)


def _platforms(wanted: Wanted) -> list[str]:
    tags = [f"manylinux_2_{minor}_{wanted.machine}" for minor in range(wanted.glibc_minor, _OLDEST_GLIBC - 1, -1)]
    older = ["manylinux2014", *(["manylinux2010", "manylinux1"] if wanted.machine == "x86_64" else [])]
    return [*tags, *(f"{tag}_{wanted.machine}" for tag in older), f"linux_{wanted.machine}"]


def _pip_trouble(err: str, missing: Sequence[Pin], wanted: Wanted) -> Trouble:
    if "No module named pip" in err:
        cure = f"run `{sys.executable} -m ensurepip`, then try again"
        return Trouble(
            "this laptop's Python has no pip to download the robot's packages", cure=cure, code="wheels_missing"
        )
    last = next((line for line in reversed(err.splitlines()) if line.startswith("ERROR")), "pip failed")
    return _missing(
        missing, wanted, last.removeprefix("ERROR: "), "check the network and pip's settings, then try again"
    )


def _missing(pins: Sequence[Pin], wanted: Wanted, why: str, cure: str) -> Trouble:
    names = ", ".join(f"{pin.name} {pin.version}" for pin in pins)
    what = f"wheels for Python {wanted.short} on {wanted.machine} are missing: {names} ({why})"
    return Trouble(what, cure=cure, code="wheels_missing")


def _hashed(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
