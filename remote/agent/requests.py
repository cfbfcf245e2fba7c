"""Requests: each is checked, carried out, confirmed and answered once; a repeated id gets the first answer again."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from remote.agent import conditions
from remote.agent.actions import Actions
from remote.agent.core import Agent
from remote.agent.lease import Holder
from remote.agent.looks import Looks
from remote.agent.model_actions import ModelActions
from remote.agent.update_ground import UpdateActions
from remote.errors import Trouble
from remote.protocol import (
    Activate,
    CancelChange,
    CheckBundle,
    Drill,
    ErrorInfo,
    GetChoices,
    GetFacts,
    GetFrame,
    GetPicture,
    GetState,
    GetStored,
    GoBack,
    Mark,
    Note,
    Pin,
    ReleaseLease,
    RemoveBundle,
    RenewLease,
    Reply,
    Request,
    SetBundle,
    SetSource,
    SetUpdates,
    SetWatch,
    Shadow,
    Start,
    Stop,
    TakeLease,
    TakeUpdate,
    Validate,
)

REMEMBERED = 1024
READS = (GetState, GetChoices, GetFrame, GetPicture, GetFacts, GetStored)
ONE_AT_A_TIME = (Start, Stop, SetSource, SetBundle, Activate, GoBack, RemoveBundle, Drill)

log = logging.getLogger("fieldgate.agent")
Handler = Callable[[Any, Holder, Request], Awaitable[Reply]]


class Desk:
    """Answers the requests of all consoles."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._answers: OrderedDict[tuple[str, str], asyncio.Future[Reply]] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()
        actions, looks, models = Actions(agent), Looks(agent), ModelActions(agent)
        updates = UpdateActions(agent)
        self._handlers: dict[type, Handler] = {
            GetState: looks.state,
            GetChoices: looks.choices,
            GetFrame: looks.frame,
            GetPicture: looks.picture,
            GetFacts: looks.facts,
            CheckBundle: looks.bundle_check,
            Validate: looks.proving.validate,
            Shadow: looks.proving.shadow,
            Note: actions.note,
            TakeLease: actions.take_lease,
            RenewLease: actions.renew_lease,
            ReleaseLease: actions.release_lease,
            Start: actions.start,
            Stop: actions.stop,
            SetSource: actions.set_source,
            SetBundle: actions.set_bundle,
            SetWatch: actions.set_watch,
            GetStored: models.stored,
            Activate: models.activate,
            CancelChange: models.cancel,
            GoBack: models.go_back,
            RemoveBundle: models.remove,
            SetUpdates: updates.set,
            TakeUpdate: updates.take,
            Mark: actions.mark,
            Pin: actions.pin,
            Drill: actions.drill,
        }

    async def answer(self, who: Holder, request: Request) -> Reply:
        """The one reply to this request. Reads are answered afresh each time, everything else once for each id."""
        if isinstance(request.command, READS):
            return await self._reply(who, request)
        key = (who.client_id, request.id)
        if key not in self._answers:
            self._answers[key] = asyncio.ensure_future(self._reply(who, request))
            while len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
        return await asyncio.shield(self._answers[key])

    async def _reply(self, who: Holder, request: Request) -> Reply:
        try:
            return await self._carry_out(who, request)
        except Trouble as trouble:
            error = ErrorInfo.of(trouble)
        except Exception as fault:  # one request's outer catch: the agent goes on, the sender learns of it
            log.exception("request %s failed", request)
            error = ErrorInfo("internal", f"the agent failed at this request: {fault!r}", "see agent.log on the robot")
        return Reply(id=request.id, error=error, state=self._agent.state())

    async def _carry_out(self, who: Holder, request: Request) -> Reply:
        self._agent.look_at_lease()
        handler = self._handlers[type(request.command)]
        if not isinstance(request.command, ONE_AT_A_TIME):
            conditions.check(self._agent, who, request)
            return await handler(request.command, who, request)
        if isinstance(request.command, Stop):
            conditions.check(self._agent, who, request)
            await self._agent.models.stop_worker()  # also ends a start that still waits for its camera or engine
        async with self._one_at_a_time:
            if not isinstance(request.command, Stop):
                conditions.check(self._agent, who, request)
            return await handler(request.command, who, request)
