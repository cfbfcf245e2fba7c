"""A release that does badly is stopped before it reaches many robots, and a good one goes on without a person."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from scipy.stats import binom

from console.fieldtest.binomial import upper_bound
from console.models.fleet import Fleet
from console.models.reports import reports_of
from console.models.waves import Judged, Report, judge, next_rollout
from console.store.store import Store
from remote.protocol import Body, Entry, Event, Scalar, raw
from remote.release import Rollout

ROBOTS = tuple(f"orin-{number:02}" for number in range(1, 41))
FLEET = Fleet(robots=ROBOTS, waves=[list(ROBOTS[:1]), list(ROBOTS[1:3]), list(ROBOTS[3:8]), list(ROBOTS[8:18]), "rest"])
SIZES = (1, 2, 5, 10, 22)
RELEASE = 7
PAGE = Path(__file__).parents[3] / "docs" / "updates.md"


def reports(good: int = 0, bad: int = 0, first: int = 0) -> dict[str, Report]:
    """The first `good` robots behind place `first` kept it, the `bad` ones behind them returned."""
    ends = ["committed"] * good + ["returned"] * bad
    return {ROBOTS[first + at]: Report(ended=end) for at, end in enumerate(ends)}  # type: ignore[arg-type]


def opened(waves: int) -> Rollout:
    rollout = Rollout(release=0)
    for _ in range(waves):
        rollout = next_rollout(FLEET, rollout, RELEASE)
    return rollout


def judged(waves: int, told: Mapping[str, Report]) -> Judged:
    return judge(FLEET, opened(waves), RELEASE, told)


def test_the_waves_open_one_after_the_other_and_nobody_is_closed_out() -> None:
    for waves, reach in enumerate((0, 1, 3, 8, 18, 40)):
        assert len(opened(waves).robots) == reach
        assert judged(waves, {}).wave == waves
    assert opened(6) == opened(5)
    assert not opened(5).everyone


def test_a_robot_that_a_person_went_back_on_is_no_mishap_and_no_proof() -> None:
    told = {ROBOTS[0]: Report(ended="went_back")}
    found = judged(1, told)
    assert (found.word, found.mishaps, found.committed, found.unknown) == ("wait", (), (), ROBOTS[:1])


def test_everyone_is_a_wave_of_its_own_although_all_known_robots_are_open() -> None:
    fleet = Fleet(waves=[["orin-01"], "everyone"])
    first = next_rollout(fleet, Rollout(release=0), RELEASE)
    found = judge(fleet, first, RELEASE, reports(good=1))
    assert (first.everyone, found.wave, found.word) == (False, 1, "go_on")
    last = next_rollout(fleet, first, RELEASE)
    assert (last.everyone, judge(fleet, last, RELEASE, reports(good=1)).word) == (True, "done")


@pytest.mark.parametrize(
    ("waves", "told", "word"),
    [
        (0, {}, "go_on"),
        (1, {}, "wait"),
        (1, reports(good=1), "go_on"),
        (1, reports(bad=1), "stop"),
        (2, reports(good=2), "wait"),
        (2, reports(good=2, bad=1), "ask"),
        (3, reports(good=5, bad=3), "stop"),
        (3, reports(good=7, bad=1), "ask"),
        (4, reports(good=17, bad=1), "go_on"),
        (4, reports(good=15, bad=3), "ask"),
        (5, reports(good=29), "done"),
        (5, reports(good=28), "wait"),
        (5, reports(good=40), "done"),
    ],
    ids=str,
)
def test_the_rule(waves: int, told: dict[str, Report], word: str) -> None:
    """Each word has a sample on either side of it: the counts differ by one robot."""
    assert judged(waves, told).word == word, judged(waves, told).why


def test_what_is_not_known_does_not_count_as_good() -> None:
    told = reports(good=2) | {ROBOTS[2]: Report(ended="cancelled")}
    found = judged(2, told)
    assert (found.word, found.unknown, found.committed) == ("wait", (ROBOTS[2],), ROBOTS[:2])
    assert found.share_below == pytest.approx(upper_bound(0, 2, 0.95))


def test_a_stopped_release_stays_stopped_and_keeps_its_counts() -> None:
    rollout = msgspec.structs.replace(opened(2), stopped="it drops things")
    found = judge(FLEET, rollout, RELEASE, reports(good=3))
    assert (found.word, len(found.committed)) == ("stop", 3)
    assert "it drops things" in found.why
    assert judge(FLEET, rollout, RELEASE + 1, {}).word == "go_on", "the next release begins anew"


# ---------------------------------------------------------------- what the rule is worth


def exact_reach(share: float) -> list[float]:
    """The probability that the rule by itself opens wave 1, 2, ... where each robot has a mishap with that probability.

    All robots of a wave take the release and report before it is judged; every count of mishaps is followed.
    """
    states: dict[int, float] = {0: 1.0}
    chances, before = [], 0
    for number, size in enumerate(SIZES, 1):
        chances.append(sum(states.values()))
        after: defaultdict[int, float] = defaultdict(float)
        for mishaps, weight in states.items():
            for more in range(size + 1):
                after[mishaps + more] += weight * float(binom.pmf(more, size, share))
        before += size
        states = {k: weight for k, weight in after.items() if goes_on(number, before, k)}
    return chances


def goes_on(wave: int, robots: int, mishaps: int) -> bool:
    """Mishaps are laid behind the first wave, except where there is nothing else."""
    return judged(wave, reports(good=robots - mishaps, bad=mishaps)).word in ("go_on", "done")


def run(share: float, chance: random.Random) -> tuple[int, str]:
    """One release in one fleet, by the rule and nothing else: robots reached, and the last word."""
    rollout, told = Rollout(release=0), dict[str, Report]()
    while True:
        found = judge(FLEET, rollout, RELEASE, told)
        if found.word != "go_on":
            return len(rollout.robots), found.word
        rollout = next_rollout(FLEET, rollout, RELEASE)
        for robot in rollout.robots:
            if robot not in told:
                told[robot] = Report(ended="returned" if chance.random() < share else "committed")


def test_a_release_with_30_percent_mishaps_is_stopped_before_it_reaches_the_fleet() -> None:
    """The promise of docs/updates.md: at most 18 of 40 robots with 99 %, at most 8 with 94 %."""
    runs, chance = 1500, random.Random(40)
    reached = [run(0.3, chance) for _ in range(runs)]
    over_18 = sum(robots > 18 for robots, _ in reached)
    over_8 = sum(robots > 8 for robots, _ in reached)
    assert all(word in ("stop", "ask") for _, word in reached), "none is ever called done"
    assert upper_bound(over_18, runs, 0.99) < 0.02
    assert upper_bound(over_8, runs, 0.99) < 0.09
    exact = exact_reach(0.3)
    assert exact[4] < 0.01
    assert exact[3] < 0.06
    for wave, robots in ((3, 8), (4, 18)):
        low, high = binom.ppf([1e-4, 1 - 1e-4], runs, exact[wave])
        assert low <= sum(one > robots for one, _ in reached) <= high, "the simulation agrees with the exact figures"


def test_a_good_release_reaches_the_fleet_without_a_person() -> None:
    runs, chance = 300, random.Random(1)
    done = sum(run(0.005, chance) == (40, "done") for _ in range(runs))
    assert done / runs > 0.9


def test_the_table_of_the_page_is_what_the_rule_does() -> None:
    rows = re.findall(r"^\| (\d+(?:\.\d+)?) % \|((?: [\d.]+ % \|){5})$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) >= 4
    for share, cells in rows:
        told = [float(cell) / 100 for cell in re.findall(r"[\d.]+", cells)]
        assert told == pytest.approx(exact_reach(float(share) / 100), abs=0.0006), share


# ---------------------------------------------------------------- what robots told


def ended(seq: int, **data: Scalar) -> Entry:
    body: Body = Event(name="model_change_ended", severity="info", text="a change ended", data=data)
    return Entry(seq, "boot", seq, seq * 10, raw(body))


def test_reports_come_from_the_journals_and_one_mishap_stays(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    kept = ended(1, ended="committed", release=RELEASE, why="")
    stories = {
        "orin-01": [kept],
        "orin-02": [
            ended(1, ended="returned", release=RELEASE, why="p99"),
            ended(2, ended="committed", release=RELEASE),
        ],
        "orin-03": [ended(1, ended="committed", release=6), ended(2, ended="odd", release=RELEASE)],
        "orin-04": [
            Entry(
                1,
                "boot",
                1,
                1,
                raw(Event(name="note", severity="info", text="model_change_ended", data={"release": RELEASE})),
            )
        ],
        "orin-05": [Entry(1, "boot", 1, 1, msgspec.Raw(b'{"kind":"event","name":"model_change_ended","data":7}'))],
        "orin-06": [ended(1, ended="cancelled", release=RELEASE), ended(2, ended="refused", release=RELEASE)],
        "orin-07": [ended(1, ended="committed", release=True)],
        "orin-08": [kept, ended(2, ended="went_back", release=RELEASE, why="it shall come later")],
    }
    for robot, entries in stories.items():
        store.add(store.journal(robot, "j").id, entries)
    found = reports_of(store, (*stories, "never-seen"), RELEASE)
    store.close()
    assert {name: one.ended for name, one in found.items()} == {
        "orin-01": "committed",
        "orin-02": "returned",
        "orin-06": "refused",
        "orin-08": "went_back",
    }
    assert (found["orin-02"].why, found["orin-02"].wall_ns) == ("p99", 10)
