"""Runs the validation suite in a child process, so that neither a broken model nor a long run disturbs agent or worker."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from remote.agent.child import Ended, TooLate, run_child
from remote.errors import Trouble
from remote.models.validation.plan import Plan
from remote.models.validation.process import Validated
from remote.verdicts import ValidationReport

LIMIT_S = 900.0
COMMAND = (sys.executable, "-m", "remote.models.validation.process")


class Validation:
    """One run at a time. The child ends with the agent, whichever way that ends.

    Args:
        cwd: the child's working directory.
        limit_s: how long a run may take.
        command: the child's command line, to which the plan is added.
    """

    def __init__(self, cwd: Path, *, limit_s: float = LIMIT_S, command: Sequence[str] = COMMAND) -> None:
        self._cwd, self._limit_s, self._command = cwd, limit_s, command
        self.busy = False

    async def run(self, plan: Plan, prepare: Callable[[], Awaitable[None]] | None = None) -> ValidationReport:
        """What the suite found; `prepare` is awaited before, while nothing else may be validated.

        Raises Trouble: what keeps the suite from being run; `validation_busy` while another run goes on; `validation_timeout`;
        `validation_crashed` where the process died of the model; `no_validation` where it can't be started.
        """
        if self.busy:
            raise Trouble("another bundle is validated now", cure="try again when it has ended", code="validation_busy")
        self.busy = True
        try:
            if prepare is not None:
                await prepare()
            return _report(await self._run(plan))
        finally:
            self.busy = False

    async def _run(self, plan: Plan) -> Ended:
        words = msgspec.json.encode(plan).decode()
        try:
            return await run_child((*self._command, words), cwd=self._cwd, limit_s=self._limit_s)
        except OSError as error:
            cure = "install fieldgate again on the robot, or free some memory"
            raise Trouble(f"the validation can't be started: {error}", cure=cure, code="no_validation") from error
        except TooLate as late:
            cure = "ask for fewer runs, or look at the robot's load"
            raise Trouble(f"the validation {late}", cure=cure, code="validation_timeout") from None


def _report(ended: Ended) -> ValidationReport:
    try:
        said = msgspec.json.decode(ended.out, type=Validated)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = Validated()
    if said.error:
        raise Trouble(said.error.what, cure=said.error.cure, code=said.error.code)
    if said.report is None:
        last = f"; it last said: {ended.last_words}" if ended.last_words else ""
        cure = (
            "run `fieldgate-agent model validate` on the robot; it may lack memory, or its engine can't take this model"
        )
        raise Trouble(f"the validation died: {ended.how}{last}", cure=cure, code="validation_crashed")
    return said.report
