"""The live screen on a synthetic session, as a process of its own: `screen_child.py HZ [low] [ascii] [no_color]`."""

from __future__ import annotations

import os
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

    def watch_samples(self, per_s: float) -> None:
        """The rate is fixed."""

    def close(self) -> None:
        """End with the process."""


if __name__ == "__main__":
    if "no_color" in sys.argv:
        os.environ["NO_COLOR"] = "1"
    from console.app import FieldgateApp

    words = {"ascii": "ascii" in sys.argv, "low_bandwidth": "low" in sys.argv}
    FieldgateApp(Lazy(), robot="orin", repaint_hz=float(sys.argv[1]), **words).run()  # type: ignore[arg-type]
