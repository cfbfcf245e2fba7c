"""One key that differs between two packs, and whether that lets more through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from console.fieldtest.criteria import Criterion
from console.fieldtest.spans import span_s

_LONG = 72
"""Longer texts are shown in part."""
Direction = Literal["tightened", "loosened", "changed"]
Judge = Callable[[Any, Any], Direction]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One key that differs: where (`latency.criterion.threshold`), what it was, what it is, and in which direction.

    `unit` belongs to both values. `reason` is the overlay's, where an overlay made the change.
    """

    place: str
    before: str
    after: str
    unit: str = ""
    direction: Direction
    reason: str = ""

    def words(self) -> str:
        """`latency.criterion.threshold loosened: 500 -> 800 ms, reason: slow arm`."""
        reason = f", reason: {self.reason}" if self.reason else ""
        return f"{self.place} {self.direction}: {self.before} -> {self.after} {self.unit}".rstrip() + reason


# ------------------------------------------------------------ judges


def side(looser: Callable[[Any, Any], bool], tighter: Callable[[Any, Any], bool]) -> Judge:
    """What judges by these two; changed where neither holds."""
    return lambda old, new: "loosened" if looser(old, new) else "tightened" if tighter(old, new) else "changed"


def longer(old: str | None, new: str | None) -> bool:
    """Whether `new` lasts longer; None lasts for ever."""
    return old is not None and (new is None or span_s(new) > span_s(old))


def held_longer(old: str | None, new: str | None) -> bool:
    """Whether `new` asks for a longer time; None asks for none."""
    return (span_s(new) if new else 0.0) > (span_s(old) if old else 0.0)


def gone(old: Any, new: Any) -> bool:
    """Whether something was there and is not any more."""
    return bool(old) and not new


def fewer(old: tuple[Any, ...], new: tuple[Any, ...]) -> bool:
    """Whether something of `old` is missing in `new`."""
    return not set(old) <= set(new)


LESS_IS_LOOSER = side(lambda old, new: new < old, lambda old, new: new > old)
GOING_IS_LOOSER = side(gone, lambda old, new: gone(new, old))
FEWER_IS_LOOSER = side(fewer, lambda old, new: fewer(new, old))
MORE_IS_LOOSER = side(lambda old, new: fewer(new, old), fewer)
_OF_CRITERION: dict[str, Judge] = {
    "confidence": LESS_IS_LOOSER,
    "n_min": LESS_IS_LOOSER,
    "judge": side(lambda _, new: new == "point", lambda _, new: new == "bound"),
}
_UPWARDS = (">", ">=")


def _threshold(comparison: str) -> Judge:
    if comparison == "==":
        return lambda old, new: "changed"
    upwards = comparison in _UPWARDS
    return side(lambda old, new: (new < old) == upwards, lambda old, new: (new > old) == upwards)


def _comparison(old: str, new: str) -> Direction:
    """`<` to `<=` lets one more value through; any other change turns the meaning round."""
    pairs = {("<", "<="): "loosened", (">", ">="): "loosened", ("<=", "<"): "tightened", (">=", ">"): "tightened"}
    return pairs.get((old, new), "changed")  # type: ignore[return-value]


def of_criterion(place: str, before: Criterion, after: Criterion, reason: str) -> Iterator[Change]:
    """Each key of a criterion that differs."""
    comparable = (before.metric, before.statistic, before.unit) == (after.metric, after.statistic, after.unit)
    for key in before.__struct_fields__:
        one, other = getattr(before, key), getattr(after, key)
        judge = {"threshold": _threshold(after.comparison), "comparison": _comparison}.get(key) or _OF_CRITERION.get(
            key
        )
        if one != other:
            unit = after.unit if key in ("threshold", "margin") else ""
            yield change(f"{place}.criterion.{key}", one, other, (judge if comparable else None) or plain, reason, unit)


def plain(old: Any, new: Any) -> Direction:
    """Neither looser nor tighter."""
    return "changed"


def change(place: str, before: Any, after: Any, judge: Judge, reason: str, unit: str = "") -> Change:
    """The change of the key at that place."""
    old, new = _shown(_words(before), _words(after))
    return Change(
        place=place,
        before=old,
        after=new,
        unit=unit,
        direction=judge(before, after),
        reason=reason,
    )


def _shown(old: str, new: str) -> tuple[str, str]:
    """Both texts from shortly before the place at which they part, where they are long."""
    if max(len(old), len(new)) <= _LONG:
        return old, new
    shorter = min(len(old), len(new))
    same = next((place for place in range(shorter) if old[place] != new[place]), shorter)
    start = max(0, same - _LONG // 3)
    return _part(old, start), _part(new, start)


def _part(text: str, start: int) -> str:
    """The text from `start` on, as much as is shown, with a mark at each end where there is more."""
    part = text[start : start + _LONG].strip()
    return f"{'…' if start else ''}{part}{'…' if len(text) > start + _LONG else ''}"


def _words(value: Any) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, str):
        return value
    if isinstance(value, tuple) and all(isinstance(part, str) for part in value):
        return ", ".join(value)
    return msgspec.json.encode(value).decode()
