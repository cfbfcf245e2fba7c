"""Brings failures' pictures to the laptop, one at a time, newest first, beside everything else.

What is wanted is what the store's failures and clips name and the folder of pictures has not: nothing to keep in step, and
nothing that a crash, a cut or a long queue could forget.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from console.link.picture_backlog import PictureBacklog, digests_of
from console.link.snapshot import Pulling
from console.store.missing import GONE
from console.store.pictures import Pictures
from console.store.store import Store
from remote.errors import Trouble
from remote.protocol import Entry, Reply

WAITING_MOST = 1000
"""Pictures of fresh failures that wait in memory; older ones are found again in the store."""
_PAUSE_NS = 5_000_000_000
_LOOKING_PAUSE_NS = 20_000_000
_LATE_PAUSE_NS = 2_000_000_000
_LONGEST_REST_NS = 3_000_000_000


class PictureFetch:
    """Which picture to ask for now, and what came. Not locked: its owner does that.

    Between two pictures it rests as long as the last one took, so that they take half of a slow link at most, and longer
    where live samples are late. `trouble` says why a picture that came could not be kept (a full disk); None normally.
    """

    def __init__(self, pictures: Pictures, store: Store, robot: str) -> None:
        self._pictures = pictures
        self._backlog = PictureBacklog(store, robot)
        self._wanted: dict[str, None] = {}  # the last one first
        self._refused: set[str] = set()  # over this connection
        self._asked: str | None = None
        self._asked_ns = 0
        self._not_before_ns = 0
        self._overflowed = False
        self.trouble: Trouble | None = None
        self.pulling = Pulling()

    def begin(self, now_ns: int) -> None:
        """A connection has begun: go through all that is wanted again, also what failed over the last one.

        What was asked for over the last one is asked again, or given up, by whoever keeps requests: `came` tells.
        """
        self._refused.clear()
        self._wanted.clear()
        self._not_before_ns = now_ns
        self._backlog.restart()
        self._count()

    def want(self, entries: Iterable[Entry]) -> None:
        """These entries came: what they name comes first."""
        for entry in entries:
            self._push(digests_of(entry))
        self._count()

    def next(self, now_ns: int) -> str | None:
        """The digest to ask for now; None while one is under way, a rest is taken, or nothing is wanted."""
        if self._asked is not None or now_ns < self._not_before_ns:
            return None
        if not self._wanted:
            self._look_back()
        if not self._wanted:
            self._not_before_ns = now_ns + _LOOKING_PAUSE_NS
            return None
        self._asked, self._asked_ns = self._wanted.popitem()[0], now_ns
        self._count()
        return self._asked

    @property
    def due_ns(self) -> int | None:
        """When `next` may have something to ask for; None where nothing is known to be wanted."""
        idle = self._asked is not None or (not self._wanted and self._backlog.ended and not self._overflowed)
        return None if idle else self._not_before_ns

    def came(self, outcome: Reply | Trouble, now_ns: int, *, late: bool = False) -> None:
        """The answer for the digest of `next`; `late`: live samples suffer at present.

        A link that broke asks again; a robot that has no such picture does not, now or later.
        """
        digest, self._asked = self._asked, None
        if digest is None:
            return
        rest_ns = min(now_ns - self._asked_ns, _LONGEST_REST_NS)
        self._not_before_ns = now_ns + (max(rest_ns, _LATE_PAUSE_NS) if late else rest_ns)
        if isinstance(outcome, Trouble):
            self._failed(digest, outcome, now_ns)
        elif outcome.picture is not None:
            self._keep(digest, outcome.picture.jpeg, now_ns)
        self._count()

    def _keep(self, digest: str, jpeg: bytes, now_ns: int) -> None:
        try:
            self.trouble = None
            self._pictures.keep(digest, jpeg)
            self.pulling = msgspec.structs.replace(self.pulling, came=self.pulling.came + 1)
        except Trouble as trouble:
            self._failed(digest, trouble, now_ns)

    def _failed(self, digest: str, trouble: Trouble, now_ns: int) -> None:
        if trouble.code in ("store_full", "store_unusable"):
            self.trouble = trouble
        if trouble.code in ("unconfirmed", "unreachable", "store_full", "store_unusable"):
            self._wanted[digest] = None
            self._not_before_ns = now_ns + _PAUSE_NS
            return
        self._refused.add(digest)
        self._pictures.missing.note(digest, trouble.code)
        self.pulling = msgspec.structs.replace(self.pulling, refused=self.pulling.refused + 1)

    def _look_back(self) -> None:
        """One page of the store at a time: its owner holds a lock meanwhile."""
        if self._backlog.ended and self._overflowed:
            self._overflowed = False
            self._backlog.restart()
        if self._backlog.ended:
            return
        try:
            self._push(self._backlog.more())
        except (
            Trouble
        ) as trouble:  # the store can't be read: said where pictures' troubles are, tried anew on reconnecting
            self.trouble, self._backlog.ended = trouble, True
        self._count()

    def _push(self, digests: Iterable[str]) -> None:
        """Put them on top, the first of them topmost."""
        for digest in reversed([one for one in digests if self._lacks(one)]):
            self._wanted.pop(digest, None)
            self._wanted[digest] = None
        while len(self._wanted) > WAITING_MOST:
            del self._wanted[next(iter(self._wanted))]
            self._overflowed = True

    def _lacks(self, digest: str) -> bool:
        if digest == self._asked or digest in self._refused or self._pictures.path(digest) is not None:
            return False
        return self._pictures.missing.code(digest) not in GONE

    def _count(self) -> None:
        waiting = len(self._wanted) + (self._asked is not None)
        ended = self._backlog.ended and not self._overflowed
        if (waiting, ended) != (self.pulling.waiting, self.pulling.all_known):
            self.pulling = msgspec.structs.replace(self.pulling, waiting=waiting, all_known=ended)
