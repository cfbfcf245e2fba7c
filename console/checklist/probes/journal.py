"""`journal_canary`: something is written into the robot's journal, and must come back as it was and be stored here."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Annotated

import msgspec

from console.checklist.probes import Finding, Sight
from console.fieldtest.criteria import Answer
from console.link.session import Session
from console.link.snapshot import LOST, Seen, Snapshot
from console.visiting import confirmed
from remote.errors import Trouble
from remote.protocol import Event, Note

REFUSED = ("not_journalled", "journal_slow")
"""Codes by which the agent says that its journal does not take entries."""
_GRACE_S = 2.0


class CanaryParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`timeout_s`: how long the journal may take, and then the way back. `text` stands before the nonce in the journal."""

    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=120)] = 10.0
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] = "fieldgate canary"


def _nonce() -> str:
    return secrets.token_hex(8)


def look_at_journal(sight: Sight, parameters: CanaryParameters, *, nonce: Callable[[], str] = _nonce) -> Finding:
    """An Answer to `journal_works`.

    It does not hold where the robot's journal refuses the entry, gives another text back, or it does not arrive and get
    stored within `timeout_s`. Raises Trouble where the robot could not be asked.
    """
    session = sight.session
    if session is None:
        return Finding(unavailable="it needs the robot", cure="look again with the robot connected")
    text = f"{parameters.text} {nonce()}"
    asked_ns = sight.mono_ns()
    try:
        answer = session.request(Note(text), timeout_s=parameters.timeout_s)
        seq = confirmed(answer, parameters.timeout_s + _GRACE_S).seq
    except Trouble as trouble:
        if trouble.code not in REFUSED:
            raise
        return _no(f"the robot's journal refused the entry: {trouble.what}", trouble.cure)
    if seq is None:
        return Finding(unavailable="the agent answered without a number", cure="deploy it again: `fieldgate deploy`")
    journalled_ms = (sight.mono_ns() - asked_ns) / 1e6
    shot = sight.wait(lambda s: _came(s, seq) is not None and sight.stored_seq() >= seq, parameters.timeout_s)
    if shot is None:
        return _not_back(session, sight, seq, parameters.timeout_s)
    found = _came(shot, seq)
    if found is None or found.body.name != "note" or found.body.text != text:
        return _no(f"entry {seq} came back changed", "check the robot's disk and memory")
    back_ms = (sight.mono_ns() - asked_ns) / 1e6
    words = f"entry {seq} was journalled in {journalled_ms:.0f} ms, came back unchanged and is stored after {back_ms:.0f} ms"
    return Finding(
        measurement=Answer(holds=True, words=words),
        details={"seq": seq, "journalled_ms": round(journalled_ms, 1), "stored_ms": round(back_ms, 1)},
    )


def _came(shot: Snapshot, seq: int) -> Seen[Event] | None:
    return next((seen for seen in reversed(shot.events) if seen.seq == seq), None)


def _not_back(session: Session, sight: Sight, seq: int, timeout_s: float) -> Finding:
    link = session.snapshot.link
    if link.phase in LOST:
        why = link.reason or f"the link is {link.phase}"
        return Finding(unavailable=f"the link was lost before entry {seq} came back: {why}", cure=link.cure)
    if _came(session.snapshot, seq) is not None:
        why = f"; the store ends at entry {sight.stored_seq()}"
        return _no(f"entry {seq} came back and was not stored within {timeout_s:g} s{why}", "check the laptop's disk")
    reason = f": {link.reason}" if link.reason else ""
    return _no(f"entry {seq} did not come back within {timeout_s:g} s{reason}", link.cure or "check the robot's disk")


def _no(words: str, cure: str) -> Finding:
    return Finding(measurement=Answer(holds=False, words=f"{words} - {cure}"))
