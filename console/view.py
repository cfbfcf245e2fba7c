"""What the panels are handed at each repaint: the newest snapshot with everything derived from it once."""

from __future__ import annotations

from dataclasses import dataclass

from console.alarms import Alarm
from console.fieldtest.criteria import holds
from console.fieldtest.kpis import Kpis
from console.link.snapshot import Snapshot
from console.marks import Charset
from console.readings import age_s
from console.trends import Trends

STALE_S = 3.0
"""A number older than this is never shown as current."""


@dataclass(frozen=True)
class View:
    """One repaint's input. `mine`: this console holds the lease. `panes`: ids of those displayed; where one is missing,
    another shows the most important of it.

    `sparks`: histories are wanted (not in low bandwidth). `paused_ns`: since when lists and tables are frozen. `session`: how
    the field test's open session stands, with its colour role; an empty text where none is open.
    """

    snapshot: Snapshot
    now_ns: int
    kpis: Kpis
    alarms: tuple[Alarm, ...]
    blind: tuple[tuple[str, str], ...]
    trends: Trends
    charset: Charset
    mine: bool
    panes: frozenset[str]
    sparks: bool
    paused_ns: int | None = None
    session: tuple[str, str] = ("", "text")

    def age_s(self, at_ns: int | None) -> float | None:
        """Seconds since `at_ns`; None of None."""
        return age_s(at_ns, self.now_ns)

    def role_of(self, metric: str, value: float | None, role: str = "text") -> str:
        """The colour role of a value by its KPI: `role` while healthy, the KPI's severity where not."""
        kpi = self.kpis.limit_of(metric)
        if kpi is None or kpi.alarm is None or value is None:
            return role
        return role if holds(value, kpi.criterion.comparison, kpi.criterion.threshold) else kpi.alarm.severity

    @property
    def unjudged(self) -> int:
        """How many rules wait for data, so that nobody knows whether they hold. What it can't measure at all is left out."""
        return sum(not why.startswith("unavailable: ") for _, why in self.blind)

    @property
    def windows_at_ns(self) -> int | None:
        """When the newest window began to be known to have happened; None before the first."""
        return self.snapshot.windows[-1].at_ns if self.snapshot.windows else None

    @property
    def hosts_at_ns(self) -> int | None:
        """The same for the newest host sample."""
        return self.snapshot.hosts[-1].at_ns if self.snapshot.hosts else None
