"""Whether a candidate on trial is kept: pure judgement of what was seen of it against what was seen before it."""

from __future__ import annotations

from dataclasses import dataclass

from remote.activation.ground import Seen
from remote.model_states import Probation
from remote.verdicts import Check, Verdict


@dataclass(frozen=True)
class Looks:
    """How often the statistics were judged already, and at how many frames they are next."""

    for_fail: int = 0
    fail_at: int = 32
    for_pass: int = 0
    pass_at: int = 0


def judge(plan: Probation, before: Seen, since: Seen, looks: Looks = Looks()) -> tuple[Verdict, tuple[Check, ...]]:
    """The verdict over all checks."""
    raise NotImplementedError


def looked(plan: Probation, since: Seen, looks: Looks) -> Looks:
    """The looks after this one."""
    raise NotImplementedError
