"""`python -m remote.models.check_process FOLDER THREADS`: a bundle's check for a program that waits for it.

Says one line of JSON: the CheckReport, or an ErrorInfo under `error`. Ends with its parent, whose end closes its stdin. It
makes itself nice, so that a worker beside it keeps its rate.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Union

import msgspec

from remote.child_side import be_nice, claim_answers, end_with_parent
from remote.errors import Trouble
from remote.models.check import CheckReport, check_bundle
from remote.protocol import ErrorInfo


class Checked(msgspec.Struct, frozen=True):
    """The one line: exactly one of both is there."""

    report: Union[CheckReport, None] = None
    error: Union[ErrorInfo, None] = None


def checked(folder: Path, threads: int) -> Checked:
    """Check the bundle in this process; what is wrong with it becomes `error`."""
    try:
        return Checked(report=check_bundle(folder, threads=threads))
    except Trouble as trouble:
        return Checked(error=ErrorInfo.of(trouble))


def main() -> None:
    """Check, say it, end."""
    be_nice()
    end_with_parent()
    answer = claim_answers()
    answer(checked(Path(sys.argv[1]), int(sys.argv[2])))


if __name__ == "__main__":
    main()
