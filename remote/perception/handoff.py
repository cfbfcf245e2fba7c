"""Where the camera's thread and the command's thread leave things for the worker's loop: one frame, the newest, and notes."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Union

from remote.perception.cameras.base import Frame
from remote.perception.liveness import Look
from remote.perception.messages import AskFrame, Cause, MarkFrame, Quit, SampleRate, WatchFor


@dataclass(frozen=True)
class Seen:
    """A frame that came: which opening of the camera it belongs to, how long `read` took, what liveness needs."""

    opening: int
    frame: Frame
    capture_ms: float
    look: Look


@dataclass(frozen=True)
class Opened:
    """The camera was opened; frames should follow."""

    opening: int


@dataclass(frozen=True)
class Gone:
    """The camera could not be opened or read; its thread has ended."""

    opening: int
    reason: str


@dataclass(frozen=True)
class Spoiled:
    """One frame could not be decoded. `subject` names it, where it has a name."""

    opening: int
    text: str
    subject: str


@dataclass(frozen=True)
class Unreadable:
    """A line from the agent that is no message."""

    text: str


Note = Union[Opened, Gone, Spoiled, Unreadable, AskFrame, MarkFrame, SampleRate, WatchFor, Cause, Quit]


class Handoff:
    """One lock and one condition for all. The frame is replaced by a newer one and counted as dropped; notes are kept."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._newest: Seen | None = None
        self._notes: deque[Note] = deque()
        self._dropped = 0

    def offer(self, seen: Seen) -> None:
        """A new frame."""
        with self._condition:
            if self._newest is not None:
                self._dropped += 1
            self._newest = seen
            self._condition.notify()

    def note(self, note: Note) -> None:
        """Something that must not be lost."""
        with self._condition:
            self._notes.append(note)
            self._condition.notify()

    def wait(self, timeout_s: float) -> None:
        """Return when there is something to take, at the latest after `timeout_s`."""
        with self._condition:
            self._condition.wait_for(lambda: self._newest is not None or bool(self._notes), max(0.0, timeout_s))

    def take_notes(self) -> list[Note]:
        """All notes, the oldest first."""
        with self._condition:
            notes = list(self._notes)
            self._notes.clear()
            return notes

    def take_frame(self) -> Seen | None:
        """The newest frame, once."""
        with self._condition:
            seen, self._newest = self._newest, None
            return seen

    def take_dropped(self) -> int:
        """Frames replaced before anybody took them, since the last call."""
        with self._condition:
            dropped, self._dropped = self._dropped, 0
            return dropped
