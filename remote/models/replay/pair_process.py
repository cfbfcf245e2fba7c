"""`python -m remote.models.replay.pair_process OLD NEW THREADS [ENGINES WISHES]`: compares two bundles on JPEGs that come on
its stdin. ENGINES is the folder of engines that this robot built, WISHES how.

Each JPEG comes after its length (4 bytes, big-endian); for each one line of JSON goes to stdout, a Told. The first line says
that both engines are warm, or what is wrong. It ends when its stdin ends, and makes itself nice, so that a worker beside it
keeps its rate.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Optional

import msgspec

from remote.child_side import be_nice, claim_answers
from remote.errors import Trouble
from remote.models.replay.comparing import Difference
from remote.perception.engines.wishes import wishes_in
from remote.protocol import ErrorInfo

if TYPE_CHECKING:
    from remote.models.replay.two import Two

MOST_BYTES = 64 * 1024 * 1024


class Told(msgspec.Struct, frozen=True):
    """One line: `ready` once, then a `difference` for each picture, or an `error` where it ends."""

    ready: bool = False
    difference: Optional[Difference] = None
    error: Optional[ErrorInfo] = None


def main() -> None:
    """Load, then compare until nobody sends pictures any more."""
    be_nice()
    tell = claim_answers()
    try:
        from remote.models.replay.two import Two

        engines = Path(sys.argv[4]) if len(sys.argv) > 5 else None
        wishes = wishes_in(sys.argv[5]) if engines else None
        two = Two(Path(sys.argv[1]), Path(sys.argv[2]), threads=int(sys.argv[3]), engines=engines, wishes=wishes)
        _compare(two, tell)
    except Trouble as trouble:
        tell(Told(error=ErrorInfo.of(trouble)))


def _compare(two: Two, tell: Callable[[Told], None]) -> None:
    from remote.models.replay.two import difference
    from remote.perception.picture_files import decoded

    tell(Told(ready=True))
    while (jpeg := _next(sys.stdin.buffer)) is not None:
        picture = decoded(jpeg)
        if picture is None:
            fault = "the picture can't be decoded"
            tell(Told(difference=Difference(fault_old=fault, fault_new=fault)))
        else:
            tell(Told(difference=difference(*two.look(picture))))


def _next(stdin: BinaryIO) -> Optional[bytes]:
    """The next JPEG; None at the end, also in the middle of one or for a length that can't be meant."""
    head = stdin.read(4)
    length = int.from_bytes(head, "big") if len(head) == 4 else 0
    if not 0 < length <= MOST_BYTES:
        return None
    data = stdin.read(length)
    return data if len(data) == length else None


if __name__ == "__main__":
    main()
