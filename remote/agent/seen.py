"""What the worker did with each bundle, added up from what passes on its way into the journal."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from remote.activation.ground import Seen
from remote.histogram import Histogram
from remote.protocol import Body, Failure, Host, Scored, Window

BEFORE_S = 300.0
"""How far back `before` looks from the newest window on. A worker that stands still does not make it forget: robots that take a
release while nobody uses the worker would keep a blind model, as there would be nothing to compare it with.
"""
QUIET_S = 2.0
"""So long before a window nothing of ours may have disturbed the worker. It is looked at when something comes, each second."""
_NS_PER_S = 1e9
_MB = 1e6


@dataclass
class _Sum:
    """The sum of windows of one bundle, and the worst of the computer meanwhile."""

    frames: int = 0
    failed: int = 0
    span_ms: float = 0.0
    histograms: list[Histogram] = field(default_factory=list)
    scored: Scored | None = None
    boxes: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    hottest_c: float | None = None
    memory_mb: float | None = None

    def window(self, window: Window) -> None:
        self.frames += window.frames
        self.failed += window.failed
        self.boxes += sum(label.count for label in window.labels.values())
        if window.frames:
            self.span_ms += window.span_ms
        if histogram := window.stages_ms.get("end_to_end"):
            self.histograms.append(histogram)
            if len(self.histograms) > 60:
                self.histograms = [Histogram.merge(self.histograms)]
        if window.scored is not None:
            self.scored = _both(self.scored, window.scored)

    def failure(self, name: str, count: int) -> None:
        self.failures[name] = self.failures.get(name, 0) + count

    def host(self, temp_c: float | None, memory_mb: float | None) -> None:
        self.hottest_c = _worst(self.hottest_c, temp_c)
        self.memory_mb = _worst(self.memory_mb, memory_mb)

    def seen(self) -> Seen:
        return Seen(
            frames=self.frames,
            failed=self.failed,
            seconds=self.span_ms / 1000,
            end_to_end_ms=Histogram.merge(self.histograms),
            scored=self.scored,
            boxes=self.boxes,
            failures=dict(self.failures),
            hottest_c=self.hottest_c,
            memory_mb=self.memory_mb,
        )


class Seeing:
    """Takes every body from any thread. `since` belongs to one bundle on one source, from `begin` on; `before` to any, for
    BEFORE_S.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._disturbed_ns: int | None = None
        self._recent: deque[tuple[int, Body]] = deque()
        self._newest_ns: int | None = None
        self._digest = self._source = ""
        self._since = _Sum()

    def begin(self, digest: str, source: str = "") -> None:
        """Count anew for this bundle on this source. Nothing happens where it is counted already: its attempts add up."""
        with self._lock:
            if (digest, source) != (self._digest, self._source):
                self._digest, self._source, self._since = digest, source, _Sum()

    def end(self) -> None:
        """Nobody is on probation any more."""
        with self._lock:
            self._digest, self._source, self._since = "", "", _Sum()

    def take(self, body: Body, mono_ns: int, *, disturbed: bool = False) -> None:
        """A window, a failure or a sample of the computer; others mean nothing here.

        A `disturbed` window tells of a worker that something else of ours took time from: nothing is compared with it.
        """
        if isinstance(body, (Window, Failure, Host)):
            with self._lock:
                if disturbed:
                    self._disturbed_ns = mono_ns
                if not isinstance(body, Window) or self._is_quiet(body, mono_ns):
                    self._remember(body, mono_ns)
                if self._digest:
                    _add(self._since, body, self._digest)

    def _is_quiet(self, window: Window, mono_ns: int) -> bool:
        """Whether it began long enough after the disturbance: some frames of it would decide on the 99th percentile of all."""
        begun_ns = mono_ns - window.span_ms * 1e6
        return self._disturbed_ns is None or begun_ns >= self._disturbed_ns + QUIET_S * _NS_PER_S

    def _remember(self, body: Body, mono_ns: int) -> None:
        """Windows push out what is BEFORE_S older than they are; what comes long after the last of them is not wanted."""
        if isinstance(body, Window):
            self._newest_ns = mono_ns
        if self._newest_ns is None or mono_ns - self._newest_ns > BEFORE_S * _NS_PER_S:
            return
        self._recent.append((mono_ns, body))
        while self._newest_ns - self._recent[0][0] > BEFORE_S * _NS_PER_S:
            self._recent.popleft()

    def before(self, digest: str, source: str = "") -> Seen:
        """What was seen of this bundle on this source (empty: on any) in the BEFORE_S seconds up to the newest window."""
        with self._lock:
            bodies = [body for _, body in self._recent]
        wanted = (body for body in bodies if not source or not isinstance(body, Window) or body.source == source)
        return replace(_summed(wanted, digest), source=source)

    def since(self) -> Seen:
        """What was seen of the bundle of `begin` since then; nothing before it."""
        with self._lock:
            return replace(self._since.seen(), source=self._source)


def _summed(bodies: Iterable[Body], digest: str) -> Seen:
    """Samples of the computer count only next to windows of that bundle."""
    total, runs = _Sum(), False
    for body in bodies:
        if isinstance(body, Window):
            runs = body.bundle == digest
        if not isinstance(body, Host) or runs:
            _add(total, body, digest)
    return total.seen()


def _add(total: _Sum, body: Body, digest: str) -> None:
    if isinstance(body, Window):
        if body.bundle == digest:
            total.window(body)
    elif isinstance(body, Failure):
        if body.bundle == digest:
            total.failure(body.name, _times(body))
    elif isinstance(body, Host):
        memory = body.series.get("process_memory_bytes", {}).get("worker")
        total.host(body.values.get("temp_max_c"), memory / _MB if memory is not None else None)


def _times(failure: Failure) -> int:
    """How many failures one entry stands for (docs/protocol.md)."""
    repeats = failure.data.get("repeats")
    more = int(repeats) if isinstance(repeats, (int, float)) else 0
    return more if failure.data.get("only_repeats") is True else 1 + more


def _both(one: Scored | None, other: Scored) -> Scored:
    if one is None:
        return other
    extra = None if one.extra is None or other.extra is None else one.extra + other.extra
    return Scored(one.frames + other.frames, one.found + other.found, one.missed + other.missed, extra)


def _worst(known: float | None, new: float | None) -> float | None:
    if new is None:
        return known
    return new if known is None else max(known, new)
