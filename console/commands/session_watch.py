"""`fieldgate session watch`: stays with a session for hours, and pauses it where something stops to hold."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click
import msgspec

from console.commands.campaign_words import as_json, as_person, named, words
from console.commands.field_words import FORMAT, field_test, tell
from console.commands.watch import Duration
from console.fieldwork.crashes import CRASHES
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.checklist.probes import Sight
    from console.fieldwork.field_test import FieldTest
    from console.phases.states import FieldState
    from console.store.store import Store

EVERY_S = 1.0


@click.command()
@words("")
@click.option("--for", "for_s", type=Duration(), help="End after this time (90s, 5m, 8h); else with the session.")
@click.option("--accept-new", is_flag=True, help="Trust a host key seen for the first time; never a changed one.")
@as_person
@as_json
def watch(words: tuple[str, ...], for_s: float | None, accept_new: bool, person: str | None, as_json: bool) -> None:
    """Stay attached to the robot of the open session and look once a second whether all still holds.

    Where something was left for its time the session is paused; only a person resumes it. A link that breaks is tried again for
    as long as this runs. Each change is a line on stdout (with --json an object). Ctrl-C leaves the session open.
    """
    from console.link.asking import asker_for_terminal
    from console.looking import looking_at
    from console.people import who
    from console.robots import Robots
    from console.store.store import Store

    name, _ = named(words, 0)
    speaker = who(person)
    store = Store()
    try:
        with field_test(name) as field:
            _check_open(field)
            about = field.campaign
            asker = asker_for_terminal(accept_new=accept_new)
            robot = Robots().get(about.robot)
            with looking_at(robot, files=about.files, bundle=about.bundle, asker=asker, store=store) as sight:
                _watched(field, sight, store, speaker, for_s, as_json)
    finally:
        store.close()


def _watched(field: FieldTest, sight: Sight, store: Store, person: str, for_s: float | None, as_json: bool) -> None:
    try:
        Watching(field, sight, crashed=lambda: _measured(field, store, person), as_json=as_json).run(for_s)
    except KeyboardInterrupt:
        tell("left: the session stays open; nothing looks after it until `fieldgate session watch` is back")
        raise
    finally:
        _measured(field, store, person)


def _measured(field: FieldTest, store: Store, person: str) -> None:
    """Count what the journal says; a session whose crashes reach a stop rule ends with it."""
    try:
        field.measure(store, person)
    except Trouble as trouble:
        tell(f"what the journal says of the session was not counted: {trouble.what}")


class Watching:
    """Looks once a second, and prints a line for each change.

    Args:
        field: the field test, with an open session.
        sight: the robot.
        out: takes the lines.
        crashed: called when the robot has told of a crash of its worker, and that is stored.
        as_json: a line is an object: `wall_ns`, what it is about (`subject`), and the words.
        clock, sleep: seconds, monotonic.
    """

    def __init__(
        self,
        field: FieldTest,
        sight: Sight,
        *,
        out: Callable[[str], None] = click.echo,
        crashed: Callable[[], None] = lambda: None,
        as_json: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._field, self._sight, self._out, self._clock, self._sleep = field, sight, out, clock, sleep
        self._crashed, self._crashes_to = crashed, self._last_crash()
        self._told: dict[str, str] = {}
        self._as_json = as_json

    def run(self, for_s: float | None) -> None:
        """Until the session ends, or the time is over."""
        end_s = None if for_s is None else self._clock() + for_s
        while True:
            self._see_crashes()
            state = self._field.look(self._sight)
            self._tell_changes(state)
            if state.session is None:
                return
            left_s = EVERY_S if end_s is None else min(EVERY_S, end_s - self._clock())
            if left_s <= 0:
                tell("the time is over; the session stays open")
                return
            self._rest(left_s)

    def _rest(self, seconds: float) -> None:
        """Also while the link is lost, when a sight waits for nothing."""
        before = self._clock()
        self._sight.wait(lambda _shot: False, seconds)
        rest_s = seconds - (self._clock() - before)
        if rest_s > 0:
            self._sleep(rest_s)

    def _see_crashes(self) -> None:
        last = self._last_crash()
        if last > self._crashes_to and self._sight.stored_seq() >= last:
            self._crashes_to = last
            self._crashed()

    def _last_crash(self) -> int:
        """The number of the last crash's entry in the robot's journal."""
        session = self._sight.session
        failures = session.snapshot.failures if session is not None else ()
        return max((one.seq for one in failures if one.body.name in CRASHES), default=0)

    def _tell_changes(self, state: FieldState) -> None:
        for subject, said in self._words(state).items():
            if self._told.get(subject) != said:
                self._told[subject] = said
                self._out(self._line(self._sight.wall_ns(), subject, said))

    def _line(self, wall_ns: int, subject: str, said: str) -> str:
        from console.checklist.wording import utc_words
        from console.printing import in_line

        if self._as_json:
            row = {"format": FORMAT, "wall_ns": wall_ns, "subject": subject, "words": said}
            return msgspec.json.encode(row).decode()
        return in_line(f"{utc_words(wall_ns)}  {said}")

    def _words(self, state: FieldState) -> dict[str, str]:
        """What there is to say of each subject now."""
        found: dict[str, str] = {}
        if self._sight.session is not None:
            link = self._sight.session.snapshot.link
            found["link"] = f"the link is {link.phase}" + (f": {link.reason}" if link.reason else "")
        session = state.session
        if session is None:
            last = state.sessions[-1] if state.sessions else None
            return {**found, "session": f"the session has ended: {last.ended if last else ''}"}
        paused = f"PAUSED: {session.paused}" if session.paused else "the session goes on"
        found["session"] = paused
        found["trials"] = f"{session.successes} of {session.trials} trials succeeded"
        here = next((one for one in state.phases if one.phase.id == session.phase), None)
        if here is not None:
            found["phase"] = f"{here.phase.id} is {here.status}: {here.reason}"
        return found


def _check_open(field: FieldTest) -> None:
    if field.state().session is None:
        raise Trouble("no session is open", cure="begin one: `fieldgate session begin`", code="no_session")
