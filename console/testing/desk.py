"""The desk of the field test: logs trials in threads, says what is durable, looks each second whether all still holds."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from console.actions import BY_NAME, doing_something
from console.checking.asking_desk import AskingDesk
from console.checking.messages import Finished, Reported
from console.checking.sights import Left
from console.checklist.probes import Sight
from console.fieldwork.field_test import FieldTest
from console.fieldwork.holding import holding_now, other_bundle
from console.phases.states import FieldState, TrialState
from console.record.entries import Outcome
from console.screens.field_test import FieldScreen
from console.testing.applicable import TRIALS, offered_now
from console.testing.figures import figures_key, figures_of
from console.testing.reports import Echoed, Ended, Figures, Logged, Looked, Report, Told
from console.testing.view import Echo, FieldView, Held, phase_to_show
from console.testing.wording import by_key, echo_words
from console.view import View
from console.widgets.cells import clean
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.checking.checking_app import CheckingApp
    from console.checking.desk import Desk

LOOK_EVERY_S = 1.0
HELD_KEY_NS = 700_000_000
"""A key that is held down repeats: so soon after a trial the same key is no second trial."""
ON_PAUSE, ON_FAILURE, ON_SUCCESS, ON_UNDO = 3, 2, 1, 4
"""So often the bell rings."""
BETWEEN_BELLS_S = 0.25
SETTLED_S = 3.0
"""So long after an action is said what it did may come into sight."""


_OUTCOMES: dict[str, tuple[Outcome, bool]] = {
    "log_success": ("success", False),
    "log_failure": ("failure", False),
    "log_aborted": ("aborted", False),
    "helped_success": ("success", True),
    "helped_failure": ("failure", True),
}


class FieldDesk(AskingDesk):
    """Serves the field test screen of the campaign whose checklist `home` serves; both show the same fold of the record."""

    def __init__(self, app: CheckingApp, home: Desk) -> None:
        super().__init__(app, home.campaign)
        self.home = home
        self.screen = FieldScreen(app.ink())
        self.wanted = ""
        self._test: FieldTest | None = None
        self._test_lock = threading.Lock()
        self._held: Held | None = None
        self._echo: Echo | None = None
        self._uncounted: TrialState | None = None
        self._told = ""
        self._figures = Figures(None, None, ())
        self._figuring = False
        self._looking = False
        self._writing = False
        self._pressed: tuple[str, int] | None = None
        self._waiting: list[tuple[Outcome, bool]] = []
        self._said_at_ns: int | None = None
        self._said_in: object = None
        self._was_paused: str | None = None
        self._watching = False

    @property
    def front(self) -> FieldScreen:
        """The field test screen."""
        return self.screen

    @property
    def person(self) -> str:
        """Who sits at the keyboard."""
        return self.home.person

    @property
    def enter_key(self) -> tuple[str, str] | None:
        """Enter does nothing here."""
        return None

    # ------------------------------------------------------------ the state

    @property
    def field(self) -> FieldState:
        """The newest fold; empty before the first one."""
        newest = self.home.newest
        return newest.field if newest is not None else FieldState()

    @property
    def shown(self) -> str:
        """The id of the phase that is looked at."""
        return phase_to_show(self.field, self.wanted)

    def test(self) -> FieldTest:
        """The campaign's field test. Reads the record the first time, so call it in a thread. Raises Trouble."""
        with self._test_lock:
            if self._test is None:
                self._test = FieldTest(self.campaign, lambda words: self._post(Told(words)))
            return self._test

    def sight_if_any(self) -> Sight | None:
        """How the robot is seen; None where it can't be: trials go on without. Call it in a thread."""
        if self.app.sight_of is None:
            return None
        try:
            return self.app.sight_of(self.campaign)
        except Trouble:
            return None

    def begin(self) -> None:
        """Show what is known, and watch."""
        if self.home.newest is None:
            self.say(f"{self.app.charset.glyph('busy')} reading the record...", "info")
        self.show()
        self.watch()

    def watch(self) -> None:
        """Look now and from now on each second, also where the screen was never shown."""
        self.look()
        if not self._watching:
            self._watching = True
            self.app.set_interval(LOOK_EVERY_S, self.look, name="look")

    def show(self) -> None:
        """Show what is known."""
        view = self.view()
        if view is None:
            return
        self._notice_pause(view)
        if not self.screen.is_mounted:
            return
        self._count_echo(view)
        self._age_message(view)
        self.screen.show(view)
        self._work_out(view)

    def view(self) -> FieldView | None:
        """What the widgets show; None before the first fold."""
        newest = self.home.newest
        if newest is None:
            return None
        return FieldView(
            state=newest,
            charset=self.app.charset,
            person=self.person,
            now_ns=self.app.clock(),
            shown=self.shown,
            link=self.app.newest.link,
            held=self._held,
            echo=self._echo,
            trend=self._figures.trend,
            power=self._figures.power,
            writing=self._writing,
        )

    @property
    def other_bundle(self) -> str:
        """That the robot runs another bundle than the campaign's, in words; empty where it does not, or nobody knows now."""
        view = self.view()
        return view.other_bundle if view is not None else ""

    def show_link(self, view: View) -> None:
        """Show the robot's status line, and what ages with it."""
        self.screen.show_link(view)
        self.show()

    def other_phase(self, step: int) -> None:
        """Look at a phase further right or left."""
        ids = [one.phase.id for one in self.field.phases]
        if self.shown in ids:
            self.wanted = ids[min(len(ids) - 1, max(0, ids.index(self.shown) + step))]
            self.show()
            self.look()
            self.app.show_keys()

    @property
    def labels(self) -> dict[str, str]:
        """What the key line calls the actions whose name would be wrong now."""
        session = self.field.session
        return {"pause_session": "resume"} if session is not None and session.paused else {}

    # ------------------------------------------------------------ what was said

    def say(self, text: str, role: str = "text") -> None:
        """Say something in the message line, and remember when."""
        self._said_at_ns, self._said_in = self.app.clock(), None
        super().say(text, role)

    def _age_message(self, view: FieldView) -> None:
        """Drop what was said of another state than this one, and show how old the rest is.

        What an action says comes before the fold that shows it, so the state of the message is that of SETTLED_S later.
        """
        line = self.screen.message
        if line.word.endswith("reading the record...") and line.is_busy:
            self.say("")
        if self._said_at_ns is None or line.is_busy or not line.word:
            return
        session, link = view.session, view.link.phase if view.link is not None else ""
        now = (view.shown, session.seq if session else None, session.paused if session else "", link)
        age_s = view.age_s(self._said_at_ns)
        if age_s < SETTLED_S or self._said_in is None:
            self._said_in = now
        elif now != self._said_in:
            self.say("")
            return
        line.age(age_s)

    # ------------------------------------------------------------ looking

    def look(self) -> None:
        """See in a thread whether all still holds, unless that is being done already or nobody needs it."""
        needed = self.field.session is not None or self.app.place == "field"
        if needed and not self._looking and not self.leaving:
            self._looking = True
            self.app.run_worker(self._look, thread=True, group="look", name="look")

    def _look(self) -> None:
        try:
            sight, session = self.sight_if_any(), self.field.session
            if session is not None and sight is not None:
                session = self.test().look(sight).session
            self._post(Looked(self._holding(sight), session.paused if session is not None else "", None))
        except Trouble as trouble:
            self._post(Looked(None, "", trouble))
        except Left:
            pass
        finally:
            self._looking = False

    def _holding(self, sight: Sight | None) -> Held | None:
        shown = self.shown
        state = next((one for one in self.field.phases if one.phase.id == shown), None)
        if state is None:
            return None
        bundle = self.home.state.bundle
        seen = holding_now(state.phase, bundle, sight)
        return Held(shown, seen, self.app.clock(), other_bundle(bundle, sight))

    def _notice_pause(self, view: FieldView) -> None:
        paused = view.session.paused if view.session is not None else ""
        if paused and self._was_paused == "":
            self.ring(ON_PAUSE)
        if paused:
            self._echo = None  # it would come back, as if it were new, once the session goes on
        self._was_paused = paused
        self.app.call_later(self.app.show_keys)

    def _work_out(self, view: FieldView) -> None:
        key = figures_key(view)
        if key != self._figures.key and not self._figuring:
            self._figuring = True
            self.app.run_worker(lambda: self._post(figures_of(view, key)), thread=True, group="figures", name="figures")

    # ------------------------------------------------------------ logging

    def log(self, outcome: Outcome, *, helped: bool = False) -> None:
        """Log a trial in a thread; only once it is durable is it said, and the bell rings. `helped`: a person had to.

        Only the same key again is one that is held down; another one is another trial, and waits for the first.
        """
        now_ns, name = self.app.clock(), f"{outcome}{helped}"
        before, self._pressed = self._pressed, (name, now_ns)
        same = before is not None and before[0] == name
        if same and before is not None and now_ns - before[1] < HELD_KEY_NS:
            self.say("not logged: that key came again at once, as from a key held down; wait a second", "warning")
            self.ring(ON_FAILURE)
        elif self._writing and same:
            self.say("not logged: the trial before is still being written", "warning")
            self.ring(ON_FAILURE)
        elif self._writing:
            self._waiting.append((outcome, helped))
        else:
            self._write(outcome, helped)

    def _write(self, outcome: Outcome, helped: bool) -> None:
        self._writing, self._told = True, ""
        self.say(f"{self.app.charset.glyph('busy')} writing: {outcome}...", "info")
        self.app.run_worker(lambda: self._log(outcome, helped), thread=True, group="campaign", name="log a trial")

    def _log(self, outcome: Outcome, helped: bool) -> None:
        try:
            trial = self.test().log_trial(outcome, self.person, intervened=helped, sight=self.sight_if_any())
            self._post(Logged(outcome, trial, None))
        except Trouble as trouble:
            self._post(Logged(outcome, None, trouble))

    def _logged(self, report: Logged) -> None:
        self._writing = False
        if report.trial is None:
            self._refused(f"log a {report.outcome}", report.trouble)
        else:
            good = report.outcome == "success"
            self._uncounted = report.trial
            self._echo = Echo(report.outcome, echo_words(report.trial, None), good, self.app.clock())
            self._say_echo(self._echo)
            self.ring(ON_SUCCESS if good else ON_FAILURE)
        if self._waiting:
            self._write(*self._waiting.pop(0))
        self.home.fold()
        self.show()

    def _count_echo(self, view: FieldView) -> None:
        """Say behind the newest echo how many of the phase's trials succeeded, once its trial is among them."""
        trial, echo = self._uncounted, self._echo
        if trial is None or echo is None or not any(one.seq == trial.seq for one in view.field.trials):
            return
        self._uncounted = None
        self._echo = Echo(echo.word, echo_words(trial, view.field), echo.good, echo.at_ns)
        self._say_echo(self._echo)

    def _say_echo(self, echo: Echo) -> None:
        beside = f" - {clean(self._told)}" if self._told else ""
        self.say(f"{self.app.charset.glyph('ok')} {echo.text}{beside}", "ok" if echo.good else "warning")

    def echo(self, word: str, text: str) -> None:
        """Say something beside a trial large, from any thread, with a bell of its own."""
        self._post(Echoed(word, text, ON_UNDO))

    def ring(self, times: int) -> None:
        """Ring the terminal's bell some times."""
        self.app.bell()
        if times > 1:
            self.app.set_timer(BETWEEN_BELLS_S, lambda: self.ring(times - 1))

    # ------------------------------------------------------------ acting

    def offered(self) -> tuple[str, ...]:
        """The names of the actions that apply now."""
        return offered_now(self.field, self.shown)

    def act(self, name: str) -> None:
        """Do the action of that name, if it applies now; else say that it does not."""
        from console.testing import field_acts

        if name not in self.offered():
            self._does_not_apply(name)
        elif name in TRIALS:
            outcome, helped = _OUTCOMES[name]
            self.log(outcome, helped=helped)
        else:
            found: Callable[[FieldDesk], Awaitable[None]] = getattr(field_acts, name)
            self.app.begin_act(partial(found, self), name)

    def _does_not_apply(self, name: str) -> None:
        session = self.field.session
        if name in TRIALS and session is not None and session.paused:
            self.say(f"NOT logged: the session is paused: {clean(session.paused)} - p resumes it", "critical")
            self.ring(ON_FAILURE)
        elif self.home.newest is None:
            self.say("the record is still being read: wait until the banner stands", "warning")
            self.ring(ON_FAILURE)
        elif name in TRIALS and (stop := self._reached()):
            self.say(f"NOT logged: the stop rule '{clean(stop)}' was reached - l lifts it", "critical")
            self.ring(ON_FAILURE)
        elif name in TRIALS:
            self.say("NOT logged: no session is open - x begins one", "critical")
            self.ring(ON_FAILURE)
        else:
            does = doing_something(self.offered(), self.app.newest.link.phase)[:6]
            words = ", ".join(f"{one.shown} {one.label}" for one in does)
            self.say(f"{BY_NAME[name].label}: does not apply now; {words}", "warning")

    def _reached(self) -> str:
        """The title of a stop rule that ended the testing of the current phase; empty where none did."""
        now = next((one for one in self.field.phases if one.phase.id == self.field.current), None)
        return next((stop.title for stop in now.stops if stop.reached), "") if now is not None else ""

    # ------------------------------------------------------------ reports

    def report(self, event: Finished) -> None:
        """Tell this desk, from any thread, how something ended."""
        self._post(Ended(event))

    def _post(self, report: Report) -> None:
        self.app.post_message(Reported("field", report))

    def take(self, report: Any) -> None:
        """Take what a thread reported, or how many phases further to look."""
        if isinstance(report, int):
            self.other_phase(report)
        elif isinstance(report, Logged):
            self._logged(report)
        elif isinstance(report, Looked):
            self._looked(report)
        elif isinstance(report, Figures):
            self._figures, self._figuring = report, False
            self.show()
        elif isinstance(report, Echoed):
            self._uncounted = None
            self._echo = Echo(report.word, report.text, False, self.app.clock())
            self.ring(report.bells)
            self.show()
        elif isinstance(report, Told):
            self._told = report.words
            self.say(clean(report.words), "warning")
        elif isinstance(report, Ended):
            self._finished(report.event)

    def _looked(self, report: Looked) -> None:
        if report.trouble is not None:
            self._refused("look whether all still holds", report.trouble)
        elif report.held is not None:
            self._held = report.held
        if report.paused and self._was_paused == "":
            self.home.fold()
        self.show()

    def _finished(self, event: Finished) -> None:
        if event.trouble is not None:
            self._refused(event.what, event.trouble)
        else:
            done = event.outcome if isinstance(event.outcome, str) and event.outcome else event.done
            self.say(f"{self.app.charset.glyph('ok')} {clean(done)}", "ok")
        self.home.fold()

    def _refused(self, what: str, trouble: Trouble | None) -> None:
        if trouble is not None:
            self.app.say_trouble(what, by_key(trouble))
            self.ring(ON_FAILURE)
