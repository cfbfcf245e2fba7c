"""The desk of one open campaign: it folds the record every second, runs what is asked in threads, and says how it ended.

Dialogs run as coroutines; everything that waits for the disk, the robot or ssh-keygen runs in a thread and reports by message.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from console.actions import BY_NAME, doing_something
from console.checking.applicable import applicable_to, offered_for
from console.checking.asking_desk import AskingDesk
from console.checking.messages import Checked, Finished, Folded
from console.checking.view import ChecklistView
from console.checklist.pack import Stage
from console.checklist.states import ChecklistState, ItemState, SignatureState
from console.record.entries import Transcribed
from console.screens.checklist import ChecklistScreen
from console.view import View
from console.widgets.cells import clean
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.campaigns.campaign import Campaign
    from console.checking.checking_app import CheckingApp

FOLD_EVERY_S = 1.0
OBSERVE_EVERY_S = 15.0
"""How often robot and files are looked at for what evidence rests on: a changed model makes ticks stale while one watches."""


class Desk(AskingDesk):
    """Serves the checklist screen of `campaign` within `app`."""

    def __init__(self, app: CheckingApp, campaign: Campaign, person: str) -> None:
        super().__init__(app, campaign)
        self.person = person
        self.paper: Transcribed | None = None
        self.screen = ChecklistScreen(app.ink())
        self.unfolded: set[str] = set()
        self._state: ChecklistState | None = None
        self._folding = False
        self._observing = False
        self._begun = False

    @property
    def front(self) -> ChecklistScreen:
        """The checklist screen."""
        return self.screen

    # ------------------------------------------------------------ the state

    @property
    def state(self) -> ChecklistState:
        """The newest fold; only asked for after the first one came."""
        assert self._state is not None
        return self._state

    @property
    def newest(self) -> ChecklistState | None:
        """The newest fold, None before the first one."""
        return self._state

    @property
    def item(self) -> ItemState | None:
        """The selected item as it is now."""
        return self.screen.items.item

    @property
    def stage(self) -> Stage:
        """The stage of what is selected."""
        entry = self.screen.items.selected
        id = entry.stage if entry else self.state.stage
        return next(stage.stage for stage in self.state.stages if stage.stage.id == id)

    def begin(self) -> None:
        """Fold now and from now on every second; look now and then whether what evidence rests on has changed."""
        self.fold()
        if self._begun:  # by another screen of the same campaign
            return
        self._begun = True
        self.observe()
        self.app.set_interval(FOLD_EVERY_S, self.fold, name="fold")
        self.app.set_interval(OBSERVE_EVERY_S, self.observe, name="observe")

    def observe(self) -> None:
        """Ask the robot and the files in a thread what they are now, unless that is being done already."""
        if not self._observing and self.app.sight_of is not None:
            self._observing = True
            self.app.run_worker(self._observe, thread=True, group="observe", name="observe")

    def _observe(self) -> None:
        try:
            if self.campaign.observe(self.sight(), self.person):
                self.app.post_message(Folded(self.campaign.state(), None))
        except Trouble as trouble:
            self.app.post_message(Folded(None, trouble))
        finally:
            self._observing = False

    def fold(self) -> None:
        """Fold the record in a thread, unless that is being done already."""
        if not self._folding:
            self._folding = True
            self.app.run_worker(self._fold, thread=True, group="fold", name="fold")

    def _fold(self) -> None:
        try:
            self.app.post_message(Folded(self.campaign.state(), None))
        except Trouble as trouble:
            self.app.post_message(Folded(None, trouble))

    def folded(self, event: Folded) -> None:
        """Show the new state, or why there is none."""
        self._folding = False
        if event.state is None:
            self.app.say_trouble("read the record", event.trouble)
            return
        self._state = event.state
        self.show()

    def show(self) -> None:
        """Show what is known."""
        if self._state is not None and self.screen.is_mounted:
            self.screen.show(self.view())

    def view(self) -> ChecklistView:
        """What the widgets show."""
        return ChecklistView(
            state=self.state,
            charset=self.app.charset,
            person=self.person,
            paper=self.paper.by if self.paper else "",
            unfolded=frozenset(self.unfolded),
        )

    def applicable(self) -> frozenset[str]:
        """The names of the actions that apply to what is selected."""
        if self._state is None:
            return frozenset()
        return applicable_to(self.state, self.screen.items.selected)

    def offered(self) -> tuple[str, ...]:
        """Those that the key line offers for what is selected, in its order."""
        return offered_for(self.state, self.screen.items.selected) if self._state is not None else ()

    @property
    def enter_key(self) -> tuple[str, str]:
        """(key, label) of what Enter does with the selected row, or of the way back out of the evidence."""
        entry = self.screen.items.selected
        if self.screen.pane is self.screen.detail:
            return "Esc", "back"
        return "Enter", "(un)fold" if entry is not None and entry.key.startswith("fold:") else "evidence"

    def show_link(self, view: View) -> None:
        """Show the robot's status line."""
        self.screen.show_link(view)

    def take(self, report: Any) -> None:
        """Nothing is reported to this desk this way: its messages have names of their own."""

    def toggle_fold(self, stage: str) -> None:
        """Show the passed sensed items of a stage one by one, or fold them again."""
        self.unfolded ^= {stage}
        self.show()

    # ------------------------------------------------------------ acting

    def act(self, name: str) -> None:
        """Do the action of that name, if it applies to what is selected; else say that it does not."""
        from console.checking import item_acts, stage_acts

        if self._state is None:
            return
        if name not in self.applicable():
            does = [one for one in doing_something(self.offered(), self.app.newest.link.phase) if one.shown][:6]
            words = ", ".join(f"{one.shown} {one.label}" for one in does)
            self.say(f"{BY_NAME[name].label}: does not apply here; {words}", "warning")
            return
        if not self.screen.message.is_busy:
            self.say("")
        found: Callable[[Desk], Awaitable[None]] = getattr(item_acts, name, None) or getattr(stage_acts, name)
        self.app.begin_act(partial(found, self), name)

    def checked(self, event: Checked) -> None:
        """A look has begun or ended."""
        self.fold()

    def finished(self, event: Finished) -> None:
        """Say how it ended and show what came of it."""
        if event.trouble is not None:
            self.app.say_trouble(event.what, event.trouble)
        else:
            self._say_outcome(event)
        self.fold()

    def _say_outcome(self, event: Finished) -> None:
        done, bad = event.done, False
        if isinstance(outcome := event.outcome, ItemState):
            done = f"{clean(outcome.item.title)}: {outcome.state}"
            done += f" - {clean(outcome.reason)}" if outcome.reason and outcome.state != "pass" else ""
            bad = outcome.state in ("fail", "unavailable")
        elif isinstance(outcome, SignatureState) and outcome.void:
            done, bad = f"{done}, but it does not count: {clean(outcome.void)}", True
        elif isinstance(outcome, str) and outcome:
            done = clean(outcome)
        mark, role = ("warning", "warning") if bad else ("ok", "ok")
        self.say(f"{self.app.charset.glyph(mark)} {done}", role)
