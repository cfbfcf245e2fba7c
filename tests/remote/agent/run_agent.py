"""Runs the real agent in its own process with a small worker (`real`: the real one), short times: HOME BEHAVIOUR LEASE_S."""

from __future__ import annotations

import sys
from pathlib import Path

from remote.agent.places import places_for
from remote.agent.serve import WORKER_COMMAND, Options, serve
from remote.agent.supervisor import Timing
from remote.errors import Trouble

TIMING = Timing(beat_s=2.0, start_s=30.0, quit_s=1.0, term_s=0.3, backoff_first_s=0.1, backoff_most_s=0.4)


def main() -> None:
    home, behaviour, lease_s = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    small = (sys.executable, str(Path(__file__).with_name("small_worker.py")), behaviour)
    worker = WORKER_COMMAND if behaviour == "real" else small
    options = Options(drills=True, worker_command=worker, timing=TIMING, lease_s=lease_s, housekeeping_s=0.1)
    try:
        serve(places_for(home), options)
    except Trouble as trouble:
        sys.exit(str(trouble))


if __name__ == "__main__":
    main()
