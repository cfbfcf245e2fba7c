"""The process that searches for a screen: a million rows are looked through without holding up what a person sees.

`python -m console.failures.finding_child FOLDER STORE` takes orders on stdin, one JSON object a line, and ends with its end.
Each answer is a line of JSON; `bytes` says how many bytes of row numbers (64 bit, this machine's order) follow it.
A newer `find` ends one that still runs.
"""

from __future__ import annotations

import queue
import sys
import threading
from pathlib import Path
from typing import Union

import msgspec

from console.failures.book import FailureBook
from console.failures.groups import Group, check_by, groups
from console.failures.query import parse
from console.failures.searching import check, known_words, search
from console.store.store import Store
from remote.errors import Trouble


class Refresh(msgspec.Struct, frozen=True, tag="refresh", tag_field="do"):
    """Take what the store has and the book has not. `hush`: answer only where something has changed, whoever changed it."""

    hush: bool = False


class Find(msgspec.Struct, frozen=True, tag="find", tag_field="do"):
    """Row numbers that match the line; only rows behind `after_row`, where that is above 0."""

    id: int
    line: str
    after_row: int = 0


class Count(msgspec.Struct, frozen=True, tag="count", tag_field="do"):
    """Groups of what matches the line."""

    id: int
    line: str
    by: str


Order = Union[Refresh, Find, Count]


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """To the order of that id (0: a refresh). `bytes` of row numbers follow; a `find` is first answered with none.

    `done`: all of it has come; `last_row`: the highest row number that there was. `total`: rows in the book. `fresh`: something
    in the book is not as it was at the last refresh, whoever changed it.
    `what`, `cure` and `code` are a Trouble's.
    """

    id: int = 0
    bytes: int = 0
    done: bool = False
    last_row: int = 0
    total: int = 0
    fresh: bool = False
    groups: tuple[Group, ...] = ()
    conditions: tuple[str, ...] = ()
    what: str = ""
    cure: str = ""
    code: str = ""


_orders: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Order)


class Child:
    """Serves orders until there are no more."""

    def __init__(self, folder: Path, store: Path) -> None:
        self._book = FailureBook(folder)
        self._store = store
        self._queue: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self._newest = 0
        self._version = 0

    def run(self) -> None:
        """Read orders in a thread, carry them out here."""
        threading.Thread(target=self._read, daemon=True).start()
        while (order := self._queue.get()) is not None:
            try:
                self._do(order)
            except Trouble as trouble:
                id = 0 if isinstance(order, Refresh) else order.id
                _say(Answer(id=id, done=True, what=trouble.what, cure=trouble.cure, code=trouble.code))
        self._book.close()

    def _read(self) -> None:
        for line in sys.stdin.buffer:
            order = _orders.decode(line)
            if isinstance(order, Find):
                self._newest = order.id
            self._queue.put(order)
        self._newest = -1
        self._queue.put(None)

    def _do(self, order: Order) -> None:
        if isinstance(order, Refresh):
            self._refresh(order)
        elif isinstance(order, Find):
            self._find(order)
        else:
            self._count(order)

    def _refresh(self, order: Refresh) -> None:
        store = Store(self._store)
        try:
            self._book.refresh(store)
        finally:
            store.close()
        version = self._book.version
        changed, self._version = version != self._version, version
        if changed or not order.hush:
            with self._book.reading() as reader:
                names = known_words(reader).condition_names
            _say(Answer(done=True, fresh=changed, total=self._book.count, conditions=names))

    def _find(self, order: Find) -> None:
        with self._book.reading() as reader:
            known = known_words(reader).condition_names
            (last,) = reader.execute("SELECT coalesce(max(row), 0) FROM failures").fetchone()
            query = parse(order.line, known)
            check(reader, query)
            _say(Answer(id=order.id))  # who has typed it need not wait for the first row
            for part in search(reader, query, order.after_row):
                if self._newest != order.id:
                    return  # nobody waits for this one any more
                _say(Answer(id=order.id, bytes=len(part) * part.itemsize), part.tobytes())
        _say(Answer(id=order.id, done=True, last_row=last, total=self._book.count, conditions=known))

    def _count(self, order: Count) -> None:
        with self._book.reading() as reader:
            known = known_words(reader).condition_names
            check_by(order.by, known)
            found = groups(reader, parse(order.line, known), order.by)
        _say(Answer(id=order.id, done=True, groups=found))


def _say(answer: Answer, rows: bytes = b"") -> None:
    out = sys.stdout.buffer
    out.write(msgspec.json.encode(answer) + b"\n" + rows)
    out.flush()


if __name__ == "__main__":
    Child(Path(sys.argv[1]), Path(sys.argv[2])).run()
