"""The names of a model's classes, from whatever file the training left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from remote.errors import Trouble
from remote.strict_yaml import plain, read_text

CODE = "labels_invalid"
MAX_LABELS = 10_000


def read_labels(path: Path) -> tuple[str, ...]:
    """Labels in the order of the class index.

    A `.yaml`/`.yml` file holds a list, a map index -> name, or either of them under `names` or `labels`. Any other file
    holds one label a line; empty lines are refused, because they would shift every class after them.

    Raises:
        Trouble: code `labels_invalid`; names the file and the line or index.
    """
    text = read_text(path, what="labels file", code=CODE)
    if path.suffix.lower() in (".yaml", ".yml"):
        names = _names_of(plain(text, where=f"labels file {path}", code=CODE), path)
    else:
        names = [line.strip() for line in text.rstrip().splitlines()]
    return _checked(names, path)


def _names_of(value: Any, path: Path) -> list[Any]:
    if isinstance(value, dict):
        value = value.get("names", value.get("labels", value))
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        raise _refused(path, "holds neither a list of names nor a map index -> name", "Write `names: [cube, ball]`")
    by_index = {_index(key, path): name for key, name in value.items()}
    missing = [index for index in range(len(by_index)) if index not in by_index]
    if missing:
        raise _refused(path, f"has no label for class {missing[0]}", "Number the classes 0, 1, 2, ... without a hole")
    return [by_index[index] for index in range(len(by_index))]


def _index(key: Any, path: Path) -> int:
    if isinstance(key, bool) or not str(key).isdecimal():
        raise _refused(path, f"has the key {key!r} where a class index belongs", "Write `names: [cube, ball]`")
    return int(key)


def _checked(names: list[Any], path: Path) -> tuple[str, ...]:
    if not 0 < len(names) <= MAX_LABELS:
        raise _refused(path, f"has {len(names)} labels", f"Give between 1 and {MAX_LABELS} labels")
    seen: set[str] = set()
    for index, name in enumerate(names):
        if not isinstance(name, str) or not name.strip():
            raise _refused(path, f"has {name!r} as the label of class {index}", "Give every class a name, in quotes")
        if name in seen:
            raise _refused(path, f"names {name!r} twice", "Give every class a name of its own")
        seen.add(name)
    return tuple(names)


def _refused(path: Path, what: str, cure: str) -> Trouble:
    return Trouble(f"labels file {path} {what}", cure=cure, code=CODE)
