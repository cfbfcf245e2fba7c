"""Runs the real agent in its own process with a small worker (`real`: the real one), short times: HOME BEHAVIOUR LEASE_S."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

from remote.agent.places import places_for
from remote.agent.serve import WORKER_COMMAND, Options, serve
from remote.agent.supervisor import Timing
from remote.errors import Trouble

TIMING = Timing(beat_s=5.0, start_s=60.0, quit_s=20.0, term_s=0.3, backoff_first_s=0.1, backoff_most_s=0.4)
"""So patient that no busy machine makes a good worker a bad one."""
IMPATIENT = {"hang": {"beat_s": 1.5}, "deaf": {"quit_s": 1.0}, "never_ready": {"quit_s": 1.0}}
"""Where the worker is a bad one, and a test waits for that."""


def main() -> None:
    home, behaviour, lease_s = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    small = (sys.executable, str(Path(__file__).with_name("small_worker.py")), behaviour)
    worker = WORKER_COMMAND if behaviour == "real" else small
    timing = dataclasses.replace(TIMING, **IMPATIENT.get(behaviour, {}))
    options = Options(drills=True, worker_command=worker, timing=timing, lease_s=lease_s, housekeeping_s=0.1)
    try:
        serve(places_for(home), options)
    except Trouble as trouble:
        sys.exit(str(trouble))


if __name__ == "__main__":
    main()
