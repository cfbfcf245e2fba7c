"""The table of docs/probes.md, made from the probes themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import msgspec

from console.checklist.probes import PROBES, Known, parameters_type
from console.fieldtest.parts import Span

BEGIN, END = "<!-- table of probes: written by `make docs` -->\n", "<!-- end of the table -->"
_SPAN = get_args(Span)[1].pattern


def with_table(page: str) -> str:
    """The page with its table as it should be."""
    head, _, rest = page.partition(BEGIN)
    return head + BEGIN + "\n" + "".join(_sections()) + END + rest.partition(END)[2]


def _sections() -> Iterator[str]:
    for name, known in PROBES.items():
        yield f"### `{name}`\n\n{_about(known)}\n\n"
        fields = msgspec.structs.fields(parameters_type(name))
        if fields:
            yield "| parameter | what it takes | default |\n|---|---|---|\n"
            yield "".join(f"| `{it.encode_name}` | {_words(it.type)} | {_default(it)} |\n" for it in fields) + "\n"
        doc = " ".join((parameters_type(name).__doc__ or "").split())
        yield f"{doc}\n\n"


def _about(known: Known) -> str:
    metrics = (
        "every metric of [metrics.md](metrics.md)"
        if known.metrics == ("*",)
        else ", ".join(f"`{m}`" for m in known.metrics)
    )
    robot = "needs the robot" if known.needs_robot else "needs no robot"
    rests = f"rests on {', '.join(known.rests_on)}" if known.rests_on else "rests on nothing but what it names"
    return f"{known.meaning[:1].upper()}{known.meaning[1:]}. Measures {metrics}; {robot}; {rests}."


def _default(field: Any) -> str:
    if field.required:
        return "must be given"
    value = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "-" if value is None or value in ("", (), {}) else f"`{value}`"


def _words(kind: Any) -> str:
    return _of(msgspec.inspect.type_info(kind)).replace("|", "\\|")


def _of(info: Any) -> str:
    inspect = msgspec.inspect
    if isinstance(info, inspect.UnionType):
        return " or ".join(_of(one) for one in info.types if not isinstance(one, inspect.NoneType))
    if isinstance(info, inspect.StrType):
        return "a span (`10 s`, `2 min`, `8 h`, `30 d`)" if info.pattern == _SPAN else "text"
    if isinstance(info, inspect.LiteralType):
        return " or ".join(f"`{value}`" for value in info.values)
    if isinstance(info, (inspect.IntType, inspect.FloatType)):
        low = (
            f", at least {info.ge:g}" if info.ge is not None else f", above {info.gt:g}" if info.gt is not None else ""
        )
        high = "" if info.le is None else f", at most {info.le:g}"
        return f"{'an integer' if isinstance(info, inspect.IntType) else 'a number'}{low}{high}"
    if isinstance(info, inspect.BoolType):
        return "`true` or `false`"
    if isinstance(info, inspect.DictType):
        return f"a mapping of names to: {_of(info.value_type)}"
    if isinstance(info, (inspect.VarTupleType, inspect.ListType)):
        return f"a list of: {_of(info.item_type)}"
    if isinstance(info, inspect.StructType):
        return "`{" + ", ".join(field.encode_name for field in info.fields) + "}`"
    return "anything"
