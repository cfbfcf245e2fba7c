"""What differs between two packs: items, limits tightened or loosened, and which evidence goes stale by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from console.checklist.pack import Item, Pack, Stage
from console.checklist.packs.digests import rule_of
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


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What B does differently from A. `stale` are the items in both whose rule differs: their evidence no longer counts."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changes: tuple[Change, ...]
    stale: tuple[str, ...]

    def loosened(self) -> tuple[Change, ...]:
        """The changes that let more through."""
        return tuple(change for change in self.changes if change.direction == "loosened")


def difference(before: Pack, after: Pack, reason: str = "") -> Difference:
    """What `after` does differently; `reason` is put to every change."""
    old, new = ({item.id: item for item in pack.items()} for pack in (before, after))
    both = [id for id in new if id in old]
    changes = [change for id in both for change in _of_item(old[id], new[id], reason)]
    return Difference(
        added=tuple(id for id in new if id not in old),
        removed=tuple(id for id in old if id not in new),
        changes=(*changes, *_of_stages(before, after, reason)),
        stale=tuple(id for id in both if rule_of(old[id]) != rule_of(new[id])),
    )


# ------------------------------------------------------------ directions


def _side(looser: Callable[[Any, Any], bool], tighter: Callable[[Any, Any], bool]) -> Judge:
    return lambda old, new: "loosened" if looser(old, new) else "tightened" if tighter(old, new) else "changed"


def _longer(old: str | None, new: str | None) -> bool:
    """Whether `new` lasts longer; None lasts for ever."""
    return old is not None and (new is None or span_s(new) > span_s(old))


def _held_longer(old: str | None, new: str | None) -> bool:
    return (span_s(new) if new else 0.0) > (span_s(old) if old else 0.0)


def _gone(old: Any, new: Any) -> bool:
    return bool(old) and not new


def _fewer(old: tuple[Any, ...], new: tuple[Any, ...]) -> bool:
    return not set(old) <= set(new)


_LESS_IS_LOOSER = _side(lambda old, new: new < old, lambda old, new: new > old)
_GOING_IS_LOOSER = _side(_gone, lambda old, new: _gone(new, old))
_FEWER_IS_LOOSER = _side(_fewer, lambda old, new: _fewer(new, old))
_MORE_IS_LOOSER = _side(lambda old, new: _fewer(new, old), _fewer)
_STRENGTH: dict[str, int] = {"sensed": 2, "witnessed": 2, "measured": 1, "confirmed": 0}

_OF_ITEM: dict[str, Judge] = {
    "kind": _side(lambda old, new: _STRENGTH[new] < _STRENGTH[old], lambda old, new: _STRENGTH[new] > _STRENGTH[old]),
    "critical": _GOING_IS_LOOSER,
    "hold": _side(lambda old, new: _held_longer(new, old), _held_longer),
    "latched": _GOING_IS_LOOSER,
    "act": _GOING_IS_LOOSER,
    "inspect": _GOING_IS_LOOSER,
    "rests_on": _FEWER_IS_LOOSER,
    "valid_for": _side(_longer, lambda old, new: _longer(new, old)),
    "when": _side(lambda old, new: _gone(new, old), _gone),
    "one_of": _side(lambda old, new: _gone(new, old), _gone),
    "override_by": _MORE_IS_LOOSER,
    "defer_by": _MORE_IS_LOOSER,
    "not_applicable": _side(lambda old, new: _gone(new, old), _gone),
}
_OF_CRITERION: dict[str, Judge] = {
    "confidence": _LESS_IS_LOOSER,
    "n_min": _LESS_IS_LOOSER,
    "judge": _side(lambda _, new: new == "point", lambda _, new: new == "bound"),
}
_UPWARDS = (">", ">=")


def _threshold(comparison: str) -> Judge:
    if comparison == "==":
        return lambda old, new: "changed"
    upwards = comparison in _UPWARDS
    return _side(lambda old, new: (new < old) == upwards, lambda old, new: (new > old) == upwards)


def _comparison(old: str, new: str) -> Direction:
    """`<` to `<=` lets one more value through; any other change turns the meaning round."""
    pairs = {("<", "<="): "loosened", (">", ">="): "loosened", ("<=", "<"): "tightened", (">=", ">"): "tightened"}
    return pairs.get((old, new), "changed")  # type: ignore[return-value]


# ------------------------------------------------------------ walking


def _of_item(old: Item, new: Item, reason: str) -> Iterator[Change]:
    for key in Item.__struct_fields__:
        before, after = getattr(old, key), getattr(new, key)
        if before == after:
            continue
        if key == "criterion" and before is not None and after is not None:
            yield from _of_criterion(old, new, reason)
        elif key == "probe" and before is not None and after is not None and before.name == after.name:
            yield from _of_parameters(old.id, before.parameters, after.parameters, reason)
        else:
            judge = _GOING_IS_LOOSER if key in ("criterion", "probe") else _OF_ITEM.get(key, _plain)
            yield _change(f"{old.id}.{key}", before, after, judge, reason)


def _of_criterion(old: Item, new: Item, reason: str) -> Iterator[Change]:
    before, after = old.criterion, new.criterion
    assert before is not None
    assert after is not None
    comparable = (before.metric, before.statistic, before.unit) == (after.metric, after.statistic, after.unit)
    for key in before.__struct_fields__:
        one, other = getattr(before, key), getattr(after, key)
        judge = {"threshold": _threshold(after.comparison), "comparison": _comparison}.get(key) or _OF_CRITERION.get(
            key
        )
        if one != other:
            unit = after.unit if key in ("threshold", "margin") else ""
            yield _change(
                f"{old.id}.criterion.{key}", one, other, (judge if comparable else None) or _plain, reason, unit
            )


def _of_parameters(id: str, before: dict[str, Any], after: dict[str, Any], reason: str) -> Iterator[Change]:
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            yield _change(f"{id}.probe.parameters.{key}", before.get(key), after.get(key), _plain, reason)


def _of_stages(before: Pack, after: Pack, reason: str) -> Iterator[Change]:
    """The stages' order, gates, and items that moved from one stage to another."""
    old, new = ({stage.id: stage for stage in pack.stages} for pack in (before, after))
    if list(old) != list(new):
        yield _change("stages", tuple(old), tuple(new), _plain, reason)
    for id in (id for id in new if id in old):
        yield from _of_gate(old[id], new[id], reason)
    stage_of = {item.id: stage.id for stage in before.stages for item in stage.items}
    for stage in after.stages:
        for item in stage.items:
            if stage_of.get(item.id, stage.id) != stage.id:
                yield _change(f"{item.id}.stage", stage_of[item.id], stage.id, _plain, reason)


def _of_gate(old: Stage, new: Stage, reason: str) -> Iterator[Change]:
    judges: dict[str, Judge] = {
        "poll": _FEWER_IS_LOOSER,
        "signatures": _FEWER_IS_LOOSER,
        "overrides_allowed": _side(lambda _, after: bool(after), lambda _, after: not after),
    }
    for key, judge in judges.items():
        before, after = getattr(old.gate, key), getattr(new.gate, key)
        if before != after:
            yield _change(f"{new.id}.gate.{key}", before, after, judge, reason)


def _plain(old: Any, new: Any) -> Direction:
    return "changed"


def _change(place: str, before: Any, after: Any, judge: Judge, reason: str, unit: str = "") -> Change:
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
