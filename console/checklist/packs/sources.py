"""The texts that a checklist is made of, and where in them a value stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from console.checklist.pack import Pack
from console.phases.schema import Phase
from remote import strict_yaml
from remote.errors import Trouble
from remote.strict_yaml import Step

CODE = "bad_pack"


class Source(NamedTuple):
    """One file: what errors call it, and its text."""

    name: str
    text: str


class Problem(NamedTuple):
    """Something in a pack that types can't see: the way to it (or to `key` in it), what is wrong, what to do."""

    steps: tuple[Step, ...]
    said: str
    cure: str
    key: str | None = None


class Sources:
    """A pack's text and those of its overlays, which know where each value of the result was written."""

    def __init__(self, pack: Source, overlays: Sequence[Source] = ()) -> None:
        self.pack = pack
        self.overlays = tuple(overlays)

    def trouble(self, problem: Problem, pack: Pack) -> Trouble:
        """The problem as an error that names file, line and path."""
        return Trouble(f"{self.place(problem, pack)}: {problem.said}", cure=problem.cure, code=CODE)

    def place(self, problem: Problem, pack: Pack) -> str:
        """`file, line 12 (stages[0].items[2].probe)`: in the last overlay that says something about it, else in the pack."""
        steps = _to(problem.steps, problem.key)
        for source in reversed(self.overlays):
            inside = _in_overlay(steps, pack)
            if inside and _is_written(strict_yaml.plain(source.text, where=source.name, code=CODE), inside):
                return _place(source, inside, None)
        return _place(self.pack, problem.steps, problem.key)


def _place(source: Source, steps: Sequence[Step], key: str | None) -> str:
    line = strict_yaml.line_of(source.text, steps, key)
    return f"{source.name}, line {line}" + (f" ({strict_yaml.written(steps)})" if steps else "")


def _to(steps: tuple[Step, ...], key: str | None) -> tuple[Step, ...]:
    return steps if key is None else (*steps, key)


def _in_overlay(steps: tuple[Step, ...], pack: Pack) -> tuple[Step, ...]:
    """The same place as an overlay writes it: `items.ID.key...`; empty for what no overlay can change."""
    if len(steps) >= 3 and steps[0] == "phases" and isinstance(steps[1], int):
        return _in_phase(steps, pack.phases[steps[1]])
    if len(steps) < 5 or not (isinstance(steps[1], int) and isinstance(steps[3], int)):
        return ()
    return ("items", pack.stages[steps[1]].items[steps[3]].id, *steps[4:])


def _in_phase(steps: tuple[Step, ...], phase: Phase) -> tuple[Step, ...]:
    """Questions, holding conditions and stop rules are named by their ids there, not by their places."""
    if len(steps) > 3 and steps[2] in ("questions", "holding", "stop") and isinstance(steps[3], int):
        return ("phases", phase.id, steps[2], getattr(phase, str(steps[2]))[steps[3]].id, *steps[4:])
    return ("phases", phase.id, *steps[2:])


def _is_written(data: Any, steps: Iterable[Step]) -> bool:
    for step in steps:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True
