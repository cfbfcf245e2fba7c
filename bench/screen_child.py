"""The live screen on a synthetic session, as a process of its own: `screen_child.py HZ [low]`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


class Lazy:
    """The synthetic session, imported when it is started: `fieldgate` too reaches for its link after the first paint."""

    holds_lease = True

    def start(self, on_snapshot: object) -> None:
        """Begin to play."""
        from bench.synthetic import SyntheticSession

        SyntheticSession().start(on_snapshot)  # type: ignore[arg-type]

    def close(self) -> None:
        """End with the process."""


if __name__ == "__main__":
    from console.app import run_live

    run_live(Lazy(), robot="orin", repaint_hz=float(sys.argv[1]), low_bandwidth="low" in sys.argv)  # type: ignore[arg-type]
