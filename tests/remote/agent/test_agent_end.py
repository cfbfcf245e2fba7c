"""The agent's end: what does not end in time does not keep the rest from ending."""

from __future__ import annotations

import asyncio
import time

import pytest

from remote.agent.serve import all_ended


async def test_what_hangs_and_what_breaks_keep_nothing_else_from_ending() -> None:
    """A build that does not let itself be called off kept the worker running until systemd killed all of it."""
    ended: list[str] = []

    async def well() -> None:
        await asyncio.sleep(0.01)
        ended.append("well")

    async def badly() -> None:
        raise OSError("no space")

    async def never() -> None:
        await asyncio.Event().wait()

    begun = time.monotonic()
    await asyncio.wait_for(all_ended([never(), badly(), well()], 0.2), 60)
    assert ended == ["well"]
    assert time.monotonic() - begun < 5


async def test_what_ends_at_once_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    async def well() -> None: ...

    await asyncio.wait_for(all_ended([well(), well()], 60), 60)
    assert not caplog.records
