"""What each kind of entry says, in a line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from console.checklist.wording import short
from console.fieldtest.running import Running
from console.record.entries import ConditionSeen, Evaluated, FrameScored, SessionMeasured, Trial, TrialCompleted

_WORDS = {
    "opened": "{campaign}: {robot}, {pack_name}",
    "revised": "{reason}",
    "act": "{item}: `{command}` ended with {exit}",
    "override": "{item} as {role}: {reason}",
    "deferral": "{item} until {until_stage}, {owner} answers for it: {reason}",
    "fix": "{item}, entry {failure_seq}: {text}",
    "withdrawal": "entry {seq}: {reason}",
    "note": "{item}: {text}",
    "signature": "{stage}: {meaning} by {name} as {role}, {key}",
    "gate_passed": "{stage}",
    "session_resumed": "session {session} goes on: {note}",
    "stop_lifted": "{phase}, {stop}: {reason}",
    "trial_begun": "session {session}",
    "intervention": "session {session}: {note}",
}


def body_words(body: Any) -> tuple[str, str]:
    """The body's kind, and what it says."""
    kind = str(type(body).__struct_config__.tag)
    said = _SAID[kind](body) if kind in _SAID else _WORDS[kind].format(**msgspec.to_builtins(body))
    return kind, " ".join(said.split()).removeprefix(": ").removesuffix(":")


def _attempt(body: Any) -> str:
    judged = body.evidence.judgement
    said = f"{judged.verdict}: {judged.why}" if judged else f"unavailable: {body.evidence.unavailable}"
    return f"{body.item}: {said}"


def _confirmation(body: Any) -> str:
    note = f": {body.note}" if body.note else ""
    return f"{body.item}: {body.meaning}, {'yes' if body.holds else 'no'}{note}"


def _seen(body: Any) -> str:
    return ", ".join(f"{name} {_fingerprint(value)}" for name, value in body.fingerprints.items())


def _fingerprint(value: str) -> str:
    is_digest = len(value) >= 32 and not set(value) - set("0123456789abcdef")
    return short(value) if is_digest else value or "unknown"


# ------------------------------------------------------------ field testing


def _phase_begun(body: Any) -> str:
    back = f", back from {body.back_from}" if body.back_from else ""
    return f"{body.phase}{back}: {body.reason}" + _unmet(body.entry)


def _session_begun(body: Any) -> str:
    return f"{body.phase}: {_conditions(body.conditions)}" + _unmet(body.holding)


def _session_paused(body: Any) -> str:
    return f"session {body.session}: {body.why}" + (f" ({body.condition})" if body.condition else "")


def _session_ended(body: Any) -> str:
    return f"session {body.session}: {body.why}" + (f" (stop rule {body.stop})" if body.stop else "")


def _unmet(seen: tuple[ConditionSeen, ...]) -> str:
    words = [one.words for one in seen if not one.met]
    return f" (not met: {'; '.join(words)})" if words else ""


def _conditions(conditions: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in conditions.items())


def _trial(body: Trial) -> str:
    marks = ["a person helped"] if body.intervened else []
    marks += ["the worker crashed"] if body.crashed else []
    parts = [_conditions(body.conditions), *marks, body.note]
    return f"{body.phase}, session {body.session}: {body.outcome}: " + "; ".join(part for part in parts if part)


def _trial_completed(body: TrialCompleted) -> str:
    found = {
        True: "the worker crashed",
        False: "the worker did not crash",
        None: "whether the worker crashed is not known",
    }
    return f"session {body.session}, the trial in entry {body.trial}: {found[body.crashed]}"


def _frame_scored(body: FrameScored) -> str:
    return (
        f"{body.phase}, frame {body.frame} by {body.by}: {body.right} right, {body.wrong} wrong, {body.missed} missed"
    )


def _session_measured(body: SessionMeasured) -> str:
    running = body.measured.running
    broke = f"{running.crashes} crashes, {running.hangs} hangs, {running.reboots} reboots"
    return f"session {body.session}: {_ran(running)}, {broke}"


def _ran(running: Running) -> str:
    unknown = f", {running.unknown_s / 3600:.2f} h not known" if running.unknown_s >= 1 else ""
    return f"{running.known_s / 3600:.2f} h known, up {running.up_s / 3600:.2f} h{unknown}"


def _evaluated(body: Evaluated) -> str:
    figures = ", ".join(f"{name} {value:.1f} %" for name, value in body.figures.items())
    return f"bundle {short(body.bundle)} on {body.pictures} labelled pictures: {figures}"


_SAID: dict[str, Callable[[Any], str]] = {
    "attempt": _attempt,
    "confirmation": _confirmation,
    "seen": _seen,
    "poll": lambda body: f"{body.stage} as {body.role}: {'go' if body.go else 'no-go'}",
    "phase_begun": _phase_begun,
    "session_begun": _session_begun,
    "session_paused": _session_paused,
    "session_ended": _session_ended,
    "conditions_set": lambda body: f"session {body.session}: {_conditions(body.conditions)}",
    "trial": _trial,
    "trial_completed": _trial_completed,
    "frame_scored": _frame_scored,
    "session_measured": _session_measured,
    "evaluated": _evaluated,
}
