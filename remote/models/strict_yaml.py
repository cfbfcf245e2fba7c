"""Reading YAML that may come from anywhere: bounded size, no aliases, no tags, and errors that name file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from remote.errors import Trouble

MAX_BYTES = 1_048_576


def read_text(path: Path, *, what: str, code: str, max_bytes: int = MAX_BYTES) -> str:
    """The file's text; `what` names the kind of file in errors.

    Raises:
        Trouble: with `code`, when it is missing, not a regular file, longer than `max_bytes` or not UTF-8.
    """
    return decode_text(read_bytes(path, what=what, code=code, max_bytes=max_bytes), path, what=what, code=code)


def read_bytes(path: Path, *, what: str, code: str, max_bytes: int = MAX_BYTES) -> bytes:
    """The file's bytes; raises Trouble as `read_text` does."""
    try:
        if not path.is_file():
            reason = "is not a regular file" if path.exists() else "does not exist"
            raise Trouble(f"{what} {path} {reason}", cure="Give the path of that file", code=code)
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        cure = "Check its permissions and the disk"
        raise Trouble(f"{what} {path} cannot be read: {error.strerror}", cure=cure, code=code) from error
    if len(data) > max_bytes:
        cure = f"Give a file of at most {max_bytes} bytes"
        raise Trouble(f"{what} {path} is longer than {max_bytes} bytes", cure=cure, code=code)
    return data


def decode_text(data: bytes, path: Path, *, what: str, code: str) -> str:
    """UTF-8 text of `data`; raises Trouble naming the byte where it stops being text."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        cure = "Save it as UTF-8 text"
        raise Trouble(f"{what} {path} is not UTF-8 text at byte {error.start}", cure=cure, code=code) from error


def parse_yaml(text: str, where: Path, *, what: str, code: str) -> Any:
    """The plain value (dicts, lists, scalars) written in `text`.

    Raises:
        Trouble: with `code` and the line, for broken YAML, aliases (one line of them can stand for gigabytes), a key that
            is given twice, unknown tags and anything nested too deeply.
    """
    import yaml

    class Strict(yaml.SafeLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.events.AliasEvent):
                raise yaml.MarkedYAMLError(problem="aliases (*name) are not allowed here", problem_mark=self.get_mark())
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            seen = set()
            for key, _ in node.value:
                if key.value in seen if isinstance(key.value, str) else False:
                    raise yaml.MarkedYAMLError(problem=f"`{key.value}` is given twice", problem_mark=key.start_mark)
                seen.add(key.value if isinstance(key.value, str) else id(key))
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(text, Loader=Strict)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        reason = getattr(error, "problem", None) or "it cannot be read"
        cure = "Correct that line" if mark is not None else "Write it as plain YAML text"
        raise Trouble(f"{what} {where}{line}: {reason}", cure=cure, code=code) from error
    except (RecursionError, ValueError, OverflowError) as error:
        cure = "Write it as plain, flat YAML"
        raise Trouble(f"{what} {where} cannot be read: {type(error).__name__}", cure=cure, code=code) from error
