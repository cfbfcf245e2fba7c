"""What a check of a model found: one vocabulary for self-test, probation, validation, comparison and their readers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

Verdict = Literal["pass", "fail", "inconclusive", "skipped"]
ProfileName = Literal["jetson", "x86"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One question and its answer.

    `name` is a stable snake_case word, `text` a sentence for people that holds every number that matters. `value` and `limit`
    are in `unit`; `bound` is what the value may be at the given confidence, where one was computed; `n` is what it rests on
    (runs, frames, pictures).
    """

    name: str
    verdict: Verdict
    text: str
    value: float | None = None
    bound: float | None = None
    limit: float | None = None
    unit: str = ""
    n: int | None = None


class ValidationReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the validation suite found of one bundle on one machine.

    `engine` is what ran it, `words` are facts of the machine by name (model, l4t, tensorrt, power_mode, ...). Times are the
    machine's own clocks; `boot_id` says which boot `mono_ns` belongs to.
    """

    profile: str
    digest: str
    name: str
    engine: str
    verdict: Verdict
    checks: tuple[Check, ...]
    words: dict[str, str] = {}
    boot_id: str = ""
    mono_ns: int = 0
    wall_ns: int = 0


def profile_of_machine(words: Mapping[str, str]) -> ProfileName:
    """The profile that a machine with these facts (model, l4t, ...) is validated by where nobody names one."""
    return "jetson" if words.get("l4t") or "jetson" in words.get("model", "").lower() else "x86"


def overall(checks: Iterable[Check]) -> Verdict:
    """Fail where one fails, else inconclusive where one is, else pass where one passed, else skipped."""
    found = {check.verdict for check in checks}
    order: tuple[Verdict, ...] = ("fail", "inconclusive", "pass")
    return next((verdict for verdict in order if verdict in found), "skipped")
