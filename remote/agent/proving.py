"""Requests that prove a bundle on this robot: the validation suite, and a candidate that runs beside the worker."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from remote.activation import steps
from remote.agent.bundle_check import BundleCheck
from remote.agent.core import Agent
from remote.agent.engine_build import build_engine
from remote.agent.lease import Holder
from remote.agent.shadow import Contest
from remote.agent.validation import Validation
from remote.errors import Trouble
from remote.models.validation.plan import Plan
from remote.models.validation.profiles import profile_of
from remote.protocol import Constraints, Reply, Request, Shadow, Validate

MOST_RUNS = 100_000

log = logging.getLogger("fieldgate.agent")


class Proving:
    """One method for each request that proves a bundle.

    Args:
        check: the check of a bundle, which must not run together with a validation: each would disturb the other's times.
    """

    def __init__(self, agent: Agent, check: BundleCheck) -> None:
        self._agent, self._check = agent, check
        self._validation = Validation(agent.places.state)
        agent.provers += [lambda: self.busy, lambda: check.busy]

    async def validate(self, command: Validate, _who: Holder, request: Request) -> Reply:
        """Run the suite on a bundle of this robot. Raises Trouble: `bad_runs`, `bad_limit`, `update_underway` while a change
        is, as a candidate would be judged by the times that the suite's load gives it, `check_busy`, or as Validation.run.
        """
        agent = self._agent
        if not 1 <= command.runs <= MOST_RUNS:
            cure = f"give 1 to {MOST_RUNS} runs"
            raise Trouble(f"{command.runs} runs are not made", cure=cure, code="bad_runs")
        profile_of(command.profile, command.limits)
        steps.must_be_idle(agent.models.change.slots)
        if self._check.busy:
            raise Trouble("another bundle is being checked now", cure="try again in a minute", code="check_busy")
        folder = await asyncio.to_thread(agent.bundles.folder, command.digest)
        plan = Plan(
            folder=str(folder),
            profile=command.profile,
            limits=command.limits,
            runs=command.runs,
            threads=agent.settings.threads,
            constraints=agent.watch.constraints if agent.watch else Constraints(),
            beside=self._beside(),
            engines=str(agent.places.engines),
            wishes=agent.settings.engine,
        )
        report = await self._validation.run(plan, lambda: self._build(folder))
        return Reply(id=request.id, validation=report)

    async def _build(self, folder: Path) -> None:
        """The engine that will run it is what is to be validated. One that can't be built is said by the suite, with its
        reason.
        """
        agent = self._agent
        try:
            settings = agent.settings
            await build_engine(
                folder, agent.places.engines, settings.threads, lambda progress: None, wishes=settings.engine
            )
        except Trouble as trouble:
            log.warning("no engine was built for a validation: %s", trouble)

    @property
    def busy(self) -> bool:
        """Whether a validation runs now."""
        return self._validation.busy

    async def shadow(self, command: Shadow, who: Holder, request: Request) -> Reply:
        """Let a candidate run beside, or end it. Raises Trouble as Shadow.begin, or `no_bundle`, `unknown_bundle`, ..."""
        agent = self._agent
        if not command.digest:
            await agent.shadow.end(f"{who.name} ended it")
            return Reply(id=request.id, state=agent.state())
        if agent.bundle is None:
            cure = "choose a bundle and start the worker first"
            raise Trouble("the robot runs no bundle to compare with", cure=cure, code="no_bundle")
        current, _ = await asyncio.to_thread(agent.bundles.find, agent.bundle.digest)
        folder, found = await asyncio.to_thread(agent.bundles.find, command.digest)
        contest = Contest(
            current=current,
            candidate=folder,
            current_digest=agent.bundle.digest,
            of=found,
            threads=agent.settings.threads,
            engines=agent.places.engines,
            wishes=agent.settings.engine,
            seconds=command.seconds,
        )
        agent.shadow.begin(contest, who.name)
        return Reply(id=request.id, state=agent.state())

    def _beside(self) -> str:
        """What else of ours runs on this computer now, in words."""
        state = self._agent.shadow.state()
        shadow = "a shadow" if state is not None and not state.ended else ""
        worker = "the worker" if self._agent.supervisor.wanted else ""
        return " and ".join(part for part in (worker, shadow) if part)
