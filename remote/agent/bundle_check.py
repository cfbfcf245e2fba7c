"""Checks a bundle in a child process, so that neither a broken model nor a slow one disturbs the agent or its worker."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from remote.agent.asked_child import AskedChild, accepted, decoded
from remote.agent.one_at_a_time import OneAtATime
from remote.models.check import CheckReport
from remote.models.check_process import Checked
from remote.protocol import BundleReport

LIMIT_S = 120.0
COMMAND = (sys.executable, "-m", "remote.models.check_process")
CHILD = AskedChild(
    what="the check",
    died="ended without an answer",
    start_code="no_check",
    late_code="check_timeout",
    late_cure="look at the robot's load and memory, then try again",
    died_code="check_crashed",
    died_cure="run `fieldgate-agent bundle check` on the robot; it may lack memory, or its engine can't take this model",
)


class BundleCheck:
    """One check at a time. The child ends with the agent, whichever way that ends.

    Args:
        cwd: the child's working directory.
        limit_s: how long a check may take.
        command: the child's command line, to which folder and threads are added.
    """

    def __init__(self, cwd: Path, *, limit_s: float = LIMIT_S, command: Sequence[str] = COMMAND) -> None:
        self._cwd, self._limit_s, self._command = cwd, limit_s, command
        self._one = OneAtATime("another bundle is being checked now", cure="try again in a minute", code="check_busy")

    @property
    def busy(self) -> bool:
        """Whether a check goes on."""
        return self._one.busy

    async def run(self, folder: Path, threads: int) -> BundleReport:
        """Verify, load and run the bundle in `folder`.

        Raises Trouble: what check_bundle says of the bundle; `check_busy` while another check runs; `check_timeout`;
        `check_crashed` where the process died of it; `no_check` where it can't be started.
        """
        with self._one:
            ended = await CHILD.run((*self._command, str(folder), str(threads)), cwd=self._cwd, limit_s=self._limit_s)
        said = accepted(decoded(ended.out, Checked))
        if said is None or said.report is None:
            raise CHILD.no_answer(ended)
        return _report(said.report)


def _report(found: CheckReport) -> BundleReport:
    return BundleReport(
        digest=found.digest,
        name=found.name,
        engine=found.engine,
        runs=found.runs,
        inference_p50_ms=found.inference_p50_ms,
        inference_max_ms=found.inference_max_ms,
        model_bytes=found.model_bytes,
    )
