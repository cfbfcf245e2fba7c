"""`python -m remote.models.check_process FOLDER THREADS`: a bundle's check for a program that waits for it.

Says one line of JSON: the CheckReport, or an ErrorInfo under `error`. Ends with its parent, whose end closes its stdin. It
makes itself nice, so that a worker beside it keeps its rate.
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
from remote.models.check import CheckReport, check_bundle
from remote.protocol import ErrorInfo

NICENESS = 10


class Checked(msgspec.Struct, frozen=True):
    """The one line: exactly one of both is there."""

    report: Union[CheckReport, None] = None
    error: Union[ErrorInfo, None] = None


def checked(folder: Path, threads: int) -> Checked:
    """Check the bundle in this process; what is wrong with it becomes `error`."""
    try:
        return Checked(report=check_bundle(folder, threads=threads))
    except Trouble as trouble:
        return Checked(error=ErrorInfo(trouble.code, trouble.what, trouble.cure))


def main() -> None:
    """Check, say it, end."""
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    out = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no answer
    said = checked(Path(sys.argv[1]), int(sys.argv[2]))
    os.write(out, msgspec.json.encode(said) + b"\n")


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(3)


if __name__ == "__main__":
    main()
