"""Runs the updates' client in a child process and watches that it goes on."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from remote.agent.asked_child import AskedChild, Heard, accepted
from remote.agent.child import Ended
from remote.errors import Trouble
from remote.model_states import Progress
from remote.updates.order import Found, Line

COMMAND = (sys.executable, "-m", "remote.updates.client_process")
LONGEST_S = 24 * 3600.0
SILENT_S = 120.0
CODE = "update_client_ended"
_CURE = "look at agent.log and the robot's memory; the next look goes on where this one stopped"
CHILD = AskedChild(
    what="the look for a release",
    died="ended without an answer",
    start_code=CODE,
    start_cure=_CURE,
    late_code=CODE,
    late_cure=_CURE,
    died_code=CODE,
    died_cure=_CURE,
)


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
        heard = Heard(Line, say)
        command = [*self._command, str(order)]
        child = asyncio.ensure_future(CHILD.run(command, cwd=self._cwd, limit_s=LONGEST_S, on_line=heard))
        try:
            ended = await self._watched(child, heard)
        finally:
            child.cancel()
            await asyncio.gather(child, return_exceptions=True)
        said = accepted(heard.last)
        if said is None or said.found is None:
            raise CHILD.no_answer(ended)
        return said.found

    async def _watched(self, child: asyncio.Future[Ended], heard: Heard[Line]) -> Ended:
        while True:
            lines = heard.lines
            done, _ = await asyncio.wait({child}, timeout=self._silent_s)
            if done:
                return child.result()
            if heard.lines == lines:
                what = f"nothing has come from the repository for {self._silent_s:g} s"
                raise Trouble(what, cure="use a faster connection, or a USB stick", code="update_client_silent")
