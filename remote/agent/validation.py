"""Runs the validation suite in a child process, so that neither a broken model nor a long run disturbs agent or worker."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from remote.agent.asked_child import AskedChild, accepted, decoded
from remote.agent.one_at_a_time import OneAtATime
from remote.models.validation.plan import Plan
from remote.models.validation.process import Validated
from remote.verdicts import ValidationReport

LIMIT_S = 900.0
COMMAND = (sys.executable, "-m", "remote.models.validation.process")
CHILD = AskedChild(
    what="the validation",
    died="died",
    start_code="no_validation",
    late_code="validation_timeout",
    late_cure="ask for fewer runs, or look at the robot's load",
    died_code="validation_crashed",
    died_cure="run `fieldgate-agent model validate` on the robot; it may lack memory, or its engine can't take this model",
)


class Validation:
    """One run at a time. The child ends with the agent, whichever way that ends.

    Args:
        cwd: the child's working directory.
        limit_s: how long a run may take.
        command: the child's command line, to which the plan is added.
    """

    def __init__(self, cwd: Path, *, limit_s: float = LIMIT_S, command: Sequence[str] = COMMAND) -> None:
        self._cwd, self._limit_s, self._command = cwd, limit_s, command
        self._one = OneAtATime(
            "another bundle is validated now", cure="try again when it has ended", code="validation_busy"
        )

    @property
    def busy(self) -> bool:
        """Whether a run goes on."""
        return self._one.busy

    async def run(self, plan: Plan, prepare: Callable[[], Awaitable[None]] | None = None) -> ValidationReport:
        """What the suite found; `prepare` is awaited before, while nothing else may be validated.

        Raises Trouble: what keeps the suite from being run; `validation_busy` while another run goes on; `validation_timeout`;
        `validation_crashed` where the process died of the model; `no_validation` where it can't be started.
        """
        with self._one:
            if prepare is not None:
                await prepare()
            return await self._run(plan)

    async def _run(self, plan: Plan) -> ValidationReport:
        words = msgspec.json.encode(plan).decode()
        ended = await CHILD.run((*self._command, words), cwd=self._cwd, limit_s=self._limit_s)
        said = accepted(decoded(ended.out, Validated))
        if said is None or said.report is None:
            raise CHILD.no_answer(ended)
        return said.report
