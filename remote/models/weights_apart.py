"""Whether an ONNX file keeps weights in other files: found in the file's bytes, before any engine opens it.

Such weights would load here and nowhere else, and their names may lead anywhere on this machine. The robot has no package that
reads ONNX, so the few fields that matter are followed in protobuf's wire format (onnx.proto: ModelProto, GraphProto,
TensorProto).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Union

from remote.errors import Trouble

_VARINT, _I64, _LEN, _GROUP, _END, _I32 = range(6)
_LONGEST_VARINT, _DEEPEST = 10, 128  # protobuf's own limit of depth is 100
_EXTERNAL_DATA, _DATA_LOCATION, _KEY, _VALUE = 13, 14, 1, 2
# Which fields lead on to tensors, by kind of message.
_INSIDE: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
Data = Union[bytes, mmap.mmap]
_Field = tuple[int, Union[int, tuple[int, int]]]
"""A field's number with its number, or with where its bytes begin and end."""


def refuse_weights_apart(model: Path) -> None:
    """Raise Trouble (`model_apart`) where `model` has a tensor whose data lie in another file. Raises OSError.

    A file that is no ONNX is let through: the engine says what is wrong with it.
    """
    if model.stat().st_size == 0:
        return
    with model.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        refuse_apart_in(data, model)


def refuse_apart_in(data: Data, model: Path) -> None:
    """The same for what was read of `model` already."""
    try:
        place = _apart(data, "model", 0, len(data), 0)
    except ValueError:
        return
    if place is not None:
        what = f"model {model} keeps weights in {place[:100]!r}, not in itself"
        raise Trouble(what, cure="Export it as one file, with its weights inside", code="model_apart")


def _apart(data: Data, kind: str, begin: int, end: int, depth: int) -> str | None:
    """The place of the first tensor in this message whose data lie elsewhere. Raises ValueError for what is no protobuf."""
    if depth > _DEEPEST:
        raise ValueError("too deep")
    if kind == "tensor":
        return _place(data, begin, end)
    for number, value in _fields(data, begin, end):
        if number in _INSIDE[kind] and isinstance(value, tuple):
            found = _apart(data, _INSIDE[kind][number], *value, depth + 1)
            if found is not None:
                return found
    return None


def _place(data: Data, begin: int, end: int) -> str | None:
    """Where the data of this tensor lie; None: in itself."""
    apart, place = False, ""
    for number, value in _fields(data, begin, end):
        if number == _EXTERNAL_DATA and isinstance(value, tuple):
            apart, place = True, place or _location(data, *value)
        elif number == _DATA_LOCATION and isinstance(value, int):
            apart = apart or value & 0xFFFFFFFF == 1
    return (place or "another file") if apart else None


def _location(data: Data, begin: int, end: int) -> str:
    """The path in this entry of external_data; empty where it tells something else, such as an offset."""
    entry = {
        number: data[value[0] : value[1]] for number, value in _fields(data, begin, end) if isinstance(value, tuple)
    }
    return entry.get(_VALUE, b"").decode("utf-8", "replace") if entry.get(_KEY) == b"location" else ""


def _fields(data: Data, at: int, end: int) -> Iterator[_Field]:
    open_groups = 0
    while at < end:
        tag, at = _varint(data, at, end)
        number, wire = tag >> 3, tag & 7
        value: int | tuple[int, int] = 0
        if wire == _VARINT:
            value, at = _varint(data, at, end)
        elif wire == _LEN:
            size, at = _varint(data, at, end)
            value, at = (at, at + size), at + size
        elif wire in (_I64, _I32):
            at += 8 if wire == _I64 else 4
        elif wire in (_GROUP, _END):
            open_groups += 1 if wire == _GROUP else -1
        else:
            raise ValueError("no wire type")
        if at > end or open_groups < 0:
            raise ValueError("goes beyond its end")
        if not open_groups and wire != _END:
            yield number, value


def _varint(data: Data, at: int, end: int) -> tuple[int, int]:
    found = 0
    for place in range(_LONGEST_VARINT):
        if at + place >= end:
            raise ValueError("cut off")
        byte = data[at + place]
        found |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return found, at + place + 1
    raise ValueError("a number without end")
