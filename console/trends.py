"""Histories of the last minutes for the panels, one value a window or host sample, grown as they arrive."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from console.link.snapshot import Seen, Snapshot
from console.readings import NS_PER_S, Merged, window_value
from remote.protocol import Host, Window

KEPT = 160
"""Values kept of each history: as many as the widest panel could show."""
_GAP_NS = 1_700_000_000


class Trends:
    """Histories by name: metric names for single numbers, `inference_ms` etc. for stage p95, `label:NAME` for counts."""

    def __init__(self) -> None:
        self.merged = Merged()
        self.version = 0
        self._values: dict[str, deque[float | None]] = {}
        self._window: tuple[int, int | None] = (0, None)
        self._host: tuple[int, int | None] = (0, None)
        self._journal = ""
        self._drawn: dict[tuple[str, int], str] = {}

    def take(self, snapshot: Snapshot) -> None:
        """Add what is newer than what was taken before; a journal that begins anew starts the histories anew."""
        journal = snapshot.state.journal.id if snapshot.state else self._journal
        if journal != self._journal:
            self._journal = journal
            self._values, self._window, self._host = {}, (0, None), (0, None)
        windows = list(_newer(snapshot.windows, self._window[0]))
        hosts = list(_newer_hosts(snapshot.hosts, self._host[0]))
        for seen in windows:
            self._add(_of_window(seen.body), self._gap(self._window[1], seen.at_ns))
            self._window = (seen.seq, seen.at_ns)
        for host in hosts:
            self._add(_of_host(host.body), self._gap(self._host[1], host.at_ns))
            self._host = (host.seq, host.at_ns)
        if windows or hosts:
            self.version += 1
            self._drawn.clear()

    def values(self, name: str) -> list[float | None]:
        """The history, oldest first; None where there was no value."""
        return list(self._values.get(name, ()))

    def drawn(self, name: str, width: int) -> str | None:
        """A drawing remembered since the newest data."""
        return self._drawn.get((name, width))

    def remember(self, name: str, width: int, text: str) -> str:
        """Remember a drawing until newer data comes; returns it."""
        self._drawn[(name, width)] = text
        return text

    def _gap(self, before_ns: int | None, at_ns: int | None) -> int:
        if before_ns is None or at_ns is None or at_ns - before_ns < _GAP_NS:
            return 0
        return min(KEPT, round((at_ns - before_ns) / NS_PER_S) - 1)

    def _add(self, values: dict[str, float | None], gap: int) -> None:
        of_host = not _HOST_NAMES.isdisjoint(values)
        mates = {name: known for name, known in self._values.items() if (name in _HOST_NAMES) == of_host}
        length = max((len(known) for known in mates.values()), default=0)
        for name in values.keys() - mates.keys():
            mates[name] = self._values[name] = deque([None] * length, maxlen=KEPT)
        for name, known in mates.items():
            known.extend([None] * gap)
            known.append(values.get(name))


def _newer(seen: tuple[Seen[Window], ...], seq: int) -> Iterable[Seen[Window]]:
    return (one for one in seen if one.seq > seq)


def _newer_hosts(seen: tuple[Seen[Host], ...], seq: int) -> Iterable[Seen[Host]]:
    return (one for one in seen if one.seq > seq)


_HOST_NAMES = frozenset(
    ("cpu_percent", "gpu_percent", "memory_percent", "swap_percent", "disk_percent", "temp_max_c", "power_total_mw")
)


def _of_window(window: Window) -> dict[str, float | None]:
    values = {name: window_value(name, window) for name in ("fps", "dropped_frames", "failed_frames", "detections")}
    for stage, histogram in window.stages_ms.items():
        values[f"{stage}_ms"] = histogram.quantile(0.95)
    for label, count in window.labels.items():
        values[f"label:{label}"] = float(count.count)
    return values


def _of_host(host: Host) -> dict[str, float | None]:
    values: dict[str, float | None] = dict.fromkeys(_HOST_NAMES)
    values.update((name, value) for name, value in host.values.items() if name in _HOST_NAMES)
    return values
