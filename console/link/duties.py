"""What a session does by the clock while it is up: pings, the lease's renewal, pictures, asking again."""

from __future__ import annotations

from concurrent.futures import Future

from console.link.clock import Clock
from console.link.commander import Commander
from console.link.intake import Intake
from console.link.link_state import LinkState
from console.link.picture_fetch import PictureFetch
from console.link.pulse import PING_NS, Pulse
from console.link.receiver import Receiver
from console.link.requests import Settle
from remote.errors import Trouble
from remote.protocol import GetPicture, Reply

_PICTURE_TIMEOUT_S = 20.0


class Duties:
    """Called with the state's lock held, by the publisher's thread."""

    def __init__(
        self,
        state: LinkState,
        pulse: Pulse,
        commander: Commander,
        receiver: Receiver,
        intake: Intake,
        fetch: PictureFetch,
        clock: Clock,
    ) -> None:
        self._state, self._pulse, self._commander = state, pulse, commander
        self._receiver, self._intake, self._fetch, self._clock = receiver, intake, fetch, clock

    def do(self, now_ns: int) -> Settle:
        """Do what is due; what it gives back is to be called without the lock."""
        wire = self._state.wire
        if wire is not None:
            if now_ns >= self._pulse.due_ns:
                wire.send(self._pulse.ping(now_ns))
            self._commander.keep_lease(now_ns)
            self._fetch_picture(now_ns)
            if self._intake.ask_again(now_ns):
                self._receiver.subscribe()
            self._say_store_trouble()
        return self._commander.expired(now_ns)

    def next_due_ns(self, now_ns: int) -> int:
        """When to come again, in the laptop's monotonic time."""
        connected = self._state.wire is not None
        own = (self._pulse.due_ns, self._fetch.due_ns) if connected else ()
        dues = (*own, self._commander.next_due_ns())
        return min((due for due in dues if due is not None), default=now_ns + PING_NS)

    def _fetch_picture(self, now_ns: int) -> None:
        digest = self._fetch.next(now_ns)
        self._state.builder.pulling = self._fetch.pulling
        if digest is not None:
            answer = self._commander.send(GetPicture(digest), None, _PICTURE_TIMEOUT_S)
            answer.add_done_callback(self._picture_came)

    def _picture_came(self, future: Future[Reply]) -> None:
        error = future.exception()
        outcome = error if isinstance(error, Trouble) else future.result()
        with self._state.changed:
            now_ns = self._clock.mono_ns()
            self._fetch.came(outcome, now_ns, late=self._receiver.samples_late(now_ns))
            self._state.builder.pulling = self._fetch.pulling
            self._state.touch()

    def _say_store_trouble(self) -> None:
        trouble = self._intake.trouble or self._fetch.trouble
        reason, cure = (trouble.what, trouble.cure) if trouble else (self._intake.note, "")
        link = self._state.link
        if link.phase == "up" and link.reason != reason:
            self._state.note(reason=reason, cure=cure, code=trouble.code if trouble else "")
            self._state.touch()
