"""What the field test's widgets are handed at each repaint: the folded state, the newest look, the laptop's clock."""

from __future__ import annotations

from dataclasses import dataclass

from console.checklist.states import ChecklistState
from console.link.snapshot import Link
from console.marks import Charset
from console.phases.states import FieldState, PhaseState, SessionState, TrialState
from console.record.entries import ConditionSeen
from console.view import STALE_S

ECHO_S = 6.0
"""So long a fresh entry is shown large."""


@dataclass(frozen=True)
class Held:
    """The holding conditions of a phase as they were found at `at_ns` on the laptop's monotonic clock.

    `other`: what the robot runs, where that is another bundle than the campaign's: no trial is taken then; else empty.
    """

    phase: str
    seen: tuple[ConditionSeen, ...]
    at_ns: int
    other: str = ""


@dataclass(frozen=True)
class Echo:
    """An entry that is durable, said large: `word` is its outcome, `good` tells success from the rest."""

    word: str
    text: str
    good: bool
    at_ns: int


@dataclass(frozen=True)
class Trend:
    """A success rate over its trials: after trial `n` it was `share`, and shares outside `lower`..`upper` were refuted.

    `points` are (n, share, lower, upper), shares in 0..1. `threshold`: the wanted share, if any. `words`: what is drawn.
    """

    question: str
    points: tuple[tuple[int, float, float, float], ...]
    threshold: float | None
    words: str


@dataclass(frozen=True)
class FieldView:
    """One repaint's input. `now_ns`: monotonic. `shown`: id of the phase that is looked at; empty where the pack has none.

    `power` maps a question's id to what its plan is worth, in words. `writing`: an entry is on its way to the disk.
    """

    state: ChecklistState
    charset: Charset
    person: str
    now_ns: int
    shown: str = ""
    link: Link | None = None
    held: Held | None = None
    echo: Echo | None = None
    trend: Trend | None = None
    power: tuple[tuple[str, str], ...] = ()
    writing: bool = False

    @property
    def field(self) -> FieldState:
        """All phases, sessions and trials."""
        return self.state.field

    @property
    def phase(self) -> PhaseState | None:
        """The phase that is looked at."""
        return next((one for one in self.field.phases if one.phase.id == self.shown), None)

    @property
    def session(self) -> SessionState | None:
        """The open session."""
        return self.field.session

    @property
    def elsewhere(self) -> str:
        """The id of the phase that trials go to while another one is looked at; empty where they go to this one."""
        return self.session.phase if self.session is not None and self.session.phase != self.shown else ""

    @property
    def trials(self) -> tuple[TrialState, ...]:
        """Every trial of the phase that is looked at, the undone ones too."""
        return tuple(one for one in self.field.trials if one.phase == self.shown)

    @property
    def fresh_echo(self) -> Echo | None:
        """The newest echo while it is new."""
        return self.echo if self.echo is not None and self.age_s(self.echo.at_ns) < ECHO_S else None

    @property
    def held_age_s(self) -> float | None:
        """Seconds since the holding conditions were looked at; None where they were not, or those of another phase."""
        return self.age_s(self.held.at_ns) if self.held is not None and self.held.phase == self.shown else None

    @property
    def held_is_stale(self) -> bool:
        """Whether the holding conditions may be otherwise by now."""
        age = self.held_age_s
        return age is None or age > STALE_S

    @property
    def other_bundle(self) -> str:
        """That the robot runs another bundle than the campaign's, in words; empty where it does not, or nobody knows now."""
        return self.held.other if self.held is not None and self.age_s(self.held.at_ns) <= STALE_S else ""

    def age_s(self, at_ns: int) -> float:
        """Seconds since `at_ns` on the laptop's monotonic clock."""
        return max(0.0, (self.now_ns - at_ns) / 1e9)

    def wall_age_s(self, wall_ns: int) -> float:
        """Seconds from that wall time to the moment of this state."""
        return (self.state.wall_ns - wall_ns) / 1e9


def phase_to_show(field: FieldState, wanted: str) -> str:
    """The phase to look at: the wanted one, else that of the open session, else the current one, else the first not passed."""
    ids = [one.phase.id for one in field.phases]
    if wanted in ids:
        return wanted
    if field.session is not None and field.session.phase in ids:
        return field.session.phase
    if field.current in ids:
        return field.current
    unpassed = (one.phase.id for one in field.phases if one.status not in ("pass", "marginal"))
    return next(unpassed, ids[0] if ids else "")
