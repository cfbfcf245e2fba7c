"""The probe `randomisation`: what a randomisation file varies, and whether its ranges hold what was measured in reality.

The file is read generically, whatever its groups are called: a mapping with `low` and `high` is a range, and the keys that lead
to it, joined by dots, are its name (`light.azimuth_deg`). remote/training/tabletop.yaml is such a file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, Optional, TypeVar, Union

import msgspec

from console.checklist.probes import Finding, Sight
from console.fieldtest.criteria import Answer
from console.tables.held import Held, hold
from remote import strict_yaml
from remote.errors import Trouble
from remote.ready_types import ready

CODE = "bad_randomisation"
_CURE = "correct that place; remote/training/tabletop.yaml shows the format"
_OWN_KEYS = ("format", "name", "notes")
"""Keys at the top of a file of measured values that are no values."""
_NAMED_AT_MOST = 6

T = TypeVar("T")
Pattern = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Patterns = Annotated[tuple[Pattern, ...], msgspec.Meta(min_length=1)]
AtLeast = Annotated[int, msgspec.Meta(ge=1)]


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """At least `at_least` of the parameters that match one of `patterns` must vary."""

    patterns: Patterns
    at_least: AtLeast = 1


class RandomisationParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`file` is the randomisation file. Exactly one of the others says what is looked at.

    tiers (tier_coverage): for each tier the parameters that must vary: `all` that the file has in it, how many, or their
        names; names and patterns are as in the shell (`light.*_gain`).
    groups (group_coverage): for each group patterns, of which one parameter must vary, or `{patterns, at_least}`.
    real_values (real_values_covered): a file of measured values, `name: value` or `name: {value, unit, n}`, also in groups;
        every one must lie inside the range of that name. `required` names those that must have been measured.
    """

    file: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    tiers: dict[str, Union[AtLeast, Literal["all"], Patterns]] = {}
    groups: dict[str, Union[Patterns, Group]] = {}
    real_values: str = ""
    required: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if sum(map(bool, (self.tiers, self.groups, self.real_values))) != 1:
            raise ValueError("give exactly one of tiers, groups and real_values")
        if self.required and not self.real_values:
            raise ValueError("required belongs to real_values")


class Range(msgspec.Struct, frozen=True):
    """One parameter is drawn from [low, high]. Extra keys of the file are not looked at."""

    low: float
    high: float
    tier: str = ""
    unit: Optional[str] = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise ValueError("low and high must be finite numbers")
        if self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")

    @property
    def varies(self) -> bool:
        """Whether two draws can differ."""
        return self.low < self.high


class Real(msgspec.Struct, frozen=True):
    """A value that was measured on the real thing: in `unit` where that is said, from `n` measurements."""

    value: float
    unit: str = ""
    n: int = 1

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError("the value must be a finite number")


Ranges = dict[str, Range]


def look_at_randomisation(sight: Sight, parameters: RandomisationParameters) -> Finding:
    """An Answer: holds, or names what does not vary or which real value lies outside. Raises Trouble for a broken file."""
    file = _hold(sight, parameters.file, "randomisation file")
    ranges = ranges_in(file)
    if not parameters.real_values:
        wrong = list(_tiers(ranges, parameters.tiers) if parameters.tiers else _groups(ranges, parameters.groups))
        varying = sum(it.varies for it in ranges.values())
        return _answered(wrong, f"{varying} of {len(ranges)} parameters vary, as wanted", (file,), len(ranges))
    measured = _hold(sight, parameters.real_values, "file of measured values")
    real = real_values_in(measured)
    wrong = list(_outside(ranges, real, parameters.required, measured.given))
    good = f"all {len(real)} measured values lie inside their ranges"
    return _answered(wrong, good, (file, measured), len(ranges))


def ranges_in(file: Held) -> Ranges:
    """Every range of a randomisation file by its dotted name. Raises Trouble where there is none or one is wrong."""
    found = _distinct(_ranges(_plain(file), (), file.given), file.given)
    if not found:
        raise Trouble(f"{file.given} holds no range with low and high", cure=_CURE, code=CODE)
    return found


def real_values_in(file: Held) -> dict[str, Real]:
    """Every measured value by its name. Raises Trouble where there is none, or where one is no finite number."""
    top = {key: value for key, value in _plain(file).items() if key not in _OWN_KEYS or isinstance(value, dict)}
    found = _distinct(_reals(top, (), file.given), file.given)
    if not found:
        raise Trouble(f"{file.given} holds no measured value", cure="write `name: value` lines", code=CODE)
    return found


# ---------------------------------------------------------------- reading


def _hold(sight: Sight, given: str, what: str) -> Held:
    return hold(sight.files, given, code=CODE, what=what, limit_bytes=strict_yaml.LIMIT_BYTES)


def _plain(file: Held) -> dict[Any, Any]:
    try:
        text = file.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"{file.given} is not UTF-8 text (byte {error.start})"
        raise Trouble(what, cure="save it as UTF-8 text", code=CODE) from error
    found = strict_yaml.plain(text, where=file.given, code=CODE, cure=_CURE)
    if not isinstance(found, dict):
        raise Trouble(f"{file.given} is no mapping of names", cure=_CURE, code=CODE)
    return found


def _distinct(pairs: Iterator[tuple[str, T]], where: str) -> dict[str, T]:
    """`a.b` may be written as one key and as two: of such twins one would hide the other."""
    found: dict[str, T] = {}
    for name, value in pairs:
        if name in found:
            raise Trouble(f"{where}: {name} is given twice", cure=_CURE, code=CODE)
        found[name] = value
    return found


def _ranges(below: Mapping[Any, Any], path: tuple[str, ...], where: str) -> Iterator[tuple[str, Range]]:
    for key, value in below.items():
        here = (*path, str(key))
        if isinstance(value, dict) and {"low", "high"} & set(value):
            yield ".".join(here), _converted(value, Range, where, here)
        elif isinstance(value, dict):
            yield from _ranges(value, here, where)


def _reals(below: Mapping[Any, Any], path: tuple[str, ...], where: str) -> Iterator[tuple[str, Real]]:
    for key, value in below.items():
        here = (*path, str(key))
        if isinstance(value, dict) and "value" not in value:
            yield from _reals(value, here, where)
        else:
            yield ".".join(here), _converted(value if isinstance(value, dict) else {"value": value}, Real, where, here)


def _converted(value: Mapping[str, Any], kind: Any, where: str, path: tuple[str, ...]) -> Any:
    try:
        return msgspec.convert(value, ready(kind))
    except msgspec.ValidationError as error:
        raise Trouble(f"{where}, {'.'.join(path)}: {error}", cure=_CURE, code=CODE) from error


# ---------------------------------------------------------------- looking


def _tiers(ranges: Ranges, wanted: Mapping[str, Any]) -> Iterator[str]:
    for tier, want in wanted.items():
        inside = {name: it for name, it in ranges.items() if it.tier == tier}
        if isinstance(want, int):
            varying = sum(it.varies for it in inside.values())
            if varying < want:
                yield f"tier {tier}: {varying} vary, {want} are wanted"
        elif want == "all":
            still = [name for name, it in inside.items() if not it.varies]
            if still or not inside:
                yield f"tier {tier}: not varied: {_listed(still)}" if still else f"tier {tier}: there is none"
        else:
            still = [pattern for pattern in want if not _varying(inside, (pattern,))]
            if still:
                yield f"tier {tier}: not varied: {_listed(still)}"


def _groups(ranges: Ranges, wanted: Mapping[str, Any]) -> Iterator[str]:
    for name, want in wanted.items():
        group = want if isinstance(want, Group) else Group(patterns=want)
        varying = _varying(ranges, group.patterns)
        if len(varying) < group.at_least:
            yield f"{name}: {len(varying)} vary, {group.at_least} wanted of {_listed(group.patterns)}"


def _varying(ranges: Ranges, patterns: tuple[str, ...]) -> list[str]:
    return [name for name, it in ranges.items() if it.varies and any(fnmatchcase(name, one) for one in patterns)]


def _outside(ranges: Ranges, real: Mapping[str, Real], required: tuple[str, ...], where: str) -> Iterator[str]:
    for name in required:
        if name not in real:
            yield f"{name} was not measured"
    for name, measured in real.items():
        full = _full_name(ranges, name, where)
        if full is None:
            yield f"{name} is not in the randomisation file"
            continue
        limits = ranges[full]
        _same_unit(full, limits, measured, where)
        if not limits.low <= measured.value <= limits.high:
            yield f"{name} {measured.value:g} is outside [{limits.low:g}, {limits.high:g}]"


def _full_name(ranges: Ranges, name: str, where: str) -> str | None:
    """The range's name: the same, or the only one that ends with it."""
    if name in ranges:
        return name
    ending = [full for full in ranges if full.endswith(f".{name}")]
    if len(ending) > 1:
        said = f"{where}: {name} may mean {_listed(ending)}"
        raise Trouble(said, cure="write the name with its group", code=CODE)
    return ending[0] if ending else None


def _same_unit(name: str, limits: Range, real: Real, where: str) -> None:
    """A value in centimetres lies inside a range in metres by mistake only."""
    unit = limits.unit if limits.unit is not None else name.rpartition("_")[2]
    if real.unit and real.unit != unit:
        said = f"{where}: {name} was measured in {real.unit}, its range is in {unit}"
        raise Trouble(said, cure="convert the value", code=CODE)


def _answered(wrong: list[str], good: str, held: tuple[Held, ...], n: int) -> Finding:
    return Finding(
        measurement=Answer(not wrong, "; ".join(wrong) if wrong else good),
        fingerprints={name: digest for file in held for name, digest in file.fingerprints.items()},
        details={"parameters": n, "missing": len(wrong)},
        files=tuple(path for file in held for path in file.to_keep()),
    )


def _listed(names: list[str] | tuple[str, ...]) -> str:
    more = len(names) - _NAMED_AT_MOST
    return ", ".join(names[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
