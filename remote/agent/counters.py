"""Numbers that never go back, also not after a restart: the lease's epoch and the worker's run."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from remote.atomic import write_atomically
from remote.ready_types import ready

log = logging.getLogger("fieldgate.agent")


class _Stored(msgspec.Struct):
    epoch: int = 0
    run: int = 0


class Counters:
    """The counters of one agent, written through at each step. An unreadable file starts them at `floor`."""

    def __init__(self, path: Path, floor: int = 0) -> None:
        self._path = path
        try:
            self._now = self._read(floor)
        except FileNotFoundError:
            self._now = _Stored(floor, floor)
            self._store()

    def _read(self, floor: int) -> _Stored:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=ready(_Stored))
        except msgspec.DecodeError as error:
            log.error("%s can't be read (%s); counting goes on from %d", self._path, error, floor)
            return _Stored(floor, floor)

    @property
    def epoch(self) -> int:
        """The newest lease epoch that was granted."""
        return self._now.epoch

    @property
    def run(self) -> int:
        """The newest run of the worker."""
        return self._now.run

    def next_run(self) -> int:
        """Number a start of the worker."""
        self._now.run += 1
        self._store()
        return self._now.run

    def granted(self, epoch: int) -> None:
        """Remember that `epoch` was granted."""
        self._now.epoch = max(self._now.epoch, epoch)
        self._store()

    def _store(self) -> None:
        try:
            write_atomically(self._path, msgspec.json.encode(self._now))
        except OSError as error:  # a full disk must not keep the robot from being commanded
            log.error("%s can't be written: %s", self._path, error)
