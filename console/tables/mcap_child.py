"""Reads messages of an MCAP recording in a process of its own, as console.tables.parquet_child does for Parquet.

`python -m console.tables.mcap_child ROWS BYTES TOPIC COLUMN...` takes the file on stdin. Every message of the topic is a row:
its numbers, words and truth values by their path (`pose.position.x`; of lists the first 64 as `name_0`..), and `log_time_s`.
JSON and ROS 2 (CDR) messages are read. TOPIC may be empty where the recording has one topic of such messages. A recording
that was cut gives the messages before the cut, and a warning.
"""

from __future__ import annotations

import io
import json
import math
import struct
import sys
from collections.abc import Iterator
from typing import Any

from console.tables.parquet_child import limit_memory

MOST_ITEMS = 64
MOST_COLUMNS = 2_000
"""A message of more numbers than this is a map or a picture, not a reading."""
TIME = "log_time_s"


def main(rows_limit: int, unpacked_limit: int, topic: str, wanted: list[str]) -> dict[str, Any]:
    """What is written to stdout; see parquet_child."""
    limit_memory()
    data = sys.stdin.buffer.read()
    try:
        return _read(data, rows_limit, unpacked_limit, topic, wanted)
    except MemoryError:
        return {"error": "would take too much memory unpacked"}
    except (ValueError, KeyError, TypeError, EOFError, OSError, RuntimeError, OverflowError, NameError) as error:
        said = str(error).strip().splitlines()
        return {"error": f"can't be read as MCAP: {said[0][:200] if said else type(error).__name__}"}


def _read(data: bytes, rows_limit: int, unpacked_limit: int, topic: str, wanted: list[str]) -> dict[str, Any]:
    rows: dict[str, list[dict[str, Any]]] = {}
    unread: dict[str, str] = {}
    warnings: list[str] = []
    size = 0
    for name, row in _messages(data, topic, unread, warnings):
        rows.setdefault(name, []).append(row)
        size += 64 * len(row)
        if len(row) > MOST_COLUMNS:
            return {
                "error": f"has messages of more than {MOST_COLUMNS} values",
                "cure": f"{name} is no table of readings",
            }
        if len(rows[name]) > rows_limit or size > unpacked_limit:
            return {"error": f"has more than {rows_limit} messages, or would take more than {unpacked_limit} bytes"}
    if len(rows) != 1:
        return _which(rows, unread, topic, warnings)
    return _answer(next(iter(rows.values())), wanted, warnings)


def _messages(
    data: bytes, topic: str, unread: dict[str, str], warnings: list[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    from mcap.exceptions import McapError
    from mcap.records import Channel, Message, Schema
    from mcap.stream_reader import StreamReader

    schemas: dict[int, Any] = {}
    channels: dict[int, Any] = {}
    decode = _Decoder()
    count = 0
    try:
        for record in StreamReader(io.BytesIO(data)).records:
            if isinstance(record, Schema):
                schemas[record.id] = record
            elif isinstance(record, Channel):
                channels[record.id] = record
            elif isinstance(record, Message):
                channel = channels[record.channel_id]
                if topic and channel.topic != topic:
                    unread.setdefault(channel.topic, "not asked for")
                    continue
                found = decode(channel, schemas.get(channel.schema_id), record.data)
                if found is None:
                    unread[channel.topic] = f"its messages are {channel.message_encoding or 'of no encoding'}"
                    continue
                count += 1
                yield channel.topic, {TIME: record.log_time / 1e9, **found}
    except (McapError, EOFError, ValueError, struct.error) as error:
        if not count:
            raise ValueError("it was cut or damaged before its first whole piece of messages") from error
        warnings.append(f"the recording was cut or damaged: {count} messages before that place were read")


class _Decoder:
    """Messages as flat rows; None for an encoding that is not read."""

    def __init__(self) -> None:
        self._ros2: Any = None

    def __call__(self, channel: Any, schema: Any, data: bytes) -> dict[str, Any] | None:
        if channel.message_encoding == "json":
            return dict(_flat("", json.loads(data)))
        if channel.message_encoding == "cdr":
            return self._from_ros2(channel, schema, data)
        return None

    def _from_ros2(self, channel: Any, schema: Any, data: bytes) -> dict[str, Any] | None:
        if self._ros2 is None:
            from mcap_ros2.decoder import DecoderFactory

            self._ros2 = DecoderFactory()
        decoder = self._ros2.decoder_for(channel.message_encoding, schema)
        return None if decoder is None else dict(_flat("", decoder(data)))


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        yield path or "value", value
    elif isinstance(value, (int, float)):
        yield path or "value", value if math.isfinite(value) else None
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _flat(f"{path}.{name}" if path else str(name), one)
    elif isinstance(value, (list, tuple)):
        for index, one in enumerate(value[:MOST_ITEMS]):
            yield from _flat(f"{path}_{index}", one)
    elif hasattr(value, "__slots__"):
        names = [name for name in value.__slots__ if not name.startswith("_")]
        yield from _flat(path, {name: getattr(value, name) for name in names})


def _which(rows: dict[str, Any], unread: dict[str, str], topic: str, warnings: list[str]) -> dict[str, Any]:
    known = [*rows, *(f"{name} ({why})" for name, why in unread.items())]
    if not known:
        return {"error": "holds no messages" + (f"; {warnings[0]}" if warnings else "")}
    said = f"has no messages of `{topic}` that can be read" if topic else f"has {len(rows)} topics that can be read"
    return {"error": said, "cure": f"choose one with --topic; it has: {', '.join(known[:20])}"}


def _answer(rows: list[dict[str, Any]], wanted: list[str], warnings: list[str]) -> dict[str, Any]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    read = [name for name in names if "*" in wanted or name in wanted]
    at = list(range(len(rows)))
    cells = [{"words": [row.get(name) for row in rows], "at": at} for name in read]
    return {"columns": names, "read": read, "cells": cells, "warnings": warnings}


if __name__ == "__main__":
    json.dump(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]), sys.stdout)
