"""kpis.yaml: a pack's figures with their limits, and what raises an alarm while the robot is watched."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Union

import msgspec

from console.fieldtest.criteria import Criterion
from console.fieldtest.measures import MEASURES
from console.fieldtest.parts import Id, Line, Part, Span
from console.fieldtest.spans import span_s
from remote import strict_yaml
from remote.errors import Trouble
from remote.metrics import METRICS

CODE = "bad_kpis"
LONGEST_WINDOW_S = 300.0
AlarmSeverity = Literal["info", "warning", "critical"]
ConditionName = Literal[
    "link_down", "link_silent", "data_stale", "worker_down", "worker_starting", "camera", "clock_off"
]
_LIVE: dict[str, tuple[str, ...]] = {
    "histogram": ("p50", "p95", "p99", "max", "min", "mean"),
    "value": ("value", "mean", "max"),
    "series": ("max",),
    "text": (),
}
_COUNTED = {"rate": ("rate",), "estimate": ("value", "rate"), "number": ("value",)}
_NEED_LIMIT = ("data_stale", "clock_off")
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]


class Dwell(Part, frozen=True, kw_only=True):
    """What an alarm of any kind has: how bad it is, and how long it must be bad, or good, without a break."""

    severity: AlarmSeverity
    raise_after_s: _Seconds
    clear_after_s: _Seconds


class Alarming(Dwell, frozen=True, kw_only=True):
    """When a live figure raises an alarm: its estimate fails the criterion. It clears once it meets `clear` instead of the
    threshold.

    `says` is the alarm in two or three words.
    """

    says: Line
    clear: float


class Kpi(Part, frozen=True, kw_only=True):
    """One figure and what a healthy one does.

    `criterion.metric` is a name of remote.metrics.METRICS, read live over the last `window` and over whole sessions, or of
    console.fieldtest.measures.MEASURES, counted for sessions and campaigns. The tables say formula, unit and denominator.
    """

    id: Id
    title: Line
    criterion: Criterion
    window: Span = "10 s"
    alarm: Alarming | None = None
    cure: Line

    @property
    def window_s(self) -> float:
        """Seconds of the live window."""
        return span_s(self.window)

    @property
    def is_live(self) -> bool:
        """Whether the robot itself tells it every second."""
        return self.criterion.metric in METRICS

    @property
    def formula(self) -> str:
        """What it is, in words."""
        metric = self.criterion.metric
        return METRICS[metric].meaning if self.is_live else MEASURES[metric].formula

    @property
    def denominator(self) -> str:
        """What it is a share of, or counted over."""
        metric = METRICS.get(self.criterion.metric)
        if metric is None:
            return MEASURES[self.criterion.metric].denominator
        return "frames" if metric.shape == "histogram" else "readings, one a second"


class Condition(Dwell, frozen=True, kw_only=True):
    """A condition that is no figure. `limit_s` and `clear_s` are for data_stale and clock_off (seconds)."""

    id: Id
    title: Line
    condition: ConditionName
    limit_s: _Seconds | None = None
    clear_s: _Seconds | None = None
    cure: Line


class LiveKpi(NamedTuple):
    """A figure that raises an alarm, and its rule."""

    kpi: Kpi
    alarm: Alarming


Rule = Union[LiveKpi, Condition]


class Kpis(Part, frozen=True, kw_only=True):
    """The whole file. A live value older than `stale_after_s` is no value."""

    format: Literal[2] = 2
    stale_after_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 3.0
    kpis: tuple[Kpi, ...] = ()
    conditions: tuple[Condition, ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Everything that raises alarms, conditions first: what hides the numbers comes before the numbers."""
        return (*self.conditions, *(LiveKpi(kpi, kpi.alarm) for kpi in self.kpis if kpi.alarm is not None))

    def limit_of(self, metric: str) -> Kpi | None:
        """The first figure of `metric` that alarms; a panel draws its limit and judges its colour by it."""
        return next((kpi for kpi in self.kpis if kpi.criterion.metric == metric and kpi.alarm is not None), None)


def id_of(rule: Rule) -> str:
    """The rule's name."""
    return rule.kpi.id if isinstance(rule, LiveKpi) else rule.id


def dwell_of(rule: Rule) -> Dwell:
    """How bad it is and how long it must last."""
    return rule.alarm if isinstance(rule, LiveKpi) else rule


def default_path() -> Path:
    """The file of the pack that a robot without a campaign is watched by."""
    return Path(__file__).resolve().parents[2] / "checklists" / "perception" / "kpis.yaml"


def load_kpis(path: Path | None = None) -> Kpis:
    """Read and check a file (default: `default_path`). Raises Trouble (code `bad_kpis`) naming the place."""
    path = path or default_path()
    kpis = strict_yaml.load(path, Kpis, code=CODE)
    check(kpis, str(path))
    return kpis


def parse_kpis(text: str, where: str) -> Kpis:
    """The same from a text, which errors call `where`."""
    kpis = strict_yaml.parse(text, Kpis, where=where, code=CODE)
    check(kpis, where)
    return kpis


def check(kpis: Kpis, name: str) -> None:
    """Refuse what could never work: an unknown metric, a wrong unit, a limit that is no number, a repeated id."""
    if not (kpis.kpis or kpis.conditions):
        raise Trouble(f"{name} holds no rule", cure="Give `kpis` or `conditions`.", code=CODE)
    seen: set[str] = set()
    every: tuple[Union[Kpi, Condition], ...] = (*kpis.kpis, *kpis.conditions)
    for one in every:
        wrong = next(_wrong_kpi(one) if isinstance(one, Kpi) else _wrong_condition(one), None)
        if one.id in seen:
            wrong = ("its id is given twice", "Give each rule an id of its own.")
        seen.add(one.id)
        if wrong:
            raise Trouble(f"{name}, rule `{one.id}`: {wrong[0]}", cure=wrong[1], code=CODE)


_Wrong = tuple[str, str]


def _wrong_kpi(kpi: Kpi) -> Iterator[_Wrong]:
    name, criterion = kpi.criterion.metric, kpi.criterion
    if name not in METRICS and name not in MEASURES:
        yield f"no metric or measure is called `{name}`", _nearest(name)
        return
    unit = METRICS[name].unit if kpi.is_live else MEASURES[name].unit
    allowed = _LIVE[METRICS[name].shape] if kpi.is_live else _COUNTED[MEASURES[name].shape]
    if criterion.statistic not in allowed:
        yield f"`{criterion.statistic}` can't be taken of {name}", f"It allows: {', '.join(allowed) or 'nothing'}."
    if criterion.unit != unit:
        yield f"{name} is in `{unit}`, not `{criterion.unit}`", "Convert threshold and clear to that unit."
    if not math.isfinite(criterion.threshold):
        yield "threshold must be a finite number", "Give numbers."
    if kpi.window_s > LONGEST_WINDOW_S:
        yield f"its window is longer than {LONGEST_WINDOW_S:.0f} s", "Give a shorter one; sessions are judged whole."
    if kpi.alarm is not None:
        yield from _wrong_alarm(kpi, kpi.alarm)


def _wrong_alarm(kpi: Kpi, alarm: Alarming) -> Iterator[_Wrong]:
    if not kpi.is_live:
        yield f"{kpi.criterion.metric} is counted for sessions, it can't raise an alarm", "Remove `alarm`."
    if not math.isfinite(alarm.clear):
        yield "clear must be a finite number", "Give a number."
    low = kpi.criterion.comparison in ("<", "<=")
    wrong_side = alarm.clear > kpi.criterion.threshold if low else alarm.clear < kpi.criterion.threshold
    if wrong_side:
        yield "`clear` lies on the unhealthy side of `threshold`", "Swap them, or make them equal."


def _wrong_condition(rule: Condition) -> Iterator[_Wrong]:
    if rule.condition not in _NEED_LIMIT:
        if rule.limit_s is not None or rule.clear_s is not None:
            yield f"{rule.condition} takes no limit", "Remove limit_s and clear_s."
        return
    if rule.limit_s is None:
        yield f"{rule.condition} needs limit_s", "Give the limit in seconds."
    elif rule.clear_s is not None and rule.clear_s > rule.limit_s:
        yield "clear_s is above limit_s", "Make it smaller or equal."


def _nearest(metric: str) -> str:
    near = difflib.get_close_matches(metric, [*METRICS, *MEASURES], n=1, cutoff=0.4)
    return f"Did you mean `{near[0]}`?" if near else "docs/metrics.md and docs/kpis.md list them."
