"""Adds up a journal's entries by minute and hour, once for each entry, as far as the journal has come.

Roll-ups are kept in the store beside the entries and can be made anew from them. `rolled` says through which entry they
reach; it moves in the same transaction, so that no entry is added twice, whoever else rolls the same journal.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable

import msgspec

from console.store.light import LightHost, LightWindow, host, window
from console.store.rolled import Rolled, Spread
from console.store.store import Store

LEVELS_S = (60, 3600)
S_NS = 1_000_000_000
_ROWS = 500
_CHUNK = 4000
_Key = tuple[str, int, int]  # boot, minute, origin
_Numbers = dict[str, tuple[int, float, float, float]]
_numbers = msgspec.json.Decoder(_Numbers)


def roll(store: Store, journal_id: int) -> int:
    """Bring a journal's roll-ups up to date; through which entry they reach. Memory does not grow with the journal."""
    last = store.last_seq(journal_id)
    through = rolled_through(store, journal_id)
    while through < last:
        through = _roll_chunk(store, journal_id, through, min(last, through + _CHUNK))
    return through


def rolled_through(store: Store, journal_id: int) -> int:
    """The last entry that is in the roll-ups; 0 for none."""
    rows = store.select("SELECT through_seq FROM rolled WHERE journal_id = ?", (journal_id,))
    return int(rows[0][0]) if rows else 0


def backlog(store: Store, robot: str) -> int:
    """How many entries of the robot's journals are not in the roll-ups yet."""
    return sum(journal.last_seq - rolled_through(store, journal.id) for journal in store.journals(robot))


def add_up(found: Rolled, up: tuple[int, int] | None, from_ns: int, to_ns: int) -> None:
    """Add as much of a window's time as lies in a span."""
    if up is not None and (span_ns := min(up[1], to_ns) - max(up[0], from_ns)) > 0:
        found.add_up(span_ns)


def numbers_of(blob: bytes, into: Rolled) -> None:
    """Add the numbers of a stored row."""
    for name, (count, total, minimum, maximum) in _numbers.decode(blob).items():
        into.number(name).add(count, total, minimum, maximum)


def spread_of(row: tuple[float, float, float, bytes, bytes], into: Spread) -> None:
    """Add a stored distribution: total, minimum, maximum, buckets, counts."""
    total, minimum, maximum, buckets, counts = row
    into.add(total, minimum, maximum, array("h", buckets), array("q", counts))


def _roll_chunk(store: Store, journal_id: int, after: int, through: int) -> int:
    """Read and add up outside of the transaction, so that the link waits only for the writing."""
    origins: dict[tuple[str, str], int] = {}
    minutes: dict[_Key, Rolled] = {}
    seq = after
    sql = (
        "SELECT seq, boot_id, mono_ns, kind, body FROM entries WHERE journal_id = ? AND seq > ? AND seq <= ? "
        f"AND kind IN ('window', 'host') ORDER BY seq LIMIT {_ROWS}"
    )
    while rows := store.select(sql, (journal_id, seq, through)):
        for _, boot_id, mono_ns, kind, body in rows:
            read = window(body) if kind == "window" else host(body)
            if read is not None:
                _add(minutes, _origin(store, origins, read), str(boot_id), mono_ns, read)
        seq = rows[-1][0]
    with store.changing() as database:
        row = database.execute("SELECT through_seq FROM rolled WHERE journal_id = ?", (journal_id,)).fetchone()
        if row is not None and row[0] != after:
            return int(row[0])  # somebody else was quicker
        _write(database, journal_id, minutes)
        database.execute("INSERT OR REPLACE INTO rolled VALUES (?, ?)", (journal_id, through))
    return through


def _origin(store: Store, known: dict[tuple[str, str], int], body: LightWindow | LightHost) -> int:
    """The number of a window's bundle and source; 0 for the computer's own samples."""
    if isinstance(body, LightHost):
        return 0
    key = (body.bundle, body.source)
    if key not in known:
        with store.changing() as database:
            database.execute("INSERT OR IGNORE INTO origins (bundle, source) VALUES (?, ?)", key)
        known[key] = int(store.select("SELECT id FROM origins WHERE bundle = ? AND source = ?", key)[0][0])
    return known[key]


def _add(minutes: dict[_Key, Rolled], origin: int, boot_id: str, mono_ns: int, body: LightWindow | LightHost) -> None:
    minute_ns = LEVELS_S[0] * S_NS
    here = _at(minutes, (boot_id, mono_ns // minute_ns, origin))
    if isinstance(body, LightHost):
        here.add_host(body)
        return
    here.add_window(body)
    up = body.up(mono_ns)
    if up is not None:
        for minute in range(up[0] // minute_ns, (up[1] - 1) // minute_ns + 1):
            add_up(_at(minutes, (boot_id, minute, origin)), up, minute * minute_ns, (minute + 1) * minute_ns)


def _at(minutes: dict[_Key, Rolled], key: _Key) -> Rolled:
    found = minutes.get(key)
    if found is None:
        found = minutes[key] = Rolled()
    return found


def _write(database: sqlite3.Connection, journal_id: int, minutes: dict[_Key, Rolled]) -> None:
    hours: dict[_Key, Rolled] = {}
    for (boot_id, minute, origin), one in minutes.items():
        _at(hours, (boot_id, minute // (LEVELS_S[1] // LEVELS_S[0]), origin)).merge(one)
    for level_s, sums in zip(LEVELS_S, (minutes, hours), strict=True):
        for (boot_id, bucket, origin), one in sums.items():
            _merge_row(database, (journal_id, boot_id, level_s, bucket, origin), one)


def _merge_row(database: sqlite3.Connection, key: tuple[int, str, int, int, int], one: Rolled) -> None:
    where = "WHERE journal_id = ? AND boot_id = ? AND level_s = ? AND bucket = ? AND origin = ?"
    for (blob,) in database.execute(f"SELECT numbers FROM rolled_numbers {where}", key):
        numbers_of(blob, one)
    database.execute("INSERT OR REPLACE INTO rolled_numbers VALUES (?, ?, ?, ?, ?, ?)", (*key, _encoded(one)))
    journal_id, boot_id, level_s, bucket, origin = key
    for metric, spread in one.spreads.items():
        sql = f"SELECT total, minimum, maximum, buckets, counts FROM rolled_spreads {where} AND metric = ?"
        for row in database.execute(sql, (*key, metric)).fetchall():
            spread_of(row, spread)
        sums = (spread.total, spread.minimum, spread.maximum, *_packed(spread.counts))
        values = (journal_id, boot_id, level_s, metric, bucket, origin, *sums)
        database.execute("INSERT OR REPLACE INTO rolled_spreads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)


def _encoded(one: Rolled) -> bytes:
    return msgspec.json.encode({name: (n.count, n.total, n.minimum, n.maximum) for name, n in one.numbers.items()})


def _packed(counts: dict[int, int]) -> tuple[bytes, bytes]:
    keys: Iterable[int] = sorted(counts)
    return array("h", keys).tobytes(), array("q", (counts[key] for key in keys)).tobytes()
