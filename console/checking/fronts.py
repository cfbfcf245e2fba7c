"""The screens beside the live one, by place: what makes the desk that serves each.

A new screen is an entry here, a place and its keys in console.actions, and `action_PLACE_screen` in CheckingApp.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from console.actions import Place
from console.view import View

if TYPE_CHECKING:
    from console.checking.checking_app import CheckingApp
    from console.screens.front_screen import FrontScreen


class FrontDesk(Protocol):
    """What the application asks of the desk behind a screen. It runs what is asked in threads, which report by
    `console.checking.messages.Reported`."""

    leaving: bool
    """Set when the person leaves: what still runs is to give up."""

    @property
    def screen(self) -> FrontScreen:
        """The screen that it serves."""
        ...

    @property
    def enter_key(self) -> tuple[str, str] | None:
        """(key, label) of what Enter or Esc does now, for the key line; None: nothing."""
        ...

    def begin(self) -> None:
        """Start what goes on by itself; called once, after the screen came to the front for the first time."""
        ...

    def offered(self) -> tuple[str, ...]:
        """The names of the place's actions that apply now, in the order in which the key line offers them."""
        ...

    def act(self, name: str) -> None:
        """Do the action of that name, or say why it does not apply."""
        ...

    def show(self) -> None:
        """Show what is known now; called when the open campaign was folded anew."""
        ...

    def show_link(self, view: View) -> None:
        """Show the newest view; called at each repaint while the screen is in front."""
        ...

    def take(self, report: Any) -> None:
        """Take what a thread of this desk reported."""
        ...


@dataclass(frozen=True)
class Front:
    """`make` builds the desk, importing what it needs only then. `campaign`: one must be open first."""

    make: Callable[[CheckingApp], FrontDesk]
    campaign: bool = True


def _checklist(app: CheckingApp) -> FrontDesk:
    assert app.desk is not None  # it is made when the campaign is opened
    return app.desk


def _field(app: CheckingApp) -> FrontDesk:
    from console.testing.desk import FieldDesk

    assert app.desk is not None
    return FieldDesk(app, app.desk)


def _failures(app: CheckingApp) -> FrontDesk:
    from console.reviewing.desk import ReviewDesk

    return ReviewDesk(app)


def _models(app: CheckingApp) -> FrontDesk:
    from console.changing.desk import ModelsDesk

    return ModelsDesk(app)


FRONTS: dict[Place, Front] = {
    "checklist": Front(_checklist),
    "field": Front(_field),
    "failures": Front(_failures, campaign=False),
    "models": Front(_models, campaign=False),
}
