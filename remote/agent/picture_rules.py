"""Which pictures go when space is short. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Kept:
    """What lies in the folder.

    Attributes:
        of: the pictures of each failure, the oldest failure first. Failures may share pictures.
        sizes: bytes of each picture that is there, the oldest file first.
        pinned: pictures that must stay.
        fresh: pictures that were written just now: those of no failure may get one yet.
    """

    of: Mapping[str, Sequence[str]]
    sizes: Mapping[str, int]
    pinned: Collection[str]
    fresh: Collection[str]


def removable(kept: Kept, wanted_bytes: int) -> list[str]:
    """Pictures to remove so that `wanted_bytes` are freed, as far as that can be.

    First those that belong to no failure, then the oldest failures, all pictures of one together. A picture that a later
    failure needs too stays until that one goes.
    """
    needed = Counter(digest for digests in kept.of.values() for digest in digests)
    gone: list[str] = []
    freed = 0
    for one, size in kept.sizes.items():
        if freed < wanted_bytes and one not in needed and one not in kept.pinned and one not in kept.fresh:
            gone.append(one)
            freed += size
    for digests in kept.of.values():
        if freed >= wanted_bytes:
            break
        needed.subtract(digests)
        free = [one for one in digests if needed[one] <= 0 and one in kept.sizes and one not in kept.pinned]
        gone += free
        freed += sum(kept.sizes[one] for one in free)
    return gone
