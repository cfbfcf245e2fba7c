"""Looking at a robot before anything is done there: one POSIX shell script and what its answers mean."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from console.link.attach import RUNTIME_DIR, shell_path
from console.link.transport import Transport
from console.robots import Robot
from remote.errors import Trouble

UNIT = "fieldgate-agent.service"

_SCRIPT = r"""
p() { printf '%s=%s\n' "$1" "$(printf %s "$2" | head -n 1)"; }
p user "$(id -un)"; p home "$HOME"
p os "$(. /etc/os-release 2>/dev/null; echo "$PRETTY_NAME")"
p kernel "$(uname -s)"; p machine "$(uname -m)"
p libc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
p model "$(tr -d '\000' </proc/device-tree/model 2>/dev/null)"
p l4t "$(head -n 1 /etc/nv_tegra_release 2>/dev/null)"
p jetpack "$(dpkg-query -W -f='${Version}' nvidia-jetpack 2>/dev/null)"
p time "$(date +%s)"
for c in python3 python3.12 python3.11 python3.10 python3.13; do
  found=$(command -v "$c" 2>/dev/null) && p python "$("$found" -c '
import sys, platform
try:
    import venv, ensurepip
    able = "venv"
except ImportError:
    able = "no-venv"
print(platform.python_version(), able, platform.python_implementation(), sys.executable)' 2>/dev/null)"
done
d="$root"; while [ ! -d "$d" ]; do d=$(dirname "$d"); done
p disk_free_kb "$(df -Pk "$d" | awk 'NR==2 {print $4}')"
[ -w "$d" ] && p writable yes
p root "$root"
p current "$(basename "$(readlink "$root/current" 2>/dev/null)")"
for v in "$root"/versions/*/complete; do [ -f "$v" ] && p version "$(basename "$(dirname "$v")")"; done
p systemd "$(systemctl --user is-system-running 2>/dev/null)"
p linger "$(loginctl show-user "$(id -un)" -p Linger --value 2>/dev/null)"
pid=$(head -n 1 "$state/agent.lock" 2>/dev/null)
case "$pid" in ''|*[!0-9]*) ;; *) [ -r "/proc/$pid/cmdline" ] && p agent "$(tr '\000' ' ' <"/proc/$pid/cmdline")" ;; esac
true
"""


class Python(msgspec.Struct, frozen=True):
    """A Python on the robot; `able` where it can make virtual environments with pip."""

    version: str
    path: str
    able: bool

    @property
    def recent(self) -> bool:
        """3.10 up to 3.13: what the pinned packages have wheels for."""
        major, minor = (int(part) for part in self.version.split(".")[:2])
        return (3, 10) <= (major, minor) <= (3, 13)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `clock_offset_s`: robot minus laptop, to a second or so. `agent` is the running agent's command line."""

    user: str
    os: str
    machine: str
    glibc_minor: int
    root: str
    pythons: tuple[Python, ...]
    disk_free_bytes: int
    writable: bool
    clock_offset_s: float
    model: str = ""
    l4t: str = ""
    jetpack: str = ""
    current: str = ""
    versions: tuple[str, ...] = ()
    systemd: bool = False
    linger: bool = False
    agent: str = ""


def state_folder(robot: Robot) -> str:
    """The agent's folder there, for the robot's shell (see the agent's places)."""
    if robot.home:
        return shell_path(robot.home)
    return '"${XDG_STATE_HOME:-$HOME/.local/state}"/fieldgate-agent'


def prologue(robot: Robot) -> str:
    """Sets `root` and `state` in a script."""
    return f"{RUNTIME_DIR}root={shell_path(robot.root.rstrip('/'))}; state={state_folder(robot)}\n"


def probe(robot: Robot, transport: Transport, wall_s: Callable[[], float]) -> Facts:
    """Ask the robot. Raises Trouble where it can't be asked or is nothing that fieldgate runs on."""
    before = wall_s()
    ran = transport.run(prologue(robot) + _SCRIPT, timeout_s=30)
    after = wall_s()
    said: dict[str, list[str]] = {}
    for line in ran.out.decode("utf-8", "replace").splitlines():
        key, equals, value = line.partition("=")
        if equals and value:
            said.setdefault(key, []).append(value.strip())
    if ran.exit != 0 or "home" not in said:
        err = ran.err.decode("utf-8", "replace").strip().splitlines()
        what = f"'{robot.name}' could not be looked at: {err[-1] if err else 'no answer'}"
        raise Trouble(what, cure="log in by hand and see whether /bin/sh works there", code="deploy_failed")
    return _facts(robot, {key: values[0] for key, values in said.items()}, said, (before + after) / 2)


def _facts(robot: Robot, one: dict[str, str], said: dict[str, list[str]], asked_s: float) -> Facts:
    libc = one.get("libc", "")
    if one.get("kernel") != "Linux" or not libc.startswith("glibc 2."):
        what = f"'{robot.name}' runs {one.get('os') or one.get('kernel')} ({libc or 'no glibc'})"
        raise Trouble(what, cure="fieldgate's agent needs Linux with glibc, as JetPack has", code="deploy_failed")
    return Facts(
        user=one.get("user", "?"),
        os=one.get("os", "?"),
        machine=one.get("machine", "?"),
        glibc_minor=int(libc.split(".")[1]),
        root=one["root"],
        pythons=tuple(_pythons(said.get("python", []))),
        disk_free_bytes=int(one.get("disk_free_kb", "0")) * 1024,
        writable=one.get("writable") == "yes",
        clock_offset_s=float(one.get("time", asked_s)) + 0.5 - asked_s,  # `date +%s` cuts off half a second on average
        model=one.get("model", ""),
        l4t=one.get("l4t", ""),
        jetpack=one.get("jetpack", ""),
        current=one.get("current", ""),
        versions=tuple(said.get("version", [])),
        systemd=one.get("systemd") in ("running", "degraded"),
        linger=one.get("linger") == "yes",
        agent=one.get("agent", ""),
    )


def _pythons(lines: list[str]) -> list[Python]:
    found = []
    for line in lines:
        version, able, implementation, path = line.split(" ", 3)
        if implementation == "CPython":
            found.append(Python(version.rstrip("+"), path, able == "venv"))
    return found
