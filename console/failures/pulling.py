"""Which pictures of a robot's failures are not on this laptop, and what became of them."""

from __future__ import annotations

from collections import Counter

import msgspec

from console.failures.book import FailureBook
from console.failures.query import parse, with_term
from console.store.missing import REASONS
from console.store.pictures import Pictures


class Lacking(msgspec.Struct, frozen=True):
    """Pictures that a robot's failures name: how many are `here`, how many `waiting` may still come, and how many were
    refused by what reason."""

    here: int
    waiting: int
    refused: dict[str, int]

    @property
    def whole(self) -> bool:
        """Whether every picture that was taken is here."""
        return not self.waiting and not self.refused


def lacking(book: FailureBook, pictures: Pictures, robot: str) -> Lacking:
    """Count them; every picture once, however many failures name it."""
    here = waiting = 0
    refused: Counter[str] = Counter()
    known: set[str] = set()
    for row in book.all_rows(book.find(parse(with_term(parse(""), "robot", robot)))):
        for digest in row.pictures:
            if digest in known:
                continue
            known.add(digest)
            if pictures.path(digest) is not None:
                here += 1
            elif (code := pictures.missing.code(digest)) is not None:
                refused[REASONS.get(code, code)] += 1
            else:
                waiting += 1
    return Lacking(here, waiting, dict(refused))
