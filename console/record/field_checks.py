"""Whether the entries of a field test fit each other: what can't be, as this program writes nothing of the kind."""

from __future__ import annotations

from collections.abc import Iterator

from console.record.believing import unbelievable_frame, unbelievable_running
from console.record.entries import (
    Entry,
    FrameScored,
    SessionBegun,
    SessionEnded,
    SessionMeasured,
    Trial,
    TrialBegun,
    TrialCompleted,
)


class FieldChecks:
    """Give it every entry in order; it says what is wrong with each."""

    def __init__(self) -> None:
        self._begun: dict[int, Entry] = {}
        self._ended: dict[int, Entry] = {}
        self._attempts: dict[int, int] = {}
        self._trials: dict[int, int] = {}
        self._open: int | None = None

    def check(self, entry: Entry) -> Iterator[str]:
        """What can't be in this entry; nothing where it fits those before it."""
        body = entry.body
        if isinstance(body, SessionBegun):
            yield from self._begins(entry)
            return
        session: int | None = getattr(body, "session", None)
        if session is None:
            return
        if session not in self._begun:
            yield f"it belongs to session {session}, which was not begun before it"
            return
        if isinstance(body, (Trial, TrialBegun)):
            yield from self._tried(entry.seq, body)
        elif isinstance(body, TrialCompleted):
            if self._trials.get(body.trial) != session:
                yield f"it is about the trial in entry {body.trial}, which is none of its session"
        elif isinstance(body, FrameScored):
            yield from filter(None, [unbelievable_frame(body)])
        elif isinstance(body, SessionMeasured):
            yield from filter(None, [unbelievable_running(body, self._lasted_s(session, entry))])
        elif isinstance(body, SessionEnded):
            self._ended.setdefault(session, entry)
            self._open = None if self._open == session else self._open

    def _begins(self, entry: Entry) -> Iterator[str]:
        if self._open is not None:
            yield f"a session is begun while session {self._open} is open"
            self._ended.setdefault(self._open, entry)
        self._begun[entry.seq] = entry
        self._open = entry.seq

    def _tried(self, seq: int, body: Trial | TrialBegun) -> Iterator[str]:
        if body.session in self._ended:
            yield f"it belongs to session {body.session}, which was over"
        if isinstance(body, Trial):
            self._trials[seq] = body.session
        if isinstance(body, TrialBegun):
            self._attempts[seq] = body.session
        elif body.began is not None and self._attempts.pop(body.began, None) != body.session:
            yield f"it is the outcome of the attempt in entry {body.began}, which does not wait for one"

    def _lasted_s(self, session: int, entry: Entry) -> float:
        until = self._ended.get(session, entry)
        return (until.wall_ns - self._begun[session].wall_ns) / 1e9
