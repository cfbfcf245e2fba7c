"""One run of the updates' client, which whoever wants something else calls off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from remote.agent.update_child import UpdateChild
from remote.agent.update_files import UpdateFiles
from remote.errors import Trouble
from remote.model_states import Progress
from remote.updates.order import Found, Order


class UpdateFetch:
    """Runs `child` with an order in a file of `files`. `by` is for whom it runs now, empty where it does not."""

    def __init__(self, child: UpdateChild, files: UpdateFiles) -> None:
        self._child, self._files = child, files
        self._fetching: asyncio.Future[Found] | None = None
        self._called_off_by = ""
        self.by = ""

    async def run(self, order: Order, by: str, say: Callable[[Progress], None]) -> Found:
        """What the client found. Raises Trouble as it does, `update_called_off`, `updates_unwritable`."""
        written = self._files.write_order(msgspec.json.encode(order))
        self.by, self._called_off_by = by, ""
        self._fetching = asyncio.ensure_future(self._child.run(written, say))
        try:
            return await self._fetching
        except asyncio.CancelledError:
            if not self._called_off_by:
                raise
            cure = "look again when that has ended; what was fetched is kept"
            what = f"the look was called off: {self._called_off_by} wants something else"
            raise Trouble(what, cure=cure, code="update_called_off") from None
        finally:
            self._fetching, self.by = None, ""

    async def call_off(self, by: str) -> None:
        """End what runs, if anything does, and wait until it has."""
        fetching = self._fetching
        if fetching is None:
            return
        self._called_off_by = by
        fetching.cancel()
        await asyncio.wait({fetching})
        await asyncio.sleep(0)  # whoever waited for it goes on, to its end
