"""The session with one robot: connects for ever, takes the journal, carries commands, tells what is known."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import msgspec

from console import __version__
from console.link.attach import ended_trouble, no_agent_trouble
from console.link.backoff import Backoff
from console.link.clock import Clock, SystemClock
from console.link.history import SnapshotBuilder
from console.link.intake import Intake
from console.link.lease_keeper import LeaseKeeper
from console.link.offset import ClockOffset
from console.link.picture_fetch import PictureFetch
from console.link.requests import Requests, Settle
from console.link.snapshot import Link, LinkPhase, Snapshot
from console.link.transport import Transport
from console.link.wire import Wire
from console.robots import Robot
from console.store.identity import Identity
from console.store.pictures import Pictures
from console.store.store import Store
from remote.errors import Trouble
from remote.protocol import (
    NEEDS_LEASE,
    OLDEST_PROTOCOL,
    PROTOCOL,
    Ack,
    AgentHello,
    AgentState,
    Command,
    ConsoleHello,
    Entries,
    Expected,
    FromAgent,
    GetPicture,
    Lost,
    Ping,
    Pong,
    Refusal,
    ReleaseLease,
    RenewLease,
    Reply,
    Sample,
    Subscribe,
    TakeLease,
)

PING_NS = 1_000_000_000
DEAD_AFTER_NS = 4_500_000_000
"""Silence that ends a connection; with the reader's own step it is noticed within 5 s."""
_STEP_S = 0.25
_HELD_NS = 500_000_000  # shorter connections do not shorten the next wait: something ends them at once
_REST_AFTER_PUBLISHING = 5
_SLEPT_NS = 1_500_000_000
_PICTURE_TIMEOUT_S = 20.0
NEEDS_A_PERSON = ("auth_failed", "unknown_host_key", "changed_host_key", "too_old")


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
        self._robot, self._transport, self._store, self._identity = robot, transport, store, identity
        self._clock = clock or SystemClock()
        self._backoff = backoff or Backoff()
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._retry_now = threading.Event()
        self._closed = False
        self._dirty = True
        self._wire: Wire | None = None
        self._cut_reason = ""
        self._cut_until_ns = 0
        self._refusal = ""
        self._samples_per_s = 0.0
        self._ping_id = 0
        self._pings: dict[int, int] = {}
        self._next_ping_ns = 0
        self._offset = ClockOffset()
        self._requests = Requests()
        self._intake = Intake(store, robot.name)
        self._fetch = PictureFetch(pictures or Pictures())
        self._keeper = LeaseKeeper(identity.client_id)
        link = Link(phase="connecting", since_ns=self._clock.mono_ns(), transport=transport.name)
        self._builder = SnapshotBuilder(robot.name, link)
        self._builder.take_entries(self._intake.past())
        self._builder.stored_seq = self._intake.stored_seq
        self._snapshot = self._builder.build(self._clock.mono_ns())
        self._on_snapshot: Callable[[Snapshot], None] = _ignore
        self._threads: tuple[threading.Thread, ...] = ()

    # ------------------------------------------------------------ for the faces

    @property
    def snapshot(self) -> Snapshot:
        """See Session."""
        return self._snapshot

    def start(self, on_snapshot: Callable[[Snapshot], None]) -> None:
        """See Session."""
        self._on_snapshot = on_snapshot
        self._threads = (
            threading.Thread(target=self._link_thread, name=f"fieldgate-link-{self._robot.name}", daemon=True),
            threading.Thread(target=self._tick_thread, name=f"fieldgate-tick-{self._robot.name}", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def request(self, command: Command, *, expected: Expected | None = None, timeout_s: float = 5.0) -> Future[Reply]:
        """See Session."""
        with self._changed:
            refusal = self._why_not(command)
            if refusal is not None:
                future: Future[Reply] = Future()
                future.set_exception(refusal)
                return future
            return self._send_request(command, expected, timeout_s)

    def take_lease(self, *, over: int | None = None) -> Future[Reply]:
        """See Session."""
        future = self.request(TakeLease(over))
        future.add_done_callback(self._lease_taken)
        return future

    def release_lease(self) -> Future[Reply]:
        """See Session."""
        future = self.request(ReleaseLease())
        with self._lock:
            self._keeper.dropped()
        return future

    @property
    def holds_lease(self) -> bool:
        """See Session."""
        with self._lock:
            return self._keeper.own(self._builder.state) is not None

    def watch_samples(self, per_s: float) -> None:
        """See Session."""
        with self._lock:
            if per_s != self._samples_per_s:
                self._samples_per_s = per_s
                self._subscribe()

    def cut(self, *, for_s: float = 0.0) -> None:
        """See Session."""
        with self._lock:
            self._cut_until_ns = self._clock.mono_ns() + int(for_s * 1e9)
        self._hang_up("the link was cut from this side")

    def retry(self) -> None:
        """Try again now: after a person has acted (phase `refused`), or instead of waiting."""
        self._retry_now.set()

    def close(self) -> None:
        """See Session."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            wire = self._wire
            if self._keeper.own(self._builder.state) is not None and wire is not None:
                self._send_request(ReleaseLease(), None, 1.0)
            self._changed.notify_all()
        self._retry_now.set()
        if wire is not None:
            wire.close(flush_s=0.3)
        self._transport.close()
        for thread in self._threads:
            thread.join(1.0)
        with self._lock:
            settle = self._requests.give_up_all("the session was closed")
            self._phase("closed")
        settle()
        self._identity.close()
        self._publish()

    # ------------------------------------------------------------ the link's thread

    def _link_thread(self) -> None:
        with self._reported():
            while not self._closed:
                self._one_connection()

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
            with self._lock:
                self._wire = None
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
            if trouble.code == "ended":
                raise ended_trouble(self._robot, trouble.what) from trouble
            if trouble.code == "no_agent":
                raise no_agent_trouble(self._robot, trouble.what) from trouble
            raise

    def _begin(self, wire: Wire, hello: AgentHello) -> None:
        now_ns = self._clock.mono_ns()
        past, other_journal = self._intake.begin(hello.journal)
        self._store.note_robot(self._robot.name, self._robot.address)
        with self._changed:
            if self._closed:
                raise Trouble("the session was closed", code="unreachable")
            self._offset.rough(hello.mono_ns - now_ns, hello.wall_ns - self._clock.wall_ns())
            self._builder.greet(hello)
            self._builder.offset(self._offset.mono_offset_ns)
            if other_journal:
                self._builder.clear_history()
            self._builder.take_entries(past)
            self._builder.stored_seq = self._intake.stored_seq
            self._fetch.want(past)
            self._pings.clear()
            self._next_ping_ns = now_ns
            self._cut_reason = self._refusal = ""
            self._wire = wire
            self._subscribe()
            again, settle = self._requests.after_reconnect(hello.boot_id)
            for request in again:
                wire.send(request)
            reconnects = self._builder.link.reconnects + (1 if self._builder.link.phase == "down" else 0)
            self._phase("up", self._intake.note, heard_ns=now_ns, reconnects=reconnects)
        settle()

    def _read_until_end(self, wire: Wire) -> Trouble:
        heard_ns = self._clock.mono_ns()
        while not self._closed:
            message = wire.receive(_STEP_S)
            now_ns = self._clock.mono_ns()
            if message is not None:
                heard_ns = now_ns
                self._handle(wire, message, now_ns)
            elif wire.ended or self._cut_reason:
                return self._ended(wire)
            elif now_ns - heard_ns > DEAD_AFTER_NS:
                what = f"the link is dead: nothing heard for {(now_ns - heard_ns) / 1e9:.1f} s"
                return Trouble(what, cure="it is tried again by itself", code="unreachable")
        return Trouble("closed", code="unreachable")

    def _ended(self, wire: Wire) -> Trouble:
        last = wire.last_words()
        why = self._refusal or (last.splitlines()[-1] if last else "")
        what = self._cut_reason or f"the link broke{': ' + why if why else ''}"
        return Trouble(what, cure="it is tried again by itself", code="unreachable")

    def _handle(self, wire: Wire, message: FromAgent, now_ns: int) -> None:
        settle: Settle | None = None
        took = self._intake.take(message.entries, now_ns) if isinstance(message, Entries) else None
        if isinstance(message, Lost):
            self._intake.lost(message.first_seq, message.last_seq, now_ns)
        with self._changed:
            self._builder.link = msgspec.structs.replace(self._builder.link, heard_ns=now_ns)
            if took is not None:
                self._builder.take_entries(took.fresh)
                self._fetch.want(took.fresh)
                if took.ack is not None:
                    wire.send(Ack(took.ack))
            elif isinstance(message, Sample):
                self._builder.take_sample(message)
            elif isinstance(message, AgentState):
                self._builder.state = message
            elif isinstance(message, Pong):
                self._pong(message, now_ns)
            elif isinstance(message, Reply):
                self._builder.state = message.state or self._builder.state
                settle = self._requests.answered(message)
            elif isinstance(message, Refusal):
                self._refusal = message.error.what
            self._builder.stored_seq = self._intake.stored_seq
            # While more is waiting the publisher may sleep on: a long resume is one repaint, not thousands.
            if not wire.behind:
                self._dirty = True
                self._changed.notify_all()
        if settle is not None:
            settle()

    def _pong(self, pong: Pong, now_ns: int) -> None:
        sent_ns = self._pings.pop(pong.id, None)
        if sent_ns is None:
            return
        self._offset.add(
            sent_ns=sent_ns,
            got_ns=now_ns,
            got_wall_ns=self._clock.wall_ns(),
            robot_mono_ns=pong.mono_ns,
            robot_wall_ns=pong.wall_ns,
        )
        self._builder.offset(self._offset.mono_offset_ns)
        self._builder.link = msgspec.structs.replace(
            self._builder.link,
            round_trip_ms=self._offset.round_trip_ms,
            robot_wall_offset_ms=self._offset.wall_offset_ms,
        )

    def _wait_to_retry(self, trouble: Trouble) -> None:
        if self._closed:
            return
        if trouble.code in NEEDS_A_PERSON:
            with self._lock:
                self._phase("refused", trouble.what, trouble.cure, trouble.code)
            self._retry_now.wait()
            return
        with self._lock:
            now_ns = self._clock.mono_ns()
            wait_s = max(self._backoff.next_s(), (self._cut_until_ns - now_ns) / 1e9)
            retry_at_ns = now_ns + int(wait_s * 1e9)
            self._phase("down", trouble.what, trouble.cure, trouble.code, retry_at_ns=retry_at_ns)
        self._retry_now.wait(wait_s)

    # ------------------------------------------------------------ the publisher's thread

    def _tick_thread(self) -> None:
        with self._reported():
            self._tick_until_closed()

    @contextlib.contextmanager
    def _reported(self) -> Iterator[None]:
        """A thread's one outer catch: a screen must not go on showing a session that has ended by a mistake of ours."""
        try:
            yield
        except BaseException as error:
            with self._lock:
                self._phase("closed", f"internal error: {error!r}", "report this with the traceback on stderr")
                self._snapshot = self._builder.build(self._clock.mono_ns())
            raise

    def _tick_until_closed(self) -> None:
        published_ns = not_before_ns = 0
        apart_ns = self._clock.awake_ns() - self._clock.mono_ns()
        while not self._closed:
            with self._changed:
                now_ns = self._clock.mono_ns()
                settle = self._tick(now_ns)
                due_ns = min(published_ns + PING_NS, self._next_due_ns(now_ns))
                if self._dirty:
                    due_ns = min(due_ns, not_before_ns)
                if due_ns > now_ns:
                    self._changed.wait((due_ns - now_ns) / 1e9)
            settle()
            apart_ns = self._notice_sleep(apart_ns)
            now_ns = self._clock.mono_ns()
            if (self._dirty and now_ns >= not_before_ns) or now_ns - published_ns >= PING_NS:
                self._publish()
                published_ns = now_ns
                # A snapshot of many new entries takes a while to make: while they pour in, a fifth of the time is enough.
                not_before_ns = now_ns + _REST_AFTER_PUBLISHING * (self._clock.mono_ns() - now_ns)

    def _tick(self, now_ns: int) -> Settle:
        wire, state = self._wire, self._builder.state
        if wire is None:
            return self._requests.expired(now_ns)
        if now_ns >= self._next_ping_ns:
            self._ping(wire, now_ns)
        due_ns = self._keeper.due_ns(state)
        if due_ns is not None and now_ns >= due_ns:
            self._keeper.renewed(now_ns)
            self._send_request(RenewLease(), None, 5.0).add_done_callback(self._lease_renewed)
        digest = self._fetch.next(now_ns)
        if digest is not None:
            self._send_request(GetPicture(digest), None, _PICTURE_TIMEOUT_S).add_done_callback(self._picture_came)
        if self._intake.ask_again(now_ns):
            self._subscribe()
        self._say_store_trouble()
        return self._requests.expired(now_ns)

    def _ping(self, wire: Wire, now_ns: int) -> None:
        self._next_ping_ns = now_ns + PING_NS
        self._ping_id += 1
        self._pings[self._ping_id] = self._clock.mono_ns()
        self._pings.pop(self._ping_id - 20, None)
        wire.send(Ping(self._ping_id))

    def _say_store_trouble(self) -> None:
        trouble = self._intake.trouble or self._fetch.trouble
        reason, cure = (trouble.what, trouble.cure) if trouble else (self._intake.note, "")
        code = trouble.code if trouble else ""
        if self._builder.link.phase == "up" and self._builder.link.reason != reason:
            self._builder.link = msgspec.structs.replace(self._builder.link, reason=reason, cure=cure, code=code)
            self._dirty = True

    def _next_due_ns(self, now_ns: int) -> int:
        dues = [self._next_ping_ns if self._wire is not None else None, self._requests.next_deadline_ns()]
        dues += [self._keeper.due_ns(self._builder.state) if self._wire is not None else None]
        return min((due for due in dues if due is not None), default=now_ns + PING_NS)

    def _notice_sleep(self, apart_ns: int) -> int:
        """After a sleep the robot's clock went on and ours did not: the offset is void and the link most likely dead."""
        now_apart_ns = self._clock.awake_ns() - self._clock.mono_ns()
        if now_apart_ns - apart_ns > _SLEPT_NS:
            self._hang_up(f"this laptop slept for {(now_apart_ns - apart_ns) / 1e9:.0f} s")
            self._retry_now.set()
        return now_apart_ns

    def _publish(self) -> None:
        with self._lock:
            self._dirty = False
            self._snapshot = self._builder.build(self._clock.mono_ns())
        self._on_snapshot(self._snapshot)

    # ------------------------------------------------------------ with the lock held

    def _phase(
        self,
        phase: LinkPhase,
        reason: str = "",
        cure: str = "",
        code: str = "",
        *,
        retry_at_ns: int | None = None,
        heard_ns: int | None = None,
        reconnects: int | None = None,
    ) -> None:
        old = self._builder.link
        since_ns = old.since_ns if old.phase == phase else self._clock.mono_ns()
        self._builder.link = msgspec.structs.replace(
            old,
            phase=phase,
            since_ns=since_ns,
            reason=reason,
            cure=cure,
            code=code,
            retry_at_ns=retry_at_ns,
            heard_ns=heard_ns if heard_ns is not None else old.heard_ns,
            reconnects=old.reconnects if reconnects is None else reconnects,
        )
        self._dirty = True
        self._changed.notify_all()

    def _subscribe(self) -> None:
        if self._wire is not None:
            self._wire.send(Subscribe(self._intake.stored_seq, self._samples_per_s))

    def _why_not(self, command: Command) -> Trouble | None:
        link = self._builder.link
        if self._wire is None or self._closed:
            what = f"'{self._robot.name}' can't be reached now{': ' + link.reason if link.reason else ''}"
            return Trouble(what, cure=link.cure or "wait until the link is up", code="unreachable")
        if isinstance(command, NEEDS_LEASE) and self._keeper.own(self._builder.state) is None:
            return Trouble("this console does not command the robot", cure="take the lease first", code="no_lease")
        return None

    def _send_request(self, command: Command, expected: Expected | None, timeout_s: float) -> Future[Reply]:
        hello, wire = self._builder.hello, self._wire
        assert hello is not None
        assert wire is not None
        lease = self._keeper.own(self._builder.state)
        request, future = self._requests.new(
            command,
            now_ns=self._clock.mono_ns(),
            timeout_s=timeout_s,
            boot_id=hello.boot_id,
            offset_ns=self._offset.mono_offset_ns or 0,
            epoch=lease.epoch if lease is not None else None,
            expected=expected,
        )
        wire.send(request)
        self._changed.notify_all()
        return future

    # ------------------------------------------------------------ answers

    def _lease_taken(self, future: Future[Reply]) -> None:
        if future.exception() is None:
            with self._lock:
                self._keeper.taken(future.result().state or self._builder.state, self._clock.mono_ns())

    def _lease_renewed(self, future: Future[Reply]) -> None:
        error = future.exception()
        if isinstance(error, Trouble) and error.code not in ("unconfirmed", "unreachable"):
            with self._lock:
                self._keeper.dropped()

    def _picture_came(self, future: Future[Reply]) -> None:
        error = future.exception()
        outcome = error if isinstance(error, Trouble) else future.result()
        with self._lock:
            self._fetch.came(outcome, self._clock.mono_ns())

    def _hang_up(self, reason: str) -> None:
        with self._lock:
            wire, self._cut_reason = self._wire, reason
        if wire is not None:
            with contextlib.suppress(OSError):
                wire.close()


def _ignore(_: Snapshot) -> None:
    """Nobody listens yet."""
