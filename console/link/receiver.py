"""What comes from the agent: each message to the part that it concerns."""

from __future__ import annotations

import msgspec

from console.link.commander import Commander
from console.link.intake import Intake, Took
from console.link.known_bundles import KnownBundles
from console.link.link_state import LinkState
from console.link.picture_fetch import PictureFetch
from console.link.pulse import Pulse
from console.link.requests import Settle
from console.link.wire import Wire
from console.store.known_models import KnownModels
from remote.protocol import (
    Ack,
    AgentHello,
    AgentState,
    Entries,
    Entry,
    FromAgent,
    Lost,
    Pong,
    Refusal,
    Reply,
    Sample,
    Subscribe,
)

_LATE_NS = 1_000_000_000


class Past(msgspec.Struct, frozen=True):
    """What the store holds of the journal that a connection begins with; `other`: it is not the one shown before."""

    entries: tuple[Entry, ...]
    other: bool


class Receiver:
    """Handles the messages of each connection, the journal's entries first into the store and then into the snapshot.

    `look_up` and `handle` are for the link's thread, without the state's lock; the others need it held.
    """

    def __init__(
        self,
        state: LinkState,
        intake: Intake,
        fetch: PictureFetch,
        pulse: Pulse,
        commander: Commander,
        bundles: KnownBundles,
        models: KnownModels,
    ) -> None:
        self._state, self._intake, self._fetch = state, intake, fetch
        self._pulse, self._commander = pulse, commander
        self._bundles, self._models = bundles, models
        self._samples_per_s = 0.0
        state.builder.take_entries(intake.past())
        state.builder.stored_seq = intake.stored_seq

    # ------------------------------------------------------------ a connection's beginning

    def look_up(self, hello: AgentHello) -> Past:
        """Find the agent's journal in the store, without the lock as this may take a while."""
        return Past(*self._intake.begin(hello.journal))

    def begin(self, wire: Wire, hello: AgentHello, past: Past, now_ns: int) -> None:
        """A connection has begun at `now_ns`, with what `look_up` found."""
        builder = self._state.builder
        self._pulse.begin(hello, now_ns)
        builder.greet(hello)
        builder.offset(self._pulse.offset.mono_offset_ns)
        if past.other:
            builder.clear_history()
        builder.take_entries(past.entries)
        builder.stored_seq = self._intake.stored_seq
        self._fetch.begin(now_ns)
        self._state.up(wire, self._intake.note, now_ns)
        self.subscribe()

    def subscribe(self) -> None:
        """Ask for everything after what is stored, and for live samples at the rate wished for."""
        if self._state.wire is not None:
            self._state.wire.send(Subscribe(self._intake.stored_seq, self._samples_per_s))

    def watch_samples(self, per_s: float) -> None:
        """See Session."""
        if per_s != self._samples_per_s:
            self._samples_per_s = per_s
            self.subscribe()

    def samples_late(self, now_ns: int) -> bool:
        """Whether live samples, which somebody wants and the worker makes, come late: the link has enough to carry."""
        state, at_ns = self._state.builder.state, self._state.builder.sample_at_ns
        if not self._samples_per_s or state is None or state.worker.phase != "running" or at_ns is None:
            return False
        return now_ns - at_ns > max(_LATE_NS, 3e9 / self._samples_per_s)

    # ------------------------------------------------------------ messages

    def handle(self, wire: Wire, message: FromAgent, now_ns: int) -> None:
        """Take one message that came over `wire`."""
        took = self._intake.take(message.entries, now_ns) if isinstance(message, Entries) else None
        self._bundles.note(message)
        self._models.note(message)
        if isinstance(message, Lost):
            self._intake.lost(message.first_seq, message.last_seq, now_ns)
        with self._state.changed:
            self._state.note(heard_ns=now_ns)
            if took is not None:
                self._stored(wire, took)
            settle = self._settled(message)
            if settle is None:
                self._told(message, now_ns)
            self._state.builder.stored_seq = self._intake.stored_seq
            # While more is waiting the publisher may sleep on: a long resume is one repaint, not thousands.
            if not wire.behind:
                self._state.touch()
        if settle is not None:
            settle()

    def _stored(self, wire: Wire, took: Took) -> None:
        self._state.builder.take_entries(took.fresh)
        self._fetch.want(took.fresh)
        if took.ack is not None:
            wire.send(Ack(took.ack))

    def _settled(self, message: FromAgent) -> Settle | None:
        if isinstance(message, Reply):
            return self._answered(message)
        return self._commander.refused(message.error) if isinstance(message, Refusal) else None

    def _answered(self, reply: Reply) -> Settle:
        self._state.builder.state = reply.state or self._state.builder.state
        return self._commander.answered(reply)

    def _told(self, message: FromAgent, now_ns: int) -> None:
        if isinstance(message, Sample):
            self._state.builder.take_sample(message)
        elif isinstance(message, AgentState):
            self._state.builder.state = message
        elif isinstance(message, Pong):
            self._pong(message, now_ns)
        elif isinstance(message, Refusal):
            self._state.refusal = message.error.what

    def _pong(self, pong: Pong, now_ns: int) -> None:
        if self._pulse.answered(pong, now_ns):
            offset = self._pulse.offset
            self._state.builder.offset(offset.mono_offset_ns)
            self._state.note(round_trip_ms=offset.round_trip_ms, robot_wall_offset_ms=offset.wall_offset_ms)
