"""Patterns: rates, not counts; odds that hold after looking at many groups; a stuck scene is one example."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from console.failures.book import FailureBook
from console.failures.circumstances import UNKNOWN, light_name, temp_name, utc_hour
from console.failures.examples import folded
from console.failures.exposure import exposure_of
from console.failures.looks import Looks
from console.failures.near_duplicates import alike, look_at
from console.failures.oldest_first import oldest_first
from console.failures.pattern_words import odds, sentence, summary
from console.failures.patterns import GroupRate, Patterns, Unit, count_groups, find_patterns
from console.failures.query import EVERYTHING, parse
from console.failures.rates import chance_of_difference, rate
from console.store.pictures import Pictures
from console.store.store import Store
from remote.protocol import Entry, raw
from tests.console.failures.pattern_samples import START_NS, S, fill, kept, picture, row, window


def found_in(folder: Path, line: str = "", unit: Unit = "hours") -> Patterns:
    store, book = Store(folder / "store.db"), FailureBook(folder)
    try:
        book.refresh(store)
        query = parse(line)
        exposure = exposure_of(store, query, utc_hour)
        rows = oldest_first(book, book.find(query))
        return find_patterns(rows, exposure, Looks(Pictures(folder / "pictures")).of, utc_hour, unit)
    finally:
        book.close()
        store.close()


def group(found: Patterns, name: str) -> GroupRate:
    return next(one for one in found.groups if one.name == name)


# ------------------------------------------------------------ statistics


@pytest.mark.parametrize(
    ("count", "lower", "upper"),
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39), (100, 81.36, 121.6)],
)
def test_the_interval_of_a_count_is_the_published_one(count: int, lower: float, upper: float) -> None:
    """Garwood's table of exact limits, 95 %."""
    found = rate(count, 2.0)
    assert found is not None
    assert found.lower * 2 == pytest.approx(lower, rel=1e-3)
    assert found.upper * 2 == pytest.approx(upper, rel=1e-3)
    assert rate(count, 0.0) is None


def test_two_equal_rates_differ_by_chance_and_two_unequal_ones_do_not() -> None:
    assert chance_of_difference(5, 10.0, 5, 10.0) == pytest.approx(1.0)
    assert chance_of_difference(1, 1.0, 9, 1.0) == pytest.approx(22 / 1024)  # two tails of Binomial(10, 1/2)
    assert chance_of_difference(0, 1.0, 0, 1.0) is None
    assert chance_of_difference(3, 0.0, 5, 1.0) is None


def test_robots_without_a_pattern_seldom_show_one() -> None:
    """Else every second report of a sound robot sends somebody after the light."""
    from console.failures.exposure import Exposure

    random = np.random.default_rng(4)
    seconds = {("hour", f"hour {hour:02d}"): 3600.0 for hour in range(24)}
    exposure = Exposure(seconds=seconds, frames={}, all_seconds=86_400.0, all_frames=0.0)
    rows = [row(n) for n in range(60 * 24)]  # a minute apart
    wrong = 0
    for _ in range(40):
        chosen = sorted(random.choice(len(rows), 40, replace=False))
        found = find_patterns([rows[n] for n in chosen], exposure, lambda _: None, utc_hour)
        wrong += any(one.beyond_chance for one in found.groups if one.by == "hour")
    assert wrong <= 6  # 5 % of 40 are 2; 7 or more would come once in 200


# ------------------------------------------------------------ over a store


def test_the_dark_is_found_as_a_rate_though_most_failures_happen_in_the_light(tmp_path: Path) -> None:
    """By counts alone the light would be blamed: it had 9 of 10 hours and more failures."""
    store = Store(tmp_path / "store.db")
    fill(
        store,
        600,
        lambda minute: 30.0 if minute % 10 == 0 else 90.0,
        lambda minute: 1 if minute % 10 == 0 or minute % 7 == 0 else 0,
    )
    store.close()
    found = found_in(tmp_path)
    dark, light = group(found, "light < 40"), group(found, "light 80 to 120")
    assert dark.failures < light.failures
    assert dark.beyond_chance
    assert dark.rate is not None
    assert dark.rate.per_unit == pytest.approx(60.0)
    assert dark.rate.amount == pytest.approx(1.0)
    assert not group(found, "hour 23").beyond_chance
    assert found.groups[0].by == "light"
    words = sentence(dark, found.looked_at, found.unit)
    assert words.startswith("light < 40: 60 failures/h [45.8, 77.2], elsewhere ")
    assert f"after looking at {found.looked_at} groups" in words
    assert not group(found, "label cube").beyond_chance  # a failure to see anything has no label: that is no pattern
    frames = found_in(tmp_path, unit="frames")
    assert sum(one.rate.amount for one in frames.groups if one.by == "hour" and one.rate) == pytest.approx(720.0)


def test_an_even_robot_gets_the_words_no_pattern(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    fill(store, 480, lambda minute: 30.0 if minute % 2 else 90.0, lambda minute: int(minute % 11 == 0))
    store.close()
    found = found_in(tmp_path)
    assert summary(found).startswith("no pattern beyond chance")
    assert not any(one.beyond_chance for one in found.groups)


def test_what_is_not_known_of_failures_makes_no_pattern_of_the_rest(tmp_path: Path) -> None:
    """Robots whose failures tell no place would seem to fail nowhere."""
    exposure_store = Store(tmp_path / "store.db")
    fill(exposure_store, 480, lambda minute: 90.0, lambda minute: 0)
    exposure = exposure_of(exposure_store, EVERYTHING, utc_hour)
    exposure_store.close()
    rows = [row(n, temp_c=None, light=None, conditions={}, data={"label": "cup"}) for n in range(0, 480, 8)]
    found = find_patterns(rows, exposure, lambda _: None, utc_hour)
    assert not any(one.beyond_chance for one in found.groups)
    assert group(found, f"temperature {UNKNOWN}").failures == 60
    assert (group(found, "missing cup").failures, group(found, "missing cup").p) == (60, None)


def test_a_query_narrows_the_running_time_as_it_narrows_the_failures(tmp_path: Path) -> None:
    """Else `light:<40` would divide its failures by the hours in the light."""
    store = Store(tmp_path / "store.db")
    fill(store, 120, lambda minute: 30.0 if minute % 4 == 0 else 90.0, lambda minute: int(minute % 8 == 0))
    assert exposure_of(store, parse("light:<40"), utc_hour).all_seconds == pytest.approx(1800)
    assert exposure_of(store, parse("!light:<40"), utc_hour).all_seconds == pytest.approx(5400)
    assert exposure_of(store, parse("place:hall"), utc_hour).all_seconds == pytest.approx(2400)
    assert exposure_of(store, parse("kind:no_detection temp:>60"), utc_hour).all_seconds == pytest.approx(3600)
    assert exposure_of(store, parse("robot:other"), utc_hour).all_seconds == 0
    whole = exposure_of(store, EVERYTHING, utc_hour)
    assert whole.all_seconds == pytest.approx(7200)
    assert whole.seconds["label", "label cube"] == pytest.approx(3600)
    store.close()
    assert group(found_in(tmp_path, "light:<40"), "light < 40").rest is None


def test_running_time_that_is_kept_is_what_reading_it_all_again_gives(tmp_path: Path) -> None:
    store, cache = Store(tmp_path / "store.db"), tmp_path / "cache"
    fill(store, 90, lambda minute: 30.0 if minute % 4 else 90.0, lambda minute: 0)
    exposure_of(store, EVERYTHING, utc_hour, cache)
    journal = store.journals()[0]
    more = [Entry(journal.last_seq + n, "boot", n, START_NS + n * S, raw(window(n, 30.0))) for n in range(1, 20)]
    store.add(journal.id, more)
    again, anew = exposure_of(store, EVERYTHING, utc_hour, cache), exposure_of(store, EVERYTHING, utc_hour)
    assert again.all_seconds == pytest.approx(109 * 60.0)
    assert again.seconds == pytest.approx(anew.seconds)
    assert again.frames == pytest.approx(anew.frames)
    for side in (cache / "running").iterdir():
        side.write_bytes(side.read_bytes()[:-9])
    assert exposure_of(store, EVERYTHING, utc_hour, cache).seconds == pytest.approx(anew.seconds)
    store.close()


def test_failures_without_running_time_get_no_rate(tmp_path: Path) -> None:
    book = FailureBook(tmp_path)
    book.add_imported([(1, row(1, imported_from="a.log:1"))], "d" * 64, "a.log")
    book.close()
    found = found_in(tmp_path)
    assert (found.failures, found.left_out) == (0, {"imported from a log": 1})
    assert "no rates" in summary(found)


def test_bands_and_odds_are_said_plainly() -> None:
    assert [light_name(value) for value in (0, 39.9, 40, 200, None)] == [
        "light < 40", "light < 40", "light 40 to 80", "light >= 200", f"light {UNKNOWN}",
    ]  # fmt: skip
    assert temp_name(61.0) == "temperature 60 to 70 °C"
    assert [odds(p) for p in (0.9, 0.04, 0.0001, 1e-20)] == [
        "1 in 1", "1 in 20", "1 in 10,000", "less than 1 in 1,000,000,000,000",
    ]  # fmt: skip


# ------------------------------------------------------------ pictures that look alike


def test_grain_folds_and_another_scene_does_not(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.jpg" for n in range(3)]
    for path, jpeg in zip(paths, (picture(1), picture(1, noise=9), picture(2)), strict=True):
        path.write_bytes(jpeg)
    same, grainy, other = (look_at(path) for path in paths)
    assert same is not None
    assert grainy is not None
    assert other is not None
    assert alike(same, grainy)
    assert not alike(same, other)
    (tmp_path / "torn.jpg").write_bytes(picture(1)[:200])
    assert look_at(tmp_path / "torn.jpg") is None


def test_four_hundred_pictures_of_a_stuck_scene_are_one_example_of_four_hundred_failures(tmp_path: Path) -> None:
    stuck = [kept(tmp_path / "pictures", picture(1, noise=n)) for n in range(8)]
    looks = Looks(Pictures(tmp_path / "pictures"), tmp_path / "cache")
    rows = [row(n, wall_ns=START_NS + n * 20 * S, at=stuck[n % 8]) for n in range(400)]
    found = list(folded(rows, looks.of))
    assert (len(found), {one.example for one in found}) == (400, {0})
    moved = kept(tmp_path / "pictures", picture(2))
    after = [*rows, row(400, wall_ns=START_NS + 400 * 20 * S, at=moved), row(401, wall_ns=START_NS + 10_000 * S)]
    assert [one.example for one in folded(after, looks.of)][-3:] == [0, 1, 2]
    assert [one.example for one in folded(reversed(after), looks.of)][:3] == [0, 1, 2]
    looks.save()
    assert Looks(Pictures(tmp_path / "nowhere"), tmp_path / "cache").of(stuck[0]) == looks.of(stuck[0])


def test_without_pictures_only_what_follows_at_once_is_one_example() -> None:
    times = (0, 1, 9, 30, 31, 400)
    rows = [row(n, wall_ns=START_NS + second * S) for n, second in enumerate(times)]
    assert [one.example for one in folded(rows, lambda _: None)] == [0, 0, 0, 1, 1, 2]
    undated = [row(n, wall_ns=0) for n in range(3)]
    assert [one.example for one in folded(undated, lambda _: None)] == [0, 1, 2]


def test_failures_that_were_withheld_are_counted_and_are_no_example_of_their_own() -> None:
    told = [
        row(1, wall_ns=START_NS, data={"repeats": 4}),
        row(2, wall_ns=START_NS + 60 * S, data={"repeats": 9, "only_repeats": True}),
        row(3, wall_ns=START_NS + 7200 * S, data={"repeats": "many"}),
    ]
    assert [one.times for one in told] == [5, 9, 1]
    counted = count_groups(told, lambda _: None, utc_hour)
    assert (counted.all_failures, counted.all_examples) == (15, 2)
    alone = row(4, wall_ns=START_NS + 60 * S, data={"repeats": 2, "only_repeats": True})
    assert count_groups([alone], lambda _: None, utc_hour).all_examples == 1
