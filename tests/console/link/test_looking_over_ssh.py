"""A sight over a real sshd: what a pack lets run on a robot arrives there word by word, whatever its login shell is."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

import msgspec
import pytest

from console.looking import looking_at
from console.robots import Robot, Transport
from remote.errors import Trouble
from tests.waiting import wait_until

ODD = ("a b", "$HOME", "`id`", "it's", '"', "a\nb", "*", ";", "\\", "ä中", "")


def count(mark: str) -> int:
    """Processes on this machine, which is the robot's too, whose command line holds `mark`."""
    found = 0
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += mark.encode() in file.read_bytes() and str(file.parent.name) != "self"
        except OSError:
            continue
    return found


@pytest.mark.parametrize("transport", ["paramiko", "openssh"])
def test_a_robot_behind_ssh_is_looked_at_and_its_programs_are_ended(
    robot: Robot, tmp_path: Path, transport: Transport
) -> None:
    reached = msgspec.structs.replace(robot, transport=transport)
    mark = f"fieldgate-{uuid.uuid4().hex}"
    with looking_at(reached, files=tmp_path) as sight:
        assert sight.facts().words["kernel"]
        echo = (sys.executable, "-c", "import sys; sys.stdout.write(repr(sys.argv[1:]))", *ODD)
        ran = sight.run(echo, 20)
        assert (ran.exit, ran.out.decode()) == (0, repr(list(ODD)))
        assert sight.run(("fieldgate-has-no-such-program",), 20).exit == 127
        with pytest.raises(Trouble) as late:
            sight.run((sys.executable, "-c", "import time; time.sleep(60)", mark), 1)
        assert late.value.code == "timeout"
        wait_until(lambda: count(mark) == 0, 15, "the program to be ended on the robot")
