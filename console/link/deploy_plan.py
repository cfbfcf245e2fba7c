"""What a deploy would do to a robot, decided before anything is done."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec

from console import __version__
from console.link.pins import chosen, parse, shipped_requirements
from console.link.probe import Facts, Python
from console.link.robot_wheel import robot_wheel
from console.link.wheelhouse import Wanted, Wheel, gather
from console.robots import Robot
from remote.errors import Trouble

_UNPACKED = 4  # a wheel's files take about this many times its size, the wheel itself included
_SPARE_BYTES = 200 * 1024 * 1024
_CLOCK_OFF_S = 2.0
KEPT_VERSIONS = 2


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What will be done. `version` names the folder under `root/versions`; `previous` is what `current` points to now."""

    robot: Robot
    facts: Facts
    python: Python
    version: str
    wheels: tuple[Wheel, ...]
    requirements: str
    install: bool
    switch: bool
    restart: bool
    notes: tuple[str, ...] = ()

    @property
    def previous(self) -> str:
        """The version to go back to; empty where there is none."""
        return self.facts.current if self.facts.current in self.facts.versions else ""

    @property
    def nothing_to_do(self) -> bool:
        """Whether the robot is as it shall be."""
        return not (self.install or self.switch or self.restart)

    def lines(self) -> list[str]:
        """The plan for a person to read."""
        return [*_found(self.facts, self.python), "", *_steps(self), *(f"note: {note}" for note in self.notes)]


def make_plan(
    robot: Robot, facts: Facts, *, offline: bool = False, say: Callable[[str], None] = lambda text: None
) -> Plan:
    """Choose a Python, gather the wheels on the laptop, compare with what is there.

    Raises Trouble: no Python, no venv, no space, wheels missing.
    """
    python = _python(robot, facts)
    wanted = Wanted(python.version, facts.machine, facts.glibc_minor)
    pins = chosen(parse(shipped_requirements()), python.version, facts.machine)
    own = Wheel.of(robot_wheel())
    wheels = (own, *gather(pins, wanted, offline=offline, say=say))
    lines = [
        f"{pin.name}=={pin.version} --hash=sha256:{wheel.sha256}" for pin, wheel in zip(pins, wheels[1:], strict=True)
    ]
    requirements = "\n".join([f"fieldgate=={__version__} --hash=sha256:{own.sha256}", *lines]) + "\n"
    digest = hashlib.sha256(f"{wanted.key} {python.version}\n{requirements}".encode()).hexdigest()[:8]
    version = f"{__version__}-{digest}"
    install = version not in facts.versions
    if install:
        _check_space(robot, facts, wheels)
    return Plan(
        robot=robot,
        facts=facts,
        python=python,
        version=version,
        wheels=wheels,
        requirements=requirements,
        install=install,
        switch=facts.current != version,
        restart=f"/versions/{version}/" not in facts.agent or "serve" not in facts.agent,
        notes=tuple(_notes(facts)),
    )


def _python(robot: Robot, facts: Facts) -> Python:
    recent = [python for python in facts.pythons if python.recent]
    able = [python for python in recent if python.able]
    if able:
        return able[0]
    if recent:
        short = ".".join(recent[0].version.split(".")[:2])
        what = f"Python {recent[0].version} on '{robot.name}' can't make virtual environments"
        raise Trouble(what, cure=f"on the robot: `sudo apt install python{short}-venv`", code="deploy_failed")
    found = ", ".join(python.version for python in facts.pythons) or "none"
    what = f"'{robot.name}' has no Python from 3.10 to 3.13 (found: {found})"
    raise Trouble(
        what, cure="install one there, for example `sudo apt install python3.10 python3.10-venv`", code="deploy_failed"
    )


def _check_space(robot: Robot, facts: Facts, wheels: tuple[Wheel, ...]) -> None:
    if not facts.writable:
        what = f"the folder {facts.root} can't be written on '{robot.name}' as {facts.user}"
        raise Trouble(
            what, cure="correct its owner, or choose another root (`fieldgate robot add --root`)", code="deploy_failed"
        )
    need = sum(wheel.size for wheel in wheels) * _UNPACKED + _SPARE_BYTES
    if facts.disk_free_bytes < need:
        what = f"'{robot.name}' has {_mb(facts.disk_free_bytes)} free for {facts.root}, {_mb(need)} are needed"
        raise Trouble(what, cure="free space there, or choose a root on another disk", code="deploy_failed")


def _notes(facts: Facts) -> list[str]:
    notes = []
    if abs(facts.clock_offset_s) > _CLOCK_OFF_S:
        side = "ahead of" if facts.clock_offset_s > 0 else "behind"
        notes.append(f"the robot's clock is {abs(facts.clock_offset_s):.0f} s {side} this laptop's")
    if not facts.systemd:
        notes.append(
            "no systemd for this user: the agent runs detached and does not come back after a reboot by itself"
        )
    elif not facts.linger:
        notes.append(
            f"without `sudo loginctl enable-linger {facts.user}` systemd ends the agent when its user logs out"
        )
    return notes


def _found(facts: Facts, python: Python) -> list[str]:
    board = [text for text in (facts.model, facts.l4t, f"JetPack {facts.jetpack}" if facts.jetpack else "") if text]
    return [
        f"robot     {facts.user} on {facts.os}, {facts.machine}, glibc 2.{facts.glibc_minor}",
        *([f"board     {', '.join(board)}"] if board else []),
        f"python    {python.version} ({python.path})",
        f"disk      {_mb(facts.disk_free_bytes)} free at {facts.root}",
        f"clock     {facts.clock_offset_s:+.1f} s against this laptop (to about 1 s)",
        f"there now {facts.current or 'nothing'}{' (agent running)' if 'serve' in facts.agent else ''}",
    ]


def _steps(plan: Plan) -> list[str]:
    if plan.nothing_to_do:
        return [f"nothing to do: {plan.version} runs there"]
    size = sum(wheel.size for wheel in plan.wheels)
    manner = "as a systemd user service" if plan.facts.systemd else "detached"
    steps = [
        (plan.install, f"upload   up to {len(plan.wheels)} wheels, {_mb(size)} (those already there are skipped)"),
        (plan.install, f"install  {plan.facts.root}/versions/{plan.version}, a virtual environment of its own"),
        (plan.switch, f"switch   {plan.facts.root}/current to it ({plan.previous or 'nothing'} is kept)"),
        (plan.restart, f"start    the agent {manner}; one that runs is ended first"),
        (True, "verify   by the agent's own hello; without it, back to what was there"),
    ]
    return [text for wanted, text in steps if wanted]


def _mb(size: int) -> str:
    return f"{size / 1e6:.0f} MB"
