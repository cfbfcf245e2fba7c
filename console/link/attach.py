"""The words that attach to an agent, and what it means when that fails."""

from __future__ import annotations

import shlex

from console.link.openssh_words import ssh_trouble
from console.robots import DEMO, Robot
from remote.errors import Trouble

MISSING_EXIT = 127
_MISSING = "fieldgate-agent is not on this robot"


def attach_options(robot: Robot) -> list[str]:
    """The options of `fieldgate-agent attach` that the robot's settings ask for."""
    settings = robot.settings
    options = ["--home", robot.home] if robot.home else []
    if settings.start_agent:
        options += ["--start"]
        options += ["--drills"] if settings.drills else []
        options += ["--autostart"] if settings.autostart else []
        if settings.exit_when_alone_s is not None:
            options += ["--exit-when-alone", f"{settings.exit_when_alone_s:g}"]
        options += ["--name", robot.name] if robot.name == DEMO else []
    return options


def shell_path(path: str) -> str:
    """A path on the robot for its shell; a leading `~/` means the home folder there."""
    if path == "~":
        return '"$HOME"'
    return f'"$HOME"/{shlex.quote(path[2:])}' if path.startswith("~/") else shlex.quote(path)


def agent_program(robot: Robot) -> str:
    """`fieldgate-agent` of the robot's current version, for its shell."""
    return f"{shell_path(robot.root.rstrip('/'))}/current/bin/fieldgate-agent"


def as_sh(script: str) -> str:
    """The script for a login shell that may be fish or csh."""
    return f"exec /bin/sh -c {shlex.quote(script)}"


# Without PAM's help an SSH session lacks the variable, and then looks for the agent's socket in another place.
RUNTIME_DIR = (
    'if [ -z "$XDG_RUNTIME_DIR" ] && [ -d "/run/user/$(id -u)" ]; '
    'then XDG_RUNTIME_DIR="/run/user/$(id -u)"; export XDG_RUNTIME_DIR; fi; '
)


def attach_command(robot: Robot) -> str:
    """What an SSH session runs to reach the agent."""
    options = [f"--home {shell_path(robot.home)}"] if robot.home else []
    options += [shlex.quote(word) for word in attach_options(robot)[2 if robot.home else 0 :]]
    script = f'p={agent_program(robot)}; [ -x "$p" ] || {{ echo {shlex.quote(_MISSING)} >&2; exit {MISSING_EXIT}; }}; '
    return as_sh(RUNTIME_DIR + script + f'exec "$p" attach {" ".join(options)}')


def ended_trouble(robot: Robot, last_words: str) -> Trouble:
    """Why an attach ended before its hello."""
    if _MISSING in last_words:
        what = f"there is no fieldgate on '{robot.name}' (looked in {robot.root})"
        return Trouble(what, cure=f"run `fieldgate deploy {robot.name}`", code="no_agent")
    if "not found" in last_words or "No such file" in last_words:
        what = f"fieldgate can't run on '{robot.name}': {last_words.splitlines()[-1]}"
        cure = f"its Python may be gone: run `fieldgate deploy {robot.name}`, which installs it anew"
        return Trouble(what, cure=cure, code="no_agent")
    if robot.transport == "openssh" and last_words:
        return ssh_trouble(robot, last_words)
    said = f": {last_words.splitlines()[-1]}" if last_words else " without a word"
    what = f"the attach to the agent of '{robot.name}' ended{said}"
    return Trouble(what, cure=f"run `fieldgate deploy {robot.name}`, then try again", code="unreachable")


def greeting_trouble(robot: Robot, trouble: Trouble) -> Trouble:
    """What went wrong before the agent's hello, told with the robot's name and the command that helps."""
    deploy = f"run `fieldgate deploy {robot.name}`"
    if trouble.code == "ended":
        return ended_trouble(robot, trouble.what)
    if trouble.code == "no_agent":
        # Where the attach was to start one, it says itself what kept that from beginning.
        cure = trouble.cure if robot.settings.start_agent and trouble.cure else f"{deploy}, which starts it"
        return Trouble(f"no agent runs on '{robot.name}': {trouble.what}", cure=cure, code="no_agent")
    if trouble.code == "too_old":
        return Trouble(
            f"'{robot.name}': {trouble.what}", cure=trouble.cure.replace("ROBOT", robot.name), code="too_old"
        )
    return Trouble(f"'{robot.name}': {trouble.what}", cure=trouble.cure, code=trouble.code)
