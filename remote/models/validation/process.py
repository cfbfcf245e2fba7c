"""`python -m remote.models.validation.process PLAN`: the suite for a program that waits for it. PLAN is a Plan as JSON.

Says one line of JSON: the ValidationReport, or an ErrorInfo under `error`. Ends with its parent, whose end closes its stdin. It
makes itself nice, so that a worker beside it keeps its rate.
"""

from __future__ import annotations

import sys
from typing import Union

import msgspec

from remote.child_side import be_nice, claim_answers, end_with_parent
from remote.errors import Trouble
from remote.models.validation.plan import Plan
from remote.models.validation.suite import validate
from remote.protocol import ErrorInfo
from remote.verdicts import ValidationReport


class Validated(msgspec.Struct, frozen=True):
    """The one line: exactly one of both is there."""

    report: Union[ValidationReport, None] = None
    error: Union[ErrorInfo, None] = None


def validated(plan: Plan) -> Validated:
    """Run the suite in this process; what keeps it from being run becomes `error`."""
    try:
        return Validated(report=validate(plan))
    except Trouble as trouble:
        return Validated(error=ErrorInfo.of(trouble))


def main() -> None:
    """Validate, say it, end."""
    be_nice()
    end_with_parent()
    answer = claim_answers()
    answer(validated(msgspec.json.decode(sys.argv[1], type=Plan)))


if __name__ == "__main__":
    main()
