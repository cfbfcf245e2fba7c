"""The way to a robot by the system's `ssh`: for FIDO keys, `Match exec` and whatever else paramiko can't do."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from console.link.asking import AcceptingNewAsker, Asker, BeforehandAsker, RefusingAsker
from console.link.attach import as_sh, attach_command, shell_path
from console.link.openssh_words import ssh_trouble
from console.link.pipes import PipeChannel
from console.link.ssh_config import split_address
from console.link.transport import Progress, Ran
from console.robots import Robot
from remote.errors import Trouble

_SSH_FAILED = 255
_PIECE_BYTES = 1 << 18
_WORDS_BYTES = 1 << 20
STALL_S = 300.0
"""So long ssh may take nothing, or go on after the last byte: it holds some megabytes, and a link may be slow. A dead one it
leaves by itself.
"""


class OpensshTransport:
    """See Transport. ssh asks its own questions where there is a terminal and none was refused (`BatchMode` otherwise)."""

    name = "openssh"

    def __init__(self, robot: Robot, asker: Asker) -> None:
        self._robot, self._asker = robot, asker

    def open(self) -> PipeChannel:
        """See Transport."""
        self._check()
        return PipeChannel([*self._words(batch=True), attach_command(self._robot)])

    def run(self, command: str, *, stdin: bytes = b"", timeout_s: float = 60.0) -> Ran:
        """See Transport."""
        self._check()
        try:
            done = subprocess.run(
                [*self._words(), as_sh(command)], input=stdin, capture_output=True, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise Trouble(
                f"a command took more than {timeout_s:.0f} s on {self._robot.name}", code="timeout"
            ) from error
        if done.returncode == _SSH_FAILED:
            raise ssh_trouble(self._robot, done.stderr.decode("utf-8", "replace"))
        return Ran(done.returncode, done.stdout, done.stderr)

    def put(self, local: Path, remote: str, progress: Progress | None = None, *, offset: int = 0) -> None:
        """See Transport; through `cat`, which can go on after a cut where sftp's batches can't."""
        self._check()
        redirect = ">>" if offset else ">"
        command = [*self._words(), as_sh(f"cat {redirect} {shell_path(remote)}")]
        size = local.stat().st_size
        # Not a pipe for what it says: with `LogLevel DEBUG` it would fill up while nobody reads it.
        with tempfile.TemporaryFile() as words, local.open("rb") as source:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=words, bufsize=0
            )
            assert process.stdin is not None
            try:
                source.seek(offset)
                with contextlib.suppress(BrokenPipeError), process.stdin as out:  # its exit and its stderr say why
                    while piece := source.read(_PIECE_BYTES):
                        _fed(out.fileno(), piece)
                        if progress is not None:
                            progress(source.tell(), size)
                code = process.wait(STALL_S)
            except (TimeoutError, subprocess.TimeoutExpired) as error:
                what = f"'{self._robot.name}' took nothing of {local.name} for {STALL_S:.0f} s"
                raise Trouble(what, cure="look at the robot's disk and load, then try again", code="timeout") from error
            finally:
                process.kill()  # also after Ctrl+C
                process.wait()
            words.seek(max(0, words.seek(0, os.SEEK_END) - _WORDS_BYTES))
            if code != 0:
                raise ssh_trouble(self._robot, words.read(_WORDS_BYTES).decode("utf-8", "replace"))

    def close(self) -> None:
        """Nothing is kept open."""

    def _check(self) -> None:
        if shutil.which("ssh") is None:
            cure = "install OpenSSH's client, or set the robot's transport to paramiko"
            raise Trouble("there is no `ssh` on this laptop", cure=cure, code="unreachable")

    def _words(self, *, batch: bool = False) -> list[str]:
        user, host, port = split_address(self._robot.address)
        # The attach runs beside a screen, where ssh must never ask on the terminal.
        asker = self._asker.other if isinstance(self._asker, BeforehandAsker) else self._asker
        quiet = batch or isinstance(asker, RefusingAsker) or not sys.stdin.isatty()
        new = "accept-new" if isinstance(asker, AcceptingNewAsker) else None
        words = ["ssh", "-T", "-o", f"BatchMode={'yes' if quiet else 'no'}", "-o", "ConnectTimeout=8"]
        words += ["-o", "ServerAliveInterval=2", "-o", "ServerAliveCountMax=2", "-o", "ControlPersist=no"]
        words += ["-o", f"StrictHostKeyChecking={new}"] if new else []
        words += ["-p", str(port)] if port else []
        words += ["-l", user] if user else []
        return [*words, "--", host]


def _fed(pipe: int, data: bytes) -> None:
    """Write all of it. Raises TimeoutError where nothing is taken for STALL_S."""
    os.set_blocking(pipe, False)
    left = memoryview(data)
    while left:
        if not select.select([], [pipe], [], STALL_S)[1]:
            raise TimeoutError
        left = left[os.write(pipe, left) :]
