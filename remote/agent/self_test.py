"""Self-tests a bundle in a child process, so that a model that crashes its engine crashes neither agent nor worker."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from remote.activation.ground import Say
from remote.agent.child import Ended, TooLate, run_child
from remote.errors import Trouble
from remote.models.self_test_process import Told
from remote.perception.engines.wishes import Wishes, words_of
from remote.verdicts import Check

log = logging.getLogger("fieldgate.agent")
LIMIT_S = 300.0
_OWN_FAULTS = ("ImportError", "ModuleNotFoundError", "NameError", "AttributeError", "TypeError", "SyntaxError")
"""Errors of Python by which code breaks, whatever model it is given: most often files that were changed under an old agent."""
COMMAND = (sys.executable, "-m", "remote.models.self_test_process")


async def run_self_test(
    folder: Path,
    threads: int,
    say: Say,
    *,
    cwd: Path,
    engines: Path,
    wishes: Wishes = Wishes(),
    limit_s: float = LIMIT_S,
    command: Sequence[str] = COMMAND,
) -> tuple[Check, ...]:
    """What the self-test of the bundle in `folder` found; `engines` is the folder of engines that this robot built, `wishes`
    how.

    Raises Trouble: what the bundle itself is refused for; `self_test_timeout`; `self_test_crashed` where the process died of
    it, `self_test_broke` where that was an error of fieldgate's own; `no_self_test` where it can't be started.
    """
    last: list[Told] = []

    def heard(line: bytes) -> None:
        told = _told(line)
        if told is not None and told.progress is not None:
            say(told.progress)
        elif told is not None:
            last[:] = [told]

    try:
        ended = await run_child(
            (*command, str(folder), str(threads), str(engines), words_of(wishes)),
            cwd=cwd,
            limit_s=limit_s,
            on_line=heard,
        )
    except OSError as error:
        cure = "install fieldgate again on the robot, or free some memory"
        raise Trouble(f"the self-test can't be started: {error}", cure=cure, code="no_self_test") from error
    except TooLate as late:
        cure = "look at the robot's load and memory, then push again"
        raise Trouble(f"the self-test {late}", cure=cure, code="self_test_timeout") from None
    return _checks(last, ended)


def _told(line: bytes) -> Told | None:
    try:
        return msgspec.json.decode(line, type=Told)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _checks(last: list[Told], ended: Ended) -> tuple[Check, ...]:
    if last and last[0].error is not None:
        error = last[0].error
        raise Trouble(error.what, cure=error.cure, code=error.code)
    if not last or last[0].checks is None:
        said = f"; it last said: {ended.last_words}" if ended.last_words else ""
        if ended.code > 0 and ended.last_words.split(":")[0] in _OWN_FAULTS:
            raise _broke(ended)
        cure = "the robot may lack memory, or its engine can't take this model; what ran before runs on"
        raise Trouble(f"the self-test died: {ended.how}{said}", cure=cure, code="self_test_crashed")
    return last[0].checks


def _broke(ended: Ended) -> Trouble:
    """Nothing is known of the model then; the whole of it is in the log."""
    log.error("the self-test itself broke (%s): %s", ended.how, ended.words)
    what = f"the self-test itself broke, which is no fault of the model: {ended.last_words}"
    cure = "look in the robot's agent.log, restart the agent, push again"
    return Trouble(what, cure=cure, code="self_test_broke")
