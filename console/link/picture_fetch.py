"""Brings failures' pictures to the laptop, one at a time, beside everything else."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from console.store.pictures import Pictures
from console.store.store import kind_of
from remote.errors import Trouble
from remote.protocol import Entry, Failure, Reply, body_of

_WANTED = 1000
_PAUSE_NS = 5_000_000_000


class PictureFetch:
    """Which pictures are wanted and what came. Not locked: its owner does that.

    `trouble` says why a picture that came could not be kept (a full disk); None normally.
    """

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._wanted: deque[str] = deque(maxlen=_WANTED)
        self._asked: str | None = None
        self._not_before_ns = 0
        self.trouble: Trouble | None = None

    def want(self, entries: Iterable[Entry]) -> None:
        """Look for pictures that these entries name and that are not here."""
        for entry in entries:
            digest = _picture(entry) if kind_of(entry) == "failure" else None
            if digest and digest not in self._wanted and self._pictures.path(digest) is None:
                self._wanted.append(digest)

    def next(self, now_ns: int) -> str | None:
        """The digest to ask for now, the newest first; None while one is under way or none is wanted."""
        if self._asked is not None or not self._wanted or now_ns < self._not_before_ns:
            return None
        self._asked = self._wanted.pop()
        return self._asked

    def came(self, outcome: Reply | Trouble, now_ns: int) -> None:
        """The answer for the digest of `next`. A link that broke asks again; a robot that has no such picture does not."""
        digest, self._asked = self._asked, None
        if digest is None:
            return
        if isinstance(outcome, Trouble):
            if outcome.code in ("unconfirmed", "unreachable"):
                self._later(digest, now_ns)
            return
        try:
            self.trouble = None
            if outcome.picture is not None:
                self._pictures.keep(digest, outcome.picture.jpeg)
        except Trouble as trouble:
            if trouble.code != "bad_picture":
                self.trouble = trouble
                self._later(digest, now_ns)

    def _later(self, digest: str, now_ns: int) -> None:
        self._wanted.append(digest)
        self._not_before_ns = now_ns + _PAUSE_NS


def _picture(entry: Entry) -> str | None:
    try:
        body = body_of(entry)
    except Trouble:
        return None
    return body.picture if isinstance(body, Failure) else None
