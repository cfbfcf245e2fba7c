"""Appends to a journal for ever and says on stdout which sequence number is committed: PATH SEED."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from remote.agent.clock import system_clock
from remote.agent.journal import draft
from remote.agent.recovery import open_journal
from remote.protocol import Event


def main() -> None:
    draw = random.Random(int(sys.argv[2]))
    clock = system_clock()
    journal, _ = open_journal(Path(sys.argv[1]), clock)
    while True:
        size = draw.choice((1, 1, 5, 50))
        events = [
            Event(name="mark", severity="info", text="x" * draw.randrange(2000), data={"seq": journal.last_seq + 1 + i})
            for i in range(size)
        ]
        numbers = journal.append([draft(event, clock) for event in events])
        os.write(1, f"{numbers[-1]}\n".encode())


if __name__ == "__main__":
    main()
