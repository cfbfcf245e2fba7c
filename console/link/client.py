"""The session with one robot, put together: who shares what, who runs in which thread, and the end of it.

The parts: link_state.py (the lock, phase, connection, newest snapshot), connector.py (the link's thread), receiver.py (what
comes), commander.py (commands and lease), pulse.py (pings), duties.py (what is due by the clock), publisher.py (its thread).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from console.link.backoff import Backoff
from console.link.clock import Clock, SystemClock
from console.link.commander import Commander
from console.link.connector import Connector
from console.link.duties import Duties
from console.link.intake import Intake
from console.link.known_bundles import KnownBundles
from console.link.link_state import LinkState
from console.link.picture_fetch import PictureFetch
from console.link.publisher import Publisher
from console.link.pulse import Pulse
from console.link.receiver import Receiver
from console.link.snapshot import Snapshot
from console.link.transport import Transport
from console.robots import Robot
from console.store.identity import Identity
from console.store.known_models import FOLDER, KnownModels
from console.store.pictures import Pictures
from console.store.store import Store
from remote.protocol import Command, Expected, Reply

_GOODBYE_S = 0.3
_JOIN_S = 1.0


class RobotClient:
    """The real Session (session.py). Its threads: one connects and reads, one ticks and publishes, one writes.

    Args:
        robot: whom to reach.
        transport: the way there.
        store: where entries go; shared by sessions, closed by whoever opened it.
        identity: who this console is; closed with the session.
        pictures: where failures' pictures go.
        clock, backoff: the laptop's time and the waits between tries.
    """

    def __init__(
        self,
        robot: Robot,
        transport: Transport,
        store: Store,
        identity: Identity,
        pictures: Pictures | None = None,
        *,
        clock: Clock | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self._robot, self._transport, self._identity = robot, transport, identity
        intake, pulse = Intake(store, robot.name), Pulse(clock)
        fetch = PictureFetch(pictures or Pictures(), store, robot.name)
        self._state = LinkState(robot, transport.name, clock)
        self._commander = Commander(self._state, pulse, identity.client_id, clock)
        models = KnownModels(store.path.parent / FOLDER, robot.name)
        bundles = KnownBundles(store)
        self._receiver = Receiver(self._state, intake, fetch, pulse, self._commander, bundles, models)
        self._connector = Connector(
            robot,
            transport,
            identity,
            store,
            self._state,
            self._receiver,
            self._commander,
            clock=clock,
            backoff=backoff or Backoff(),
        )
        duties = Duties(self._state, pulse, self._commander, self._receiver, intake, fetch, clock)
        self._publisher = Publisher(self._state, duties, clock, woke=self._connector.wake)
        self._threads: tuple[threading.Thread, ...] = ()
        self._state.take_snapshot()

    @property
    def snapshot(self) -> Snapshot:
        """See Session."""
        return self._state.snapshot

    def start(self, on_snapshot: Callable[[Snapshot], None]) -> None:
        """See Session."""
        self._publisher.on_snapshot = on_snapshot
        runs = (("link", self._connector.run), ("tick", self._publisher.run))
        self._threads = tuple(
            threading.Thread(target=run, name=f"fieldgate-{name}-{self._robot.name}", daemon=True) for name, run in runs
        )
        for thread in self._threads:
            thread.start()

    def request(self, command: Command, *, expected: Expected | None = None, timeout_s: float = 5.0) -> Future[Reply]:
        """See Session."""
        return self._commander.request(command, expected, timeout_s)

    def take_lease(self, *, over: int | None = None) -> Future[Reply]:
        """See Session."""
        return self._commander.take_lease(over)

    def release_lease(self) -> Future[Reply]:
        """See Session."""
        return self._commander.release_lease()

    @property
    def holds_lease(self) -> bool:
        """See Session."""
        return self._commander.holds_lease

    def watch_samples(self, per_s: float) -> None:
        """See Session."""
        with self._state.changed:
            self._receiver.watch_samples(per_s)

    def cut(self, *, for_s: float = 0.0) -> None:
        """See Session."""
        self._connector.cut(for_s)

    def retry(self) -> None:
        """See Session."""
        self._connector.retry()

    def close(self) -> None:
        """See Session."""
        with self._state.changed:
            if self._state.closed:
                return
            self._state.closed = True
            wire = self._state.wire
            self._commander.say_goodbye()
            self._state.changed.notify_all()
        self._connector.wake()
        if wire is not None:
            wire.close(flush_s=_GOODBYE_S)
        self._transport.close()
        for thread in self._threads:
            thread.join(_JOIN_S)
        with self._state.changed:
            settle = self._commander.give_up_all("the session was closed")
            self._state.ended()
        settle()
        self._identity.close()
        self._publisher.publish()
