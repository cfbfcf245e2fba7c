"""A child process that is asked one thing: what it answers, and what is said where it gives no answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import msgspec

from remote.agent.child import Ended, OnLine, TooLate, run_child
from remote.errors import Trouble
from remote.model_states import Progress
from remote.protocol import ErrorInfo
from remote.ready_types import ready

log = logging.getLogger("fieldgate.agent")
T = TypeVar("T")


class Answer(Protocol):
    """What every answer has: a line with `error` says why there is no other."""

    @property
    def error(self) -> ErrorInfo | None:
        """Why not."""


class LineOfMany(Answer, Protocol):
    """A line with `progress` is not the last one."""

    @property
    def progress(self) -> Progress | None:
        """How far it is."""


A = TypeVar("A", bound=Answer)
L = TypeVar("L", bound=LineOfMany)


@dataclass(frozen=True)
class AskedChild:
    """One kind of child, in the words of what goes wrong with it.

    Attributes:
        what: begins each sentence: `the self-test`.
        died: goes on where it ended without an answer: `died`.
        start_code, start_cure: where it can't be started.
        late_code, late_cure: where it takes too long.
        died_code, died_cure: where it ended without an answer.
    """

    what: str
    died: str
    start_code: str
    late_code: str
    late_cure: str
    died_code: str
    died_cure: str
    start_cure: str = "install fieldgate again on the robot, or free some memory"

    async def run(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        limit_s: float,
        on_line: OnLine | None = None,
        grace_s: float = 0.0,
    ) -> Ended:
        """As run_child. Raises Trouble: `start_code`, `late_code`, and `too_long` for a line over the limit."""
        try:
            return await run_child(command, cwd=cwd, limit_s=limit_s, on_line=on_line, grace_s=grace_s)
        except OSError as error:
            what = f"{self.what} can't be started: {error}"
            raise Trouble(what, cure=self.start_cure, code=self.start_code) from error
        except TooLate as late:
            raise Trouble(f"{self.what} {late}", cure=self.late_cure, code=self.late_code) from None

    def no_answer(self, ended: Ended) -> Trouble:
        """What is to be raised where it ended without one; all its last words go to the log."""
        log.warning("%s ended without an answer (%s): %s", self.what, ended.how, ended.words)
        said = f"; it last said: {ended.last_words}" if ended.last_words else ""
        return Trouble(f"{self.what} {self.died}: {ended.how}{said}", cure=self.died_cure, code=self.died_code)


class Heard(Generic[L]):
    """Takes the lines of a child that says how far it is: `lines` counts them, `last` is the last that is no progress."""

    def __init__(self, kind: type[L], say: Callable[[Progress], None]) -> None:
        self._kind, self._say = kind, say
        self.lines = 0
        self.last: L | None = None

    def __call__(self, line: bytes) -> None:
        """Take a line; what is no message is left out."""
        self.lines += 1
        told = decoded(line, self._kind)
        if told is None:
            log.warning("no message from a child: %r", line[:200])
        elif told.progress is not None:
            self._say(told.progress)
        else:
            self.last = told


def decoded(line: bytes, kind: type[T]) -> T | None:
    """The message in a line of JSON; None where it is none of that kind."""
    try:
        return msgspec.json.decode(line, type=ready(kind))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def accepted(answer: A | None) -> A | None:
    """The answer again. Raises Trouble: its error."""
    if answer is not None and answer.error is not None:
        raise answer.error.trouble()
    return answer
