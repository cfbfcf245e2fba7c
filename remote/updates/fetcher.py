"""The way to the repository for TUF's Updater, under our limits: time, rate, length, one origin."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from tuf.api.exceptions import DownloadError, DownloadHTTPError, SlowRetrievalError
from tuf.ngclient import FetcherInterface, UpdaterConfig

from remote.updates.opening import Refused, Unreachable, opened
from remote.updates.pace import TooSlow

MOST_ROOTS = 1024
"""Each look walks from the robot's first root on, mostly through its own copies; a missing one ends the walk."""
CONFIG = UpdaterConfig(
    max_root_rotations=MOST_ROOTS,
    max_delegations=8,
    root_max_length=256 * 1024,
    timestamp_max_length=16 * 1024,
    snapshot_max_length=256 * 1024,
    targets_max_length=4 * 1024 * 1024,
)
"""Limits of the metadata; those of targets are signed."""


class Fetcher(FetcherInterface):
    """Fetches over http(s) or from a folder. What is refused stays the cause of the DownloadError.

    Args:
        clock: monotonic nanoseconds, for the least rate.
        heard: called whenever something came.
    """

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns, heard: Callable[[], None] = lambda: None) -> None:
        self._clock, self._heard = clock, heard

    def _fetch(self, url: str) -> Iterator[bytes]:
        """Raises DownloadHTTPError, SlowRetrievalError, DownloadError, also while it is read."""
        try:
            with opened(url, clock=self._clock) as file:
                for piece in file.chunks:
                    self._heard()
                    yield piece
        except Unreachable as error:
            if error.status is not None:
                raise DownloadHTTPError(str(error), error.status) from error
            raise DownloadError(str(error)) from error
        except TooSlow as error:
            raise SlowRetrievalError(f"{url}: {error}") from error
        except Refused as error:
            raise DownloadError(str(error)) from error
