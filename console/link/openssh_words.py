"""What the system's `ssh` says on stderr, as Troubles."""

from __future__ import annotations

import re

from console.robots import Robot
from remote.errors import Trouble


def ssh_trouble(robot: Robot, err: str) -> Trouble:
    """What ssh's own words mean, as the same Troubles that paramiko's way gives."""
    last = next((line for line in reversed(err.splitlines()) if line.strip()), "no reason given")
    name = robot.address
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in err or "is revoked" in err.lower():
        place = re.search(r"Offending .* key in (\S+)", err)
        cure = (
            "someone may be in between. Only if you know why it changed: `ssh-keygen -R HOST`, then compare the new one"
        )
        where = f" ({place.group(1)} has another)" if place else ""
        return Trouble(f"the host key of {name} has changed{where}", cure=cure, code="changed_host_key")
    if "Host key verification failed" in err or "host key is known for" in err:
        cure = f"connect once in a terminal (`ssh {name}`), compare the key and accept it"
        return Trouble(f"the host key of {name} is not known", cure=cure, code="unknown_host_key")
    if "Permission denied" in err or "Too many authentication failures" in err:
        return Trouble(
            f"{name} refused the login: {last}", cure=f"`ssh-copy-id {name}`, or check the user", code="auth_failed"
        )
    cures = {
        "Could not resolve hostname": "check the robot's address (`fieldgate robot list`)",
        "Connection refused": "start the SSH service on the robot, or correct the port",
        "No route to host": "join the robot's network or start the VPN",
        "Network is unreachable": "join the robot's network or start the VPN",
        "timed out": "check that the robot is on and in this network",
    }
    cure = next((cure for words, cure in cures.items() if words in err), "try `ssh -v` to see more")
    return Trouble(f"{name} can't be reached: {last}", cure=cure, code="unreachable")
