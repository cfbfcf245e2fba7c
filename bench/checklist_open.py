"""Opening a campaign of ten thousand entries and drawing its checklist, against the bare read of its rows.

Run as `python -m bench.checklist_open`.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.table import Line, show
from console.campaigns.campaign import Campaign
from console.campaigns.opening import new_campaign, open_campaign
from console.checking.view import ChecklistView
from console.checklist.folding.fold import fold
from console.checklist.pack import Item
from console.checklist.states import ChecklistState
from console.fieldtest.criteria import Answer, Distribution, Measurement, Number, Rate
from console.fieldtest.judging import judge, limit_words
from console.marks import UNICODE
from console.record.entries import Attempt, Body, Confirmation, Evidence, Meaning, Moment, Note, Poll, Seen
from console.robots import DEMO
from console.widgets.checklist_rows import entries_of
from remote.histogram import Histogram

GOAL = 3.0
ROUNDS = 25
WIDTH = 80
_BUNDLE = "3f2a" * 16
_ALL = "SELECT seq, kind, item, digest, line FROM entries ORDER BY seq"


def write(campaign: Campaign, count: int) -> None:
    """Fill the record as weeks of work do: every kind of look and word, one failure in ten."""
    dice = random.Random(7)
    items = campaign.checklist.pack.items()
    kept = {"engine": "ONNX Runtime 1.23.2, CPU, 4 threads", "power_mode": "15W", "bundle": _BUNDLE}
    campaign.record.append("ada", Seen(fingerprints=kept, facts={"serial": "1420"}, moment=Moment(wall_ns=1)))
    for number in range(campaign.record.head().seq, count):
        campaign.record.append("ada", _body(campaign, items[number % len(items)], number, dice, kept))


def _body(campaign: Campaign, item: Item, number: int, dice: random.Random, kept: dict[str, str]) -> Body:
    if number % 40 == 0:
        return Seen(fingerprints={**kept, "source": f"v4l2:{number % 3}"}, moment=Moment(wall_ns=number))
    if number % 97 == 0:
        return Poll(stage=campaign.checklist.pack.stages[0].id, role="engineer", go=True, basis="0" * 64)
    if number % 31 == 0:
        return Note(item=item.id, text="the light was low in the afternoon; done again with the lamp")
    rule = campaign.checklist.rules[item.id]
    if item.kind in ("confirmed", "witnessed"):
        meaning: Meaning = "witnessed" if item.kind == "witnessed" and number % 2 else "performed"
        return Confirmation(
            item=item.id,
            meaning=meaning,
            holds=dice.random() > 0.1,
            statement=item.statement,
            looked_ms=4000,
            rule=rule,
            fingerprints=kept,
        )
    found = _found(item, dice)
    evidence = Evidence(
        source=item.probe.name if item.probe else "person",
        measurement=found,
        judgement=judge(item.criterion, found),
        limit=limit_words(item.criterion) if item.criterion else "",
        moment=Moment(wall_ns=number, robot_wall_ns=number, robot_mono_ns=number, robot_boot_id="b" * 36),
        took_ms=812.5,
        fingerprints=kept,
        rule=rule,
        details={"windows": 60, "seconds": 60.0, "camera": "v4l2:0"},
    )
    return Attempt(item=item.id, evidence=evidence)


def _found(item: Item, dice: random.Random) -> Measurement:
    criterion = item.criterion
    if criterion is None:
        return Answer(dice.random() > 0.1, "the camera gives 30 pictures a second, none black")
    if criterion.statistic == "rate":
        return Rate(dice.randint(70, 100), 100)
    if criterion.statistic in ("p50", "p95", "p99", "max", "mean"):
        return Distribution(Histogram.of(20 + 8 * dice.random() for _ in range(600)), criterion.unit)
    return Number(criterion.threshold * dice.uniform(0.5, 1.5), criterion.unit, 60)


def bare(path: Path) -> int:
    """Every row through sqlite3 alone."""
    connection = sqlite3.connect(path)
    rows = connection.execute(_ALL).fetchall()
    connection.close()
    return len(rows)


def drawn(state: ChecklistState) -> str:
    """The screen's own list as text, every item unfolded."""
    unfolded = frozenset(stage.stage.id for stage in state.stages)
    entries = entries_of(ChecklistView(state, UNICODE, "ada", unfolded=unfolded), WIDTH)
    return "\n".join("".join(text for text, _ in line) for entry in entries for line in entry.lines)


def opened(name: str, root: Path) -> str:
    """What a person waits for: from the name of a campaign to its checklist."""
    campaign = open_campaign(name, root)
    try:
        return drawn(campaign.state())
    finally:
        campaign.close()


def best(**named: Callable[[], object]) -> dict[str, float]:
    """Milliseconds of processor time of each at its best, measured in turns: other load on this machine only ever adds."""
    times: dict[str, list[float]] = {name: [] for name in named}
    for _ in range(ROUNDS):
        for name, call in named.items():
            begin = time.process_time()
            call()
            times[name].append((time.process_time() - begin) * 1000)
    return {name: min(found) for name, found in times.items()}


def measure(root: Path, count: int, pack: str) -> dict[str, float]:
    """Make the campaign, then time everything on it."""
    campaign = new_campaign(DEMO, _BUNDLE, "demo", pack, name="bench", person="ada", root=root, files=root)
    campaign.record._connection.execute("PRAGMA synchronous = OFF")  # the setting up is not what is measured
    write(campaign, count)
    state = campaign.state()
    record, checklist, path = campaign.record, campaign.checklist, campaign.record.path
    found = best(
        bare=lambda: bare(path),
        rows=record.rows,
        fold=lambda: fold(record, checklist, time.time_ns()),
        draw=lambda: drawn(state),
        opened=lambda: opened("bench", root),
    )
    campaign.close()
    return found


def main() -> int:
    """Measure and print; 0 where the goal is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--pack", default="grasping")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fg-bench-") as name:
        found = measure(Path(name), arguments.entries, arguments.pack)
    told = f"bare read {found['bare']:.1f} ms"
    steps = (("record.rows()", "rows"), ("fold, with its rows()", "fold"), ("draw the list, 80 columns", "draw"))
    lines = [
        Line(what, f"{found[key]:.1f} ms, {found[key] / found['bare']:.2f} x", told, "", None) for what, key in steps
    ]
    ratio = found["opened"] / found["bare"]
    whole = f"{found['opened']:.1f} ms, {ratio:.2f} x"
    lines.append(Line("open, fold and draw", whole, told, f"<= {GOAL:g} x", ratio <= GOAL))
    show(f"checklist of {arguments.entries:,} entries ({arguments.pack})", lines)
    return 0 if ratio <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
