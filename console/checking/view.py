"""What the checklist's widgets are handed at each repaint: the folded state and what only this screen knows."""

from __future__ import annotations

from dataclasses import dataclass

from console.checklist.states import ChecklistState, ItemState, StageState
from console.marks import Charset


@dataclass(frozen=True)
class ChecklistView:
    """One repaint's input.

    `person`: who sits at the keyboard. `paper`: whose paper form entries are being copied from; empty where they are
    not. `unfolded`: ids of the stages whose passed sensed items are shown one by one.
    """

    state: ChecklistState
    charset: Charset
    person: str
    paper: str = ""
    unfolded: frozenset[str] = frozenset()

    def age_s(self, wall_ns: int) -> float:
        """Seconds from then to the moment of this state; negative for what lies ahead."""
        return (self.state.wall_ns - wall_ns) / 1e9

    def stage(self, id: str) -> StageState:
        """The stage of that id; KeyError where there is none."""
        for stage in self.state.stages:
            if stage.stage.id == id:
                return stage
        raise KeyError(id)


def folds(item: ItemState) -> bool:
    """Whether it needs nobody's eye: sensed, passed without a mark or a word of warning."""
    return item.item.kind == "sensed" and item.state == "pass" and not item.flags
