"""The way to a robot by paramiko: works on every laptop, asks nothing of the system."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.link.asking import Asker
from console.link.attach import as_sh, attach_command
from console.link.ssh_auth import KeyRing
from console.link.ssh_dial import CONNECT_TIMEOUT_S, Connection, answering, dial
from console.link.transport import Progress, Ran
from console.robots import Robot
from remote.errors import Trouble

if TYPE_CHECKING:
    import paramiko

_PIECE_BYTES = 1 << 16
PUT_BYTES = _PIECE_BYTES // 2
"""What is sent at once: a cut costs so much at most of what lay on the robot already."""
STALL_S = 60.0
"""So long a robot may take for one answer while a file is copied: a slow card stands still for half of it."""
_LAST_WORDS_BYTES = 4096


class SshChannel:
    """See Channel; owns its connection."""

    def __init__(self, connection: Connection, channel: paramiko.Channel) -> None:
        self._connection, self._channel = connection, channel
        self._words = bytearray()

    def receive(self, timeout_s: float) -> bytes | None:
        """See Channel."""
        self._channel.settimeout(max(timeout_s, 0.001))
        try:
            return self._channel.recv(_PIECE_BYTES)
        except TimeoutError:
            self._listen()
            return None if self._connection.alive else b""
        except OSError:
            return b""

    def send(self, data: bytes) -> None:
        """See Channel."""
        try:
            # Not sendall: it would take the reader's timeout, which is the channel's only one.
            while data:
                try:
                    data = data[self._channel.send(data) :]
                except TimeoutError:
                    continue
        except (OSError, EOFError) as error:
            raise Trouble(f"the link broke while sending: {error}", code="unreachable") from error

    def close(self) -> None:
        """See Channel."""
        self._connection.close()

    def last_words(self) -> str:
        """See Channel."""
        self._listen()
        return self._words.decode("utf-8", "replace").strip()

    def _listen(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            while self._channel.recv_stderr_ready():
                self._words += self._channel.recv_stderr(_PIECE_BYTES)
                del self._words[:-_LAST_WORDS_BYTES]


class SshTransport:
    """See Transport. `asker` is asked for passphrases and unknown host keys."""

    name = "paramiko"

    def __init__(self, robot: Robot, asker: Asker) -> None:
        self._robot, self._asker = robot, asker
        self._keys = KeyRing(asker)
        self._connection: Connection | None = None

    def open(self) -> SshChannel:
        """See Transport. The channel has a connection of its own, so that a dead one takes nothing else with it."""
        connection = dial(self._robot.address, self._asker, self._keys)
        try:
            return SshChannel(connection, self._session(connection, attach_command(self._robot)))
        except BaseException:
            connection.close()
            raise

    def run(self, command: str, *, stdin: bytes = b"", timeout_s: float = 60.0) -> Ran:
        """See Transport."""
        channel = self._session(self._connected(), as_sh(command))
        try:
            return _finished(channel, stdin, timeout_s)
        except TimeoutError as error:
            raise Trouble(
                f"a command took more than {timeout_s:.0f} s on {self._robot.name}", code="timeout"
            ) from error
        except (OSError, EOFError) as error:
            raise self._broke(error) from error
        finally:
            channel.close()

    def put(self, local: Path, remote: str, progress: Progress | None = None, *, offset: int = 0) -> None:
        """See Transport; by SFTP."""
        import paramiko

        size = local.stat().st_size
        try:
            sftp = self._sftp(self._connected())
            with local.open("rb") as source:
                target = sftp.open(remote, "r+b" if offset else "wb")
                target.set_pipelined(True)
                source.seek(offset)
                target.seek(offset)
                while piece := source.read(PUT_BYTES):
                    target.write(piece)
                    if progress is not None:
                        progress(source.tell(), size)
            target.close()
            sftp.close()
        except (OSError, EOFError, paramiko.SSHException) as error:
            self.close()
            raise self._broke(error) from error
        except BaseException:  # Ctrl+C: closing the file would wait for all that is under way
            self.close()
            raise

    def close(self) -> None:
        """See Transport."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> Connection:
        if self._connection is None or not self._connection.alive:
            self.close()
            self._connection = dial(self._robot.address, self._asker, self._keys)
        return self._connection

    def _session(self, connection: Connection, command: str) -> Any:
        import paramiko

        try:
            channel = connection.transport.open_session(timeout=CONNECT_TIMEOUT_S)
            with answering(connection):
                channel.exec_command(command)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self._broke(error) from error
        return channel

    def _sftp(self, connection: Connection) -> paramiko.SFTPClient:
        """As paramiko's own `open_sftp_client`, which waits for a silent server without an end."""
        import paramiko

        channel = connection.transport.open_session(timeout=CONNECT_TIMEOUT_S)
        with answering(connection):
            channel.invoke_subsystem("sftp")
        channel.settimeout(STALL_S)
        return paramiko.SFTPClient(channel)

    def _broke(self, error: Exception) -> Trouble:
        said = str(error) or ("it was silent for too long" if isinstance(error, TimeoutError) else type(error).__name__)
        what = f"the connection to '{self._robot.name}' broke: {said}"
        return Trouble(what, cure="run the same command again, it goes on where it stopped", code="unreachable")


def _finished(channel: paramiko.Channel, stdin: bytes, timeout_s: float) -> Ran:
    """Feed and drain until the command ends; both outputs in turn, so that neither fills up and blocks it."""
    deadline = time.monotonic() + timeout_s
    out, err = bytearray(), bytearray()
    channel.settimeout(timeout_s)
    channel.sendall(stdin)
    channel.shutdown_write()
    channel.settimeout(0.05)
    ended = False
    while not ended or channel.recv_stderr_ready():
        if time.monotonic() > deadline:
            raise TimeoutError
        while channel.recv_stderr_ready():
            err += channel.recv_stderr(_PIECE_BYTES)
        with contextlib.suppress(TimeoutError):
            piece = channel.recv(_PIECE_BYTES)
            out += piece
            ended = not piece
    # It may have closed its output and run on.
    if not channel.status_event.wait(max(0.0, deadline - time.monotonic())):
        raise TimeoutError
    exit_code = channel.recv_exit_status()
    while channel.recv_stderr_ready():
        err += channel.recv_stderr(_PIECE_BYTES)
    return Ran(exit_code, bytes(out), bytes(err))
