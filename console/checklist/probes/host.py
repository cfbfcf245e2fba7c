"""`disk` and `power_mode`: what the robot's computer says of itself once a second."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from console.checklist.probes import Finding, Sight
from console.fieldtest.criteria import Answer, Number
from console.link.snapshot import Seen, Snapshot
from remote.metrics import METRICS
from remote.protocol import Host, Scalar

MEASURES = ("disk_free_bytes", "disk_percent")
FRESH_S = 5.0
"""A host sample older than this says nothing of now; one comes each second."""


class DiskParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`measure`: `disk_free_bytes` (free for the agent's user, in B) or `disk_percent` (used, in %), of the journal's disk.

    `timeout_s`: how long a fresh sample is waited for.
    """

    measure: Literal["disk_free_bytes", "disk_percent"] = "disk_free_bytes"
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 5.0


class PowerModeParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`mode`: the wanted mode's name as the robot says it, such as `MAXN` or `15W`. `timeout_s`: as for disks."""

    mode: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 5.0


def look_at_disk(sight: Sight, parameters: DiskParameters) -> Finding:
    """A Number of what `measure` names, from a host sample at most FRESH_S old."""
    name = parameters.measure
    host = _fresh(sight, parameters.timeout_s)
    if isinstance(host, Finding):
        return host
    value = host.values.get(name)
    if value is None:
        return _not_said(host, name)
    details: dict[str, Scalar] = {other: host.values[other] for other in MEASURES if other in host.values}
    return Finding(measurement=Number(value=float(value), unit=METRICS[name].unit), details=details)


def look_at_power_mode(sight: Sight, parameters: PowerModeParameters) -> Finding:
    """An Answer to `power_mode_is`, from a host sample at most FRESH_S old; unavailable on a computer without such modes."""
    host = _fresh(sight, parameters.timeout_s)
    if isinstance(host, Finding):
        return host
    mode = host.text.get("power_mode")
    if not mode:
        return _not_said(host, "power_mode")
    right = mode == parameters.mode
    cure = "" if right else f", not {parameters.mode} - set it with `sudo nvpmodel` on the robot"
    return Finding(
        measurement=Answer(holds=right, words=f"the power mode is {mode}{cure}"),
        details={"power_mode": mode, "wanted": parameters.mode},
    )


def _fresh(sight: Sight, timeout_s: float) -> Host | Finding:
    """The newest host sample where it is fresh or gets so in time, else why there is none."""
    if sight.session is None:
        return Finding(unavailable="it needs the robot", cure="look again with the robot connected")
    shot = sight.wait(lambda s: _age_s(_newest(s), sight.mono_ns()) <= FRESH_S, timeout_s)
    newest = _newest(shot) if shot else None
    if newest is not None:
        return newest.body
    last, link = _newest(sight.session.snapshot), sight.session.snapshot.link
    age_s = _age_s(last, sight.mono_ns())
    if last is None:
        what = "the robot has sent no sample of its computer"
    elif age_s == float("inf"):
        what = "the newest sample of the robot's computer is from before its restart"
    else:
        what = f"the newest sample of the robot's computer is {age_s:.1f} s old, more than {FRESH_S:g} s"
    why = f", {link.reason}" if link.reason else ""
    return Finding(unavailable=f"{what} (the link is {link.phase}{why})", cure=link.cure or "look again in a moment")


def _newest(shot: Snapshot) -> Seen[Host] | None:
    return shot.hosts[-1] if shot.hosts else None


def _age_s(seen: Seen[Host] | None, now_ns: int) -> float:
    return float("inf") if seen is None or seen.at_ns is None else (now_ns - seen.at_ns) / 1e9


def _not_said(host: Host, name: str) -> Finding:
    why = host.unavailable.get(name) or "the robot's sample says nothing of it"
    cure = "look at what the robot's computer offers; where it lacks this for good, say so as `not_applicable` in an overlay"
    return Finding(unavailable=f"{name}: {why}", cure=cure)
