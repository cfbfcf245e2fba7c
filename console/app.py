"""The Textual application: a session's snapshots in, views out at a steady rate, commands from keys."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.filter import LineFilter, Monochrome, NoColor
from textual.message import Message
from textual.screen import Screen

from console.actions import ACTIONS, Place
from console.alarms import AlarmBook
from console.checking.checking_app import CheckingApp, Opener
from console.commanding import Answered
from console.fieldtest.kpis import Kpis
from console.link.session import Session
from console.link.snapshot import Link, Snapshot
from console.marks import ASCII, UNICODE
from console.screens.live import LiveScreen
from console.trends import Trends
from console.view import View
from console.widgets.ink import THEMES, styles_of, without_colour
from remote.errors import Trouble
from remote.loose_threads import LooseThreads

if TYPE_CHECKING:
    from console.campaigns.campaign import Campaign
    from console.checklist.probes import Sight

LOW_BANDWIDTH_HZ = 0.5
REPAINT_HZ_MAX = 10.0
WITHOUT_CAMPAIGN: tuple[Place, ...] = ("failures", "models")
"""Screens beside the live one that need no campaign."""
LEAVE_S = 5.0
"""How long what still runs in threads (an export, an answer of the robot) is waited for when the person leaves."""
BEGIN_S = 0.5
"""When it begins at the latest, painted or not."""
SEARCH_EVERY_S = 3.0
"""How often a session is looked for that is open, but not watched here: another program may have begun it."""


class Told(Message):
    """A line of narration came from another thread."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class FieldgateApp(CheckingApp):
    """One robot: its live screen, and the checklist of its campaign. `threads` is what all of it runs in that takes long.

    Args:
        session: the robot; started after the first paint. Whoever made it closes it.
        robot: its name, shown until the session says more.
        kpis: the alarm rules; None loads those of the robot's campaign, or of fieldgate itself, after the first paint.
        ascii: write no byte beyond ASCII.
        low_bandwidth: repaint every 2 s, no histories.
        repaint_hz: repaints a second, up to 10; data may come faster.
        clock: monotonic nanoseconds.
        theme_name: one of widgets/ink.py's, without the prefix `fieldgate-`.
        opener: opens the campaign that is shown first; None begins on the live screen.
        first: the screen that is shown first; without an opener only one that needs no campaign.
        person: who sits at the keyboard, as they say; None: as console.people finds.
        sight_of: how the probes of a campaign look at the robot; None: they can't.
    """

    TITLE = "fieldgate"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(action.keys, action.name, action.label, show=False) for action in ACTIONS if action.place == "every"
    ]

    def __init__(
        self,
        session: Session,
        *,
        robot: str,
        kpis: Kpis | None = None,
        ascii: bool = False,
        low_bandwidth: bool = False,
        repaint_hz: float = 2.0,
        clock: Callable[[], int] = time.monotonic_ns,
        theme_name: str = "dark",
        opener: Opener | None = None,
        first: Place = "checklist",
        person: str | None = None,
        sight_of: Callable[[Campaign], Sight] | None = None,
    ) -> None:
        super().__init__()
        self.threads = LooseThreads(LEAVE_S)
        self.opener = opener
        self.first = first
        self.person = person
        self.sight_of = sight_of
        self.session = session
        self.ascii = ascii
        self.low_bandwidth = low_bandwidth
        self.repaint_hz = LOW_BANDWIDTH_HZ if low_bandwidth else min(max(repaint_hz, 0.1), REPAINT_HZ_MAX)
        self.clock = clock
        self.charset = ASCII if ascii else UNICODE
        self._kpis = kpis
        self.book = AlarmBook(kpis or Kpis(), clock)
        self._trends = Trends()
        now_ns = clock()
        link = Link(phase="connecting", since_ns=now_ns, transport="")
        self._newest = Snapshot(robot=robot, taken_ns=now_ns, link=link)
        self._shown: Snapshot | None = None
        self._begun = False
        self._extra_filters: list[LineFilter] = []
        for theme in THEMES:
            self.register_theme(theme)
        # Without the watcher, which would parse all styles a second time before the first paint.
        self.set_reactive(App.theme, f"fieldgate-{theme_name}")
        self.stylesheet.set_variables(self.get_css_variables())
        self.set_class(ascii, "ascii")
        self.live = LiveScreen(self.ink())

    # ------------------------------------------------------------ looks

    def get_default_screen(self) -> Screen[None]:
        """The live screen itself, so that the first paint is already it."""
        return self.live

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's filters; with NO_COLOR none but bare attributes, with `ascii` the twins of all characters."""
        filters = [one for one in super().get_line_filters() if not isinstance(one, Monochrome)]
        if not self._extra_filters and (self.ascii or self.no_color):
            self._extra_filters = self._own_filters()
        return [*filters, *self._extra_filters]

    def _own_filters(self) -> list[LineFilter]:
        from console.widgets.ascii_filter import AsciiFilter

        return [*([NoColor()] if self.no_color else []), *([AsciiFilter()] if self.ascii else [])]

    def ink(self) -> dict[str, Any]:
        """The styles of the theme in use."""
        styles = styles_of(self.current_theme)
        return without_colour(styles) if self.no_color else styles

    def action_next_theme(self) -> None:
        """The next of dark, light, high contrast."""
        names = [theme.name for theme in THEMES]
        self.theme = names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else names[0]
        self.live.set_ink(self.ink())
        for desk in self.desks.values():
            desk.screen.set_ink(self.ink())
        self.front.say(f"theme: {self.theme.removeprefix('fieldgate-')}", "muted")

    # ------------------------------------------------------------ data

    def on_mount(self) -> None:
        """Paint once with nothing known, then begin."""
        asyncio.get_running_loop().set_default_executor(self.threads)
        self.show_keys()
        self.live.show(self._view())
        self.call_after_refresh(self._begin)
        self.set_timer(
            BEGIN_S, self._begin
        )  # a key that changes the screen before it was painted takes the call with it

    def _begin(self) -> None:
        if self._begun:
            return
        self._begun = True
        # What was made for the start stays: collecting it no more keeps later collections short and frequent.
        gc.collect()
        gc.freeze()
        self.set_interval(1 / self.repaint_hz, self._tick, name="repaint")
        self.run_worker(self._start_session, thread=True, name="start session")
        self.set_interval(SEARCH_EVERY_S, self.search_sessions, name="search sessions")
        if self.opener is not None or self.first in WITHOUT_CAMPAIGN:
            self.show_screen(self.first)

    def _start_session(self) -> None:
        from console.fieldwork.figures import kpis_of_robot

        if self._kpis is None:
            self.call_from_thread(self._use, kpis_of_robot(self.newest.robot))
        try:
            self.session.watch_samples(self.repaint_hz)
            self.session.start(self.receive)
        except Trouble as trouble:
            self.post_message(Answered("open the session", "", trouble))

    def _use(self, kpis: Kpis) -> None:
        self._kpis, self.book = kpis, AlarmBook(kpis, self.clock)

    def receive(self, snapshot: Snapshot) -> None:
        """Take a snapshot, from any thread; the next repaint shows the newest one."""
        self._newest = snapshot

    def _tick(self) -> None:
        view = self._view()
        desk = self.desks.get(self.place)
        if desk is not None:
            desk.show_link(view)
        else:
            self.live.show(view)
        if self._shown is None or self._shown.link.phase != view.snapshot.link.phase:
            self.show_keys()
        if self._shown is not None and self._shown is not view.snapshot:
            self._notice(self._shown, view.snapshot)
            self.noticed(self._shown, view.snapshot)
        self._shown = view.snapshot

    def _view(self) -> View:
        snapshot = self._newest
        self._trends.take(snapshot)
        return View(
            snapshot=snapshot,
            now_ns=self.clock(),
            kpis=self._kpis or Kpis(),
            alarms=self.book.fold(snapshot),
            blind=self.book.blind,
            trends=self._trends,
            charset=self.charset,
            mine=self.session.holds_lease,
            panes=self.live.panes,
            sparks=not self.low_bandwidth,
            paused_ns=self.paused_ns,
            session=self.session_seen(),
        )

    def _notice(self, before: Snapshot, now: Snapshot) -> None:
        """Say what a person should not overlook: the lease changed hands."""
        was = before.state.lease if before.state else None
        lease = now.state.lease if now.state else None
        if lease is not None and (was is None or was.epoch != lease.epoch) and not self.session.holds_lease:
            taken = f", taken over from {lease.last_taken_from}" if lease.last_taken_from else ""
            other = "another console of " if lease.holder == lease.last_taken_from else ""
            self.notify(
                f"{other}{lease.holder} commands this robot now{taken}", title="lease", severity="warning", timeout=8
            )

    # ------------------------------------------------------------ a mistake in the program

    def _handle_exception(self, error: Exception) -> None:
        """End, without Textual's page of local variables: whoever ran the application says what it was, see `crash`."""
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._close_messages_no_wait()

    @property
    def crash(self) -> BaseException | None:
        """The exception that ended the application."""
        error = self._exception
        return getattr(error, "error", None) or error  # a worker's comes wrapped

    # ------------------------------------------------------------ words

    def say(self, text: str) -> None:
        """Show a line of narration (a tour's) above the keys; an empty one removes it. From any thread."""
        self.post_message(Told(text))

    def on_told(self, event: Told) -> None:
        """Show the narration."""
        self.front.tell(event.text)

    @property
    def newest(self) -> Snapshot:
        """The newest snapshot, shown or not."""
        return self._newest

    def repaint(self) -> None:
        """Repaint at once after a key, instead of at the next turn."""
        self._tick()
