"""Switching among the screens, opening a campaign, handing keys and messages to the desks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import work
from textual.app import SuspendNotSupported, SystemCommand
from textual.screen import Screen

from console.actions import BY_NAME, Place, in_key_line, on_screen
from console.commanding import CommandingApp
from remote.errors import Trouble

if TYPE_CHECKING:
    from rich.style import Style

    from console.campaigns.campaign import Campaign
    from console.checking.desk import Desk
    from console.checking.fronts import FrontDesk
    from console.checking.messages import CampaignOpened, Checked, Finished, Folded, Reported
    from console.checklist.probes import Sight
    from console.link.snapshot import Snapshot
    from console.screens.field_test import FieldScreen
    from console.screens.front_screen import FrontScreen
    from console.widgets.checklist_list import ChecklistList

Opener = Callable[[], "Campaign"]
WAYS = ("3", "4", "5", ":")
"""Keys that every key line names where it is wide: nobody finds a screen that no line tells of."""


class CheckingApp(CommandingApp):
    """Several screens over one robot: live data goes on whichever is shown.

    `desks` serve the screens beside the live one, each from when it was first asked for: what they need is imported then,
    so that the live screen starts without it.
    """

    opener: Opener | None = None
    """Opens the campaign that the app was started on; None: the robot's only one is looked for."""
    person: str | None = None
    """Who sits at the keyboard, as the command line says; None: as console.people finds."""
    sight_of: Callable[[Campaign], Sight] | None = None
    """How probes look at the robot; None: they can't."""
    on_leave: Callable[[], None] | None = None
    """Called when the person leaves, before threads are waited for."""
    desk: Desk | None = None
    """Serves the open campaign's checklist; None before one was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.desks: dict[Place, FrontDesk] = {}
        self._unwatched = False
        self._searching = False

    def ink(self) -> dict[str, Style]:
        """The styles of the theme in use."""
        raise NotImplementedError

    # ------------------------------------------------------------ which screen

    @property
    def place(self) -> Place:
        """Which screen is in front, dialogs aside."""
        return next((place for place, desk in self.desks.items() if desk.screen in self.screen_stack), "live")

    @property
    def front(self) -> FrontScreen:
        """The screen in front, dialogs aside."""
        desk = self.desks.get(self.place)
        return desk.screen if desk is not None else self.live

    @property
    def fronts(self) -> tuple[FrontScreen, ...]:
        """All screens that were in front."""
        return (self.live, *(desk.screen for desk in self.desks.values()))

    def action_live_screen(self) -> None:
        """Show the robot as it is now."""
        if self.place != "live":
            self.pop_screen()
            self.switched()

    def action_checklist_screen(self) -> None:
        """Show the checklist, opening the robot's campaign first."""
        self.go("checklist")

    def action_field_screen(self) -> None:
        """Show the field test of the robot's campaign."""
        self.go("field")

    @work(exclusive=True, group="dialog")
    async def action_failures_screen(self) -> None:
        """Show the failures of all days. What that needs is imported beside the event loop, which goes on meanwhile."""
        if "failures" not in self.desks:
            await self.run_worker(lambda: import_module("console.reviewing.desk"), thread=True).wait()
        self.go("failures")

    def action_models_screen(self) -> None:
        """Show which model runs on each robot."""
        self.go("models")

    def show_screen(self, place: Place) -> None:
        """Bring the screen of `place` to the front by its own action."""
        getattr(self, f"action_{place}_screen")()

    def go(self, place: Place) -> None:
        """Bring the screen of `place`, not the live one, to the front; where it needs the robot's campaign, open that first."""
        from console.checking.fronts import FRONTS

        front = FRONTS[place]
        if place == self.place:
            return
        if front.campaign and self.desk is None:
            self._open_campaign(place)
            return
        new = place not in self.desks
        if new:
            self.desks[place] = front.make(self)
            self.install_screen(self.desks[place].screen, place)
        self._bring(self.desks[place].screen)
        if new:
            self.desks[place].begin()
        self.switched()

    def _bring(self, screen: FrontScreen) -> None:
        if self.place == "live":
            self.push_screen(screen)
        else:
            self.switch_screen(screen)

    def switched(self) -> None:
        """Show the present in the screen that came to the front."""
        self.call_after_refresh(self.repaint)
        self.show_keys()

    def noticed(self, before: Snapshot, now: Snapshot) -> None:
        """Look at once what the robot is when it came back, or when another bundle runs on it."""
        was, is_ = (one.state.bundle.digest if one.state and one.state.bundle else "" for one in (before, now))
        if self.desk is not None and (was != is_ or (now.link.phase == "up") > (before.link.phase == "up")):
            self.desk.observe()

    def show_keys(self) -> None:
        """Fill the key line of the screen in front."""
        desk = self.desks.get(self.place)
        actions = in_key_line(self.newest.link.phase, self.place, desk.offered() if desk is not None else None)
        labels: Mapping[str, str] = getattr(desk, "labels", {})
        keys = [(action.shown, labels.get(action.name, action.label)) for action in actions]
        if desk is not None and (key := desk.enter_key) is not None:
            keys.insert(0 if key[0] == "Esc" else min(1, len(desk.offered())), key)
        always = {"live": (), "field": ("?",)}.get(self.place, ("?", ":"))
        self.front.keys.show_keys(keys, always, WAYS)

    async def action_quit(self) -> None:
        """Leave; a look that goes on is given up, so that nobody waits for it."""
        for desk in self.desks.values():
            desk.leaving = True
        if self.on_leave is not None:
            self.on_leave()
        await super().action_quit()

    # ------------------------------------------------------------ the open session

    def session_seen(self) -> tuple[str, str]:
        """How the field test's open session stands, for every status line: (words, colour role); empty where none is."""
        newest = self.desk.newest if self.desk is not None else None
        if newest is None:
            return ("session open, not watched here (3)", "warning") if self._unwatched else ("", "text")
        session = newest.field.session
        if session is None:
            return "", "text"
        if session.paused:
            return f"PAUSED: {session.paused}", "critical"
        if other := getattr(self.desks.get("field"), "other_bundle", ""):
            return f"session: other model - {other.partition(',')[0]}", "critical"
        from console.widgets.drawing import duration

        return f"session: running {duration((newest.wall_ns - session.began_wall_ns) / 1e9, whole=True)}", "info"

    def search_sessions(self) -> None:
        """See in a thread whether a campaign of this robot that is not open here has a session that nobody watches here."""
        if self.desk is None and not self._searching:
            self._searching = True
            self.run_worker(self._search_sessions, thread=True, name="search sessions")

    def _search_sessions(self) -> None:
        from console.checking.open_sessions import has_open_session

        try:
            self._unwatched = has_open_session(self.newest.robot)
        finally:
            self._searching = False

    def _watch_session(self) -> None:
        """Watch over a session that is open, also where nobody has looked at its screen yet."""
        newest = self.desk.newest if self.desk is not None else None
        if newest is None or newest.field.session is None or "field" in self.desks:
            return
        from console.checking.fronts import FRONTS
        from console.testing.desk import FieldDesk

        desk = FRONTS["field"].make(self)
        assert isinstance(desk, FieldDesk)
        self.desks["field"] = desk
        self.install_screen(desk.screen, "field")
        desk.watch()

    # ------------------------------------------------------------ opening

    @work(exclusive=True, group="dialog")
    async def _open_campaign(self, place: Place) -> None:
        opener = self.opener or await self._choose_campaign()
        if opener is not None:
            self.front.say(f"{self.charset.glyph('busy')} reading the campaign...", "info")
            self.run_worker(lambda: self._opened(opener, place), thread=True, name="open campaign")

    async def _choose_campaign(self) -> Opener | None:
        """The only campaign of the robot, or the chosen one of several."""
        from console.checking.campaigns import campaigns_of, opener_of
        from console.screens.choose import ChooseScreen

        robot = self.newest.robot
        choices = await self.run_worker(lambda: campaigns_of(robot), thread=True).wait()
        if len(choices) == 1:
            return opener_of(choices[0].value)
        if choices:
            chosen = await self.push_screen_wait(ChooseScreen(f"Which campaign of {robot}?", choices, None))
            return opener_of(chosen) if chosen else None
        make = f"fieldgate campaign new {robot} --bundle BUNDLE --pack PACK"
        self.front.say(f"no campaign of {robot} is on this laptop yet - make one: {make}", "warning")
        return None

    def _opened(self, opener: Opener, place: Place) -> None:
        from console.checking.messages import CampaignOpened
        from console.people import who

        try:
            self.post_message(CampaignOpened(opener(), who(self.person), None, place))
        except Trouble as trouble:
            self.post_message(CampaignOpened(None, "", trouble))

    def on_campaign_opened(self, event: CampaignOpened) -> None:
        """Show the screen that it was opened for, or say why it can't be opened."""
        if event.campaign is None:
            self.say_trouble("open the campaign", event.trouble)
            return
        from console.checking.desk import Desk

        self.front.say("", "text")
        self.desk = Desk(self, event.campaign, event.person)
        self.desk.begin()
        self.go(event.place)

    # ------------------------------------------------------------ handing on

    def action_at_desk(self, name: str) -> None:
        """Do one of the own actions of the screen in front."""
        desk = self.desks.get(self.place)
        if desk is not None:
            desk.act(name)

    def on_reported(self, event: Reported) -> None:
        """What a desk's thread reports is that desk's."""
        desk = self.desks.get(event.place)
        if desk is not None:
            desk.take(event.report)

    def on_folded(self, event: Folded) -> None:
        """A new state of the campaign, which every desk may show."""
        if self.desk is not None:
            self.desk.folded(event)
            self._watch_session()
        shown = self.desks.get(self.place)
        if shown is not None and shown is not self.desk:
            shown.show()

    def on_checked(self, event: Checked) -> None:
        """A look has begun or ended."""
        if self.desk is not None:
            self.desk.checked(event)

    def on_finished(self, event: Finished) -> None:
        """What was asked of the campaign has ended."""
        if self.desk is not None:
            self.desk.finished(event)

    def on_field_screen_wanted(self, event: FieldScreen.Wanted) -> None:
        """Another phase of the field test is looked at."""
        desk = self.desks.get("field")
        if desk is not None:
            desk.take(event.step)

    def on_checklist_list_selected(self, event: ChecklistList.Selected) -> None:
        """Other things can be done with what is selected now."""
        self.show_keys()

    def on_item_pane_left(self) -> None:
        """Other keys are offered in the list than in the evidence."""
        self.call_after_refresh(self.show_keys)

    def on_checklist_list_opened(self, event: ChecklistList.Opened) -> None:
        """Enter on a count unfolds it, or folds it again."""
        if self.desk is not None and event.entry.key.startswith("fold:"):
            self.desk.toggle_fold(event.entry.stage)
        self.call_after_refresh(self.show_keys)

    def say_trouble(self, what: str, trouble: Trouble | None) -> None:
        """Say that something was not done, why, and what to do."""
        if trouble is None:
            return
        from console.screens.refusal_words import without_options

        cure = f" - {trouble.cure}" if trouble.cure else ""
        word = "not confirmed" if trouble.code == "unconfirmed" else "not done"
        said = without_options(f"{word}: {what}: {trouble.what}{cure}")
        self.front.say(f"{self.charset.glyph('error')} {said}", "critical")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The palette's entries: the same table as the keys of the screen in front."""
        for action in on_screen(self.place):
            if action.name != "palette":
                yield SystemCommand(f"{action.label} ({action.shown})", action.meaning, self._runner(action.name))

    def _runner(self, name: str) -> Callable[[], Any]:
        if BY_NAME[name].place not in ("every", "live"):
            return lambda: self.action_at_desk(name)
        run: Callable[[], Any] = getattr(self, f"action_{name}")
        return run

    # ------------------------------------------------------------ the plain terminal

    @contextmanager
    def plain_terminal(self, intro: str) -> Iterator[None]:
        """Put the screen away for a while, so that a program can ask on the plain terminal, below the line `intro`.

        Where that can't be done (no terminal of its own) the screen stays; what must ask then fails by itself.
        """
        with ExitStack() as stack:
            with suppress(SuspendNotSupported):
                stack.enter_context(self.suspend())
                self.tell_plainly(intro)
            yield

    def tell_plainly(self, words: str) -> None:
        """Say something while the screen is put away."""
        import click

        click.echo(words, err=True)

    def report_folder(self) -> Path:
        """Where exports are written: the folder that the app was started in."""
        return Path.cwd()
