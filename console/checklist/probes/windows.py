"""Waiting for windows of the worker that belong together: fresh, without a gap, of one run, bundle and source."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

from console.checklist.probes import Finding, Sight
from console.link.snapshot import Seen, Snapshot
from remote.protocol import AgentState, Window

FRESH_S = 3.0
"""A newest window older than this says nothing of now."""
Windows = tuple[Seen[Window], ...]


class Watched(NamedTuple):
    """What came: the windows that were waited for with their snapshot, or `lacking`: why they did not come."""

    shot: Snapshot | None
    windows: Windows
    lacking: Finding | None


def together(shot: Snapshot, now_ns: int) -> Windows:
    """The newest windows of the run that goes on now, without a gap; empty where the newest is not fresh.

    A window of another boot, run, bundle or source, or from before the power mode changed, ends the row.
    """
    row: list[Seen[Window]] = []
    running = shot.state.worker.run if shot.state else None
    begin_ns = _power_mode_since_ns(shot)
    for seen in reversed(shot.windows):
        if seen.at_ns is None or seen.body.run != running or not _follows(seen.body, row):
            break
        if not row and now_ns - seen.at_ns > FRESH_S * 1e9:
            break
        if begin_ns is not None and seen.at_ns - seen.body.span_ms * 1e6 < begin_ns:
            break
        row.append(seen)
    return tuple(reversed(row))


def span_of(windows: Windows) -> float:
    """Seconds that the windows cover."""
    return sum(seen.body.span_ms for seen in windows) / 1000


def last(windows: Windows, n: int, min_s: float) -> Windows:
    """The newest ones: at least `n` of them, and covering at least `min_s`; empty where there are too few."""
    for count in range(n, len(windows) + 1):
        part = windows[-count:]
        if span_of(part) >= min_s:
            return part
    return ()


def watch(sight: Sight, choose: Callable[[Windows], Windows], patience_s: float, *, bundle: str = "") -> Watched:
    """Wait until `choose` takes some of the windows that belong together (it gives none where it wants more).

    Ends early where waiting can't help: no robot, a worker that was stopped, another bundle than `bundle` (empty: any).
    """
    if sight.session is None:
        return Watched(None, (), Finding(unavailable="there is no robot to look at"))
    came: list[Watched] = []

    def decided(shot: Snapshot) -> bool:
        hopeless = _hopeless(shot, bundle)
        chosen = () if hopeless else choose(together(shot, sight.mono_ns()))
        if hopeless or chosen:
            came.append(Watched(shot, chosen, hopeless))
        return bool(came)

    sight.wait(decided, patience_s)
    return came[-1] if came else Watched(None, (), _in_vain(sight.session.snapshot, sight.mono_ns(), patience_s))


def _follows(window: Window, row: list[Seen[Window]]) -> bool:
    if not row:
        return True
    after = row[-1].body
    return (window.window + 1, window.bundle, window.source) == (after.window, after.bundle, after.source)


def _power_mode_since_ns(shot: Snapshot) -> int | None:
    """When the power mode was last seen to change; None where it did not, as far as the host samples reach."""
    modes = [(seen.at_ns, mode) for seen in shot.hosts if (mode := seen.body.text.get("power_mode")) is not None]
    changes = [at_ns for (_, before), (at_ns, mode) in pairwise(modes) if mode != before]
    return changes[-1] if changes else None


def _hopeless(shot: Snapshot, bundle: str) -> Finding | None:
    state = shot.state
    if state is None or shot.link.phase != "up":
        return None
    if state.worker.phase == "stopped":
        return Finding(unavailable="the worker does not run", cure=f"start it with `fieldgate start {shot.robot}`")
    other = state.bundle.digest if state.bundle else ""
    if bundle and other != bundle:
        cure = f"run `fieldgate start {shot.robot} --bundle {bundle[:12]}`"
        said = f"the robot runs the bundle {other[:8] or 'none'}, not the campaign's {bundle[:8]}"
        return Finding(unavailable=said, cure=cure)
    return None


def _in_vain(shot: Snapshot, now_ns: int, patience_s: float) -> Finding:
    if shot.link.phase != "up":
        return Finding(
            unavailable=f"the link is {shot.link.phase}: {shot.link.reason}".rstrip(": "), cure=shot.link.cure
        )
    row = together(shot, now_ns)
    came = f"{len(row)} windows in a row ({span_of(row):.1f} s)" if row else "no fresh window"
    what = f"within {patience_s:g} s there came {came}{_state_words(shot.state)}"
    return Finding(unavailable=what, cure=f"look at the robot with `fieldgate watch {shot.robot}`, then try again")


def _state_words(state: AgentState | None) -> str:
    if state is None:
        return ""
    worker = "" if state.worker.phase == "running" else f"; the worker is {state.worker.phase.replace('_', ' ')}"
    return f"{worker}; the journal can't be written: {state.journal.trouble}" if state.journal.trouble else worker
