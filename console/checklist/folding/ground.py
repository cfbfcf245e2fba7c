"""What a gate is judged on: the record's entries, what is in force, and how every item stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.checklist.folding.staleness import Change, Present
from console.checklist.folding.together import Words
from console.checklist.pack import Stage
from console.checklist.states import ItemState
from console.phases.states import FieldState
from console.record.ledger import Ledger


@dataclass(frozen=True)
class Ground:
    """`revisions` are the checklist revisions in force, one after the other; `words` the overrides and deferrals that count;
    `field` how the phases stand by what was tried."""

    ledger: Ledger
    stages: Sequence[Stage]
    present: Present
    revisions: tuple[Change, ...]
    words: Words
    states: Mapping[str, ItemState]
    field: FieldState

    @property
    def bundle(self) -> str:
        """The campaign's bundle now."""
        return value_at(self.present.bundle)

    @property
    def revision(self) -> str:
        """The checklist's revision now."""
        return value_at(self.revisions)

    def of(self, stage: Stage) -> list[ItemState]:
        """The states of the stage's items, in order."""
        return [self.states[item.id] for item in stage.items]

    def until(self, stage: Stage) -> list[Stage]:
        """The stages from the first up to this one."""
        return list(self.stages[: [one.id for one in self.stages].index(stage.id) + 1])

    def rests_on(self, stage: Stage) -> set[str]:
        """The names of all fingerprints that the stage's items rest on."""
        names = {name for item in stage.items for name in item.rests_on}
        for basis in (one.basis for one in self.of(stage) if one.basis is not None):
            names.update(basis.evidence.fingerprints if basis.evidence else ())
            names.update(basis.confirmation.fingerprints if basis.confirmation else ())
        return names

    def revised_after(self, seq: int) -> bool:
        """Whether another bundle or checklist came into force after that entry."""
        return any(changes and changes[-1].seq > seq for changes in (self.present.bundle, self.revisions))


def value_at(changes: Sequence[Change], seq: int | None = None) -> str:
    """The value after entry `seq` (None: now); empty before the first."""
    return next((one.value for one in reversed(changes) if seq is None or one.seq <= seq), "")
