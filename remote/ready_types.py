"""Struct types that msgspec has taken apart before two threads can use them.

msgspec takes a type apart at its first use. A second thread that uses the type, or one inside of it, meanwhile crashes the
whole process (seen with msgspec 0.22: a segmentation fault). What is decoded by a `Decoder` made while its module is imported
is taken apart then.
"""

from __future__ import annotations

import threading
from typing import TypeVar

import msgspec

T = TypeVar("T")
_one_at_a_time = threading.RLock()
_ready: set[object] = set()


def ready(kind: type[T]) -> type[T]:
    """`kind` itself, to be given to `msgspec.convert` and `decode`; whoever comes while it is taken apart waits."""
    if kind not in _ready:
        with _one_at_a_time:
            msgspec.json.Decoder(kind)
            _ready.add(kind)
    return kind
