"""Alarms: a person who trusts the list must not miss a fault, nor read an old good as a present one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from console.alarms import Alarm, AlarmBook
from console.fieldtest.criteria import Criterion
from console.fieldtest.kpis import Alarming, Condition, Kpi, Kpis, load_kpis
from console.link.snapshot import Link, Seen, Snapshot
from remote.histogram import Histogram
from remote.protocol import (
    AgentState,
    CameraHealth,
    Host,
    JournalState,
    LabelCount,
    Window,
    WorkerPhase,
    WorkerState,
)

S = 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now_ns = 1000 * S

    def __call__(self) -> int:
        return self.now_ns


def window(**given: Any) -> Window:
    fields: dict[str, Any] = {
        "run": 1,
        "window": 0,
        "start_mono_ns": 0,
        "span_ms": 1000.0,
        "frames": 30,
        "stages_ms": {"inference": Histogram.of([10.0]), "end_to_end": Histogram.of([20.0])},
        "camera": CameraHealth("ok", brightness=100.0),
        "source": "scene:",
        "bundle": "b",
        **given,
    }
    return Window(**fields)


def agent(phase: WorkerPhase = "running", last_exit: str = "") -> AgentState:
    worker = WorkerState(phase, 0, last_exit=last_exit)
    return AgentState(
        version=1, mono_ns=0, worker=worker, source="scene:", bundle=None, lease=None, epoch=1,
        journal=JournalState("j", 1, 1, 1),
    )  # fmt: skip


class World:
    """A robot, a clock and a book; each call of `second` is one second with its windows and host samples."""

    def __init__(self, kpis: Kpis) -> None:
        self.clock = Clock()
        self.book = AlarmBook(kpis, self.clock)
        self.seq = 0
        self.snap = Snapshot(
            robot="r",
            taken_ns=0,
            link=Link(phase="up", since_ns=0, transport="t", heard_ns=self.clock.now_ns),
            state=agent(),
        )

    def second(self, *, fold: bool = True, **changed: Any) -> dict[str, Alarm]:
        self.clock.now_ns += S
        if changed.pop("data", True):
            self.seq += 2
            at = self.clock.now_ns
            made = changed.pop("window", None) or window(start_mono_ns=self.seq)
            host = Host(values={"cpu_percent": 10.0, **changed.pop("host", {})})
            host = msgspec.structs.replace(host, unavailable=changed.pop("unavailable", {}))
            if changed.pop("no_values", False):
                host = msgspec.structs.replace(host, values={})
            windows = (*self.snap.windows, Seen(self.seq, at, at, made))[-300:]
            hosts = (*self.snap.hosts, Seen(self.seq + 1, at, at, host))[-300:]
            self.snap = msgspec.structs.replace(self.snap, windows=windows, hosts=hosts)
        self.snap = msgspec.structs.replace(self.snap, **changed)
        return {alarm.id: alarm for alarm in self.book.fold(self.snap)} if fold else {}

    def seconds(self, n: int, **changed: Any) -> dict[str, Alarm]:
        found: dict[str, Alarm] = {}
        for _ in range(n):
            found = self.second(**dict(changed))
        return found


CRITERION = ("metric", "statistic", "comparison", "threshold", "unit")
ALARM = ("says", "severity", "clear", "raise_after_s", "clear_after_s")


def cpu(**given: Any) -> Kpi:
    fields: dict[str, Any] = {
        "id": "cpu",
        "title": "CPU",
        "says": "CPU",
        "metric": "cpu_percent",
        "statistic": "value",
        "comparison": "<",
        "threshold": 70.0,
        "clear": 60.0,
        "unit": "%",
        "window": "5 s",
        "raise_after_s": 3.0,
        "clear_after_s": 4.0,
        "severity": "warning",
        "cure": "Stop something.",
        **given,
    }
    criterion = Criterion(**{name: fields.pop(name) for name in CRITERION})
    alarm = Alarming(**{name: fields.pop(name) for name in ALARM})
    return Kpi(criterion=criterion, alarm=alarm, **fields)


def cpu_world(**given: Any) -> World:
    return World(Kpis(kpis=(cpu(**given),)))


def test_it_is_raised_only_after_the_dwell_and_says_everything() -> None:
    world = cpu_world()
    began = world.clock.now_ns + S
    assert world.seconds(3, host={"cpu_percent": 71.0}) == {}
    alarm = world.second(host={"cpu_percent": 72.0})["cpu"]
    assert (alarm.state, alarm.acknowledged, alarm.since_ns) == ("raised", False, began)
    assert (alarm.value, alarm.limit, alarm.unit, alarm.n) == (72.0, 70.0, "%", 1)
    assert (alarm.severity, alarm.cure, alarm.title, alarm.blind) == ("warning", "Stop something.", "CPU", "")


def test_one_good_second_starts_the_dwell_anew() -> None:
    world = cpu_world()
    world.seconds(3, host={"cpu_percent": 99.0})
    assert world.second(host={"cpu_percent": 65.0}) == {}
    assert world.seconds(3, host={"cpu_percent": 99.0}) == {}
    assert "cpu" in world.second(host={"cpu_percent": 99.0})


def test_it_clears_only_below_the_clear_level_and_after_the_dwell() -> None:
    world = cpu_world()
    world.seconds(4, host={"cpu_percent": 99.0})
    between = world.seconds(20, host={"cpu_percent": 60.0})["cpu"]
    assert (between.state, between.recovering) == ("raised", False)
    recovering = world.seconds(4, host={"cpu_percent": 59.9})["cpu"]
    assert (recovering.state, recovering.recovering) == ("raised", True)
    good = world.clock.now_ns - 3 * S
    alarm = world.second(host={"cpu_percent": 59.9})["cpu"]
    assert (alarm.state, alarm.since_ns, alarm.acknowledged) == ("cleared", good, False)
    assert not alarm.recovering


@pytest.mark.parametrize("between", [65.0, 75.0])
def test_what_comes_back_while_clearing_starts_the_clearing_anew(between: float) -> None:
    world = cpu_world()
    world.seconds(4, host={"cpu_percent": 99.0})
    world.seconds(4, host={"cpu_percent": 10.0})
    world.second(host={"cpu_percent": between})
    assert world.seconds(4, host={"cpu_percent": 10.0})["cpu"].state == "raised"
    assert world.second(host={"cpu_percent": 10.0})["cpu"].state == "cleared"


def test_a_cleared_alarm_stays_in_sight_until_acknowledged() -> None:
    world = cpu_world()
    world.seconds(4, host={"cpu_percent": 99.0})
    assert world.seconds(100, host={"cpu_percent": 10.0})["cpu"].state == "cleared"
    assert world.book.acknowledge("cpu")
    assert world.second() == {}
    assert not world.book.acknowledge("cpu")


def test_acknowledging_never_hides_what_is_still_broken() -> None:
    world = cpu_world()
    world.seconds(4, host={"cpu_percent": 99.0})
    assert world.book.acknowledge("cpu")
    assert not world.book.acknowledge("cpu")
    alarm = world.seconds(50, host={"cpu_percent": 99.0})["cpu"]
    assert (alarm.state, alarm.acknowledged) == ("raised", True)
    assert world.seconds(5, host={"cpu_percent": 10.0}) == {}


def test_what_breaks_again_is_new_again() -> None:
    world = cpu_world()
    world.seconds(4, host={"cpu_percent": 99.0})
    world.book.acknowledge("cpu")
    world.seconds(5, host={"cpu_percent": 10.0})
    assert world.seconds(4, host={"cpu_percent": 99.0})["cpu"].acknowledged is False


def test_a_cleared_alarm_that_breaks_again_is_raised_again() -> None:
    world = cpu_world()
    world.seconds(4, host={"cpu_percent": 99.0})
    assert world.seconds(5, host={"cpu_percent": 10.0})["cpu"].state == "cleared"
    assert world.seconds(3, host={"cpu_percent": 99.0})["cpu"].state == "cleared"
    assert world.second(host={"cpu_percent": 99.0})["cpu"].state == "raised"


def test_an_unknown_alarm_can_not_be_acknowledged() -> None:
    world = cpu_world()
    assert not world.book.acknowledge("nothing")
    assert not world.book.acknowledge("cpu")


def test_stale_data_never_clears_an_alarm_and_says_how_old_it_is() -> None:
    world = cpu_world(clear_after_s=1.0)
    world.seconds(4, host={"cpu_percent": 99.0})
    world.second(host={"cpu_percent": 10.0})
    assert world.seconds(3, data=False)["cpu"].state == "cleared"

    world = cpu_world(clear_after_s=4.0)
    world.seconds(4, host={"cpu_percent": 99.0})
    world.second(host={"cpu_percent": 10.0})
    alarm = world.seconds(8, data=False)["cpu"]
    assert (alarm.state, alarm.blind, alarm.value) == ("raised", "no data for 8 s", 10.0)
    assert world.book.blind == (("CPU", "no data for 8 s"),)
    alarm = world.seconds(4, host={"cpu_percent": 10.0})["cpu"]
    assert (alarm.state, alarm.blind) == ("raised", "")
    assert not world.book.blind
    assert world.second(host={"cpu_percent": 10.0})["cpu"].state == "cleared"


def test_three_seconds_are_fresh_and_more_are_not() -> None:
    world = cpu_world()
    world.second()
    world.seconds(3, data=False)
    assert not world.book.blind
    world.clock.now_ns += 1
    world.book.fold(world.snap)
    assert world.book.blind == (("CPU", "no data for 3 s"),)


def test_no_data_never_raises_an_alarm_by_itself() -> None:
    world = cpu_world(raise_after_s=5.0)
    world.second(host={"cpu_percent": 99.0})
    assert world.seconds(60, data=False) == {}
    fresh = cpu_world()
    assert fresh.seconds(60, data=False) == {}
    assert fresh.book.blind == (("CPU", "no data yet"),)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"no_values": True, "unavailable": {"cpu_percent": "no psutil"}}, "unavailable: no psutil"),
        ({"no_values": True}, "no cpu_percent"),
        ({"host": {"cpu_percent": float("nan")}}, "not a number"),
        ({"host": {"cpu_percent": float("inf")}}, "not a number"),
    ],
)
def test_unavailable_is_never_ok(changed: dict[str, Any], why: str) -> None:
    world = cpu_world()
    world.seconds(4, host={"cpu_percent": 99.0})
    alarm = world.seconds(30, **changed)["cpu"]
    assert (alarm.state, alarm.blind) == ("raised", why)


@pytest.mark.parametrize(("comparison", "passes", "fails"), [("<", 69.9, 70.0), ("<=", 70.0, 70.1)])
def test_an_upper_limit(comparison: str, passes: float, fails: float) -> None:
    good, bad = cpu_world(comparison=comparison), cpu_world(comparison=comparison)
    assert good.seconds(30, host={"cpu_percent": passes}) == {}
    assert bad.seconds(30, host={"cpu_percent": fails})["cpu"].state == "raised"


@pytest.mark.parametrize(("comparison", "passes", "fails"), [(">", 5.1, 5.0), (">=", 5.0, 4.9)])
def test_a_lower_limit(comparison: str, passes: float, fails: float) -> None:
    given: dict[str, Any] = {"comparison": comparison, "threshold": 5.0, "clear": 6.0}
    good, bad = cpu_world(**given), cpu_world(**given)
    assert good.seconds(30, host={"cpu_percent": passes}) == {}
    assert bad.seconds(30, host={"cpu_percent": fails})["cpu"].state == "raised"
    assert bad.seconds(30, host={"cpu_percent": 6.0})["cpu"].state == ("raised" if comparison == ">" else "cleared")
    assert bad.seconds(30, host={"cpu_percent": 6.1})["cpu"].state == "cleared"


def kpi(metric: str, statistic: str, unit: str, **given: Any) -> World:
    rule = {"metric": metric, "statistic": statistic, "unit": unit, "raise_after_s": 0.0, "clear": 50.0, **given}
    return World(Kpis(kpis=(cpu(threshold=50.0, **rule),)))


@pytest.mark.parametrize(
    ("statistic", "passes", "fails"),
    [
        ("p50", [49.0] * 51 + [90.0] * 49, [49.0] * 49 + [90.0] * 51),
        ("p95", [49.0] * 95 + [90.0] * 5, [49.0] * 94 + [90.0] * 6),
        ("p99", [49.0] * 99 + [90.0], [49.0] * 98 + [90.0] * 2),
        ("max", [49.9], [49.0, 50.0]),
        ("mean", [49.0, 50.5], [49.0, 51.5]),
    ],
)
def test_each_statistic_of_a_distribution(statistic: str, passes: list[float], fails: list[float]) -> None:
    good, bad = kpi("inference_ms", statistic, "ms"), kpi("inference_ms", statistic, "ms")
    assert good.second(window=window(stages_ms={"inference": Histogram.of(passes)})) == {}
    alarm = bad.second(window=window(stages_ms={"inference": Histogram.of(fails)}))["cpu"]
    assert alarm.n == len(fails)


def test_a_distribution_is_taken_over_the_window_and_no_longer() -> None:
    world = kpi("inference_ms", "max", "ms", window="5 s")
    slow = window(start_mono_ns=1, stages_ms={"inference": Histogram.of([90.0])})
    assert world.second(window=slow)["cpu"].value == 90.0
    assert world.seconds(4)["cpu"].value == 90.0
    assert world.second()["cpu"].value == 10.0


def test_a_window_without_frames_is_no_value() -> None:
    world = kpi("inference_ms", "p95", "ms")
    empty = window(frames=0, stages_ms={})
    assert world.second(window=empty) == {}
    assert world.book.blind == (("CPU", "no frames"),)


@pytest.mark.parametrize(
    ("metric", "unit", "passes", "fails"),
    [
        ("fps", "1/s", {"frames": 49}, {"frames": 50}),
        ("frames", "frames", {"frames": 49}, {"frames": 50}),
        ("dropped_frames", "frames", {"dropped": 49}, {"dropped": 50}),
        ("failed_frames", "frames", {"failed": 49}, {"failed": 50}),
        (
            "detections",
            "boxes",
            {"labels": {"a": LabelCount(49, 9, 9, 0.1, 0.9)}},
            {"labels": {"a": LabelCount(49, 9, 9, 0.1, 0.9), "b": LabelCount(1, 1, 1, 0.1, 0.9)}},
        ),
        (
            "brightness",
            "0..255",
            {"camera": CameraHealth("ok", brightness=49.0)},
            {"camera": CameraHealth("ok", brightness=50.0)},
        ),
    ],
)
def test_every_number_of_a_window_can_be_limited(
    metric: str, unit: str, passes: dict[str, Any], fails: dict[str, Any]
) -> None:
    assert kpi(metric, "value", unit).second(window=window(**passes)) == {}
    assert kpi(metric, "value", unit).second(window=window(**fails))["cpu"].value == 50.0


def test_mean_and_max_of_single_numbers_span_the_window() -> None:
    mean, top = kpi("dropped_frames", "mean", "frames"), kpi("dropped_frames", "max", "frames")
    for world in (mean, top):
        world.seconds(4, window=window(dropped=0))
    assert mean.second(window=window(dropped=100)) == {}
    assert top.second(window=window(dropped=100))["cpu"].value == 100.0
    assert mean.seconds(2, window=window(dropped=100))["cpu"].value == 60.0
    host = kpi("cpu_percent", "mean", "%")
    host.seconds(4, host={"cpu_percent": 40.0})
    assert host.second(host={"cpu_percent": 89.0}) == {}
    assert host.second(host={"cpu_percent": 89.0})["cpu"].n == 5


def test_a_series_is_judged_by_its_worst_part() -> None:
    world = kpi("temp_c", "max", "°C")
    host = Host(series={"temp_c": {"cpu": 40.0, "gpu": 49.0}})
    for value, raised in ((49.0, False), (50.0, True)):
        host = Host(series={"temp_c": {"cpu": 40.0, "gpu": value}})
        world.clock.now_ns += S
        hosts = (Seen(1, world.clock.now_ns, 0, host),)
        world.snap = msgspec.structs.replace(world.snap, hosts=hosts)
        assert bool(world.book.fold(world.snap)) is raised


# ---------------------------------------------------------------- conditions


def condition(name: str, **given: Any) -> World:
    fields: dict[str, Any] = {
        "id": "it",
        "title": "It",
        "severity": "critical",
        "cure": "Do it.",
        "raise_after_s": 0.0,
        "clear_after_s": 2.0,
        "condition": name,
        **given,
    }
    return World(Kpis(conditions=(Condition(**fields),)))


def link(phase: str, **given: Any) -> Link:
    fields: dict[str, Any] = {"phase": phase, "since_ns": 0, "transport": "t", **given}
    return Link(**fields)


@pytest.mark.parametrize("phase", ["down", "refused", "closed"])
def test_a_broken_link_raises_and_a_working_one_clears(phase: str) -> None:
    world = condition("link_down")
    assert world.second() == {}
    alarm = world.second(link=link(phase, reason="no route"))["it"]
    assert (alarm.state, alarm.word) == ("raised", "no route")
    assert world.seconds(2, link=link("up"))["it"].state == "raised"
    assert world.second(link=link("up"))["it"].state == "cleared"


def test_connecting_is_neither_good_nor_bad() -> None:
    world = condition("link_down")
    assert world.second(link=link("connecting")) == {}
    world.second(link=link("down"))
    assert world.seconds(30, link=link("connecting"))["it"].state == "raised"


def test_silence_is_told_from_a_broken_link() -> None:
    world = condition("link_silent")
    assert world.second(link=link("up")) == {}
    assert world.second(link=link("silent", heard_ns=world.clock.now_ns - S))["it"].value == 2.0
    assert world.seconds(30, link=link("down"))["it"].state == "raised"
    assert world.seconds(3, link=link("up"))["it"].state == "cleared"


def test_fresh_data_is_expected_of_a_running_worker_only() -> None:
    world = condition("data_stale", limit_s=3.0, clear_s=2.0)
    world.second()
    assert world.seconds(3, data=False) == {}
    world.clock.now_ns += 1
    assert world.book.fold(world.snap)[0].state == "raised"
    assert world.seconds(3)["it"].state == "cleared"

    stopped = condition("data_stale", limit_s=3.0)
    assert stopped.seconds(30, data=False, state=agent("stopped")) == {}
    never = condition("data_stale", limit_s=3.0)
    assert never.second(data=False)["it"].word == "no window yet"
    unknown = condition("data_stale", limit_s=3.0)
    assert unknown.seconds(30, data=False, state=None) == {}


def test_between_clear_and_limit_stale_data_stays_raised() -> None:
    world = condition("data_stale", limit_s=3.0, clear_s=2.0, clear_after_s=0.0)
    world.second()
    assert world.seconds(4, data=False)["it"].state == "raised"
    world.second(fold=False)
    world.clock.now_ns += 2 * S
    assert world.book.fold(world.snap)[0].state == "cleared"

    world = condition("data_stale", limit_s=3.0, clear_s=2.0, clear_after_s=0.0)
    world.second()
    world.seconds(4, data=False)
    world.second(fold=False)
    world.clock.now_ns += 2 * S + 1
    assert world.book.fold(world.snap)[0].state == "raised"


@pytest.mark.parametrize("phase", ["running", "stopped", "stopping", "starting"])
def test_a_worker_that_does_what_it_should_raises_nothing(phase: WorkerPhase) -> None:
    assert condition("worker_down").seconds(9, state=agent(phase)) == {}


def test_a_crashed_worker_raises_until_it_runs_again() -> None:
    world = condition("worker_down")
    alarm = world.second(state=agent("waiting_to_restart", "signal 9"))["it"]
    assert (alarm.state, alarm.word) == ("raised", "signal 9")
    assert world.seconds(30, state=agent("starting"))["it"].state == "raised"
    assert world.seconds(3, state=agent("running"))["it"].state == "cleared"


@pytest.mark.parametrize("name", ["worker_down", "worker_starting"])
def test_behind_a_broken_link_a_worker_is_not_called_well(name: str) -> None:
    world = condition(name)
    bad = agent("waiting_to_restart" if name == "worker_down" else "starting")
    assert world.second(state=bad)["it"].state == "raised"
    assert world.seconds(30, state=agent("running"), link=link("down"))["it"].blind == "link down"
    assert world.seconds(3, state=None, link=link("up"))["it"].blind == "the agent's state is not known"


def test_a_worker_that_takes_long_to_start_is_said() -> None:
    world = condition("worker_starting", raise_after_s=20.0)
    assert world.seconds(20, state=agent("starting")) == {}
    assert world.second(state=agent("starting"))["it"].word == "starting"


@pytest.mark.parametrize("phase", ["opening", "stalled", "frozen", "black", "gone"])
def test_each_camera_fault_raises(phase: Any) -> None:
    world = condition("camera")
    assert world.second() == {}
    broken = window(camera=CameraHealth(phase, reason="usb"))
    assert world.second(window=broken)["it"].word == f"{phase}: usb"
    assert world.seconds(30, data=False)["it"].blind == "no data for 30 s"
    assert world.seconds(3)["it"].state == "cleared"


def test_a_camera_never_seen_is_not_judged() -> None:
    world = condition("camera")
    assert world.second(data=False) == {}
    assert world.book.blind == (("It", "no data yet"),)


@pytest.mark.parametrize(
    ("offset_ms", "raised"),
    [(2000.0, False), (2000.1, True), (-2000.0, False), (-2000.1, True), (None, False), (float("nan"), False)],
)
def test_the_robots_clock(offset_ms: float | None, raised: bool) -> None:
    world = condition("clock_off", limit_s=2.0)
    assert bool(world.second(link=link("up", robot_wall_offset_ms=offset_ms))) is raised


def test_the_clock_clears_below_its_clear_level_and_not_behind_a_broken_link() -> None:
    world = condition("clock_off", limit_s=2.0, clear_s=1.5)
    assert world.second(link=link("up", robot_wall_offset_ms=-3000.0))["it"].value == -3.0
    assert world.seconds(30, link=link("up", robot_wall_offset_ms=1600.0))["it"].state == "raised"
    assert world.seconds(30, link=link("down", robot_wall_offset_ms=0.0))["it"].state == "raised"
    assert world.seconds(3, link=link("up", robot_wall_offset_ms=1500.0))["it"].state == "cleared"


# ---------------------------------------------------------------- the whole book


def test_the_worst_and_raised_stand_first() -> None:
    rules = (
        cpu(id="info", severity="info", raise_after_s=0.0),
        cpu(id="critical", severity="critical", raise_after_s=0.0),
        cpu(id="warning", severity="warning", raise_after_s=0.0),
        cpu(id="over", severity="critical", raise_after_s=0.0, threshold=20.0, clear=20.0, metric="memory_percent"),
    )
    world = World(Kpis(kpis=rules))
    world.second(host={"memory_percent": 30.0})
    world.seconds(6, host={"cpu_percent": 99.0, "memory_percent": 10.0})
    assert [alarm.id for alarm in world.book.alarms] == ["critical", "warning", "info", "over"]


def test_a_healthy_robot_raises_nothing_and_blinds_nothing() -> None:
    world = World(load_kpis())
    values = {name: 40.0 for name in ("cpu_percent", "gpu_percent", "memory_percent", "disk_percent", "temp_max_c")}
    up = link("up", robot_wall_offset_ms=5.0, heard_ns=world.clock.now_ns)
    assert world.seconds(60, host=values, link=up) == {}
    assert world.book.blind == ()


def test_a_robot_of_another_boot_gives_no_present_numbers() -> None:
    world = cpu_world()
    world.second()
    hosts = tuple(msgspec.structs.replace(seen, at_ns=None) for seen in world.snap.hosts)
    world.snap = msgspec.structs.replace(world.snap, hosts=hosts)
    assert world.book.fold(world.snap) == ()
    assert world.book.blind == (("CPU", "no data yet"),)
