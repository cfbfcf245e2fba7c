"""What the desks of all screens do alike: asking in dialogs, running calls in threads, saying how they ended.

Dialogs run as coroutines; everything that waits for the disk, the robot or ssh-keygen runs in a thread and reports by message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from console.checking.messages import Finished
from console.checking.sights import Left
from console.screens.dialog import Dialog
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.campaigns.campaign import Campaign
    from console.checking.checking_app import CheckingApp
    from console.checklist.probes import Sight
    from console.screens.front_screen import FrontScreen

R = TypeVar("R")
A = TypeVar("A")


class AskingDesk:
    """The base of the desks of a campaign: `screen` is what it speaks through."""

    def __init__(self, app: CheckingApp, campaign: Campaign) -> None:
        self.app = app
        self.campaign = campaign
        self.leaving = False

    @property
    def front(self) -> FrontScreen:
        """The screen that it serves."""
        raise NotImplementedError

    def report(self, event: Finished) -> None:
        """Tell the event loop, from any thread, how something ended."""
        self.app.post_message(event)

    def say(self, text: str, role: str = "text") -> None:
        """Say something in the message line."""
        self.front.say(text, role)

    async def ask(self, dialog: Any) -> Any:
        """Show a dialog and wait for its typed answer; None where the person left."""
        return await self.app.push_screen_wait(dialog)

    async def wait(self, what: str, call: Callable[[], R]) -> R | None:
        """What `call`, run in a thread, returns; None where it raised Trouble, which the message line then says."""

        def caught() -> R | Trouble:
            try:
                return call()
            except Trouble as trouble:
                return trouble

        outcome = await self.app.run_worker(caught, thread=True, group="campaign", name=what).wait()
        if isinstance(outcome, Trouble):
            self.app.say_trouble(what, outcome)
            return None
        return outcome

    async def fill_in(self, dialog: Dialog[A], what: str, done: str, call: Callable[[A], object]) -> None:
        """Show a dialog until `call` has done what was answered, or the person leaves; then say how it ended."""

        def ended(outcome: object, trouble: Trouble | None) -> None:
            self.report(Finished(what, done, outcome, trouble))

        await self.tried(dialog, what, call, ended)

    async def tried(
        self,
        dialog: Dialog[A],
        what: str,
        call: Callable[[A], object],
        ended: Callable[[object, Trouble | None], None],
    ) -> None:
        """Show a dialog until `call`, run in a thread with its answer, has returned, or the person leaves.

        What `call` refuses with Trouble stands in the dialog, which keeps all that was entered; where the person left
        meanwhile, `ended` gets it, as it gets what `call` returned.
        """

        async def carry(answer: A) -> Trouble | None:
            def caught() -> object:
                try:
                    return call(answer)
                except Trouble as trouble:
                    return trouble

            outcome = await self.app.run_worker(caught, thread=True, group="campaign", name=what).wait()
            trouble = outcome if isinstance(outcome, Trouble) else None
            if trouble is None or self.app.screen is not dialog:
                ended(None if trouble else outcome, trouble)
            return trouble

        dialog.carry, dialog.carrying = carry, what
        await self.ask(dialog)

    def start(self, what: str, done: str, call: Callable[[], object]) -> None:
        """Run `call` in a thread: the message line says `what` goes on, then `done`, or why not."""
        self.say(f"{self.app.charset.glyph('busy')} {what}...", "info")
        self.app.run_worker(lambda: self._call(what, done, call), thread=True, group="campaign", name=what)

    def start_on_terminal(self, what: str, done: str, call: Callable[[], object], intro: str) -> None:
        """Run `call` on the plain terminal below the line `intro`, with the screen put away: a program may ask there.

        Meanwhile nothing is painted, so this is the one place where the event loop may wait.
        """
        with self.app.plain_terminal(intro):
            self._call(what, done, call)

    def _call(self, what: str, done: str, call: Callable[[], object]) -> None:
        try:
            outcome, trouble = call(), None
        except Trouble as caught:
            outcome, trouble = None, caught
        except Left:
            return
        self.report(Finished(what, done, outcome, trouble))

    def sight(self) -> Sight:
        """How probes look now; without a robot what needs one is unavailable."""
        if self.app.sight_of is None:
            raise Trouble(
                "this screen has no way to look", cure="start it with `fieldgate campaign open`", code="no_sight"
            )
        return self.app.sight_of(self.campaign)
