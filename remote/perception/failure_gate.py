"""Keeps a fault that repeats with every frame from flooding the journal, without losing its count. Pure."""

from __future__ import annotations

from dataclasses import dataclass

_NS_PER_S = 1_000_000_000


@dataclass
class _Held:
    admitted_ns: int
    quiet_ns: int
    withheld: int = 0
    text: str = ""


@dataclass(frozen=True)
class Repeats:
    """Failures that were withheld and must be told now: the name, the last one's text, and how many."""

    name: str
    text: str
    count: int


class FailureGate:
    """Lets one failure of each kind through per quiet time; `key` tells kinds apart (a failure's name and its subject).

    The quiet time is `quiet_s` at first and doubles up to `longest_s` while the kind goes on repeating: a fault that lasts a
    night leaves hundreds of entries and pictures, not tens of thousands. When a kind stays away for its quiet time it begins
    anew.
    """

    def __init__(self, quiet_s: float = 1.0, longest_s: float = 60.0) -> None:
        self._quiet_ns, self._longest_ns = round(quiet_s * _NS_PER_S), round(longest_s * _NS_PER_S)
        self._held: dict[tuple[str, str], _Held] = {}

    def admit(self, key: tuple[str, str], text: str, now_ns: int) -> int | None:
        """None to withhold it; else how many were withheld since the last one of its kind."""
        held = self._held.get(key)
        if held is None:
            self._held[key] = _Held(now_ns, self._quiet_ns)
            return 0
        if now_ns - held.admitted_ns >= held.quiet_ns:
            self._held[key] = self._after(held, now_ns)
            return held.withheld
        held.withheld += 1
        held.text = text
        return None

    def overdue(self, now_ns: int, *, everything: bool = False) -> list[Repeats]:
        """Withheld failures whose quiet time is over (or all of them, at the end); each is told once."""
        ready = [k for k, h in self._held.items() if everything or now_ns - h.admitted_ns >= h.quiet_ns]
        told = []
        for key in ready:
            held = self._held[key]
            if held.withheld:
                told.append(Repeats(key[0], held.text, held.withheld))
                self._held[key] = self._after(held, now_ns)
            else:
                del self._held[key]
        return told

    def _after(self, held: _Held, now_ns: int) -> _Held:
        longer = min(2 * held.quiet_ns, self._longest_ns) if held.withheld else self._quiet_ns
        return _Held(now_ns, longer)
