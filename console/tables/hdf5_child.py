"""Reads an HDF5 file in a process of its own, as console.tables.parquet_child does for Parquet.

`python -m console.tables.hdf5_child ROWS BYTES GROUP COLUMN...` takes the file on stdin. Every group with numeric datasets of
one length is a piece of the table: a dataset of N values is a column, one of N x K is K columns `name_0`..; where several
groups are read, the column `episode` names the group. GROUP (may be empty) is where to look; single values beside them are
columns too. Links, and datasets whose values lie in other files, are not followed: a file says only what is in itself.
"""

from __future__ import annotations

import io
import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from console.tables.parquet_child import limit_memory

WIDEST = 64
"""A dataset of more columns than this is a picture or a map, not a reading; it is left out."""
EPISODE = "episode"
DEEPEST = 32
"""Groups within groups beyond this are refused, as those that hold themselves are."""


def main(rows_limit: int, unpacked_limit: int, group: str, wanted: list[str]) -> dict[str, Any]:
    """What is written to stdout; see parquet_child."""
    limit_memory()
    import h5py

    try:
        with h5py.File(io.BytesIO(sys.stdin.buffer.read()), "r") as file:
            if group and _by_own_links(file, group, h5py) is None:
                return {"error": f"has no group `{group}`", "cure": f"it has: {', '.join(list(file)[:20])}"}
            pieces = _pieces(_by_own_links(file, group, h5py), h5py)
            if too_large := _too_large(pieces, rows_limit, unpacked_limit):
                return {"error": too_large}
            return _answer(pieces, wanted) if pieces else {"error": "holds no numbers in rows"}
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, MemoryError) as error:
        said = str(error).strip().splitlines()
        return {"error": f"can't be read as HDF5: {said[0][:200] if said else type(error).__name__}"}


def _pieces(root: Any, h5py: Any) -> list[tuple[str, int, dict[str, Any]]]:
    """(group, rows, datasets by name) of each group that holds rows; its subgroups' datasets of the same length belong to
    it.
    """
    found: list[tuple[str, int, dict[str, Any]]] = []
    _walk(root, h5py, found)
    return found


def _by_own_links(file: Any, path: str, h5py: Any) -> Any:
    """What lies there; None where nothing does, or only by a link that leads elsewhere."""
    here = file
    for part in filter(None, path.split("/")):
        if not isinstance(here, h5py.Group) or not isinstance(here.get(part, getlink=True), h5py.HardLink):
            return None
        here = here[part]
    return here if isinstance(here, h5py.Group) else None


def _held(group: Any, h5py: Any) -> Iterator[tuple[str, Any]]:
    """What the group itself holds, by name."""
    for name in group:
        if isinstance(group.get(name, getlink=True), h5py.HardLink):
            one = group[name]
            if not isinstance(one, h5py.Dataset) or not (one.shape is None or one.external or one.is_virtual):
                yield name, one


def _walk(group: Any, h5py: Any, found: list[tuple[str, int, dict[str, Any]]], depth: int = 0) -> None:
    datasets = _readings(group, h5py, "", depth)
    lengths = Counter(one.shape[0] for one in datasets.values() if one.ndim >= 1)
    own = any(isinstance(one, h5py.Dataset) and one.ndim >= 1 for _, one in _held(group, h5py))
    if own and lengths:
        rows = max(lengths, key=lambda n: (lengths[n], n))
        kept = {name: one for name, one in datasets.items() if one.ndim == 0 or one.shape[0] == rows}
        found.append((str(group.name), rows, kept))
        return
    for _, child in _held(group, h5py):
        if isinstance(child, h5py.Group):
            _walk(child, h5py, found, depth + 1)


def _readings(group: Any, h5py: Any, prefix: str, depth: int) -> dict[str, Any]:
    """Every dataset of numbers below `group` by its path with `_` between the parts."""
    if depth > DEEPEST:
        raise ValueError(f"its groups lie more than {DEEPEST} deep, or hold themselves")
    found: dict[str, Any] = {}
    for name, one in _held(group, h5py):
        if isinstance(one, h5py.Group):
            found.update(_readings(one, h5py, f"{prefix}{name}_", depth + 1))
        elif isinstance(one, h5py.Dataset) and one.dtype.kind in "iufb" and _is_reading(one):
            found[f"{prefix}{name}"] = one
    return found


def _is_reading(dataset: Any) -> bool:
    return bool(dataset.ndim <= 1 or (dataset.ndim == 2 and dataset.shape[1] <= WIDEST))


def _too_large(pieces: list[tuple[str, int, dict[str, Any]]], rows_limit: int, unpacked_limit: int) -> str:
    if sum(rows for _, rows, _ in pieces) > rows_limit:
        return f"has more than {rows_limit} rows"
    unpacked = sum(one.size * one.dtype.itemsize for _, _, datasets in pieces for one in datasets.values())
    return f"would take {unpacked} bytes unpacked, more than {unpacked_limit}" if unpacked > unpacked_limit else ""


def _answer(pieces: list[tuple[str, int, dict[str, Any]]], wanted: list[str]) -> dict[str, Any]:
    tables = [(path, rows, _columns(datasets, rows)) for path, rows, datasets in pieces]
    names = list(dict.fromkeys(name for _, _, columns in tables for name in columns))
    if len(tables) > 1 and EPISODE not in names:
        names.insert(0, EPISODE)
    read = [name for name in names if "*" in wanted or name in wanted]
    cells: list[list[Any]] = [[] for _ in read]
    for path, rows, columns in tables:
        for place, name in enumerate(read):
            own = columns.get(name, [path] * rows if name == EPISODE else [None] * rows)
            cells[place] += own
    return {"columns": names, "read": read, "cells": [{"words": one, "at": list(range(len(one)))} for one in cells]}


def _columns(datasets: dict[str, Any], rows: int) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for name, dataset in datasets.items():
        values = dataset[()]
        if dataset.ndim == 0:
            found[name] = [values.item()] * rows
        elif dataset.ndim == 1:
            found[name] = values.tolist()
        else:
            found.update({f"{name}_{k}": values[:, k].tolist() for k in range(values.shape[1])})
    return found


if __name__ == "__main__":
    json.dump(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]), sys.stdout)
