"""`python -m remote.models.self_test_process FOLDER THREADS ENGINES WISHES`: the self-test for a program that waits for it.

Says lines of JSON: Told with `progress` as it goes on, last one with `checks` or `error`. Ends with its parent, whose end
closes its stdin. It makes itself nice, so that a worker beside it keeps its rate.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Union

import msgspec

from remote.child_side import be_nice, claim_answers, end_with_parent
from remote.errors import Trouble
from remote.model_states import Progress
from remote.models.self_test import self_test
from remote.perception.engines.wishes import wishes_in
from remote.protocol import ErrorInfo
from remote.verdicts import Check


class Told(msgspec.Struct, frozen=True):
    """One line; exactly one of the three is there."""

    progress: Union[Progress, None] = None
    checks: Union[tuple[Check, ...], None] = None
    error: Union[ErrorInfo, None] = None


def main() -> None:
    """Test, say it, end."""
    be_nice()
    end_with_parent()
    say = claim_answers()
    try:
        folder, threads, engines = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
        wishes = wishes_in(sys.argv[4])
        checks = self_test(folder, lambda far: say(Told(progress=far)), threads=threads, engines=engines, wishes=wishes)
        say(Told(checks=checks))
    except Trouble as trouble:
        say(Told(error=ErrorInfo.of(trouble)))


if __name__ == "__main__":
    main()
