"""`python -m remote.models.self_test_process FOLDER THREADS ENGINES WISHES`: the self-test for a program that waits for it.

Says lines of JSON: Told with `progress` as it goes on, last one with `checks` or `error`. Ends with its parent, whose end
closes its stdin. It makes itself nice, so that a worker beside it keeps its rate.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from pathlib import Path
from typing import Union

import msgspec

from remote.errors import Trouble
from remote.model_states import Progress
from remote.models.self_test import self_test
from remote.perception.engines.wishes import wishes_in
from remote.protocol import ErrorInfo
from remote.verdicts import Check

NICENESS = 10


class Told(msgspec.Struct, frozen=True):
    """One line; exactly one of the three is there."""

    progress: Union[Progress, None] = None
    checks: Union[tuple[Check, ...], None] = None
    error: Union[ErrorInfo, None] = None


def main() -> None:
    """Test, say it, end."""
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    out = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no answer

    def say(told: Told) -> None:
        os.write(out, msgspec.json.encode(told) + b"\n")

    try:
        folder, threads, engines = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
        wishes = wishes_in(sys.argv[4])
        checks = self_test(folder, lambda far: say(Told(progress=far)), threads=threads, engines=engines, wishes=wishes)
        say(Told(checks=checks))
    except Trouble as trouble:
        say(Told(error=ErrorInfo(trouble.code, trouble.what, trouble.cure)))


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(3)


if __name__ == "__main__":
    main()
