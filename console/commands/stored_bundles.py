"""What a robot has in its store, asked before a command that names a bundle by its digest does anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from remote.errors import Trouble
from remote.model_states import StoredBundle

if TYPE_CHECKING:
    from console.visiting import Visit

ASK_S = 30.0


def stored_on(visit: Visit) -> tuple[StoredBundle, ...]:
    """Every bundle of the robot that is visited. Raises Trouble as the link does."""
    from console.visiting import confirmed
    from remote.protocol import GetStored

    return confirmed(visit.session.request(GetStored(), timeout_s=ASK_S), ASK_S + 5.0).stored


def one_stored(
    stored: Sequence[StoredBundle],
    digest: str,
    robot: str,
    *,
    may: Callable[[StoredBundle], bool] = lambda bundle: True,
    listed: str = "there are",
    none: str = "none at all",
) -> StoredBundle:
    """The bundle that is meant by its digest's beginning.

    Raises Trouble: `unknown_bundle`, `ambiguous_bundle`; the cure lists those that `may` be named, begun with `listed`.
    """
    from console.models.wording import SHORT_DIGEST, named

    there = [one for one in stored if one.digest.startswith(digest.lower())]
    names = ", ".join(named(one.digest, one.name) for one in stored if may(one)) or none
    cure = f"give {SHORT_DIGEST} characters or more of one; {listed} {names}"
    if len(digest) < SHORT_DIGEST:
        raise Trouble(f"{digest!r} is too short to name a bundle", cure=cure, code="unknown_bundle")
    if len(there) != 1:
        what = f"{robot} has {'no bundle' if not there else f'{len(there)} bundles'} {digest[:12]}"
        raise Trouble(what, cure=cure, code="ambiguous_bundle" if there else "unknown_bundle")
    return there[0]
