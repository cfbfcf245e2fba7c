"""checklists/kpis.yaml: which live values are healthy, and which conditions raise an alarm."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal, Union

import msgspec

from remote import strict_yaml
from remote.errors import Trouble
from remote.metrics import METRICS

AlarmSeverity = Literal["info", "warning", "critical"]
Statistic = Literal["p50", "p95", "p99", "max", "mean", "value"]
Comparison = Literal["<", "<=", ">", ">="]
ConditionName = Literal[
    "link_down", "link_silent", "data_stale", "worker_down", "worker_starting", "camera", "clock_off"
]
QUANTILES: dict[str, float] = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
_ALLOWED: dict[str, tuple[str, ...]] = {
    "histogram": ("p50", "p95", "p99", "max", "mean"),
    "value": ("value", "mean", "max"),
    "series": ("max",),
    "text": (),
}
_NEED_LIMIT = ("data_stale", "clock_off")

Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]
_NAME = "name: a small letter, then small letters, digits and _, 32 at most"
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$", description=_NAME)]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every alarm rule has. `raise_after_s`/`clear_after_s`: how long it must stay bad/good without a break."""

    id: Name
    title: Line
    severity: AlarmSeverity
    cure: Line
    raise_after_s: Seconds
    clear_after_s: Seconds


class Kpi(Rule, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A metric's statistic and what a healthy one does.

    Healthy is `value comparison threshold`. A raised alarm clears only once `value comparison clear` held for
    `clear_after_s`. Histograms and means are taken over the last `window_s` seconds.
    """

    metric: str
    statistic: Statistic
    comparison: Comparison
    threshold: float
    clear: float
    unit: str
    window_s: Annotated[float, msgspec.Meta(gt=0, le=300)] = 10.0


class Condition(Rule, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A condition that is no metric. `limit_s` and `clear_s` are for data_stale and clock_off (seconds)."""

    condition: ConditionName
    limit_s: Seconds | None = None
    clear_s: Seconds | None = None


class Kpis(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file. A value older than `stale_after_s` is no value."""

    format: Literal[1] = 1
    stale_after_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 3.0
    kpis: tuple[Kpi, ...] = ()
    conditions: tuple[Condition, ...] = ()

    @property
    def rules(self) -> tuple[Union[Kpi, Condition], ...]:
        """Every rule, conditions first: what hides the numbers comes before the numbers."""
        return (*self.conditions, *self.kpis)

    def limit_of(self, metric: str) -> Kpi | None:
        """The first rule about `metric`; a panel draws its limit and judges its colour by it."""
        return next((kpi for kpi in self.kpis if kpi.metric == metric), None)


def default_path() -> Path:
    """The file that comes with fieldgate."""
    return Path(__file__).resolve().parent.parent / "checklists" / "kpis.yaml"


def load_kpis(path: Path | None = None) -> Kpis:
    """Read and check a file (default: the one that comes along). Raises Trouble (code `bad_kpis`) naming the place."""
    path = path or default_path()
    kpis = strict_yaml.load(path, Kpis, code="bad_kpis")
    check(kpis, str(path))
    return kpis


def check(kpis: Kpis, name: str) -> None:
    """Refuse rules that could never work: unknown metric, wrong unit, a limit that is no number, a repeated id."""
    if not kpis.rules:
        raise Trouble(f"{name} holds no rule", cure="Give `kpis` or `conditions`.", code="bad_kpis")
    seen: set[str] = set()
    for rule in kpis.rules:
        wrong = _wrong_kpi(rule) if isinstance(rule, Kpi) else _wrong_condition(rule)
        if rule.id in seen:
            wrong = ("its id is given twice", "Give each rule an id of its own.")
        seen.add(rule.id)
        if wrong:
            raise Trouble(f"{name}, rule `{rule.id}`: {wrong[0]}", cure=wrong[1], code="bad_kpis")


def _wrong_kpi(kpi: Kpi) -> tuple[str, str] | None:
    metric = METRICS.get(kpi.metric)
    if metric is None:
        return f"no metric is called `{kpi.metric}`", _nearest(kpi.metric)
    if kpi.statistic not in _ALLOWED[metric.shape]:
        allowed = ", ".join(_ALLOWED[metric.shape]) or "nothing"
        return f"`{kpi.statistic}` can't be taken of {metric.name}", f"It allows: {allowed}."
    if kpi.unit != metric.unit:
        return f"{metric.name} is in `{metric.unit}`, not `{kpi.unit}`", "Convert threshold and clear to that unit."
    if not (math.isfinite(kpi.threshold) and math.isfinite(kpi.clear)):
        return "threshold and clear must be finite numbers", "Give numbers."
    wrong_side = kpi.clear > kpi.threshold if kpi.comparison in ("<", "<=") else kpi.clear < kpi.threshold
    if wrong_side:
        return "`clear` lies on the unhealthy side of `threshold`", "Swap them, or make them equal."
    return None


def _wrong_condition(rule: Condition) -> tuple[str, str] | None:
    if rule.condition not in _NEED_LIMIT:
        unused = rule.limit_s is not None or rule.clear_s is not None
        return (f"{rule.condition} takes no limit", "Remove limit_s and clear_s.") if unused else None
    if rule.limit_s is None:
        return f"{rule.condition} needs limit_s", "Give the limit in seconds."
    if rule.clear_s is not None and rule.clear_s > rule.limit_s:
        return "clear_s is above limit_s", "Make it smaller or equal."
    return None


def _nearest(metric: str) -> str:
    import difflib

    near = difflib.get_close_matches(metric, METRICS, n=1, cutoff=0.4)
    return f"Did you mean `{near[0]}`?" if near else "docs/metrics.md lists them."
