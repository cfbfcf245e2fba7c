"""Putting the agent on a robot: each step can be cut off and done again; a version is whole or not there."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence

import msgspec

from console import __version__
from console.link.attach import greeting_trouble
from console.link.bundle_send import put_bundle
from console.link.deploy_plan import KEPT_VERSIONS, Plan, make_plan
from console.link.probe import UNIT, probe, prologue
from console.link.transport import Transport
from console.link.upload import Ticker, no_progress, upload
from console.link.wheelhouse import Wheel
from console.link.wire import Wire
from console.robots import Robot
from console.store.identity import console_name
from remote.errors import Trouble
from remote.protocol import OLDEST_PROTOCOL, PROTOCOL, AgentHello, ConsoleHello

__all__ = ["Report", "carry_out", "plan_for", "put_bundle"]

Say = Callable[[str], None]
_INSTALL_S = 900.0
_START_S = 30.0


class Report(msgspec.Struct, frozen=True):
    """What runs on the robot after a deploy; sizes in bytes, None where the robot did not say."""

    version: str
    agent: AgentHello
    version_bytes: int | None
    disk_free_bytes: int | None
    agent_memory_bytes: int | None

    def lines(self) -> list[str]:
        """For a person to read."""

        def mb(size: int | None) -> str:
            return "unknown" if size is None else f"{size / 1e6:.0f} MB"

        return [
            f"agent     {self.agent.software} answers as '{self.agent.robot}'",
            f"takes     {mb(self.version_bytes)} of disk ({mb(self.disk_free_bytes)} left), "
            f"{mb(self.agent_memory_bytes)} of memory",
        ]


def plan_for(robot: Robot, transport: Transport, *, offline: bool = False, say: Say = lambda text: None) -> Plan:
    """Look at the robot and decide; changes nothing there. Raises Trouble where a deploy can't work."""
    if robot.transport == "local":
        what = f"'{robot.name}' is this machine itself: its agent is the one of this fieldgate"
        raise Trouble(what, cure=f"just run `fieldgate {robot.name}`", code="deploy_failed")
    return make_plan(robot, probe(robot, transport, time.time), offline=offline, say=say)


def carry_out(plan: Plan, transport: Transport, *, say: Say = lambda text: None, tick: Ticker = no_progress) -> Report:
    """Do what the plan says and verify it; `tick` gets (name, bytes done, bytes in all) while files go up.

    Raises Trouble. Where the new agent does not answer, the previous version is current and runs again.
    """
    if plan.install:
        _upload_wheels(plan, transport, say, tick)
        say(f"installing {plan.version}")
        _script(plan, transport, _INSTALL, _INSTALL_S)
    if plan.switch:
        say(f"switching to {plan.version}")
        _switch(plan, transport, plan.version)
    hello = _started(plan, transport, say) if plan.restart or plan.switch else _greet(plan, transport, plan.version)
    if plan.install:
        _script(plan, transport, _tidy(plan), 60)
    return _report(plan, transport, hello)


def _upload_wheels(plan: Plan, transport: Transport, say: Say, tick: Ticker) -> None:
    say(f"uploading {len(plan.wheels)} wheels")
    for wheel in plan.wheels:
        upload(
            transport,
            wheel.path,
            f"{plan.facts.root}/wheels/{_wheel_folder(wheel)}/{wheel.path.name}",
            wheel.sha256,
            tick,
        )


def _wheel_folder(wheel: Wheel) -> str:
    """A folder for each content: two builds of one version have one file name."""
    return wheel.sha256[:12]


# A version is made in its final place, as virtual environments can't be moved; `complete` is written at its very end.
_INSTALL = r"""
set -e
dir="$root/versions/$version"
rm -rf "$dir"
mkdir -p "$root/versions"; chmod 700 "$root"
"$python" -m venv --system-site-packages "$dir"
printf %s "$requirements" > "$dir/requirements.txt"
set --
for folder in $folders; do set -- "$@" --find-links "$root/wheels/$folder"; done
PIP_CONFIG_FILE=/dev/null PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 "$dir/bin/python" -m pip install -q --no-index \
  --no-deps --ignore-installed --require-hashes "$@" -r "$dir/requirements.txt"
"$dir/bin/fieldgate-agent" --version
sync -f "$dir" 2>/dev/null || sync
: > "$dir/complete"
"""

_SWITCH = r"""
set -e
"$root/versions/$version/bin/python" -c '
import os, sys
root, version = sys.argv[1:]
staging = os.path.join(root, ".current-new")
if os.path.lexists(staging):
    os.unlink(staging)
os.symlink(os.path.join("versions", version), staging)
os.replace(staging, os.path.join(root, "current"))
folder = os.open(root, os.O_RDONLY)
os.fsync(folder)' "$root" "$version"
"""

_STOP = r"""
if [ -x "$root/current/bin/fieldgate-agent" ]; then
  "$root/current/bin/fieldgate-agent" stop $home_option || exit 1
fi
true
"""

_START_DETACHED = r"""
"$root/current/bin/fieldgate-agent" attach --start $home_option </dev/null >/dev/null
"""

_START_SYSTEMD = r"""
set -e
units="${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user"
mkdir -p "$units"
"$root/current/bin/python" -c '
import os, sys
from pathlib import Path
from remote.agent.systemd import unit_text
home = Path(sys.argv[2]) if sys.argv[2] else None
target = Path(sys.argv[3])
staging = target.with_suffix(".new")
staging.write_text(unit_text(Path(sys.argv[1]) / "current/bin/fieldgate-agent", home))
os.replace(staging, target)' "$root" "$home" "$units/@UNIT@"
loginctl enable-linger >/dev/null 2>&1 || true
systemctl --user daemon-reload
systemctl --user enable -q @UNIT@
systemctl --user restart @UNIT@
""".replace("@UNIT@", UNIT)

_RESOURCES = r"""
set -- $(du -sk "$root/versions/$version" 2>/dev/null); echo "version_kb=$1"
echo "free_kb=$(df -Pk "$root" | awk 'NR==2 {print $4}')"
pid=$(head -n 1 "$state/agent.lock"); echo "memory_kb=$(awk '/^VmRSS/ {print $2}' "/proc/$pid/status")"
"""


def _script(plan: Plan, transport: Transport, script: str, timeout_s: float, **values: str) -> str:
    home = plan.robot.home or ""
    folders = " ".join(_wheel_folder(wheel) for wheel in plan.wheels)
    names = {"version": plan.version, "python": plan.python.path, "requirements": plan.requirements, "folders": folders}
    lines = [f"{name}={shlex.quote(value)}" for name, value in {**names, **values}.items()]
    lines += ['home=""; home_option=""' if not home else 'home=$state; home_option="--home $state"']
    ran = transport.run(prologue(plan.robot) + "\n".join(lines) + script, timeout_s=timeout_s)
    if ran.exit != 0:
        said = (ran.err or ran.out).decode("utf-8", "replace").strip().splitlines()
        what = f"a step of the deploy failed on '{plan.robot.name}': {' / '.join(said[-3:]) or f'exit {ran.exit}'}"
        raise Trouble(what, cure="correct that there and run the same command again", code="deploy_failed")
    return ran.out.decode("utf-8", "replace")


def _switch(plan: Plan, transport: Transport, version: str) -> None:
    _script(plan, transport, _SWITCH, 30, version=version)


def _started(plan: Plan, transport: Transport, say: Say) -> AgentHello:
    say("starting the agent")
    try:
        _restart(plan, transport)
        return _greet(plan, transport, plan.version)
    except Trouble as trouble:
        if not plan.previous or plan.previous == plan.version:
            raise
        say(f"the new agent does not come up; going back to {plan.previous}")
        _switch(plan, transport, plan.previous)
        _restart(plan, transport)
        _greet(plan, transport, plan.previous)
        what = f"the agent of {plan.version} did not come up ({trouble.what}); {plan.previous} runs again"
        raise Trouble(what, cure="look into agent.log on the robot", code="deploy_failed") from trouble


def _restart(plan: Plan, transport: Transport) -> None:
    _script(plan, transport, _STOP, _START_S)
    _script(plan, transport, _START_SYSTEMD if plan.facts.systemd else _START_DETACHED, _START_S)


def _greet(plan: Plan, transport: Transport, version: str) -> AgentHello:
    """Attach as a console would, and look that the agent of `version` answers. One just started may need a moment."""
    deadline = time.monotonic() + 10.0
    while True:
        try:
            hello = _hello(plan.robot, transport)
            break
        except Trouble as trouble:
            if trouble.code != "no_agent" or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
    running = probe(plan.robot, transport, time.time).agent
    if f"/versions/{version}/" not in running:
        raise Trouble(f"another agent answers: {running or hello.software}", cure="end it there", code="deploy_failed")
    return hello


def _hello(robot: Robot, transport: Transport) -> AgentHello:
    name = console_name()
    hello = ConsoleHello(
        protocol=PROTOCOL,
        oldest_protocol=OLDEST_PROTOCOL,
        software=f"fieldgate {__version__}",
        client_id=f"deploy-{name}",
        name=name,
    )
    wire = Wire(transport.open())
    try:
        return wire.greet(hello)
    except Trouble as trouble:
        raise greeting_trouble(robot, trouble) from trouble
    finally:
        wire.close()


def _tidy(plan: Plan) -> str:
    """Remove versions beyond the kept ones, what was left half made, and wheels that this version does not use."""
    kept: Sequence[str] = [plan.version, *([plan.previous] if plan.previous else [])][:KEPT_VERSIONS]
    versions = "|".join(shlex.quote(version) for version in kept)
    wheels = "|".join(_wheel_folder(wheel) for wheel in plan.wheels)
    return f"""
for v in "$root"/versions/*; do case "$(basename "$v")" in {versions}) ;; *) rm -rf "$v" ;; esac; done
for w in "$root"/wheels/*; do case "$(basename "$w")" in {wheels}) ;; *) rm -rf "$w" ;; esac; done
"""


def _report(plan: Plan, transport: Transport, hello: AgentHello) -> Report:
    lines = _script(plan, transport, _RESOURCES, 60).splitlines()
    said = dict(line.split("=", 1) for line in lines if "=" in line)

    def size(key: str) -> int | None:
        text = said.get(key, "")
        return int(text) * 1024 if text.isdigit() else None

    return Report(plan.version, hello, size("version_kb"), size("free_kb"), size("memory_kb"))
