"""What must go on being so during a session: looked at in the newest snapshot, and left when it was broken for long enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from console.checklist.probes import Sight
from console.checklist.probes.live import OF_WINDOW
from console.checklist.probes.windows import FRESH_S, together
from console.checklist.wording import short
from console.fieldtest.criteria import Distribution, Measurement, Number
from console.fieldtest.judging import judge
from console.fieldtest.spans import span_s
from console.link.snapshot import CONNECTED, Seen, Snapshot
from console.phases.schema import Holding, Phase
from console.record.entries import ConditionSeen
from remote.errors import Trouble
from remote.metrics import METRICS, Metric
from remote.protocol import Host, Window

NO_ROBOT = "no robot is looked at"
UNMEASURED = "(this robot does not measure it)"
_CANT_MEASURE = (
    "where this robot can't measure it, name a metric that it does in an overlay: "
    "`fieldgate campaign revise --overlay FILE --reason ...`"
)
PATIENCE_S = 5.0
"""So long the first windows of a robot that was just reached are waited for."""


class _Now(NamedTuple):
    """What one look has to go by."""

    shot: Snapshot
    now_ns: int
    bundle: str

    @property
    def window(self) -> Window | None:
        """The newest one, where it is fresh."""
        row = together(self.shot, self.now_ns)
        return row[-1].body if row else None

    @property
    def host(self) -> Host | None:
        """The newest sample, where it is fresh."""
        newest: Seen[Host] | None = self.shot.hosts[-1] if self.shot.hosts else None
        if newest is None or newest.at_ns is None or self.now_ns - newest.at_ns > FRESH_S * 1e9:
            return None
        return newest.body


def holding_now(phase: Phase, bundle: str, sight: Sight | None) -> tuple[ConditionSeen, ...]:
    """Every holding condition of the phase as the newest snapshot shows it; without a robot none of them is known."""
    session = sight.session if sight is not None else None
    if sight is None or session is None:
        return tuple(ConditionSeen(id=one.id, met=None, words=NO_ROBOT) for one in phase.holding)
    now = _Now(session.snapshot, sight.mono_ns(), bundle)
    return tuple(_seen(one, now) for one in phase.holding)


def other_bundle(bundle: str, sight: Sight | None) -> str:
    """What the robot runs, where that is known now and is another bundle than the campaign's, in words; else empty.

    No trial is taken then, whatever the phase says must hold.
    """
    session = sight.session if sight is not None else None
    if sight is None or session is None or not bundle or session.snapshot.state is None:
        return ""
    if session.snapshot.state.bundle is None:  # that nothing runs is another matter: the worker's
        return ""
    met, words = _bundle(_Now(session.snapshot, sight.mono_ns(), bundle))
    return words if met is False else ""


def settled_holding(phase: Phase, bundle: str, sight: Sight | None) -> tuple[ConditionSeen, ...]:
    """The same, after waiting a moment for a robot that was just reached to say all of it."""
    if sight is not None and sight.session is not None and phase.holding:
        sight.wait(lambda shot: not unmet(holding_now(phase, bundle, sight)), PATIENCE_S)
    return holding_now(phase, bundle, sight)


def unmet(seen: Sequence[ConditionSeen]) -> tuple[ConditionSeen, ...]:
    """Those that are broken or not known."""
    return tuple(one for one in seen if one.met is not True)


def check_held(phase: Phase, seen: Sequence[ConditionSeen], act: str) -> None:
    """Refuse to `act` while a condition is broken or not known. Raises Trouble: `holding_unmet`, with their cures."""
    broken = unmet(seen)
    if broken:
        by_id = {one.id: one for one in phase.holding}
        what = f"can't {act}: {'; '.join(f'{by_id[one.id].title}: {one.words}' for one in broken)}"
        if all(one.words == NO_ROBOT for one in broken):
            raise Trouble(what, cure="let the robot be looked at: leave out --no-robot", code="holding_unmet")
        cures = [cure for one in broken if (cure := by_id[one.id].cure.strip())]
        if any(one.met is None and one.words.endswith(UNMEASURED) for one in broken):
            cures.append(_CANT_MEASURE)
        raise Trouble(what, cure="; ".join(cures) or "mend that, then try again", code="holding_unmet")


class Patience:
    """Since when each condition is broken: one that is broken for its `for` is left. A fresh one begins anew."""

    def __init__(self) -> None:
        self._since_ns: dict[str, int] = {}

    def forget(self) -> None:
        """Begin anew: another session, or one that was resumed."""
        self._since_ns.clear()

    def left(self, phase: Phase, seen: Sequence[ConditionSeen], now_ns: int) -> tuple[ConditionSeen, float] | None:
        """The first condition that was broken, or not known, for its `for`, and for how many seconds; None: none was."""
        found: list[tuple[ConditionSeen, float]] = []
        for holding, one in zip(phase.holding, seen, strict=True):
            if one.met is True:
                self._since_ns.pop(one.id, None)
                continue
            broken_s = (now_ns - self._since_ns.setdefault(one.id, now_ns)) / 1e9
            if broken_s >= span_s(holding.for_):
                found.append((one, broken_s))
        return found[0] if found else None


# ------------------------------------------------------------ one condition


def _seen(holding: Holding, now: _Now) -> ConditionSeen:
    look = _CHECKS[holding.check] if holding.check is not None else _by_criterion(holding)
    met, words = look(now)
    return ConditionSeen(id=holding.id, met=met, words=words)


def _link(now: _Now) -> tuple[bool | None, str]:
    link = now.shot.link
    age = "" if link.heard_ns is None else f", last heard {max(0, now.now_ns - link.heard_ns) / 1e9:.1f} s ago"
    why = f": {link.reason}" if link.reason else ""
    return link.phase == "up" and now.shot.state is not None, f"the link is {link.phase}{age}{why}"


def _worker(now: _Now) -> tuple[bool | None, str]:
    state = now.shot.state
    if state is None or now.shot.link.phase not in CONNECTED:
        return None, _unseen(now)
    phase = state.worker.phase.replace("_", " ")
    return state.worker.phase == "running", f"the worker is {phase}"


def _bundle(now: _Now) -> tuple[bool | None, str]:
    state = now.shot.state
    if state is None or now.shot.link.phase not in CONNECTED:
        return None, _unseen(now)
    runs = state.bundle.digest if state.bundle else ""
    said = f"the robot runs {short(runs) or 'no bundle'}"
    if runs == now.bundle or (runs and not now.bundle):
        return True, said
    return False, f"{said}, the campaign is about {short(now.bundle) or 'none'}"


def _camera(now: _Now) -> tuple[bool | None, str]:
    window = now.window
    if window is None:
        return None, _no_window(now)
    why = f": {window.camera.reason}" if window.camera.reason else ""
    return window.camera.phase == "ok", f"the camera is {window.camera.phase}{why}"


_CHECKS: dict[str, Callable[[_Now], tuple[bool | None, str]]] = {
    "link": _link,
    "worker": _worker,
    "bundle": _bundle,
    "camera": _camera,
}


def _by_criterion(holding: Holding) -> Callable[[_Now], tuple[bool | None, str]]:
    """By the newest second alone: `for` says how long it must be broken, so the estimate decides, not its bound."""
    criterion = holding.criterion
    if criterion is None or criterion.metric not in METRICS:
        return lambda now: (None, "nothing says how to look at it")
    plain = msgspec.structs.replace(criterion, judge="point", n_min=1)
    metric = METRICS[criterion.metric]

    def look(now: _Now) -> tuple[bool | None, str]:
        measured = _measured(metric, now)
        if isinstance(measured, str):
            return None, measured
        judged = judge(plain, measured)
        return judged.verdict in ("pass", "marginal"), f"{metric.name}: {judged.why}"

    return look


def _measured(metric: Metric, now: _Now) -> Measurement | str:
    """The metric in the newest second, or why it is not known."""
    if now.shot.link.phase not in CONNECTED:
        return _unseen(now)
    if metric.home == "window":
        return _of_window(metric, now)
    host = now.host
    if host is None:
        return f"{metric.name} is not known: there is no fresh host sample"
    parts = host.series.get(metric.name, {})
    value = max(parts.values(), default=None) if metric.shape == "series" else host.values.get(metric.name)
    if value is None:
        return f"{metric.name} is not known: {host.unavailable.get(metric.name, 'no sensor')} {UNMEASURED}"
    return Number(value, metric.unit)


def _of_window(metric: Metric, now: _Now) -> Measurement | str:
    window = now.window
    if window is None:
        return f"{metric.name} is not known: {_no_window(now)}"
    if metric.shape == "histogram":
        spread = window.stages_ms.get(metric.name.removesuffix("_ms"))
        if spread is None or not spread.count:
            return f"{metric.name} is not known: no frame was processed"
        return Distribution(spread, metric.unit)
    value = OF_WINDOW[metric.name](window)
    return f"{metric.name} is not known" if value is None else Number(value, metric.unit)


def _unseen(now: _Now) -> str:
    return f"not known: the link is {now.shot.link.phase}"


def _no_window(now: _Now) -> str:
    return "not known: there is no fresh window of the worker"
