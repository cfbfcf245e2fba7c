"""The app on a campaign's checklist without its robot, as a process of its own: `checklist_child.py NAME`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))


def main(name: str) -> None:
    from console.app import FieldgateApp
    from console.campaigns.opening import open_campaign
    from tests.console.screens.driving import NOW_NS
    from tests.console.screens.scripted import ScriptedSession, snapshot

    session = ScriptedSession(snapshot(now_ns=NOW_NS))
    FieldgateApp(session, robot="demo", opener=lambda: open_campaign(name), person="ada").run()


if __name__ == "__main__":
    main(sys.argv[1])
