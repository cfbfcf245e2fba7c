"""Why evidence no longer counts: what it rested on is not what it was, its rule changed, or its time is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from console.checklist.pack import Item
from console.checklist.probes import PROBES
from console.fieldtest.spans import span_s
from console.record.changes import difference


class Change(NamedTuple):
    """A fingerprint took this value with that entry."""

    seq: int
    wall_ns: int
    value: str


class Present(NamedTuple):
    """What evidence is held against: the values that each fingerprint has had, the last one being the present.

    `seen` is of what was looked at; `bundle` of the campaign's own bundle, which the campaign says. `revised_wall_ns` is
    when the present rules came into force.
    """

    seen: Mapping[str, tuple[Change, ...]]
    bundle: tuple[Change, ...]
    revised_wall_ns: int
    wall_ns: int

    def fingerprints(self) -> dict[str, str]:
        """The last values seen."""
        return {name: changes[-1].value for name, changes in sorted(self.seen.items())}


class Rested(NamedTuple):
    """What one entry that decides rested on."""

    seq: int
    wall_ns: int
    rule: str
    fingerprints: Mapping[str, str]


class Stale(NamedTuple):
    """Since when evidence does not count any more, and why in words."""

    since_wall_ns: int
    reason: str


def expiry_ns(item: Item, wall_ns: int) -> int | None:
    """When a look of `wall_ns` stops counting; None: not by time."""
    return None if item.valid_for is None else wall_ns + round(span_s(item.valid_for) * 1e9)


def stale(item: Item, rule: str, rested: Iterable[Rested], present: Present) -> Stale | None:
    """The first moment from which one of the entries stopped counting, with every reason; None while all count.

    `rule` is the digest of the item's present rule. Where a fingerprint is again what it was, the evidence counts again.
    """
    found: dict[str, int] = {}
    for one in rested:
        for cause in _causes(item, rule, one, present):
            found.setdefault(cause.reason, cause.since_wall_ns)
    return Stale(min(found.values()), "; ".join(found)) if found else None


def _causes(item: Item, rule: str, rested: Rested, present: Present) -> Iterable[Stale]:
    for name, old in rested.fingerprints.items():
        histories = [present.bundle] if name == "bundle" else []
        if name != "bundle" or (old and _is_on_robot(item)):
            histories.append(present.seen.get(name, ()))
        for history in histories:
            if history and history[-1].value != old:
                yield Stale(_since(history, old, rested.wall_ns), difference(name, old, history[-1].value))
                break
    if rested.rule != rule:
        yield Stale(max(present.revised_wall_ns, rested.wall_ns), difference("checklist rule", rested.rule, rule))
    ends_ns = expiry_ns(item, rested.wall_ns)
    if ends_ns is not None and present.wall_ns >= ends_ns:
        yield Stale(ends_ns, f"older than {item.valid_for}")


def _is_on_robot(item: Item) -> bool:
    """Whether the bundle that runs on the robot matters: not to a probe that reads files on the laptop."""
    known = PROBES.get(item.probe.name) if item.probe else None
    return known is None or known.needs_robot


def _since(history: tuple[Change, ...], old: str, wall_ns: int) -> int:
    """When the history last left the value `old`, not before the evidence itself."""
    since = history[-1].wall_ns
    for change in reversed(history):
        if change.value == old:
            break
        since = change.wall_ns
    return max(since, wall_ns)
