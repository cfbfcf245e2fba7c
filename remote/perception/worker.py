"""`python -m remote.perception.worker`: the agent's child that owns camera and engine.

Reads a WorkerConfig as its first line on stdin, then speaks remote.perception.messages over stdin and stdout. Exit status:
0 after Quit or the end of stdin, 3 after Unable, 4 when the loop hung on after its agent had gone, 5 when the engine was lost.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import IO

import msgspec

from remote.errors import Trouble
from remote.perception.faults import EngineLost
from remote.perception.handoff import Handoff
from remote.perception.messages import Unable, WorkerConfig
from remote.perception.wire import Listener, Outbox, ParentGone, claim_stdout, read_line

EXIT_DONE = 0
EXIT_UNABLE = 3
EXIT_LOST = 5
_SWITCH_S = 0.0005  # the loop must not wait 5 ms for the interpreter while the camera's thread computes


def main() -> int:
    """Run one worker; returns its exit status."""
    outbox = claim_stdout()
    ending = _end_on_sigterm()
    try:
        _work(sys.stdin.buffer, outbox, ending)
    except Trouble as trouble:
        return _unable(outbox, trouble)
    except ParentGone:
        return EXIT_DONE
    except EngineLost as lost:
        print(lost, file=sys.stderr)  # noqa: T201 - its last words, which the agent shows; it starts a new worker
        return EXIT_LOST
    return EXIT_DONE


def _work(stdin: IO[bytes], outbox: Outbox, ending: list[int]) -> None:
    config = read_config(stdin)
    # Only here, so that an unreadable configuration is answered at once.
    import cv2

    from remote.perception.assemble import assemble

    sys.setswitchinterval(_SWITCH_S)
    cv2.setNumThreads(1)  # its threads and the engine's would fight over the same cores
    handoff = Handoff()
    ready, parts, loop = assemble(config, outbox, handoff, ended=lambda: bool(ending))
    outbox.send(ready)
    Listener(stdin, handoff).start()
    loop.run()
    parts.eye.stop()


def read_config(stdin: IO[bytes]) -> WorkerConfig:
    """The first line of stdin. Raises Trouble `config_invalid`."""
    cure = "Start the worker through the agent"
    data = read_line(stdin)
    if data is None:
        raise Trouble("the worker got no configuration", cure=cure, code="config_invalid")
    try:
        return msgspec.json.decode(data, type=WorkerConfig)
    except msgspec.DecodeError as error:
        raise Trouble(f"the worker's configuration is refused: {error}", cure=cure, code="config_invalid") from error


def _end_on_sigterm() -> list[int]:
    """A list that gets the signal's number when SIGTERM comes; Ctrl-C in the agent's terminal is the agent's affair."""
    came: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: came.append(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return came


def _unable(outbox: Outbox, trouble: Trouble) -> int:
    try:
        outbox.send(Unable(trouble.what, trouble.cure, trouble.code))
    except ParentGone:
        return EXIT_DONE
    return EXIT_UNABLE


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    # Not sys.exit: a thread that hangs in a camera's driver, or waits on stdin, must not hold the process.
    os._exit(status)
