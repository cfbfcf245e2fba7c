"""Self-tests a bundle in a child process, so that a model that crashes its engine crashes neither agent nor worker."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from remote.activation.ground import Say
from remote.agent.asked_child import AskedChild, Heard, accepted
from remote.agent.child import Ended
from remote.errors import Trouble
from remote.models.self_test_process import Told
from remote.perception.engines.wishes import Wishes, words_of
from remote.verdicts import Check

log = logging.getLogger("fieldgate.agent")
LIMIT_S = 300.0
_OWN_FAULTS = ("ImportError", "ModuleNotFoundError", "NameError", "AttributeError", "TypeError", "SyntaxError")
"""Errors of Python by which code breaks, whatever model it is given: most often files that were changed under an old agent."""
COMMAND = (sys.executable, "-m", "remote.models.self_test_process")
CHILD = AskedChild(
    what="the self-test",
    died="died",
    start_code="no_self_test",
    late_code="self_test_timeout",
    late_cure="look at the robot's load and memory, then push again",
    died_code="self_test_crashed",
    died_cure="the robot may lack memory, or its engine can't take this model; what ran before runs on",
)


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
    heard = Heard(Told, say)
    arguments = (*command, str(folder), str(threads), str(engines), words_of(wishes))
    ended = await CHILD.run(arguments, cwd=cwd, limit_s=limit_s, on_line=heard)
    told = accepted(heard.last)
    if told is None or told.checks is None:
        raise _broke(ended) if _is_own_fault(ended) else CHILD.no_answer(ended)
    return told.checks


def _is_own_fault(ended: Ended) -> bool:
    return ended.code > 0 and ended.last_words.split(":")[0] in _OWN_FAULTS


def _broke(ended: Ended) -> Trouble:
    """Nothing is known of the model then; the whole of it is in the log."""
    log.error("the self-test itself broke (%s): %s", ended.how, ended.words)
    what = f"the self-test itself broke, which is no fault of the model: {ended.last_words}"
    cure = "look in the robot's agent.log, restart the agent, push again"
    return Trouble(what, cure=cure, code="self_test_broke")
