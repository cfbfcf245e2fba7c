"""Opening a file of a repository from a place in it: over HTTP, or in a folder such as a USB stick.

Nothing is decompressed, nothing is fetched from another server than the one that was named, and a folder is not left.
"""

from __future__ import annotations

import os
import re
import stat
import string
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import IO, Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from remote.updates.pace import Pace

SILENT_S = 15.0
READ_BYTES = 64 * 1024
MOST_REDIRECTS = 3
AGENT = "fieldgate-agent"
_PORTS = {"http": 80, "https": 443}
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class Unreachable(Exception):
    """The file can't be had from there now. `status` is the HTTP status, 404 for a file that is missing in a folder."""

    def __init__(self, what: str, status: int | None = None) -> None:
        super().__init__(what)
        self.status = status


class Refused(Exception):
    """What the other end does is not allowed: another origin, a compressed answer, a way out of the folder."""


@dataclass(frozen=True)
class Opened:
    """A file being read. `begins` is the place of the first byte that comes: the one asked for, or 0."""

    begins: int
    chunks: Iterator[bytes]


@contextmanager
def opened(url: str, begin: int = 0, clock: Callable[[], int] = time.monotonic_ns) -> Iterator[Opened]:
    """The file at `url` from its byte `begin`, as pieces of at most READ_BYTES.

    Raises Unreachable, Refused; both and TooSlow while it is read. What is raised within the block stays what it is.
    """
    parts = urlsplit(url)
    with _told(url):
        if parts.scheme == "file":
            file, begins = _local(parts, begin), begin
        elif parts.scheme in _PORTS and parts.hostname:
            file, begins = _remote(url, begin)
        else:
            raise Refused(f"{url[:200]} is neither http(s):// nor file://")
    with closing(file):
        yield Opened(begins, _pieces(url, file, Pace(clock)))


@contextmanager
def _told(url: str) -> Iterator[None]:
    """What goes wrong at the other end, as Unreachable."""
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        raise Unreachable(f"{url} answers {error.code} {error.reason}", error.code) from error
    except (OSError, HTTPException, ValueError) as error:
        raise Unreachable(f"{url} can't be read: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    return str(reason) or type(error).__name__


def _pieces(url: str, file: Any, pace: Pace) -> Iterator[bytes]:
    read: Callable[[int], bytes] = getattr(file, "read1", file.read)
    while True:
        with _told(url):
            piece = read(READ_BYTES)
        if not piece:
            if getattr(file, "length", 0):  # what HTTP announced and did not send
                raise Unreachable(f"{url} ended early, {file.length} bytes are missing")
            return
        pace.got(len(piece))
        yield piece


# ------------------------------------------------------------------ a folder


def _local(parts: SplitResult, begin: int) -> IO[bytes]:
    """A regular file of this computer; a missing one is told as HTTP would."""
    if parts.netloc not in ("", "localhost"):
        raise Refused(f"file://{parts.netloc[:100]} is on another computer")
    path = unquote(parts.path)
    if ".." in path.split("/"):
        raise Refused(f"{path[:200]} leaves the repository's folder")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise Unreachable(f"{path} is missing", 404) from error
    file = os.fdopen(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise Refused(f"{path[:200]} is no file")
    file.seek(begin)
    return file


# ------------------------------------------------------------------ HTTP


class _SameOrigin(urllib.request.HTTPRedirectHandler):
    """Follows a redirect within the server that was named, refuses every other."""

    max_redirections = MOST_REDIRECTS

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """The request for the new place. Raises Refused."""
        if _origin(newurl) != _origin(req.full_url):
            raise Refused(f"{req.full_url} sends to another server: {newurl[:200]}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _remote(url: str, begin: int) -> tuple[Any, int]:
    headers = {"Accept-Encoding": "identity", "User-Agent": AGENT}
    if begin:
        headers["Range"] = f"bytes={begin}-"
    whole = quote(url, safe=string.punctuation)  # a target's name may hold any character
    request = urllib.request.Request(whole, headers=headers)
    opener = urllib.request.build_opener(_SameOrigin)
    answer = opener.open(request, timeout=SILENT_S)
    try:
        return answer, _begins(url, answer, begin)
    except Refused:
        answer.close()
        raise


def _begins(url: str, answer: Any, asked: int) -> int:
    """Where the answer begins: servers that know no ranges send the whole file."""
    coding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise Refused(f"{url} answers compressed ({coding[:40]}), which was not asked for")
    if answer.status != 206:
        return 0
    told = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
    if not told or int(told[1]) != asked:
        raise Refused(f"{url} answers with another part than the one that was asked for")
    return asked
