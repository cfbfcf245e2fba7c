"""A program at the other end of three pipes: why it ended is known, in whatever order its pipes close."""

from __future__ import annotations

import sys

from console.link.pipes import PipeChannel


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
