"""One console's connection: reads its lines, sends it state, entries and samples as fast as it takes them and no faster."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct

from remote import __version__
from remote.agent.core import Agent
from remote.agent.journal import JournalDamaged, JournalFull
from remote.agent.lease import Holder
from remote.agent.lines import LineSplitter
from remote.agent.requests import Desk
from remote.errors import Trouble
from remote.protocol import (
    OLDEST_PROTOCOL,
    PROTOCOL,
    SAMPLES_PER_S_MAX,
    Ack,
    AgentHello,
    ConsoleHello,
    Entries,
    ErrorInfo,
    FromConsole,
    Lost,
    Ping,
    Pong,
    Refusal,
    Reply,
    Request,
    Subscribe,
    from_console,
    handshake_trouble,
    line,
)

LINE_LIMIT_BYTES = 256 * 1024
"""What a console may send in one line; its messages are small."""
HELLO_LIMIT_BYTES = 16 * 1024
HELLO_S = 10.0
CLOSE_S = 1.0
READ_BYTES = 64 * 1024
UNSENT_BYTES = 256 * 1024
OUTSTANDING = 32

log = logging.getLogger("fieldgate.agent")


class Connection:
    """Implements core.Console. `serve` runs it to its end."""

    def __init__(
        self, number: int, agent: Agent, desk: Desk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.number, self.samples_per_s = number, 0.0
        self._agent, self._desk, self._reader, self._writer = agent, desk, reader, writer
        self._hello: ConsoleHello | None = None
        self._sent_seq: int | None = None
        self._state_due = False
        self._sample: bytes | None = None
        self._sample_due_ns = 0
        self._wake = asyncio.Event()
        self._requests: set[asyncio.Task[None]] = set()
        writer.transport.set_write_buffer_limits(high=UNSENT_BYTES)

    @property
    def holder(self) -> Holder:
        """Who this is. Before the hello it is nobody."""
        hello = self._hello
        return Holder(hello.client_id, hello.name, self.number) if hello else Holder("", "", self.number)

    # ------------------------------------------------------------ core.Console

    def state_changed(self) -> None:
        """Send the newest state when there is room."""
        self._state_due = True
        self._wake.set()

    def entries_committed(self) -> None:
        """Send what is new in the journal when there is room."""
        self._wake.set()

    def offer_sample(self, data: bytes) -> None:
        """Keep this line as the one to send next, unless it comes sooner than the rate asked for; an unsent one is dropped."""
        now, period_ns = self._agent.clock.mono_ns(), int(1e9 / self.samples_per_s)
        if now + period_ns // 4 < self._sample_due_ns:
            return
        on_time = now - self._sample_due_ns < period_ns
        # Counted from when it was due, so that jitter leaves the mean rate alone; from now on, when it is far behind.
        self._sample_due_ns = (self._sample_due_ns if on_time else now) + period_ns
        self._sample = data
        self._wake.set()

    def end(self) -> None:
        """Close the connection; `serve` then returns."""
        self._writer.close()

    # ------------------------------------------------------------ its life

    async def serve(self) -> None:
        """Talk until the console goes, breaks the rules, or the agent ends."""
        try:
            self._check_user()
            lines = await self._shake_hands()
            self._agent.attached(self)
            await self._talk(lines)
        except Trouble as trouble:
            await self._refuse_and_close(trouble)
        except (ConnectionError, BrokenPipeError):
            pass  # the console is gone: nobody to tell
        finally:
            self._agent.detached(self)
            self._writer.close()

    def _check_user(self) -> None:
        door = self._writer.get_extra_info("socket")
        _, user, _ = struct.unpack("3i", door.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        own = self._agent.user
        if user != own:
            raise Trouble(f"user {user} may not talk to the agent of user {own}", code="wrong_user")

    async def _shake_hands(self) -> list[bytes]:
        """Exchange hellos; the lines that came together with the console's hello."""
        self._write(self._agent_hello())
        try:
            first, *more = await asyncio.wait_for(self._first_lines(), HELLO_S)
        except asyncio.TimeoutError:
            raise Trouble(f"no hello came within {HELLO_S:g} s", code="no_hello") from None
        message = from_console(first)
        if not isinstance(message, ConsoleHello):
            raise Trouble("the first line must be a console_hello", code="no_hello")
        if trouble := handshake_trouble(message):
            raise trouble
        self._hello = message
        return more

    def _agent_hello(self) -> AgentHello:
        agent = self._agent
        return AgentHello(
            protocol=PROTOCOL,
            oldest_protocol=OLDEST_PROTOCOL,
            software=f"fieldgate-agent {__version__}",
            robot=agent.name,
            boot_id=agent.clock.boot_id,
            journal=agent.writer.journal_id,
            mono_ns=agent.clock.mono_ns(),
            wall_ns=agent.clock.wall_ns(),
        )

    async def _first_lines(self) -> list[bytes]:
        self._lines = LineSplitter(HELLO_LIMIT_BYTES)
        while chunk := await self._reader.read(READ_BYTES):
            if found := self._lines.feed(chunk):
                self._lines.limit_bytes = LINE_LIMIT_BYTES
                return found
        raise ConnectionResetError("gone before the hello")

    async def _talk(self, lines: list[bytes]) -> None:
        sender = asyncio.ensure_future(self._send_for_ever())
        sender.add_done_callback(lambda ended: None if ended.cancelled() else self._writer.close())
        try:
            while True:
                for one in lines:
                    self._take(one)
                await self._writer.drain()  # who does not read its answers is not read either
                chunk = await self._reader.read(READ_BYTES)
                if not chunk:
                    return
                lines = self._lines.feed(chunk)
        finally:
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await sender

    async def _refuse_and_close(self, trouble: Trouble) -> None:
        log.info("connection %d refused: %s", self.number, trouble.what)
        self._write(Refusal(ErrorInfo.of(trouble)))
        with contextlib.suppress(ConnectionError, asyncio.TimeoutError):
            await asyncio.wait_for(self._writer.drain(), CLOSE_S)

    # ------------------------------------------------------------ reading

    def _take(self, one: bytes) -> None:
        try:
            self._act(from_console(one))
        except Trouble as trouble:
            self._write(Refusal(ErrorInfo.of(trouble)))

    def _act(self, message: FromConsole) -> None:
        clock = self._agent.clock
        if isinstance(message, Ping):
            self._write(Pong(message.id, clock.mono_ns(), clock.wall_ns()))
        elif isinstance(message, Request):
            self._request(message)
        elif isinstance(message, Ack):
            self._agent.writer.ack(self.holder.client_id, self.holder.name, message.seq)
        elif isinstance(message, Subscribe):
            self._subscribe(message)
        else:
            raise Trouble("the hello was already said", code="bad_message")

    def _subscribe(self, message: Subscribe) -> None:
        last = self._agent.writer.last_seq
        if message.after_seq < 0 or message.after_seq > last:
            raise Trouble(
                f"entry {message.after_seq} was named, this journal ends at {last}",
                cure="compare the journal's id in the agent's hello with the one stored",
                code="beyond_journal",
            )
        if (
            self._sent_seq is None
        ):  # a later Subscribe changes the sample rate only: what was carried is not carried twice
            self._sent_seq = message.after_seq
        self.samples_per_s = max(0.0, min(message.samples_per_s, SAMPLES_PER_S_MAX))
        self._agent.rates_changed()
        self._wake.set()

    def _request(self, request: Request) -> None:
        if len(self._requests) >= OUTSTANDING:
            error = ErrorInfo("busy", f"{OUTSTANDING} requests are still unanswered", "wait for their replies")
            self._write(Reply(id=request.id, error=error))
            return
        task = asyncio.ensure_future(self._answer(request))
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)

    async def _answer(self, request: Request) -> None:
        reply = await self._desk.answer(self.holder, request)
        self._write(reply)

    # ------------------------------------------------------------ sending

    def _write(self, message: object) -> None:
        if not self._writer.is_closing():
            self._writer.write(line(message))

    async def _send_for_ever(self) -> None:
        """Send what is due, newest state first; what a slow console can't take stays in the journal, samples are dropped."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._state_due:
                self._state_due = False
                self._write(self._agent.state())
            if self._sample:
                self._writer.write(self._sample)
                self._sample = None
            self._send_entries()
            await self._writer.drain()
            await asyncio.sleep(0)

    def _send_entries(self) -> None:
        sent = self._sent_seq
        agent = self._agent
        if sent is None or sent >= agent.writer.last_seq or agent.reader.journal_id != agent.writer.journal_id:
            return  # nothing new, or a new journal has just begun and this connection is about to end
        try:
            entries = agent.reader.after(sent)
        except (JournalDamaged, JournalFull) as error:
            log.error("the journal can't be read: %s", error)
            return  # the writer finds the damage too and begins a new journal; this connection then ends
        if not entries:
            return
        if entries[0].seq > sent + 1:
            self._write(Lost(sent + 1, entries[0].seq - 1))
        self._write(Entries(entries))
        self._sent_seq = entries[-1].seq
        self._wake.set()
