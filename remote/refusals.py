"""Why values that people wrote can't be had as a type: every reason at once, in their words, with what to do.

A pattern is told by the description of its type: what it is, a colon, how it is written, as in
`msgspec.Meta(description="time span: a number and its unit, like 8 h")`.
"""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

import msgspec
from msgspec import inspect

from remote.ready_types import ready

CURE = "Correct that place in the file"
AT_MOST = 100
"""So many refusals are told of one file; nobody mends more in one go."""
Step = Union[str, int, None]  # a key, an index, or a mapping's value of which the key is not known
Spelt = Callable[[tuple[Step, ...]], Union[str, None]]
_PATH = re.compile(r"`\$([^`]*)`")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")
_WITH_UNIT = re.compile(r"[-+]?[0-9][0-9_.]* ?[^0-9\s.]{1,8}")
_SHOWN = 40


class Refused(NamedTuple):
    """Why a value can't be had as a type: the way to it, the unknown key there (or None), what is wrong, what to do."""

    steps: tuple[Step, ...]
    key: str | None
    said: str
    cure: str


def refusals(data: Any, kind: Any, cure: str = CURE, spelt: Spelt = lambda steps: None) -> list[Refused]:
    """All that keeps `data` from being a `kind`, in the order in which it is written, AT_MOST of it; [] where nothing does.

    `spelt` gives the text that a scalar was read from, where that is known. `cure` is said where no nearer one is known.
    """
    return list(islice(_Finding(cure, spelt).within(data, kind, ()), AT_MOST))


def nearest_of(word: str, known: Iterable[str], what: str = "names") -> str:
    """A cure for an unknown word: the nearest known one, else all of them."""
    words = list(known)
    near = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    return f"Did you mean `{near[0]}`?" if near else f"Known {what}: {', '.join(words)}"


def written(steps: Iterable[Step]) -> str:
    """Steps as people write them: `stages[0].title`."""
    words = (f"[{step}]" if isinstance(step, int) else f".{step or '...'}" for step in steps)
    return "".join(words).lstrip(".")


class _Finding:
    """One walk down values and their types, side by side."""

    def __init__(self, cure: str, spelt: Spelt) -> None:
        self.cure = cure
        self.spelt = spelt

    def within(self, value: Any, kind: Any, steps: tuple[Step, ...]) -> Iterator[Refused]:
        """The refusals of `value` and of all that it holds; of the value itself only where it holds none."""
        try:
            msgspec.convert(value, ready(kind))
        except msgspec.ValidationError as error:
            found = False
            for one in self._inside(value, _shaped(kind, value), steps):
                found = True
                yield one
            if not found:
                yield self._of(str(error), value, kind, steps)

    def _inside(self, value: Any, kind: Any, steps: tuple[Step, ...]) -> Iterator[Refused]:
        if isinstance(value, dict) and _is_struct(kind):
            yield from self._of_struct(value, kind, steps)
        elif isinstance(value, dict) and get_origin(kind) is dict:
            keys, values = get_args(kind)
            for key, one in value.items():
                yield from self._of_key(key, keys, steps)
                yield from self.within(one, values, (*steps, str(key)))
        elif isinstance(value, list) and get_origin(kind) in (tuple, list):
            for place, one in enumerate(value):
                yield from self.within(one, get_args(kind)[0], (*steps, place))

    def _of_struct(self, value: dict[Any, Any], kind: Any, steps: tuple[Step, ...]) -> Iterator[Refused]:
        config, fields = kind.__struct_config__, {field.encode_name: field for field in msgspec.structs.fields(kind)}
        for key, one in value.items():
            if key in fields:
                yield from self.within(one, fields[key].type, (*steps, key))
            elif config.forbid_unknown_fields and key != config.tag_field:
                word = _cut(str(key))
                yield Refused(steps, str(key), f"unknown key `{word}`", nearest_of(word, fields, "keys here"))
        for name, field in fields.items():
            if field.required and name not in value:
                cure = f"Add `{name}`: {_wanted_words(_members(field.type), self.cure)}"
                yield Refused(steps, None, f"the key `{name}` is missing", cure)

    def _of_key(self, key: Any, kind: Any, steps: tuple[Step, ...]) -> Iterator[Refused]:
        try:
            msgspec.convert(key, ready(kind))
        except msgspec.ValidationError:
            named, how = _described(_members(kind))
            said = f"the key `{_cut(str(key))}` is no {named or 'text'}"
            yield Refused(steps, str(key), said, f"Write {how}" if how else "Put it in quotes")

    def _of(self, message: str, value: Any, kind: Any, steps: tuple[Step, ...]) -> Refused:
        """The refusal of one value that holds nothing that is refused."""
        path = _PATH.search(message)
        if path or not message.startswith(("Expected", "Invalid enum")):  # what a type's own check says, among others
            found = [name or int(index or 0) for name, index in _STEP.findall(path.group(1) if path else "")]
            return Refused((*steps, *found), None, message.split(" - at")[0], self.cure)
        wanted = [one for one in _members(kind) if not isinstance(_bare(one), inspect.NoneType)]
        said, cure = _told(_Place(steps, value, self.spelt(steps)), wanted)
        return Refused(steps, None, said or message, cure or self.cure)


# ------------------------------------------------------------ types


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _shaped(kind: Any, value: Any) -> Any:
    """`kind` without its limits; of a union the one member that is shaped like the value, else None."""
    if get_origin(kind) is Annotated:
        return _shaped(get_args(kind)[0], value)
    if get_origin(kind) not in (Union, types.UnionType):
        return kind
    fitting = [one for one in (_shaped(member, value) for member in get_args(kind)) if _is_shaped(one, value)]
    return fitting[0] if len(fitting) == 1 else None


def _is_shaped(kind: Any, value: Any) -> bool:
    if not isinstance(value, dict):
        return isinstance(value, list) and get_origin(kind) in (tuple, list)
    if not _is_struct(kind):
        return get_origin(kind) is dict
    config = kind.__struct_config__
    return config.tag_field is None or value.get(config.tag_field) == config.tag


def _members(kind: Any) -> list[Any]:
    """What `kind` may be, as msgspec sees it: a union as its members."""
    if get_origin(kind) in (Union, types.UnionType):
        return [one for member in get_args(kind) if member is not msgspec.UnsetType for one in _members(member)]
    found = inspect.type_info(kind)
    return list(found.types) if isinstance(found, inspect.UnionType) else [found]


def _bare(one: Any) -> Any:
    return _bare(one.type) if isinstance(one, inspect.Metadata) else one


def _described(wanted: list[Any]) -> tuple[str, str]:
    """What the only wanted type is called and how it is written; empty where nobody said it."""
    extra = getattr(wanted[0], "extra_json_schema", None) or {} if len(wanted) == 1 else {}
    named, _, how = str(extra.get("description", "")).partition(": ")
    return named, how


_WORDS: dict[type, str] = {
    inspect.StrType: "a text",
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.BoolType: "true or false",
}


def _wanted_words(wanted: list[Any], other: str = "something else") -> str:
    """The types as words: `a number, or keys below it: value, unit`."""
    return ", or ".join(dict.fromkeys(_type_words(one) or other for one in wanted)) or other


def _type_words(one: Any) -> str:
    named, how = _described([one])
    bare = _bare(one)
    if named:
        return f"{named} ({how})"
    if isinstance(bare, inspect.LiteralType):
        return _choices(bare.values)
    if isinstance(bare, inspect.StructType):
        needed = [field.encode_name for field in bare.fields if field.required]
        return f"keys below it: {', '.join(needed or [field.encode_name for field in bare.fields])}"
    if isinstance(bare, inspect.DictType):
        return "keys below it, each with its value"
    if isinstance(bare, (inspect.ListType, inspect.VarTupleType)):
        inside = _type_words(bare.item_type)
        return "a list" if not inside else f"a list, each entry {inside.replace('keys below it', 'with the keys')}"
    return _WORDS.get(type(bare), "")


def _choices(values: Iterable[Any]) -> str:
    words = [str(value) for value in values]
    return f"one of {', '.join(words)}" if len(words) > 1 else words[0]


# ------------------------------------------------------------ values


class _Place(NamedTuple):
    """A value, the way to it, and the text that it was read from (None: not known)."""

    steps: tuple[Step, ...]
    value: Any
    spelt: str | None

    @property
    def name(self) -> str:
        """`version`, `rests_on[2]`; empty for the whole."""
        keys = [place for place, step in enumerate(self.steps) if not isinstance(step, int)]
        return written(self.steps[keys[-1] :] if keys else self.steps)

    @property
    def text(self) -> str:
        """The scalar as it stands in the file."""
        if self.spelt is not None:
            return _cut(self.spelt)
        return _cut(str(self.value).lower() if isinstance(self.value, bool) else str(self.value))

    @property
    def shown(self) -> str:
        """`version: 1`; of a list or a mapping the name alone."""
        if isinstance(self.value, (dict, list)):
            return f"`{self.name}`" if self.name else "the whole"
        return f"`{self.name}: {self.text}`" if self.name else f"`{self.text}`"

    def put(self, text: str) -> str:
        """How it is written with that text instead."""
        return f"`{self.name}: {text}`" if self.name and isinstance(self.steps[-1], str) else f"`{text}`"


def _cut(text: str) -> str:
    """On one line, without what a terminal would obey, and short."""
    seen = "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))
    return seen if len(seen) <= _SHOWN else seen[: _SHOWN - 1] + "…"


def _kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return "yes or no to YAML"
    known = {str: "a text", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
    return known.get(type(value), "a date to YAML")


def _told(place: _Place, wanted: list[Any]) -> tuple[str, str]:
    """What is wrong with the value, and the cure; two empty words where nobody knows better than msgspec."""
    if place.value is None:
        return f"`{place.name}` has no value", f"Write {_wanted_words(wanted)}"
    bare = _bare(wanted[0])
    if len(wanted) != 1:
        return f"{place.shown} can't stand here", f"Write {_wanted_words(wanted)}"
    if isinstance(bare, inspect.LiteralType):
        return _of_choice(place, bare.values)
    rule = next((rule for types_, rule in _RULES if isinstance(bare, types_)), None)
    return rule(place, wanted[0]) if rule else ("", "")


def _of_choice(place: _Place, values: Iterable[Any]) -> tuple[str, str]:
    words = [str(value) for value in values]
    if len(words) == 1:
        return f"{place.shown} is not known", f"Write {place.put(words[0])}"
    near = difflib.get_close_matches(place.text, words, n=1, cutoff=0.5)
    guess = f"Did you mean `{near[0]}`? " if near else ""
    return f"{place.shown} is not known", f"{guess}One of: {', '.join(words)}"


def _of_text(place: _Place, wanted: Any) -> tuple[str, str]:
    bare, value = _bare(wanted), place.value
    named, how = _described([wanted])
    if isinstance(value, str):
        sized = _of_size(place, bare, "characters")
        if sized is not None:
            return sized
    if named and not isinstance(value, (dict, list)):
        return f"{place.shown} is no {named}", f"Write {how}"
    if isinstance(value, str):
        return f"{place.shown} is not written as it must be", f"It must match the pattern {bare.pattern}"
    if isinstance(value, (dict, list)):
        return f"{place.shown} is {_kind_of(value)}, not a text", "Write a text, in quotes"
    quoted = place.put(f'"{place.text}"')
    return f"{place.shown} is {_kind_of(value)}, not a text", f"Write {quoted}, in quotes"


def _of_number(place: _Place, wanted: Any) -> tuple[str, str]:
    bare, value = _bare(wanted), place.value
    word = "whole number" if isinstance(bare, inspect.IntType) else "number"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"{place.shown} is no {word}", _number_cure(place, word)
    limits = _limits(bare)
    if isinstance(value, float) and word == "whole number" and not value.is_integer():
        return f"{place.shown} is no whole number", "Write a whole number, such as 3"
    return f"{place.shown} is out of range", f"Write a {word}{f' {limits}' if limits else ''}"


def _number_cure(place: _Place, word: str) -> str:
    if isinstance(place.value, str) and _WITH_UNIT.fullmatch(place.value):
        return "Write the number alone, without a unit"
    if isinstance(place.value, str) and place.value.replace(".", "", 1).lstrip("-").isdigit():
        return f"Write {place.put(place.value)}, without quotes"
    return f"Write a {word}, such as {3 if word == 'whole number' else 0.5}"


def _limits(bare: Any) -> str:
    """`of at least 1 and at most 60`."""
    words = (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than"))
    given = [f"{word} {getattr(bare, key):g}" for key, word in words if getattr(bare, key) is not None]
    return f"of {' and '.join(given)}" if given else ""


def _of_answer(place: _Place, wanted: Any) -> tuple[str, str]:
    return f"{place.shown} is neither true nor false", "Write true or false, without quotes"


def _of_list(place: _Place, wanted: Any) -> tuple[str, str]:
    if isinstance(place.value, list):
        return _of_size(place, _bare(wanted), "entries") or ("", "")
    if isinstance(place.value, dict):
        return f"{place.shown} is a mapping, not a list", "Begin each entry with a dash: `- `"
    return f"{place.shown} is no list", f"Write {place.put(f'[{place.text}]')}"


def _of_mapping(place: _Place, wanted: Any) -> tuple[str, str]:
    if isinstance(place.value, dict):
        return _of_size(place, _bare(wanted), "keys") or ("", "")
    said = f"{place.shown} is {_kind_of(place.value)}, not a mapping"
    return said, f"Write {_type_words(wanted)}"


def _of_size(place: _Place, bare: Any, what: str) -> tuple[str, str] | None:
    """Too short or too long a text or list; None where its length is right."""
    least, most, size = getattr(bare, "min_length", None), getattr(bare, "max_length", None), len(place.value)
    name = place.name or "the whole"
    if least is not None and size < least:
        said = f"`{name}` is empty" if size == 0 else f"`{name}` has {size} {what}"
        return said, f"Give at least {least} {what}" if least > 1 else f"Give `{name}` a value"
    if most is not None and size > most:
        return f"`{name}` has {size} {what}, and {most} are allowed", "Make it shorter"
    return None


_RULES: tuple[tuple[Any, Callable[[_Place, Any], tuple[str, str]]], ...] = (
    (inspect.StrType, _of_text),
    ((inspect.IntType, inspect.FloatType), _of_number),
    (inspect.BoolType, _of_answer),
    ((inspect.ListType, inspect.VarTupleType), _of_list),
    ((inspect.StructType, inspect.DictType), _of_mapping),
)
