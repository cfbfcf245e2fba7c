"""Files that people write, read strictly: refused with file, line, place and the nearest known key.

A hostile or broken file ends in Trouble, never in a crash, a hang, gigabytes or a silently ignored key. Sizes and depth are
limited; aliases (one line of them can stand for gigabytes), tags and keys given twice are refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from remote.errors import Trouble
from remote.ready_types import ready
from remote.refusals import CURE, Refused, Spelt, Step, nearest_of, refusals, written

__all__ = [
    "CURE", "DEPTH_LIMIT", "LIMIT_BYTES", "Refused", "Step", "explain", "faults", "line_of", "load", "nearest_of", "parse",
    "plain", "read_bytes", "read_text", "written",
]  # fmt: skip

LIMIT_BYTES = 1_048_576
DEPTH_LIMIT = 12

T = TypeVar("T")


def load(
    path: Path,
    kind: type[T],
    *,
    code: str,
    what: str = "",
    cure: str = CURE,
    absent: T | None = None,
    limit_bytes: int = LIMIT_BYTES,
) -> T:
    """The file as `kind`; an empty file is an empty mapping.

    Args:
        path: the file.
        kind: the type, usually a struct that forbids unknown fields.
        code: the Trouble's code.
        what: names the kind of file in front of its path in errors.
        cure: said where no nearer cure is known.
        absent: returned where there is no file; None refuses that.
        limit_bytes: longer files are refused.

    Raises:
        Trouble: with `code`, naming file, line, place and, for an unknown key, the nearest known one.
    """
    if absent is not None and _is_absent(path):
        return absent
    text = read_text(path, code=code, what=what, limit_bytes=limit_bytes)
    return parse(text, kind, where=_named(path, what), code=code, cure=cure)


def parse(text: str, kind: type[T], *, where: str, code: str, cure: str = CURE) -> T:
    """The same for text already read; `where` is what errors call the file."""
    data, root = _read(text, where, code, cure)
    data = {} if data is None else data
    try:
        return msgspec.convert(data, ready(kind))
    except msgspec.ValidationError as error:
        found = refusals(data, kind, cure, _spelling(root)) or [Refused((), None, str(error), cure)]
        raise _trouble(found[0], root, where, code) from error


def plain(text: str, *, where: str, code: str, cure: str = CURE) -> Any:
    """The dicts, lists and scalars written in `text`; None for nothing. Raises Trouble as `load` does."""
    return _read(text, where, code, cure)[0]


def faults(text: str, kind: Any, *, where: str, code: str, cure: str = CURE) -> list[Trouble]:
    """Everything that `parse` would refuse, one after the other; [] for what it reads. Raises Trouble for what is no YAML."""
    data, root = _read(text, where, code, cure)
    found = refusals({} if data is None else data, kind, cure, _spelling(root))
    return [_trouble(refused, root, where, code) for refused in found]


def explain(
    error: msgspec.ValidationError, data: Any, kind: Any, cure: str = CURE, *, text: str | None = None
) -> Refused:
    """What msgspec refused in `data` as `kind`, in people's words. `text` is what `data` was read from, where it is at hand."""
    root = None if text is None else _read(text, "", "", "")[1]
    found = refusals(data, kind, cure, _spelling(root))
    return found[0] if found else Refused((), None, str(error), cure)


def line_of(text: str, steps: Iterable[Step], key: str | None = None) -> int:
    """The line (from 1) of the value at `steps` of a text that could be read, or of `key` within it; else the nearest above."""
    return _line(_root(text), steps, key)


@lru_cache(maxsize=4)
def _root(text: str) -> Any:
    """The nodes of a text whose places are asked for one after the other, as a linter does."""
    return _read(text, "", "", "")[1]


def read_text(path: Path, *, code: str, what: str = "", limit_bytes: int = LIMIT_BYTES) -> str:
    """The file's text. Raises Trouble as `read_bytes` does, and for what is not UTF-8."""
    try:
        return read_bytes(path, code=code, what=what, limit_bytes=limit_bytes).decode("utf-8")
    except UnicodeDecodeError as error:
        said = f"{_named(path, what)} is not UTF-8 text (byte {error.start})"
        raise Trouble(said, cure="Save it as UTF-8 text", code=code) from error


def read_bytes(path: Path, *, code: str, what: str = "", limit_bytes: int = LIMIT_BYTES) -> bytes:
    """The file's bytes; Trouble with `code` when it is missing, no regular file, unreadable or longer than the limit."""
    name = _named(path, what)
    try:
        if not path.is_file():  # a pipe would keep its reader waiting
            reason = "is not a regular file" if path.exists() else "does not exist"
            raise Trouble(f"{name} {reason}", cure="Give the path of that file", code=code)
        with path.open("rb") as file:
            data = file.read(limit_bytes + 1)
    except OSError as error:
        cure = "Check its permissions and the disk"
        raise Trouble(f"{name} can't be read: {error.strerror}", cure=cure, code=code) from error
    if len(data) > limit_bytes:
        cure = f"Give a file of at most {limit_bytes} bytes"
        raise Trouble(f"{name} is longer than {limit_bytes} bytes", cure=cure, code=code)
    return data


def _named(path: Path, what: str) -> str:
    return f"{what} {path}" if what else str(path)


def _is_absent(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False  # it is there; reading it says what is wrong
    return False


# ------------------------------------------------------------ text -> values and their places


def _read(text: str, where: str, code: str, cure: str) -> tuple[Any, Any]:
    """The values of `text`, and the nodes that know their lines."""
    import yaml

    try:
        loader = _strict_loader()(text)
        root = loader.get_single_node()
        return (None if root is None else loader.construct_document(root)), root
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        said = f"{where}, line {mark.line + 1}: {problem}" if mark is not None else f"{where} can't be read: {problem}"
        raise Trouble(said, cure=cure, code=code) from error
    except (ValueError, OverflowError) as error:  # a date or a number that Python can't hold
        raise Trouble(f"{where} can't be read: {error}", cure=cure, code=code) from error


def _loader_base() -> Any:
    """A safe loader whose nodes are composed here, from libyaml's events where PyYAML was built with it: six times as fast."""
    import yaml
    from yaml.composer import Composer
    from yaml.constructor import SafeConstructor
    from yaml.resolver import Resolver

    if not yaml.__with_libyaml__:
        return yaml.SafeLoader
    parser: Any = vars(yaml.cyaml)["CParser"]

    class Quick(Composer, parser, SafeConstructor, Resolver):  # type: ignore[misc]
        def __init__(self, text: str) -> None:
            parser.__init__(self, text)
            for base in (Composer, SafeConstructor, Resolver):
                base.__init__(self)

    return Quick


@cache
def _strict_loader() -> Any:
    import yaml

    class Strict(_loader_base()):  # type: ignore[misc]
        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            event: Any = self.peek_event()
            if isinstance(event, yaml.AliasEvent):
                raise _at(event, "aliases (*name) are not allowed")
            if event.tag is not None:
                raise _at(event, f"tags ({event.tag}) are not allowed")
            self.depth += 1
            if self.depth > DEPTH_LIMIT and isinstance(event, yaml.CollectionStartEvent):
                raise _at(event, f"nested deeper than {DEPTH_LIMIT}")
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

        def compose_mapping_node(self, anchor: Any) -> Any:
            node: Any = super().compose_mapping_node(anchor)
            seen: set[str] = set()
            for key, _ in node.value:
                if str(key.value) in seen:
                    raise _at(key, f"key `{key.value}` is given twice")
                seen.add(str(key.value))
            return node

    def _at(place: Any, problem: str) -> yaml.MarkedYAMLError:
        return yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)

    return Strict


# ------------------------------------------------------------ refusals


def _trouble(refused: Refused, root: Any, where: str, code: str) -> Trouble:
    steps = f" ({written(refused.steps)})" if refused.steps else ""
    place = f"{where}, line {_line(root, refused.steps, refused.key)}{steps}"
    return Trouble(f"{place}: {refused.said}", cure=refused.cure, code=code)


def _spelling(root: Any) -> Spelt:
    """What gives the text of the scalar at some steps as it stands in the file."""

    def spelt(steps: tuple[Step, ...]) -> str | None:
        import yaml

        node = _node(root, steps)
        if not isinstance(node, yaml.ScalarNode):
            return None
        return f'"{node.value}"' if node.style in ("'", '"') else str(node.value)

    return spelt


def _node(root: Any, steps: Iterable[Step]) -> Any:
    """The node of the value at `steps`; the nearest above it where it is not written."""
    import yaml

    node = root
    for step in steps:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        elif isinstance(node, yaml.MappingNode):
            node = next((value for name, value in node.value if name.value == step), node)
    return node


def _line(root: Any, steps: Iterable[Step], key: str | None) -> int:
    """The line of the value at `steps`, or of `key` within it; of the nearest place above where it is not written."""
    import yaml

    node = _node(root, steps)
    if key is not None and isinstance(node, yaml.MappingNode):
        node = next((name for name, _ in node.value if name.value == key), node)
    return int(node.start_mark.line) + 1 if node is not None else 1
