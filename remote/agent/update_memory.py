"""What the robot has seen of releases and of the time, kept on the disk as far as that works."""

from __future__ import annotations

import logging

import msgspec

from remote.agent.clock import Clock
from remote.agent.update_files import Seen, UpdateFiles
from remote.errors import Trouble

log = logging.getLogger("fieldgate.agent")


class UpdateMemory:
    """Holds `seen`, the newest."""

    def __init__(self, files: UpdateFiles, clock: Clock) -> None:
        self._files, self._clock = files, clock
        self.seen = Seen()

    def load(self) -> None:
        """Take up what was seen before. Raises Trouble (`updates_damaged`)."""
        self.seen = self._files.seen()

    def forget(self) -> None:
        """Keep only the highest release. Raises Trouble (`updates_unwritable`); then all is as it was."""
        seen = Seen(release=self.seen.release)
        self._files.save(seen)
        self.seen = seen

    def remember(self, says: str, *, code: str = "", release: int = 0) -> bool:
        """Keep what came of a look; True where it is another thing than last time."""
        news = (says, code) != (self.seen.says, self.seen.code)
        seen = msgspec.structs.replace(
            self.seen,
            looked_wall_ns=self._clock.wall_ns(),
            says=says,
            code=code,
            release=max(release, self.seen.release),
        )
        self._keep(seen)
        return news

    def raise_floor(self, signed_wall_ns: int | None) -> None:
        """Keep the latest time that it surely is, by this clock or by what was signed then."""
        floor_ns = max(self.seen.floor_wall_ns, self._clock.wall_ns(), signed_wall_ns or 0)
        self._keep(msgspec.structs.replace(self.seen, floor_wall_ns=floor_ns))

    def _keep(self, seen: Seen) -> None:
        self.seen = seen
        try:
            self._files.save(seen)
        except Trouble as trouble:  # what was seen is known until the agent ends; the disk's state is told elsewhere
            log.warning("%s", trouble.what)
