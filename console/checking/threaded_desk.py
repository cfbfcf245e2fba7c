"""What the desks of models and failures do alike: calls run in threads and report by message, dialogs are waited for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from console.actions import Place
from console.checking.messages import Reported
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.checking.checking_app import CheckingApp


@dataclass(frozen=True)
class Failed:
    """`what` was not done."""

    what: str
    trouble: Trouble


class ThreadedDesk:
    """The base of a desk within `app` that serves the screen of `place`; what is told comes to its `take`."""

    place: ClassVar[Place]

    def __init__(self, app: CheckingApp) -> None:
        self.app = app
        self._offered: tuple[object, ...] = ()

    @property
    def enter_key(self) -> tuple[str, str] | None:
        """What Enter does, or Esc."""
        raise NotImplementedError

    def offered(self) -> tuple[str, ...]:
        """What the key line offers: what would do something now."""
        raise NotImplementedError

    @property
    def labels(self) -> dict[str, str]:
        """What the key line calls the actions whose name would be wrong now."""
        return {}

    def show_offered(self) -> None:
        """Show the key line anew where it would be another one."""
        offered = (self.offered(), self.labels, self.enter_key)
        if offered != self._offered:
            self._offered = offered
            self.app.show_keys()

    def run(self, what: str, call: Callable[[], object]) -> None:
        """Run `call` in a thread; its report, or why there is none, comes to `take`."""

        def caught() -> None:
            try:
                report = call()
            except Trouble as trouble:
                report = Failed(what, trouble)
            self.tell(report)

        self.app.run_worker(caught, thread=True, group=self.place, name=what)

    def tell(self, report: object) -> None:
        """Report from any thread."""
        self.app.post_message(Reported(self.place, report))

    async def ask(self, dialog: Any) -> Any:
        """Show a dialog and wait for its typed answer; None where the person left."""
        return await self.app.push_screen_wait(dialog)
