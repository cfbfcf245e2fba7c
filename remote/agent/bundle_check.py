"""Checks a bundle in a child process, so that neither a broken model nor a slow one disturbs the agent or its worker."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path

import msgspec

from remote.agent.worker_process import child_environment, exit_text
from remote.errors import Trouble
from remote.models.check_process import Checked
from remote.protocol import BundleReport

LIMIT_S = 120.0
WORDS_BYTES = 4096
ANSWER_BYTES = 65_536
COMMAND = (sys.executable, "-m", "remote.models.check_process")

log = logging.getLogger("fieldgate.agent")


class BundleCheck:
    """One check at a time. The child ends with the agent, whichever way that ends.

    Args:
        cwd: the child's working directory.
        limit_s: how long a check may take.
        command: the child's command line, to which folder and threads are added.
    """

    def __init__(self, cwd: Path, *, limit_s: float = LIMIT_S, command: Sequence[str] = COMMAND) -> None:
        self._cwd, self._limit_s, self._command = cwd, limit_s, command
        self._busy = False

    async def run(self, folder: Path, threads: int) -> BundleReport:
        """Verify, load and run the bundle in `folder`.

        Raises Trouble: what check_bundle says of the bundle; `check_busy` while another check runs; `check_timeout`;
        `check_crashed` where the process died of it; `no_check` where it can't be started.
        """
        if self._busy:
            raise Trouble("another bundle is being checked now", cure="try again in a minute", code="check_busy")
        self._busy = True
        try:
            return await self._run(folder, threads)
        finally:
            self._busy = False

    async def _run(self, folder: Path, threads: int) -> BundleReport:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                str(folder),
                str(threads),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                cwd=self._cwd,
                env=child_environment(),
                start_new_session=True,
            )
        except OSError as error:
            cure = "install fieldgate again on the robot, or free some memory"
            raise Trouble(f"the check can't be started: {error}", cure=cure, code="no_check") from error
        try:
            out, words = await asyncio.wait_for(_both(process), self._limit_s)
            code = await process.wait()
        except asyncio.TimeoutError:
            cure = "look at the robot's load and memory, then try again"
            what = f"the check of {folder.name[:12]} did not end within {self._limit_s:g} s and was killed"
            raise Trouble(what, cure=cure, code="check_timeout") from None
        finally:
            await _end(process)
        return _report(out, words, code)


async def _both(process: Process) -> tuple[bytes, bytes]:
    """Its stdout and the end of its stderr, read together so that it never waits for a reader."""
    stdout, stderr = process.stdout, process.stderr
    assert stdout is not None  # asked for with PIPE
    assert stderr is not None
    return await asyncio.gather(_tail(stdout, ANSWER_BYTES), _tail(stderr, WORDS_BYTES))


async def _tail(stream: asyncio.StreamReader, limit: int) -> bytes:
    kept = b""
    while chunk := await stream.read(65_536):
        kept = (kept + chunk)[-limit:]
    return kept


async def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # also what it left behind
    if process.stdin:
        process.stdin.close()
    await process.wait()


def _report(out: bytes, words: bytes, code: int) -> BundleReport:
    try:
        said = msgspec.json.decode(out, type=Checked)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = Checked()
    if said.error:
        raise Trouble(said.error.what, cure=said.error.cure, code=said.error.code)
    found = said.report
    if found is None:
        raise _crashed(words.decode("utf-8", "replace").strip(), code)
    return BundleReport(
        digest=found.digest,
        name=found.name,
        engine=found.engine,
        runs=found.runs,
        inference_p50_ms=found.inference_p50_ms,
        inference_max_ms=found.inference_max_ms,
        model_bytes=found.model_bytes,
    )


def _crashed(words: str, code: int) -> Trouble:
    log.warning("a bundle's check ended without an answer (%s): %s", exit_text(code), words)
    last = f"; it last said: {words.splitlines()[-1][:300]}" if words else ""
    cure = "run `fieldgate-agent bundle check` on the robot; it may lack memory, or its engine can't take this model"
    return Trouble(f"the check ended without an answer: {exit_text(code)}{last}", cure=cure, code="check_crashed")
