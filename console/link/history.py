"""Folds what comes from a robot into snapshots. Pure: no thread, no clock, no file."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec

from console.link.snapshot import HISTORY, KINDS_SHOWN, Link, Pulling, Seen, Snapshot
from console.store.store import kind_of
from remote.errors import Trouble
from remote.protocol import AgentHello, AgentState, Entry, Sample, body_of

SILENT_AFTER_NS = 2_000_000_000
_SHIFT_NS = 1_000_000  # a better estimate of the offset moves the shown times only if it moves them by this much


class _Line:
    """The newest entries of one kind and the tuple made of them."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=HISTORY)
        self._seen: deque[Seen[Any] | None] = deque(maxlen=HISTORY)
        self._fresh: deque[Entry] = deque(maxlen=HISTORY)
        self._made: tuple[Seen[Any], ...] = ()
        self._made_for: tuple[str | None, int | None] = (None, None)

    def add(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._fresh.append(entry)

    def made(self, boot_id: str | None, offset_ns: int | None) -> tuple[Seen[Any], ...]:
        if self._made_for != (boot_id, offset_ns):
            self._made_for = (boot_id, offset_ns)
            self._fresh = deque(self._entries, maxlen=HISTORY)
            self._seen.clear()
        if self._fresh:
            self._seen.extend(_seen(entry, boot_id, offset_ns) for entry in self._fresh)
            self._fresh.clear()
            self._made = tuple(seen for seen in self._seen if seen is not None)
        return self._made


class SnapshotBuilder:
    """Takes messages and the link's state, gives snapshots; entries are decoded only if a snapshot shows them."""

    def __init__(self, robot: str, link: Link) -> None:
        self.robot = robot
        self.link = link
        self.hello: AgentHello | None = None
        self.state: AgentState | None = None
        self.stored_seq = 0
        self.pulling = Pulling()
        self._sample: Sample | None = None
        self._lines = {kind: _Line() for kind in KINDS_SHOWN}
        self._offset_ns: int | None = None

    def greet(self, hello: AgentHello) -> None:
        """A connection has begun. A new boot makes the old sample and the old offset meaningless."""
        if self.hello is None or self.hello.boot_id != hello.boot_id:
            self._sample = None
            self._offset_ns = None
        self.hello = hello

    def offset(self, offset_ns: int | None) -> None:
        """The newest estimate of the robot's monotonic clock minus the laptop's."""
        if offset_ns is None or self._offset_ns is None or abs(offset_ns - self._offset_ns) >= _SHIFT_NS:
            self._offset_ns = offset_ns

    def clear_history(self) -> None:
        """The robot's journal is another one: its sequence numbers can't stand in one row with the old ones."""
        self._lines = {kind: _Line() for kind in KINDS_SHOWN}

    def take_sample(self, sample: Sample) -> None:
        """The newest frame."""
        self._sample = sample

    def take_entries(self, entries: Iterable[Entry]) -> None:
        """Entries in ascending order, new ones or (at the start) those of the store."""
        for entry in entries:
            line = self._lines.get(kind_of(entry))
            if line is not None:
                # Decoded bodies are views of the whole message that brought them, which must not stay in memory.
                body = msgspec.Raw(bytes(entry.body))
                line.add(Entry(entry.seq, entry.boot_id, entry.mono_ns, entry.wall_ns, body))

    @property
    def sample_at_ns(self) -> int | None:
        """When the newest frame was taken, on the laptop's monotonic clock; None where that is not known."""
        if self._sample is None or self._offset_ns is None:
            return None
        return self._sample.capture_mono_ns - self._offset_ns

    def build(self, now_ns: int) -> Snapshot:
        """The snapshot at `now_ns` of the laptop's monotonic clock."""
        boot = self.hello.boot_id if self.hello else None
        windows, hosts, events, failures = (self._lines[kind].made(boot, self._offset_ns) for kind in KINDS_SHOWN)
        return Snapshot(
            robot=self.robot,
            taken_ns=now_ns,
            link=_with_silence(self.link, now_ns),
            hello=self.hello,
            state=self.state,
            sample=self._sample,
            sample_at_ns=self.sample_at_ns,
            windows=windows,
            hosts=hosts,
            events=events,
            failures=failures,
            stored_seq=self.stored_seq,
            pulling=self.pulling,
        )


def _seen(entry: Entry, boot_id: str | None, offset_ns: int | None) -> Seen[Any] | None:
    try:
        body = body_of(entry)
    except Trouble:
        return None  # it is in the store as it came; a newer console can show it
    known = offset_ns is not None and entry.boot_id == boot_id
    at_ns = entry.mono_ns - offset_ns if known and offset_ns is not None else None
    return Seen(entry.seq, at_ns, entry.wall_ns, body)


def _with_silence(link: Link, now_ns: int) -> Link:
    if link.phase != "up" or link.heard_ns is None or now_ns - link.heard_ns < SILENT_AFTER_NS:
        return link
    silent_s = (now_ns - link.heard_ns) / 1e9
    since_ns = link.heard_ns + SILENT_AFTER_NS
    return msgspec.structs.replace(
        link, phase="silent", since_ns=since_ns, reason=f"nothing heard for {silent_s:.0f} s"
    )
