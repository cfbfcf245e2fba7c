"""`python -m remote.models.validation.process PLAN`: the suite for a program that waits for it. PLAN is a Plan as JSON.

Says one line of JSON: the ValidationReport, or an ErrorInfo under `error`. Ends with its parent, whose end closes its stdin. It
makes itself nice, so that a worker beside it keeps its rate.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import Union

import msgspec

from remote.errors import Trouble
from remote.models.validation.plan import Plan
from remote.models.validation.suite import validate
from remote.protocol import ErrorInfo
from remote.verdicts import ValidationReport

NICENESS = 10


class Validated(msgspec.Struct, frozen=True):
    """The one line: exactly one of both is there."""

    report: Union[ValidationReport, None] = None
    error: Union[ErrorInfo, None] = None


def validated(plan: Plan) -> Validated:
    """Run the suite in this process; what keeps it from being run becomes `error`."""
    try:
        return Validated(report=validate(plan))
    except Trouble as trouble:
        return Validated(error=ErrorInfo(trouble.code, trouble.what, trouble.cure))


def main() -> None:
    """Validate, say it, end."""
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    out = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no answer
    said = validated(msgspec.json.decode(sys.argv[1], type=Plan))
    os.write(out, msgspec.json.encode(said) + b"\n")


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(3)


if __name__ == "__main__":
    main()
