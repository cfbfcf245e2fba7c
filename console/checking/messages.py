"""What threads report to the checklist screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from remote.errors import Trouble

if TYPE_CHECKING:
    from console.checklist.campaign import Campaign
    from console.checklist.states import ChecklistState


class CampaignOpened(Message):
    """A campaign was opened, or why not."""

    def __init__(self, campaign: Campaign | None, trouble: Trouble | None) -> None:
        super().__init__()
        self.campaign = campaign
        self.trouble = trouble


class Folded(Message):
    """The record was folded anew, or why it could not be."""

    def __init__(self, state: ChecklistState | None, trouble: Trouble | None) -> None:
        super().__init__()
        self.state = state
        self.trouble = trouble


class Checked(Message):
    """One of several looks has ended: the item's id."""

    def __init__(self, item_id: str) -> None:
        super().__init__()
        self.item_id = item_id


class Finished(Message):
    """What was asked of the campaign has ended: `outcome`, or why not. `items` were running meanwhile."""

    def __init__(self, what: str, done: str, outcome: object, trouble: Trouble | None, items: tuple[str, ...]) -> None:
        super().__init__()
        self.what = what
        self.done = done
        self.outcome = outcome
        self.trouble = trouble
        self.items = items
