"""kpis.yaml: a limit that is misread is a limit that does not exist."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.fieldtest.criteria import holds
from console.fieldtest.kpis import Condition, Kpi, Kpis, LiveKpi, check, default_path, load_kpis
from console.fieldtest.measures import MEASURES
from remote import strict_yaml
from remote.errors import Trouble
from remote.metrics import METRICS

GOOD = """\
format: 2
kpis:
  - id: cpu
    title: CPU
    criterion:
      metric: cpu_percent
      statistic: mean
      comparison: "<"
      threshold: 70
      unit: "%"
    alarm:
      says: CPU busy
      clear: 65
      raise_after_s: 10
      clear_after_s: 10
      severity: warning
    cure: Stop something.
conditions:
  - id: clock
    title: Clock off
    condition: clock_off
    limit_s: 2
    raise_after_s: 0
    clear_after_s: 5
    severity: warning
    cure: Set it.
"""


def parsed(text: str) -> Kpis:
    kpis = strict_yaml.parse(text, Kpis, where="kpis.yaml", code="bad_kpis")
    check(kpis, "kpis.yaml")
    return kpis


def unit_of(kpi: Kpi) -> str:
    name = kpi.criterion.metric
    return METRICS[name].unit if name in METRICS else MEASURES[name].unit


def clear_of(text: str) -> float:
    alarm = parsed(text).kpis[0].alarm
    assert alarm is not None
    return alarm.clear


def refused(text: str) -> Trouble:
    with pytest.raises(Trouble) as caught:
        parsed(text)
    assert caught.value.code == "bad_kpis"
    return caught.value


def test_the_file_that_comes_along_holds_what_was_promised() -> None:
    kpis = load_kpis()
    rules = [kpi.criterion for kpi in kpis.kpis]
    limits = {one.metric: (one.comparison, one.threshold, one.unit) for one in rules}
    assert limits["inference_ms"] == ("<", 50, "ms")
    assert limits["end_to_end_ms"] == ("<", 200, "ms")
    assert limits["cpu_percent"] == ("<", 70, "%")
    assert limits["gpu_percent"] == ("<", 80, "%")
    assert limits["memory_percent"] == ("<", 60, "%")
    assert {"temp_max_c", "disk_percent", "fps", "dropped_frames"} <= set(limits)
    assert {rule.condition for rule in kpis.conditions} == {
        "link_down",
        "link_silent",
        "data_stale",
        "worker_down",
        "worker_starting",
        "camera",
        "clock_off",
    }
    assert next(rule.limit_s for rule in kpis.conditions if rule.condition == "clock_off") == 2


def test_a_good_file_is_read() -> None:
    kpis = parsed(GOOD)
    cpu, clock = kpis.kpis[0], kpis.conditions[0]
    assert cpu.alarm is not None
    assert (cpu.criterion.threshold, cpu.alarm.clear, cpu.window_s, kpis.stale_after_s) == (70, 65, 10, 3)
    assert kpis.rules == (clock, LiveKpi(cpu, cpu.alarm))
    assert kpis.limit_of("cpu_percent") is cpu
    assert kpis.limit_of("gpu_percent") is None


@pytest.mark.parametrize(
    ("old", "new", "said", "cure"),
    [
        ("threshold:", "treshold:", "unknown key `treshold`", "Did you mean `threshold`?"),
        ("threshold:", "zzzzzz:", "unknown key `zzzzzz`", "Known keys here: metric, statistic, "),
        ("cpu_percent", "cpu_prcent", "no metric or measure is called `cpu_prcent`", "Did you mean `cpu_percent`?"),
        ('unit: "%"', "unit: ms", "is in `%`, not `ms`", "Convert"),
        ("statistic: mean", "statistic: p95", "`p95` can't be taken of cpu_percent", "value, mean, max"),
        ("statistic: mean", "statistic: p96", "`statistic: p96` is not known", "Did you mean `p99`? One of: max"),
        ("clear: 65", "clear: 71", "unhealthy side", "Swap"),
        ("threshold: 70", "threshold: .nan", "finite", "numbers"),
        ("threshold: 70", "threshold: .inf", "finite", "numbers"),
        ("threshold: 70", "threshold: seventy", "`threshold: seventy` is no number", "Write a number"),
        ("threshold: 70", "threshold: true", "`threshold: true` is no number", "Write a number"),
        (
            "raise_after_s: 10",
            "raise_after_s: -1",
            "`raise_after_s: -1` is out of range",
            "at least 0 and at most 3600",
        ),
        ("severity: warning", "severity: bad", "`severity: bad` is not known", "One of: "),
        ("id: clock", "id: cpu", "given twice", "of its own"),
        ("limit_s: 2\n", "limit_s: 2\n    clear_s: 3\n", "clear_s is above limit_s", "smaller"),
        ("    limit_s: 2\n", "", "needs limit_s", "seconds"),
        ("condition: clock_off", "condition: camera", "camera takes no limit", "Remove"),
        ("format: 2", "format: 1", "`format: 1` is not known", "Write `format: 2`"),
        ("id: cpu\n", "id: cpu\n    id: gpu\n", "key `id` is given twice", "Correct"),
    ],
)
def test_what_could_never_work_is_refused_with_the_cure(old: str, new: str, said: str, cure: str) -> None:
    assert old in GOOD
    trouble = refused(GOOD.replace(old, new, 1))
    assert said in trouble.what
    assert cure in trouble.cure


def test_a_refusal_names_the_line() -> None:
    assert "line 9 " in refused(GOOD.replace("threshold:", "treshold:")).what


def test_clear_may_equal_the_threshold_on_both_sides() -> None:
    assert clear_of(GOOD.replace("clear: 65", "clear: 70")) == 70
    assert parsed(GOOD.replace("limit_s: 2\n", "limit_s: 2\n    clear_s: 2\n")).conditions[0].clear_s == 2
    above = GOOD.replace('"<"', '">"').replace("clear: 65", "clear: 71")
    assert clear_of(above) == 71
    assert clear_of(above.replace("clear: 71", "clear: 70")) == 70
    assert "unhealthy side" in refused(above.replace("clear: 71", "clear: 69")).what


def test_every_metric_of_the_right_shape_is_allowed() -> None:
    for metric in METRICS.values():
        statistic = {"histogram": "p95", "value": "value", "series": "max"}.get(metric.shape)
        if statistic is None:
            continue
        text = GOOD.replace("cpu_percent", metric.name).replace("statistic: mean", f"statistic: {statistic}")
        assert parsed(text.replace('unit: "%"', f'unit: "{metric.unit}"')).kpis[0].criterion.metric == metric.name


@pytest.mark.parametrize(
    ("comparison", "below", "equal", "above"),
    [("<", True, False, False), ("<=", True, True, False), (">", False, False, True), (">=", False, True, True)],
)
def test_comparisons_at_the_limit(comparison: str, below: bool, equal: bool, above: bool) -> None:
    found = [holds(value, comparison, 70.0) for value in (69.9, 70.0, 70.1)]  # type: ignore[arg-type]
    assert found == [below, equal, above]
    assert not holds(float("nan"), comparison, 70.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "42",
        "kpis: [",
        "kpis: {a: 1}",
        "format: 2",
        "a: &x [1]\nb: *x",
        "kpis: " + "[" * 40 + "]" * 40,
        "!!python/object/apply:os.system ['true']",
        "? [1, 2]\n: 3",
        "\x00",
        "kpis: [~]",
    ],
)
def test_hostile_and_broken_files_end_in_trouble(text: str) -> None:
    refused(text)


def test_a_bomb_of_aliases_is_refused_before_it_is_built() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    assert "aliases" in refused(bomb).what


@pytest.mark.parametrize("cut", range(1, len(GOOD), 37))
def test_a_truncated_file_never_crashes_and_never_gains_a_rule(cut: int) -> None:
    try:
        kpis = parsed(GOOD[:cut])
    except Trouble:
        return
    assert len(kpis.rules) <= 2


@given(st.binary(max_size=200))
def test_any_bytes_end_in_kpis_or_trouble(data: bytes) -> None:
    try:
        parsed(data.decode("latin-1"))
    except Trouble:
        return


@pytest.mark.parametrize(
    ("data", "said"), [(b"\xff\xfe", "not UTF-8"), (b"#" * 1_100_000, "longer than"), (None, "does not exist")]
)
def test_files_that_are_no_text_are_refused(tmp_path: Path, data: bytes | None, said: str) -> None:
    path = tmp_path / "kpis.yaml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(Trouble, match=said):
        load_kpis(path)


def test_the_default_file_is_part_of_what_is_installed() -> None:
    assert default_path().is_file()
    assert all(isinstance(rule, (LiveKpi, Condition)) for rule in load_kpis().rules)


@pytest.mark.parametrize("pack", ["aircraft", "grasping", "new_model", "perception"])
def test_every_pack_says_what_healthy_is_with_formula_denominator_and_bound(pack: str) -> None:
    kpis = load_kpis(default_path().parents[1] / pack / "kpis.yaml")
    assert all(kpi.formula and kpi.denominator and kpi.criterion.unit == unit_of(kpi) for kpi in kpis.kpis)
    assert {"uptime", "crashes_per_day", "mtbf_h", "inference_ms"} <= {kpi.criterion.metric for kpi in kpis.kpis}


def test_what_is_counted_for_sessions_can_raise_no_live_alarm() -> None:
    text = GOOD.replace("cpu_percent", "uptime").replace("statistic: mean", "statistic: value")
    assert "can't raise an alarm" in refused(text).what
    quiet = text[: text.index("    alarm:")] + text[text.index("    cure: Stop") :]
    assert not parsed(quiet).kpis[0].is_live
