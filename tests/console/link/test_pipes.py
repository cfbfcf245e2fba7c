"""A program at the other end of three pipes: why it ended is known, in whatever order its pipes close."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import pytest

from console.link.pipes import PipeChannel
from remote.errors import Trouble

HANDS_ON = """
import subprocess, sys, time
kept = subprocess.Popen(["sleep", "60"], start_new_session=True)
sys.stdout.write(str(kept.pid))
sys.stdout.flush()
time.sleep(60)
"""


def test_hanging_up_does_not_wait_for_who_took_the_pipe_over() -> None:
    """What was still to be sent was sent first, to nobody: leaving the screen hung."""
    channel = PipeChannel([sys.executable, "-c", HANDS_ON])
    pid = 0
    while not pid:
        pid = int(channel.receive(10.0) or 0)

    def flood() -> None:
        with pytest.raises(Trouble):
            channel.send(bytes(1_000_000))

    sender = threading.Thread(target=flood, daemon=True)
    sender.start()
    try:
        begun = time.monotonic()
        channel.close()
        assert time.monotonic() - begun < 5
    finally:
        os.kill(pid, signal.SIGKILL)
    sender.join(10)
    assert not sender.is_alive()


def test_why_a_program_ended_is_known_though_its_output_closed_first() -> None:
    """Without it a robot that has no fieldgate looks unreachable, and the cure is not told."""
    script = "import os, time; os.close(1); time.sleep(0.3); os.write(2, b'there is no such program')"
    channel = PipeChannel([sys.executable, "-c", script])
    try:
        while channel.receive(5.0) != b"":
            pass
        assert channel.last_words() == "there is no such program"
    finally:
        channel.release()
