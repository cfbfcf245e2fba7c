"""The live screen's actions: each asks where it must, sends one command, and says asked, confirmed or refused.

Not confirmed is not done: the message line changes only by the agent's own reply.
"""

from __future__ import annotations

from asyncio import wrap_future
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from textual import work
from textual.app import App
from textual.message import Message
from textual.screen import Screen

from console.actions import BY_NAME, Place
from console.link.session import Session
from console.link.snapshot import CONNECTED, Snapshot
from console.marks import Charset
from console.screens.live import LiveScreen
from console.widgets.cells import clean
from console.widgets.list_panel import Item, ListPanel
from remote.errors import Trouble
from remote.protocol import (
    AgentState,
    Choice,
    Command,
    Expected,
    GetChoices,
    GetFrame,
    GetPicture,
    Mark,
    Picture,
    Reply,
    SetBundle,
    SetSource,
    Start,
    Stop,
)

if TYPE_CHECKING:
    from console.alarms import AlarmBook
    from console.screens.front_screen import FrontScreen

START_TIMEOUT_S = 60.0
NOT_DONE = ("unreachable", "no_lease", "lease_lost", "expired")
"""Codes of what did not reach the robot, or too late to be done: nobody refused it."""


def fate_word(trouble: Trouble) -> str:
    """What became of a command that was not confirmed: nobody knows, the robot did not do it, or the robot refused it."""
    if trouble.code == "unconfirmed":
        return "not confirmed"
    return "not done" if trouble.code in NOT_DONE else "refused"


class Answered(Message):
    """A command's end: confirmed (`trouble` is None), or why not."""

    def __init__(self, what: str, done: str, trouble: BaseException | None) -> None:
        super().__init__()
        self.what = what
        self.done = done
        self.trouble = trouble


class CommandingApp(App[int]):
    """The part of the application that acts; FieldgateApp adds data and looks."""

    session: Session
    live: LiveScreen
    charset: Charset
    book: AlarmBook
    clock: Callable[[], int]
    paused_ns: int | None = None

    @property
    def front(self) -> FrontScreen:
        """The screen in front, dialogs aside."""
        raise NotImplementedError

    @property
    def fronts(self) -> tuple[FrontScreen, ...]:
        """All screens that were in front."""
        raise NotImplementedError

    @property
    def place(self) -> Place:
        """Which screen that is."""
        raise NotImplementedError

    @property
    def newest(self) -> Snapshot:
        """The newest snapshot."""
        raise NotImplementedError

    def repaint(self) -> None:
        """Show the newest snapshot now."""
        raise NotImplementedError

    def session_seen(self) -> tuple[str, str]:
        """How the field test's open session stands: (words, colour role); empty words where none is."""
        raise NotImplementedError

    # ------------------------------------------------------------ asking the robot

    def begin_act(self, act: Callable[[], Awaitable[None]], name: str) -> None:
        """Begin an action, in place of one that waits in a dialog. It is called only once it has its turn: a coroutine that
        was made before would never be awaited where another key comes first, or the person leaves.
        """
        self.run_worker(act, exclusive=True, group="dialog", name=name)

    def ask(self, what: str, done: str, send: Callable[[], Future[Reply]]) -> None:
        """Send a command; the message line says `what` is asked, then `done`, or why not."""
        self.front.say(self._asked(what), "info")
        try:
            future = send()
        except Trouble as trouble:
            self.post_message(Answered(what, done, trouble))
            return
        future.add_done_callback(lambda f: self._post_answer(what, done, f))

    async def ask_within(
        self, dialog: Screen[Any], what: str, done: str, send: Callable[[], Future[Reply]]
    ) -> Trouble | None:
        """As `ask`, from a dialog: why it was not done is returned for the dialog, and said where the person left it."""
        self.front.say(self._asked(what), "info")
        trouble: Trouble | None = None
        try:
            error = (await wrap_future(send())).error
            trouble = error.trouble() if error is not None else None
        except Trouble as caught:
            trouble = caught
        if trouble is None or self.screen is not dialog:
            self.post_message(Answered(what, done, trouble))
        else:
            self.front.settle(self._asked(what), "", "text")
        return trouble

    def _post_answer(self, what: str, done: str, future: Future[Reply]) -> None:
        trouble = future.exception() if not future.cancelled() else Trouble("it was cancelled", code="unconfirmed")
        if trouble is None and (error := future.result().error) is not None:
            trouble = error.trouble()
        self.post_message(Answered(what, done, trouble))

    def on_answered(self, event: Answered) -> None:
        """Say how it ended, where it was asked and where the person is now; nothing that comes by itself takes it away."""
        if event.trouble is None:
            text, role = f"{self.charset.glyph('ok')} confirmed: {event.done}", "ok"
        elif isinstance(event.trouble, Trouble):
            cure = f" - {event.trouble.cure}" if event.trouble.cure else ""
            word = fate_word(event.trouble)
            text, role = f"{self.charset.glyph('error')} {word}: {event.what}: {event.trouble.what}{cure}", "critical"
        else:
            raise event.trouble
        asked = self._asked(event.what)
        settled = [screen for screen in self.fronts if screen.settle(asked, text, role)]
        if self.front not in settled:
            self.front.happened(text, role)
        self.repaint()

    def _asked(self, what: str) -> str:
        return f"{self.charset.glyph('busy')} asked: {what}..."

    def _command(self, what: str, done: str, command: Command, expected: Expected | None, timeout_s: float) -> None:
        self.ask(what, done, lambda: self.session.request(command, expected=expected, timeout_s=timeout_s))

    def may_command(self, what: str) -> bool:
        """Whether this console holds the lease; if not, the message line says that `what` needs it and who has it."""
        if self.session.holds_lease:
            return True
        state = self._state()
        if state is not None:
            holder = f"{clean(state.lease.holder)} commands this robot" if state.lease else "nobody commands it"
            heard = "" if self.newest.link.phase in CONNECTED else ", as it was heard last"
            self.front.say(f"not asked: {what} needs the lease; {holder}{heard} - press l to take it", "warning")
        return False

    def _state(self) -> AgentState | None:
        if self.newest.state is None:
            robot, link = clean(self.newest.robot), self.newest.link
            why = f": {clean(link.reason)}" if link.reason else ""
            cure = f" - {clean(link.cure)}" if link.cure else ""
            self.front.say(f"not asked: {robot} was not reached yet, nothing is known of it{why}{cure}", "warning")
        return self.newest.state

    # ------------------------------------------------------------ worker, source, bundle

    @work(exclusive=True, group="dialog")
    async def action_toggle_worker(self) -> None:
        """Start or stop the worker."""
        from console.screens.confirm import ConfirmScreen

        state = self._state()
        if state is None or not self.may_command(BY_NAME["toggle_worker"].label):
            return
        stops = state.worker.phase != "stopped"
        robot = clean(self.newest.robot)
        title, text, yes = (
            (f"Stop the worker on {robot}?", "No frames are processed until it is started again.", "Stop it")
            if stops
            else (f"Start the worker on {robot}?", "It loads the bundle and opens the camera.", "Start it")
        )
        if not await self.push_screen_wait(ConfirmScreen(title, text, yes)):
            return
        expected = Expected(worker=state.worker.phase)
        if stops:
            self._command("stop the worker", "the worker has stopped", Stop(), expected, 15.0)
        else:
            self._command("start the worker", "the worker runs", Start(), expected, START_TIMEOUT_S)

    @work(exclusive=True, group="dialog")
    async def action_choose_source(self) -> None:
        """Choose where pictures come from."""
        state = self._state()
        if state is not None and self.may_command(BY_NAME["choose_source"].label):
            chosen = await self._choose("Source of pictures", GetChoices("sources"), state.source)
            if chosen is not None:
                expected = Expected(source=state.source) if state.source else None
                what, done = f"use {clean(chosen.value)}", f"the source is {clean(chosen.value)}"
                self._command(what, done, SetSource(chosen.value), expected, START_TIMEOUT_S)

    @work(exclusive=True, group="dialog")
    async def action_choose_bundle(self) -> None:
        """Choose the model, after asking: it is a plain choice, which nothing tests and nothing takes back."""
        state = self._state()
        if state is not None and self.may_command(BY_NAME["choose_bundle"].label):
            current = state.bundle.digest if state.bundle else None
            chosen = await self._choose("Bundle", GetChoices("bundles"), current)
            if chosen is not None and await self._is_meant(state, chosen):
                expected = Expected(bundle=current) if current else None
                short = chosen.value[:8]
                what, done = f"use bundle {short}", f"the bundle is {short}"
                self._command(what, done, SetBundle(chosen.value), expected, START_TIMEOUT_S)

    async def _is_meant(self, state: AgentState, chosen: Choice) -> bool:
        """Ask whether the robot is to run that bundle from now on, without self-test and probation."""
        from console.screens.confirm import ConfirmScreen

        robot, session = clean(self.newest.robot), self.session_seen()[0]
        runs = f"{clean(state.bundle.name)} {state.bundle.digest[:8]}" if state.bundle else "no bundle"
        new = f"{chosen.value[:8]} {clean(chosen.text)}"
        words = (
            f"{robot} has {runs}, and its worker does not run: it starts with {new} the next time"
            if state.worker.phase == "stopped"
            else f"{robot} runs {runs}. Its worker is restarted with {new} at once"
        )
        words += ", with no self-test, no probation: screen 5 does both."
        if session:
            test = clean(session.removeprefix("session: "))
            words += f" Field test: {test}; it takes no trial while another bundle than its campaign's runs."
        yes: bool | None = await self.push_screen_wait(
            ConfirmScreen(f"Switch {robot} to bundle {chosen.value[:8]}?", words, "Switch it")
        )
        return bool(yes)

    async def _choose(self, title: str, command: GetChoices, current: str | None) -> Choice | None:
        from console.screens.choose import ChooseScreen

        self.front.say(f"{self.charset.glyph('busy')} asked: which {command.of} there are...", "info")
        worker = self.run_worker(lambda: self._choices(command), thread=True, exit_on_error=False)
        choices = await worker.wait()
        if isinstance(choices, Trouble):
            self.post_message(Answered(f"list the {command.of}", "", choices))
            return None
        self.front.say("", "text")
        value: str | None = await self.push_screen_wait(ChooseScreen(title, choices, current))
        if value is not None and value == current:
            # Choosing it again would restart the worker: a gap in the frames that nobody asked for.
            self.front.say("that one is in use already: nothing was asked", "info")
            return None
        return next((one for one in choices if one.value == value), None)

    def _choices(self, command: GetChoices) -> tuple[Choice, ...] | Trouble:
        try:
            return self._reply(command).choices
        except Trouble as trouble:
            return trouble

    def _reply(self, command: Command) -> Reply:
        """The reply to a command that changes nothing; waits, so call it in a thread. Raises Trouble."""
        reply = self.session.request(command, timeout_s=5.0).result(timeout=10.0)
        if reply.error is not None:
            raise reply.error.trouble()
        return reply

    # ------------------------------------------------------------ lease

    @work(exclusive=True, group="dialog")
    async def action_lease(self) -> None:
        """Take the lease, take it over, or give it back."""
        from console.screens.confirm import ConfirmScreen

        state = self._state()
        if state is None:
            return
        if self.session.holds_lease:
            self.ask("give the lease back", "the lease is free", self.session.release_lease)
            return
        if state.lease is None:
            self.ask("take the lease", "you command this robot", self.session.take_lease)
            return
        holder, epoch = clean(state.lease.holder), state.lease.epoch
        robot = clean(self.newest.robot)
        text = f"{holder} commands {robot} now. Taking over stops them at once, and they are told that it was you."
        dialog = ConfirmScreen(f"Take the lease from {holder}?", text, "Take over")
        if await self.push_screen_wait(dialog):
            what = f"take the lease over from {holder}"
            self.ask(what, "you command this robot", lambda: self.session.take_lease(over=epoch))

    def action_retry(self) -> None:
        """Try to reach the robot now instead of waiting."""
        link = self.newest.link
        if link.phase not in BY_NAME["retry"].phases:
            self.front.say(f"nothing to try again: the link is {link.phase}", "muted")
            return
        self.session.retry()
        self.front.say(f"{self.charset.glyph('busy')} trying to reach {clean(self.newest.robot)} now", "info")

    # ------------------------------------------------------------ seeing

    @work(exclusive=True, group="dialog")
    async def action_mark(self) -> None:
        """Mark this moment as a failure."""
        from console.screens.ask_text import AskTextScreen

        text = "What did the robot get wrong? The newest picture is kept with it."
        note = await self.push_screen_wait(AskTextScreen("Mark a failure", text, placeholder="a short note"))
        if note is not None:
            self._command("mark this moment", "the moment is marked", Mark(note.strip()), None, 5.0)

    def action_picture(self) -> None:
        """Show what the camera sees."""
        from console.screens.picture import PictureScreen

        def labels() -> tuple[str, ...]:
            state = self.newest.state
            return state.bundle.labels if state and state.bundle else ()

        def fetch(width: int) -> Picture | None:
            return self._reply(GetFrame(width)).picture

        self.push_screen(PictureScreen(fetch, labels, self.charset, self.clock))

    def on_list_panel_opened(self, event: ListPanel.Opened) -> None:
        """Show an item in full, a failure with its picture."""
        self._open(event.item)

    def _open(self, item: Item) -> None:
        from console.screens.detail import DetailScreen
        from console.screens.detail_text import lines_of

        title, lines, digest = lines_of(item.thing)

        def fetch() -> Picture | None:
            return self._reply(GetPicture(digest or "")).picture

        self.push_screen(DetailScreen(title, lines, self.charset, fetch if digest else None))

    def action_acknowledge(self) -> None:
        """Acknowledge the selected alarm, else the worst that nobody has seen."""
        pane = self.live.pane
        chosen = (
            pane.selected.thing.id if isinstance(pane, ListPanel) and pane.id == "alarms" and pane.selected else None
        )
        waiting = [alarm.id for alarm in self.book.alarms if not alarm.acknowledged]
        alarm_id = chosen or (waiting[0] if waiting else None)
        if alarm_id is None or not self.book.acknowledge(alarm_id):
            self.front.say("no alarm waits to be acknowledged", "muted")
            return
        self.front.say(f"acknowledged: {alarm_id}; it stays in sight while it lasts", "ok")
        self.repaint()

    def action_pause(self) -> None:
        """Freeze or go on."""
        self.paused_ns = self.clock() if self.paused_ns is None else None
        paused = "paused: tables and lists stand still, collecting and alarms go on - space goes on"
        self.front.say(paused if self.paused_ns is not None else "", "accent")
        self.repaint()

    @work(exclusive=True, group="dialog")
    async def action_filter(self) -> None:
        """Filter the list in focus, else the first list."""
        from console.screens.ask_text import AskTextScreen

        pane = self.live.list_pane
        if pane is not None:
            text = "Show lines that contain this; !word hides them; nothing shows all."
            query = await self.push_screen_wait(AskTextScreen(f"Filter {pane.TITLE}", text, value=pane.query_text))
            if query is not None:
                pane.set_filter(query)
                pane.focus()

    def action_copy(self) -> None:
        """Copy the selected line, or the pane's rows."""
        pane = self.front.pane
        text = pane.copy_text() if pane else ""
        if text:
            self.copy_to_clipboard(text)
            self.front.say(f"copied: {text.splitlines()[0]}", "ok")

    def action_help(self) -> None:
        """Explain the pane in focus."""
        from console.screens.help import HelpScreen

        pane = self.front.pane
        name, text = (pane.TITLE, pane.HELP or "") if pane else ("fieldgate", "")
        self.push_screen(HelpScreen(name, text, self.charset, self.place))

    def action_palette(self) -> None:
        """Open the command palette."""
        self.action_command_palette()
