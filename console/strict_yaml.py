"""Small YAML files that people write: read strictly, refused with the place and the nearest known key.

A hostile or broken file ends in Trouble, never in a crash, a hang or a silently ignored key.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from remote.errors import Trouble

LIMIT_BYTES = 256 * 1024
DEPTH_LIMIT = 12

T = TypeVar("T")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
_PATH = re.compile(r"at `\$([^`]*)`")


def load(path: Path, kind: type[T], *, code: str) -> T:
    """The file as `kind`. Raises Trouble with `code`, naming file, line and the nearest known key."""
    return parse(_text(path, code), kind, name=str(path), code=code)


def parse(text: str, kind: type[T], *, name: str, code: str) -> T:
    """The same for text already read; `name` is what the message calls it."""
    import yaml

    try:
        root = _compose(text)
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Trouble(
            f"{name} can't be read: {_short(error)}", cure="Correct the file at that place.", code=code
        ) from error
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise _refusal(str(error), root, kind, name, code) from error


def _text(path: Path, code: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise Trouble(f"{path} can't be opened: {error.strerror}", cure="Check the path.", code=code) from error
    if len(data) > LIMIT_BYTES:
        raise Trouble(f"{path} is larger than {LIMIT_BYTES} bytes", cure="Give the right file.", code=code)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Trouble(f"{path} is not UTF-8 text (byte {error.start})", cure="Save it as UTF-8.", code=code) from error


def _compose(text: str) -> Any:
    """The node tree; aliases (they can blow up), depth and repeated keys are refused before anything is built."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"{_at(event)}: aliases (*name) are not allowed")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_LIMIT:
            raise ValueError(f"{_at(event)}: nested deeper than {DEPTH_LIMIT}")
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    _refuse_repeated_keys(root)
    return root


def _at(event: Any) -> str:
    return f"line {event.start_mark.line + 1}"


def _refuse_repeated_keys(node: Any) -> None:
    import yaml

    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if str(key.value) in seen:
                raise ValueError(f"line {key.start_mark.line + 1}: key `{key.value}` is given twice")
            seen.add(str(key.value))
            _refuse_repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_repeated_keys(value)


def _refusal(message: str, root: Any, kind: Any, name: str, code: str) -> Trouble:
    found = _PATH.search(message)
    path = found.group(1) if found else ""
    unknown = _UNKNOWN.search(message)
    key = unknown.group(1) if unknown else None
    line = _line(root, path, key)
    where = f"{name}, line {line}" + (f" ({path.lstrip('.')})" if path else "")
    if key is None:
        return Trouble(f"{where}: {message.split(' - at')[0]}", cure="Correct that value.", code=code)
    near = difflib.get_close_matches(key, _known_keys(kind), n=1, cutoff=0.4)
    cure = f"Did you mean `{near[0]}`?" if near else f"Known keys: {', '.join(sorted(_known_keys(kind)))}."
    return Trouble(f"{where}: unknown key `{key}`", cure=cure, code=code)


def _known_keys(kind: Any) -> set[str]:
    """Every field name of `kind` and of the structs below it."""
    schema = msgspec.json.schema(kind)
    keys: set[str] = set()
    for definition in schema.get("$defs", {}).values():
        keys |= set(definition.get("properties", {}))
    return keys


def _line(root: Any, path: str, key: str | None) -> int:
    """The line of `path` (as msgspec writes it: .kpis[2].clear), or of `key` within it."""
    import yaml

    node = root
    for step in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", path):
        children = node.value if isinstance(node, (yaml.MappingNode, yaml.SequenceNode)) else []
        if step[1] and isinstance(node, yaml.SequenceNode) and int(step[1]) < len(children):
            node = children[int(step[1])]
        else:
            node = next((value for name, value in children if name.value == step[0]), node) if step[0] else node
    if key is not None and isinstance(node, yaml.MappingNode):
        node = next((name for name, _ in node.value if name.value == key), node)
    return int(node.start_mark.line) + 1 if node is not None else 1


def _short(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error) or type(error).__name__
    return f"line {mark.line + 1}: {problem}" if mark is not None else str(problem).splitlines()[0]
