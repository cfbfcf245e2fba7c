"""What threads report to the checklist screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from console.actions import Place
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.campaigns.campaign import Campaign
    from console.checklist.states import ChecklistState


class CampaignOpened(Message):
    """A campaign was opened by `person` to show `place`, or why not."""

    def __init__(
        self, campaign: Campaign | None, person: str, trouble: Trouble | None, place: Place = "checklist"
    ) -> None:
        super().__init__()
        self.place = place
        self.campaign = campaign
        self.person = person
        self.trouble = trouble


class Reported(Message):
    """A thread of the desk of `place` has something to say to it."""

    def __init__(self, place: Place, report: object) -> None:
        super().__init__()
        self.place = place
        self.report = report


class Folded(Message):
    """The record was folded anew, or why it could not be."""

    def __init__(self, state: ChecklistState | None, trouble: Trouble | None) -> None:
        super().__init__()
        self.state = state
        self.trouble = trouble


class Checked(Message):
    """A look at the item of that id has begun or ended."""

    def __init__(self, item_id: str) -> None:
        super().__init__()
        self.item_id = item_id


class Finished(Message):
    """What was asked of the campaign has ended: `outcome`, or why not. `done` says it in words."""

    def __init__(self, what: str, done: str, outcome: object, trouble: Trouble | None) -> None:
        super().__init__()
        self.what = what
        self.done = done
        self.outcome = outcome
        self.trouble = trouble
