"""Checks a bundle in a child process, so that neither a broken model nor a slow one disturbs the agent or its worker."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from remote.agent.child import Ended, TooLate, run_child
from remote.errors import Trouble
from remote.models.check_process import Checked
from remote.protocol import BundleReport

LIMIT_S = 120.0
COMMAND = (sys.executable, "-m", "remote.models.check_process")

log = logging.getLogger("fieldgate.agent")


class BundleCheck:
    """One check at a time. The child ends with the agent, whichever way that ends.

    Args:
        cwd: the child's working directory.
        limit_s: how long a check may take.
        command: the child's command line, to which folder and threads are added.
    """

    def __init__(self, cwd: Path, *, limit_s: float = LIMIT_S, command: Sequence[str] = COMMAND) -> None:
        self._cwd, self._limit_s, self._command = cwd, limit_s, command
        self.busy = False

    async def run(self, folder: Path, threads: int) -> BundleReport:
        """Verify, load and run the bundle in `folder`.

        Raises Trouble: what check_bundle says of the bundle; `check_busy` while another check runs; `check_timeout`;
        `check_crashed` where the process died of it; `no_check` where it can't be started.
        """
        if self.busy:
            raise Trouble("another bundle is being checked now", cure="try again in a minute", code="check_busy")
        self.busy = True
        try:
            return await self._run(folder, threads)
        finally:
            self.busy = False

    async def _run(self, folder: Path, threads: int) -> BundleReport:
        command = (*self._command, str(folder), str(threads))
        try:
            ended = await run_child(command, cwd=self._cwd, limit_s=self._limit_s)
        except OSError as error:
            cure = "install fieldgate again on the robot, or free some memory"
            raise Trouble(f"the check can't be started: {error}", cure=cure, code="no_check") from error
        except TooLate as late:
            cure = "look at the robot's load and memory, then try again"
            raise Trouble(f"the check of {folder.name[:12]} {late}", cure=cure, code="check_timeout") from None
        return _report(ended)


def _report(ended: Ended) -> BundleReport:
    try:
        said = msgspec.json.decode(ended.out, type=Checked)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = Checked()
    if said.error:
        raise Trouble(said.error.what, cure=said.error.cure, code=said.error.code)
    found = said.report
    if found is None:
        raise _crashed(ended)
    return BundleReport(
        digest=found.digest,
        name=found.name,
        engine=found.engine,
        runs=found.runs,
        inference_p50_ms=found.inference_p50_ms,
        inference_max_ms=found.inference_max_ms,
        model_bytes=found.model_bytes,
    )


def _crashed(ended: Ended) -> Trouble:
    log.warning("a bundle's check ended without an answer (%s): %s", ended.how, ended.words)
    last = f"; it last said: {ended.last_words}" if ended.words else ""
    cure = "run `fieldgate-agent bundle check` on the robot; it may lack memory, or its engine can't take this model"
    return Trouble(f"the check ended without an answer: {ended.how}{last}", cure=cure, code="check_crashed")
