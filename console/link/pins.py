"""The pinned packages of the robot's half, chosen for the robot's own Python and machine."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import msgspec

from remote.errors import Trouble

_NAME = "robot-requirements.txt"
_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)\s*(?:;\s*(.*?))?\s*\Z")
_TEST = re.compile(r"\(?\s*(\w+)\s*(==|!=|<=|>=|<|>)\s*'([^']*)'\s*\)?\Z")
_COMPARE: dict[str, Callable[[object, object], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,  # type: ignore[dict-item]
    ">=": operator.ge,  # type: ignore[dict-item]
    "<": operator.lt,  # type: ignore[dict-item]
    ">": operator.gt,  # type: ignore[dict-item]
}


class Pin(msgspec.Struct, frozen=True):
    """One package at one version; a wheel of it must have one of `hashes` (SHA-256, hex)."""

    name: str
    version: str
    hashes: tuple[str, ...]
    marker: str = ""

    @property
    def wheel_prefix(self) -> str:
        """How its wheels' file names begin (PEP 427)."""
        return f"{re.sub(r'[-_.]+', '_', self.name).lower()}-{self.version}-"

    def requirement(self) -> str:
        """The line for pip's hash-checking mode."""
        return f"{self.name}=={self.version} " + " ".join(f"--hash=sha256:{digest}" for digest in self.hashes)


def shipped_requirements() -> str:
    """The text of the lock file that came with this fieldgate."""
    packed = resources.files("console.link").joinpath(_NAME)
    if packed.is_file():
        return packed.read_text(encoding="utf-8")
    checkout = Path(__file__).resolve().parents[2] / "requirements" / "robot.txt"
    if checkout.is_file():
        return checkout.read_text(encoding="utf-8")
    raise Trouble("the list of the robot's packages did not come with this fieldgate", cure="install fieldgate again")


def parse(text: str) -> tuple[Pin, ...]:
    """Read a requirements file as `uv pip compile --generate-hashes` writes it; anything else in it is a Trouble."""
    pins = []
    for block in re.sub(r"\\\n", " ", text).splitlines():
        line = block.split(" #")[0].strip()
        if not line or line.startswith("#"):
            continue
        hashes = tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", line))
        found = _PIN.match(re.sub(r"--hash=\S+", "", line).strip())
        if not found or not hashes:
            raise Trouble(f"the robot's package list has a line without pin or hash: {line[:60]!r}", code="bad_pins")
        pins.append(Pin(found.group(1), found.group(2), hashes, found.group(3) or ""))
    return tuple(pins)


def chosen(pins: tuple[Pin, ...], python: str, machine: str) -> tuple[Pin, ...]:
    """The pins that count for a Python (`3.10.12`) on a machine (`aarch64`).

    pip would judge the markers by the laptop's own Python, so they are judged here.
    """
    facts = {
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "platform_machine": machine,
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    return tuple(pin for pin in pins if not pin.marker or _holds(pin.marker, facts))


def _holds(marker: str, facts: dict[str, str]) -> bool:
    return any(all(_test(test, facts) for test in part.split(" and ")) for part in marker.split(" or "))


def _test(text: str, facts: dict[str, str]) -> bool:
    found = _TEST.match(text.strip())
    if not found or found.group(1) not in facts:
        raise Trouble(f"the robot's package list has a condition that is not understood: {text!r}", code="bad_pins")
    name, sign, value = found.groups()
    fact = facts[name]
    if not name.startswith("python_"):
        return _COMPARE[sign](fact, value)
    if value.endswith(".*"):
        same = fact.split(".")[: value.count(".")] == value.split(".")[:-1]
        return same == (sign == "==")
    return _COMPARE[sign](_numbers(fact), _numbers(value))


def _numbers(version: str) -> tuple[int, ...]:
    parts = [int(part) for part in re.findall(r"\d+", version)][:3]
    return tuple(parts + [0] * (3 - len(parts)))
