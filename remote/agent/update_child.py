"""Runs the updates' client in a child process and watches that it goes on."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from remote.agent.child import Ended, TooLate, run_child
from remote.errors import Trouble
from remote.model_states import Progress
from remote.updates.order import Found, Line

COMMAND = (sys.executable, "-m", "remote.updates.client_process")
LONGEST_S = 24 * 3600.0
SILENT_S = 120.0
CODE = "update_client_ended"
_CURE = "look at agent.log and the robot's memory; the next look goes on where this one stopped"

log = logging.getLogger("fieldgate.agent")


class UpdateChild:
    """One look in a process of its own. It ends with the agent, whichever way that ends.

    Args:
        cwd: its working directory.
        silent_s: how long it may say nothing.
        command: its command line, to which the order's file is added.
    """

    def __init__(self, cwd: Path, *, silent_s: float = SILENT_S, command: Sequence[str] = COMMAND) -> None:
        self._cwd, self._silent_s, self._command = cwd, silent_s, command

    async def run(self, order: Path, say: Callable[[Progress], None]) -> Found:
        """Raises Trouble: what the client refused, `update_client_ended`, `update_client_silent`."""
        heard = _Heard(say)
        command = [*self._command, str(order)]
        child = asyncio.ensure_future(run_child(command, cwd=self._cwd, limit_s=LONGEST_S, on_line=heard))
        try:
            ended = await self._watched(child, heard)
        except TooLate as late:
            raise Trouble(f"the look for a release {late}", cure=_CURE, code=CODE) from late
        except OSError as error:
            raise Trouble(f"the updates' client can't be started: {error}", cure=_CURE, code=CODE) from error
        finally:
            child.cancel()
            await asyncio.gather(child, return_exceptions=True)
        return _found(heard.last, ended)

    async def _watched(self, child: asyncio.Future[Ended], heard: _Heard) -> Ended:
        while True:
            lines = heard.lines
            done, _ = await asyncio.wait({child}, timeout=self._silent_s)
            if done:
                return child.result()
            if heard.lines == lines:
                what = f"nothing has come from the repository for {self._silent_s:g} s"
                raise Trouble(what, cure="use a faster connection, or a USB stick", code="update_client_silent")


class _Heard:
    """Takes the child's lines; the last one that is no progress is what came of it."""

    def __init__(self, say: Callable[[Progress], None]) -> None:
        self._say = say
        self.lines = 0
        self.last = Line()

    def __call__(self, data: bytes) -> None:
        self.lines += 1
        try:
            line = msgspec.json.decode(data, type=Line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        if line.progress is not None:
            self._say(line.progress)
        else:
            self.last = line


def _found(last: Line, ended: Ended) -> Found:
    if last.error is not None:
        raise Trouble(last.error.what, cure=last.error.cure, code=last.error.code)
    if last.found is None:
        log.warning("the updates' client ended without an answer (%s): %s", ended.how, ended.words)
        why = f"; it last said: {ended.last_words}" if ended.last_words else ""
        raise Trouble(f"the look for a release ended without an answer: {ended.how}{why}", cure=_CURE, code=CODE)
    return last.found
