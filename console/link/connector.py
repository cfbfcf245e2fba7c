"""The link's thread: connects, reads until the end, says why it ended, waits, and connects again, for ever."""

from __future__ import annotations

import threading

from console import __version__
from console.link.attach import greeting_trouble
from console.link.backoff import Backoff
from console.link.clock import Clock
from console.link.commander import Commander
from console.link.link_state import NEEDS_A_PERSON, LinkState
from console.link.receiver import Receiver
from console.link.transport import Transport
from console.link.wire import Wire
from console.robots import Robot
from console.store.identity import Identity
from console.store.store import Store
from remote.errors import Trouble
from remote.protocol import OLDEST_PROTOCOL, PROTOCOL, AgentHello, ConsoleHello

DEAD_AFTER_NS = 4_500_000_000
"""Silence that ends a connection; with the reader's own step it is noticed within 5 s."""
_STEP_S = 0.25
_HELD_NS = 500_000_000  # shorter connections do not shorten the next wait: something ends them at once


class Connector:
    """Makes connections and reads them; what comes goes to the receiver. `run` is its thread's, the rest for any.

    Args:
        robot, transport, identity: whom to reach, the way there, and who asks.
        store: told of each connection.
        state, receiver, commander: the session's other parts.
        clock, backoff: the laptop's time and the waits between tries.
    """

    def __init__(
        self,
        robot: Robot,
        transport: Transport,
        identity: Identity,
        store: Store,
        state: LinkState,
        receiver: Receiver,
        commander: Commander,
        *,
        clock: Clock,
        backoff: Backoff,
    ) -> None:
        self._robot, self._transport, self._identity, self._store = robot, transport, identity, store
        self._state, self._receiver, self._commander = state, receiver, commander
        self._clock, self._backoff = clock, backoff
        self._retry_now = threading.Event()
        self._away_until_ns = 0

    def run(self) -> None:
        """Connect until the session is closed."""
        with self._state.reporting():
            while not self._state.closed:
                self._one_connection()

    def retry(self) -> None:
        """See Session."""
        with self._state.changed:
            if self._state.wire is None:
                self._retry_now.set()

    def wake(self) -> None:
        """Wait no longer, also not for the end of the connection that is ending now."""
        self._retry_now.set()

    def cut(self, for_s: float) -> None:
        """See Session."""
        with self._state.changed:
            self._away_until_ns = self._clock.mono_ns() + int(for_s * 1e9)
        self._state.hang_up("the link was cut from this side")

    # ------------------------------------------------------------ one connection

    def _one_connection(self) -> None:
        wire: Wire | None = None
        up_since_ns: int | None = None
        try:
            wire, hello = self._connected()
            self._begin(wire, hello)
            up_since_ns = self._clock.mono_ns()
            trouble = self._read_until_end(wire)
        except Trouble as error:
            trouble = error
        finally:
            with self._state.changed:
                self._state.wire = None
            if wire is not None:
                wire.close()
        if up_since_ns is not None and self._clock.mono_ns() - up_since_ns > _HELD_NS:
            self._backoff.reset()
        self._wait_to_retry(trouble)

    def _connected(self) -> tuple[Wire, AgentHello]:
        self._retry_now.clear()
        wire = Wire(self._transport.open())
        hello = ConsoleHello(
            protocol=PROTOCOL,
            oldest_protocol=OLDEST_PROTOCOL,
            software=f"fieldgate {__version__}",
            client_id=self._identity.client_id,
            name=self._identity.name,
        )
        try:
            return wire, wire.greet(hello)
        except Trouble as trouble:
            wire.close()
            raise greeting_trouble(self._robot, trouble) from trouble

    def _begin(self, wire: Wire, hello: AgentHello) -> None:
        now_ns = self._clock.mono_ns()
        past = self._receiver.look_up(hello)
        self._store.note_robot(self._robot.name, self._robot.address)
        with self._state.changed:
            if self._state.closed:
                raise Trouble("the session was closed", code="unreachable")
            self._retry_now.clear()
            self._receiver.begin(wire, hello, past, now_ns)
            settle = self._commander.resume(hello.boot_id)
        settle()

    def _read_until_end(self, wire: Wire) -> Trouble:
        heard_ns = self._clock.mono_ns()
        while not self._state.closed:
            message = wire.receive(_STEP_S)
            now_ns = self._clock.mono_ns()
            if message is not None:
                heard_ns = now_ns
                self._receiver.handle(wire, message, now_ns)
            elif wire.ended or self._state.cut_reason:
                return self._ended(wire)
            elif now_ns - heard_ns > DEAD_AFTER_NS:
                return _broken(f"the link is dead: nothing heard for {(now_ns - heard_ns) / 1e9:.1f} s")
        return Trouble("closed", code="unreachable")

    def _ended(self, wire: Wire) -> Trouble:
        last = wire.last_words()
        why = self._state.refusal or (last.splitlines()[-1] if last else "")
        return _broken(self._state.cut_reason or f"the link broke{': ' + why if why else ''}")

    # ------------------------------------------------------------ between connections

    def _wait_to_retry(self, trouble: Trouble) -> None:
        if self._state.closed:
            return
        if trouble.code in NEEDS_A_PERSON:
            self._wait_for_a_person(trouble)
            return
        with self._state.changed:
            now_ns = self._clock.mono_ns()
            wait_s = max(self._backoff.next_s(), (self._away_until_ns - now_ns) / 1e9)
            self._state.down(trouble, now_ns + int(wait_s * 1e9))
        self._retry_now.wait(wait_s)

    def _wait_for_a_person(self, trouble: Trouble) -> None:
        with self._state.changed:
            self._state.refused(trouble)
        self._retry_now.wait()
        with self._state.changed:
            if not self._state.closed:
                self._state.connecting()


def _broken(what: str) -> Trouble:
    return Trouble(what, cure="it is tried again by itself", code="unreachable")
