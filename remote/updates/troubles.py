"""What can go wrong with an update, each with its stable code and what a person can do about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tuf.api import exceptions
from tuf.api.serialization import DeserializationError

from remote.errors import Trouble
from remote.updates.opening import Refused, Unreachable
from remote.updates.pace import TooSlow

UNREACHABLE = "repository_unreachable"
SLOW = "repository_slow"
REFUSED = "repository_refused"
TOO_LONG = "too_much_data"
EXPIRED = "metadata_expired"
ROLLBACK = "metadata_rollback"
UNSIGNED = "metadata_unsigned"
INVALID = "metadata_invalid"
CHANGED = "target_changed"
DISK = "no_space"
UNWRITABLE = "staging_unwritable"

_CURES = {
    UNREACHABLE: "check the network and the address; what was fetched is kept, the next look goes on there",
    SLOW: "use a faster connection, or a USB stick; what was fetched is kept",
    REFUSED: "name the repository's own address; serve its files as they are, uncompressed and without redirects",
    TOO_LONG: "somebody between robot and repository sends more than was signed; use another way, or a USB stick",
    EXPIRED: "either the repository is not kept fresh (`fieldgate updates refresh`), somebody holds back what is new, or "
    "this robot's clock is ahead: compare its time",
    ROLLBACK: "somebody shows an older state of the repository, or it was restored from an old copy: publish again",
    UNSIGNED: "the keys that this robot trusts did not sign it: compare its address, or enrol the robot again",
    INVALID: "publish it again with `fieldgate publish`, or copy the repository again",
    CHANGED: "copy the repository's targets again: its files are not those that were signed",
    UNWRITABLE: "look who owns the agent's folder on the robot",
    DISK: "remove bundles that are not needed (`fieldgate model remove`), or make space on the robot's disk",
}


def trouble(code: str, what: str) -> Trouble:
    """The Trouble of this code with its cure."""
    return Trouble(what, cure=_CURES[code], code=code)


@contextmanager
def told(what: str) -> Iterator[None]:
    """TUF's errors and those of the way to the repository, as Trouble; `what` names the thing, as in `the metadata`."""
    try:
        yield
    except (exceptions.RepositoryError, exceptions.DownloadError, DeserializationError) as error:
        raise trouble(_code(error), f"{what} is refused: {error}") from error
    except TooSlow as error:
        raise trouble(SLOW, f"{what} comes too slowly: {error}") from error
    except Refused as error:
        raise trouble(REFUSED, str(error)) from error
    except Unreachable as error:
        raise trouble(UNREACHABLE, str(error)) from error
    except RecursionError as error:
        raise trouble(INVALID, f"{what} is refused: it is nested too deeply") from error


def _code(error: Exception) -> str:
    """The first kind that fits; what was refused on the way is the cause of a DownloadError."""
    if isinstance(error.__cause__, Refused):
        return REFUSED
    return next((code for kind, code in _KINDS if isinstance(error, kind)), INVALID)


_KINDS: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.DownloadLengthMismatchError, TOO_LONG),
    (exceptions.SlowRetrievalError, SLOW),
    (exceptions.DownloadError, UNREACHABLE),
    (exceptions.ExpiredMetadataError, EXPIRED),
    (exceptions.BadVersionNumberError, ROLLBACK),
    (exceptions.UnsignedMetadataError, UNSIGNED),
)
