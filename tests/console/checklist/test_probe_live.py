"""live_metric: a latency that was measured with a gap, with another model or an hour ago must not tick an item."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from console.checklist.probes import Finding
from console.checklist.probes.live import OF_WINDOW, MetricParameters, look_at_metric
from console.fieldtest.criteria import Distribution, Number
from console.link.snapshot import Seen, Snapshot
from remote.metrics import METRICS
from remote.protocol import CameraHealth, Host
from tests.console.checklist.probe_sight import (
    BUNDLE,
    DOWN,
    NOW_NS,
    OTHER,
    GivenSight,
    S,
    host,
    laptop,
    row_of_windows,
    sight,
    snapshot,
    state,
    window,
)


def looked(files: Path, *shots: Snapshot, bundle: str = BUNDLE, **parameters: Any) -> Finding:
    given = {"metric": "inference_ms", "windows": 10, **parameters}
    return look_at_metric(sight(files, *shots, bundle=bundle), msgspec.convert(given, MetricParameters))


def unavailable(files: Path, *shots: Snapshot, **parameters: Any) -> str:
    found = looked(files, *shots, **parameters)
    assert found.measurement is None
    assert found.unavailable
    return found.unavailable


def number(found: Finding) -> Number:
    assert isinstance(found.measurement, Number), found.unavailable
    return found.measurement


# ---------------------------------------------------------------- what belongs together


def test_a_latency_is_the_merged_distribution_of_the_last_windows(tmp_path: Path) -> None:
    windows = (
        *row_of_windows(10, newest_s=1.5, ms=[10.0, 10.0]),
        window(10, at_s=0.5, ms=[10.0, 50.0], dropped=3, failed=1),
    )
    found = looked(tmp_path, snapshot(windows))
    assert isinstance(found.measurement, Distribution)
    assert found.measurement.unit == "ms"
    assert (found.measurement.histogram.count, found.measurement.histogram.maximum) == (20, 50.0)
    assert found.details["windows"] == 10
    assert (found.details["frames"], found.details["dropped"], found.details["failed"]) == (20, 3, 1)
    assert (found.details["seconds"], found.details["max_ms"]) == (10.0, 50.0)
    assert found.details["p50_ms"] == pytest.approx(10, rel=0.01)
    assert found.details["p95_ms"] == pytest.approx(10, rel=0.01)
    assert found.details["p99_ms"] == 50.0


def test_each_stage_is_its_own(tmp_path: Path) -> None:
    windows = row_of_windows(10)
    for seen in windows:
        seen.body.stages_ms["end_to_end"] = seen.body.stages_ms["end_to_end"].of([99.0])
    found = looked(tmp_path, snapshot(windows), metric="end_to_end_ms")
    assert isinstance(found.measurement, Distribution)
    assert found.measurement.histogram.minimum == 99.0


def test_exactly_enough_windows_are_enough_and_one_fewer_is_not(tmp_path: Path) -> None:
    assert looked(tmp_path, snapshot(row_of_windows(10))).measurement
    said = unavailable(tmp_path, snapshot(row_of_windows(9)))
    assert said == "within 60 s there came 9 windows in a row (9.0 s)"


def test_short_windows_must_cover_the_minimum_duration(tmp_path: Path) -> None:
    short = row_of_windows(19, span_ms=500.0)
    assert "19 windows in a row (9.5 s)" in unavailable(tmp_path, snapshot(short))
    found = looked(tmp_path, snapshot(row_of_windows(20, span_ms=500.0)))
    assert found.details["windows"] == 20
    assert looked(tmp_path, snapshot(short), min_duration="9 s").details["windows"] == 18


def test_it_waits_until_enough_came(tmp_path: Path) -> None:
    given = GivenSight(tmp_path, [snapshot(row_of_windows(n)) for n in (1, 9, 10, 11)])
    found = look_at_metric(given, MetricParameters(metric="inference_ms", windows=10, patience="2 min"))
    assert found.details["windows"] == 10
    assert given.waited_s == [120.0]


def test_an_old_window_says_nothing_of_now(tmp_path: Path) -> None:
    assert looked(tmp_path, snapshot(row_of_windows(10, newest_s=3.0))).measurement
    assert "no fresh window" in unavailable(tmp_path, snapshot(row_of_windows(10, newest_s=3.001)))


@pytest.mark.parametrize(
    "other",
    [{"bundle": OTHER}, {"source": "scene:2"}, {"run": 6}, {"window": 3}],
    ids=["another bundle", "another source", "another run", "a gap"],
)
def test_what_does_not_belong_ends_the_row(tmp_path: Path, other: dict[str, Any]) -> None:
    windows = list(row_of_windows(15))
    strange = msgspec.structs.replace(windows[4].body, **other)
    windows[4] = Seen(windows[4].seq, windows[4].at_ns, windows[4].wall_ns, strange)
    assert looked(tmp_path, snapshot(tuple(windows))).details["windows"] == 10
    assert "10 windows in a row" in unavailable(tmp_path, snapshot(tuple(windows)), windows=11)


def test_windows_of_an_earlier_boot_do_not_count(tmp_path: Path) -> None:
    windows = row_of_windows(10)
    old = tuple(Seen(it.seq, None, it.wall_ns, it.body) for it in windows[:5])
    assert "5 windows in a row" in unavailable(tmp_path, snapshot((*old, *windows[5:])))


def test_windows_of_the_run_before_the_restart_do_not_count(tmp_path: Path) -> None:
    assert "no fresh window" in unavailable(tmp_path, snapshot(row_of_windows(10), state=state(run=8)))
    assert "no fresh window" in unavailable(tmp_path, snapshot(row_of_windows(10), state=None))


def test_windows_from_before_the_power_mode_changed_do_not_count(tmp_path: Path) -> None:
    modes = [host(11 - at, text={"power_mode": "15W" if at < 5 else "MAXN"}) for at in range(11)]
    assert "5 windows in a row" in unavailable(tmp_path, snapshot(row_of_windows(10), tuple(modes)))
    # A window that begins with the new mode is a window of the new mode.
    just = [host(10.5 - at, text={"power_mode": "15W" if at < 5 else "MAXN"}) for at in range(11)]
    assert "5 windows in a row" in unavailable(tmp_path, snapshot(row_of_windows(10), tuple(just)))
    same = [host(11 - at, text={"power_mode": "MAXN"}) for at in range(11)]
    assert looked(tmp_path, snapshot(row_of_windows(10), tuple(same))).measurement


# ---------------------------------------------------------------- why there is nothing


def test_a_stopped_worker_is_told_at_once_with_the_command_that_starts_it(tmp_path: Path) -> None:
    found = looked(tmp_path, snapshot(row_of_windows(10), state=state(phase="stopped")))
    assert found.unavailable == "the worker does not run"
    assert found.cure == "start it with `fieldgate start orin`"


def test_a_worker_that_starts_is_waited_for(tmp_path: Path) -> None:
    starting = snapshot((), state=state(phase="starting"))
    assert looked(tmp_path, starting, snapshot(row_of_windows(10))).measurement
    assert "the worker is starting" in unavailable(tmp_path, starting)


def test_another_bundle_than_the_campaigns_is_not_measured(tmp_path: Path) -> None:
    shot = snapshot(row_of_windows(10, bundle=OTHER), state=state(bundle=OTHER))
    found = looked(tmp_path, shot)
    assert found.unavailable == "the robot runs the bundle 91bc91bc, not the campaign's 3f2a3f2a"
    assert found.cure == f"run `fieldgate start orin --bundle {BUNDLE[:12]}`"
    assert looked(tmp_path, shot, bundle="").measurement
    assert "the bundle none" in unavailable(tmp_path, snapshot(row_of_windows(10), state=state(bundle=None)))


def test_a_lost_link_is_told_with_its_reason(tmp_path: Path) -> None:
    found = looked(tmp_path, snapshot((), link=DOWN))
    assert (found.unavailable, found.cure) == ("the link is down: the cable is out", "plug it in")
    stopped = snapshot((), link=DOWN, state=state(phase="stopped"))
    assert unavailable(tmp_path, stopped) == "the link is down: the cable is out"


def test_a_journal_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    assert "the journal can't be written: disk full" in unavailable(
        tmp_path, snapshot((), state=state(trouble="disk full"))
    )


def test_without_a_robot_there_is_nothing_to_measure(tmp_path: Path) -> None:
    assert (
        look_at_metric(laptop(tmp_path), MetricParameters(metric="fps")).unavailable == "there is no robot to look at"
    )


def test_no_frames_are_no_latency_of_zero(tmp_path: Path) -> None:
    gone = row_of_windows(10, ms=(), camera=CameraHealth("gone", "unplugged"))
    found = looked(tmp_path, snapshot(gone))
    assert found.unavailable == "no frame was processed in 10.0 s; camera gone: unplugged"
    assert found.details["frames"] == 0
    assert number(looked(tmp_path, snapshot(gone), metric="fps")).value == 0.0


# ---------------------------------------------------------------- single numbers


def test_every_single_number_of_a_window_can_be_read() -> None:
    assert set(OF_WINDOW) == {m.name for m in METRICS.values() if m.home == "window" and m.shape == "value"}


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("fps", 30.0),
        ("frames", 30.0),
        ("dropped_frames", 2.0),
        ("failed_frames", 1.0),
        ("detections", 2.0),
        ("brightness", 120.0),
    ],
)
def test_single_numbers_of_windows(tmp_path: Path, metric: str, value: float) -> None:
    found = looked(tmp_path, snapshot(row_of_windows(10, dropped=2, failed=1)), metric=metric)
    assert number(found) == Number(value, METRICS[metric].unit, 10)


def test_frames_a_second_are_weighed_by_time(tmp_path: Path) -> None:
    windows = (*row_of_windows(9, newest_s=3.5, ms=[1.0] * 30), window(9, at_s=0.5, ms=[1.0], span_ms=3000.0))
    assert number(looked(tmp_path, snapshot(windows), metric="fps")).value == pytest.approx(271 / 12)


@pytest.mark.parametrize(
    ("statistic", "value", "n"), [("last", 9, 1), ("mean", 4.5, 10), ("max", 9, 10), ("min", 0, 10)]
)
def test_the_statistic_of_single_numbers(tmp_path: Path, statistic: str, value: float, n: int) -> None:
    windows = tuple(window(i, at_s=9.5 - i, dropped=i) for i in range(10))
    found = looked(tmp_path, snapshot(windows), metric="dropped_frames", statistic=statistic)
    assert number(found) == Number(value, "frames", n)
    assert (found.details["min"], found.details["max"]) == (0, 9)


def test_a_window_without_brightness_is_no_zero(tmp_path: Path) -> None:
    windows = (*row_of_windows(9, newest_s=1.5), window(9, at_s=0.5, camera=CameraHealth("opening")))
    assert "has no brightness" in unavailable(tmp_path, snapshot(windows), metric="brightness")


# ---------------------------------------------------------------- the host


def hosts(n: int = 10, **other: Any) -> tuple[Seen[Host], ...]:
    return tuple(host(n - i - 0.6, {"temp_max_c": 40.0 + i}, **other) for i in range(n))


def test_the_host_is_measured_while_the_worker_works(tmp_path: Path) -> None:
    cold = host(30.0, {"temp_max_c": 20.0})
    shot = snapshot(row_of_windows(10), (cold, *hosts()))
    assert number(looked(tmp_path, shot, metric="temp_max_c")) == Number(44.5, "°C", 10)
    assert number(looked(tmp_path, shot, metric="temp_max_c", statistic="min")).value == 40.0
    assert number(looked(tmp_path, shot, metric="temp_max_c", statistic="last")) == Number(49.0, "°C", 1)


def test_a_host_sample_at_the_very_beginning_of_the_windows_counts(tmp_path: Path) -> None:
    on_the_second = tuple(host(10.5 - i, {"temp_max_c": 40.0}) for i in range(11))
    assert number(looked(tmp_path, snapshot(row_of_windows(10), on_the_second), metric="temp_max_c")).n == 11


def test_host_samples_with_a_gap_are_refused(tmp_path: Path) -> None:
    whole = hosts()
    assert looked(tmp_path, snapshot(row_of_windows(10), (*whole[:3], *whole[5:])), metric="temp_max_c").measurement
    for gap in ((*whole[:3], *whole[6:]), whole[:6], whole[4:], ()):
        assert "gap" in unavailable(tmp_path, snapshot(row_of_windows(10), gap), metric="temp_max_c")


def test_a_number_that_the_robot_cannot_read_is_told_with_its_reason(tmp_path: Path) -> None:
    blind = hosts(unavailable={"gpu_percent": "no GPU here"})
    said = unavailable(tmp_path, snapshot(row_of_windows(10), blind), metric="gpu_percent")
    assert said == "gpu_percent is missing in 10 of 10 host samples: no GPU here"


def test_a_number_that_was_missing_once_is_not_averaged_away(tmp_path: Path) -> None:
    some = list(hosts())
    some[4] = host(5.4, {})
    said = unavailable(tmp_path, snapshot(row_of_windows(10), tuple(some)), metric="temp_max_c")
    assert said == "temp_max_c is missing in 1 of 10 host samples"


def test_a_nan_is_no_number(tmp_path: Path) -> None:
    some = list(hosts())
    some[4] = host(5.4, {"temp_max_c": float("nan")})
    assert unavailable(tmp_path, snapshot(row_of_windows(10), tuple(some)), metric="temp_max_c")


def test_of_a_series_the_highest_part_counts(tmp_path: Path) -> None:
    some = list(hosts(series={"power_mw": {"cpu": 900.0, "gpu": 1500.0}}))
    some[4] = host(5.4, series={"power_mw": {"cpu": 2100.0, "gpu": 1500.0}})
    assert number(looked(tmp_path, snapshot(row_of_windows(10), tuple(some)), metric="power_mw")).value == 2100.0


# ---------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"metric": "inferense_ms"}, "did you mean 'inference_ms'"),
        ({"metric": "zzz"}, "no metric is called 'zzz'"),
        ({"metric": "power_mode"}, "is a word"),
        ({"metric": "inference_ms", "statistic": "max"}, "in the item's criterion"),
        ({"metric": "temp_c", "statistic": "mean"}, "only their max"),
        ({"metric": "fps", "min_duration": "301 s"}, "300 s at most"),
        ({"metric": "fps", "windows": 301}, "<= 300"),
        ({"metric": "fps", "windows": 0}, ">= 1"),
        ({"metric": "fps", "patience": "soon"}, "regex"),
        ({"metric": "fps", "window": 3}, "unknown field"),
    ],
)
def test_parameters_that_could_never_work_are_refused(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert(parameters, MetricParameters)


def test_the_longest_wait_is_allowed() -> None:
    assert MetricParameters(metric="temp_c", statistic="max", windows=300, min_duration="300 s")


def test_evidence_from_the_future_of_the_clock_is_still_ordered(tmp_path: Path) -> None:
    given = GivenSight(tmp_path, [snapshot(row_of_windows(10))])
    given.now_ns = NOW_NS - S  # the offset to the robot is measured to some milliseconds only
    assert look_at_metric(given, MetricParameters(metric="inference_ms", windows=10)).measurement
