"""What the entries about one item say of it: its own state, before other items, overrides and deferrals are looked at."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone

import msgspec

from console.checklist.folding.staleness import Present, Rested, expiry_ns, stale
from console.checklist.pack import Act as Command
from console.checklist.pack import Item
from console.checklist.signatories import same_person
from console.checklist.states import PASSED, Basis, Need, State
from console.record.entries import Act, Attachment, Attempt, Confirmation, Entry, Fix, Withdrawal
from console.record.ledger import Kept, Ledger

_VOUCHED = ("confirmed", "witnessed")
"""The kinds that rest on people's words alone."""


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """An item's own state. The fields are those of ItemState; `rested` are the entries that it rests on."""

    state: State
    reason: str = ""
    cure: str = ""
    need: Need = "nothing"
    since_wall_ns: int | None = None
    basis: Basis | None = None
    expires_wall_ns: int | None = None
    attempts: int = 0
    failures: int = 0
    last_failure_seq: int | None = None
    performers: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    rested: tuple[Rested, ...] = ()


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The entries about one item that can decide, the withdrawn ones left out.

    `look` is the last attempt, `answer` the last confirmation, `done` the last `performed` that no `no` came after, `act` the
    last run of its command. `taken_back` is the withdrawal of a no behind which no new yes came. `failures` are the numbers
    of all that failed.
    """

    item: Item
    look: Kept[Attempt] | None
    taken_back: Kept[Withdrawal] | None
    done: Kept[Confirmation] | None
    answer: Kept[Confirmation] | None
    act: Kept[Act] | None
    failures: tuple[int, ...]


def own_state(ledger: Ledger, item: Item, rule: str, present: Present) -> Own:
    """Fold the entries about `item`: what the last one decided, then whether that still counts."""
    told = _told(ledger, item)
    own = _latched(ledger, told) or _decided(told)
    if own.state in (*PASSED, "fail") and not (item.latched and own.state == "fail"):
        own = _aged(item, own, rule, present)
    return msgspec.structs.replace(
        own,
        attempts=len(ledger.rows("attempt", item.id)) + len(ledger.rows("confirmation", item.id)),
        failures=len(told.failures),
        last_failure_seq=told.failures[-1] if told.failures else None,
        cure=own.cure or _cure(item, own.state),
    )


def _told(ledger: Ledger, item: Item) -> Told:
    """The last look, the last answer, and for a witness's answer the performer's before it."""
    look, (answer, taken_back) = ledger.last(Attempt, item.id), _answer(ledger, item)
    done = None
    if answer is not None and answer.body.holds:
        done = _performed(ledger, item.id)
    return Told(
        item=item,
        look=look,
        taken_back=taken_back,
        done=done,
        answer=answer,
        act=ledger.last(Act, item.id) if item.act else None,
        failures=tuple(ledger.failures(item.id)),
    )


def _answer(ledger: Ledger, item: Item) -> tuple[Kept[Confirmation] | None, Kept[Withdrawal] | None]:
    """The last answer that counts. A no that was taken back is no yes: a yes from before it does not count again."""
    taken_back: Kept[Withdrawal] | None = None
    for kept in ledger.newest(Confirmation, item.id, withdrawn_too=True):
        gone = ledger.withdrawn.get(kept.seq)
        if gone is not None:
            taken_back = taken_back or (gone if not kept.body.holds and item.kind in _VOUCHED else None)
        elif taken_back is None or not kept.body.holds:
            return kept, taken_back
    return None, taken_back


def _performed(ledger: Ledger, item: str) -> Kept[Confirmation] | None:
    """The last `performed` that no `no` came after, also none that was taken back."""
    for kept in ledger.newest(Confirmation, item, withdrawn_too=True):
        if not kept.body.holds:
            return None
        if kept.body.meaning == "performed" and kept.seq not in ledger.withdrawn:
            return kept
    return None


# ------------------------------------------------------------ what was decided


def _decided(told: Told) -> Own:
    look, answer = told.look, told.answer
    newest = answer if answer is not None and (look is None or answer.seq > look.seq) else None
    if newest is not None and not newest.body.holds:
        return _no(told.item, newest)
    if told.item.kind in ("sensed", "measured"):
        return _acted(told, _looked(told.item, look))
    if look is not None and newest is None:
        return _looked(told.item, look)
    return _vouched(told)


def _no(item: Item, answer: Kept[Confirmation]) -> Own:
    said = f": {answer.body.note}" if answer.body.note else ""
    return _of_confirmation(answer, "fail", f"{answer.entry.person} says that it does not hold{said}", need_of(item))


def _looked(item: Item, look: Kept[Attempt] | None) -> Own:
    """What the last look says. A look alone never settles what a person must vouch for."""
    if look is None:
        return Own(state="pending", reason="not looked at yet", need=need_of(item))
    evidence = look.body.evidence
    judged = evidence.judgement
    if judged is None:
        cure = str(evidence.details.get("cure") or "")
        return _of_attempt(look, "unavailable", evidence.unavailable or "nothing was seen", cure, need_of(item))
    if judged.verdict == "inconclusive":
        return _of_attempt(look, "pending", _undecided(judged.why, judged.more), "", need_of(item))
    if judged.verdict == "fail":
        return _of_attempt(look, "fail", judged.why, "", need_of(item))
    if item.kind not in ("sensed", "measured"):
        return _of_attempt(look, "pending", "looked at, to be confirmed", "", need_of(item))
    if not _inspected(item, evidence.attachments):
        return _of_attempt(look, "pending", f"a {item.inspect} must be attached", "", need_of(item))
    return _of_attempt(look, judged.verdict, judged.why)


def _undecided(why: str, more: int | None) -> str:
    return why if more is None else f"{why}; {more} more would decide" if why else f"{more} more would decide"


def _acted(told: Told, own: Own) -> Own:
    """An item with a command passes by a look that came after the command ran as it should."""
    item, act = told.item, told.act
    if item.act is None or own.state not in (*PASSED, "pending"):
        return own
    verified = (
        act is not None and act.body.exit == item.act.expect_exit and own.basis is not None and own.basis.seq > act.seq
    )
    if verified and own.state in PASSED:
        return own
    return msgspec.structs.replace(own, state="pending", reason=_command(own, item.act, act), need="command")


def _command(own: Own, wanted: Command, act: Kept[Act] | None) -> str:
    if act is None:
        return "its command was not run yet"
    if act.body.exit != wanted.expect_exit:
        ended = "did not end" if act.body.exit is None else f"ended with {act.body.exit}, not {wanted.expect_exit}"
        return f"its command {ended}"
    verified = own.basis is not None and own.basis.seq > act.seq
    return own.reason if verified else "its command ran, its effect was not looked at since"


def _vouched(told: Told) -> Own:
    """What people said: one who did it and, for a witnessed item, another one who saw it."""
    item, done, answer = told.item, told.done, told.answer
    if answer is None:
        return Own(state="pending", reason=_nobody(told.taken_back), need=need_of(item))
    if done is None or (told.look is not None and done.seq < told.look.seq):
        return Own(state="pending", reason="the one who does it has not confirmed it", need=need_of(item))
    if not _inspected(item, (*done.body.attachments, *answer.body.attachments)):
        return _of_confirmation(done, "pending", f"a {item.inspect} must be attached", need_of(item))
    if item.kind == "confirmed":
        return _of_confirmation(done, "pass", _said(done))
    if answer.body.meaning != "witnessed":
        return _of_confirmation(
            done, "pending", f"done by {done.entry.person}; a second person must witness it", "witness"
        )
    if same_person(answer.entry.person, done.entry.person):
        reason = f"witnessed by {answer.entry.person}, who did it: another person must"
        return _of_confirmation(done, "pending", reason, "witness")
    return _witnessed(done, answer)


def _nobody(taken_back: Kept[Withdrawal] | None) -> str:
    if taken_back is None:
        return "nobody has confirmed it yet"
    who = f"the no in entry {taken_back.body.seq} was withdrawn by {taken_back.entry.person}"
    return f"{who}: {taken_back.body.reason}; it is to be confirmed anew"


def _witnessed(done: Kept[Confirmation], witness: Kept[Confirmation]) -> Own:
    own = _of_confirmation(witness, "pass", f"{_said(done)}; {_said(witness)}")
    first = _of_confirmation(done, "pass", "")
    flags = tuple(dict.fromkeys((*first.flags, *own.flags)))
    return msgspec.structs.replace(
        own, performers=(done.entry.person,), flags=flags, rested=(*first.rested, *own.rested)
    )


def _said(kept: Kept[Confirmation]) -> str:
    note = f": {kept.body.note}" if kept.body.note else ""
    return f"{kept.body.meaning} by {kept.entry.person}{note}"


# ------------------------------------------------------------ latched failures


def _latched(ledger: Ledger, told: Told) -> Own | None:
    """A latched item's failure, until a fix of it was recorded and a look or a word after the fix passed."""
    if not told.item.latched or not told.failures:
        return None
    failure = told.failures[-1]
    fixes = (kept for kept in ledger.all(Fix, told.item.id) if kept.body.failure_seq == failure < kept.seq)
    fix = next(fixes, None)
    now = _decided(told)
    if fix is not None and now.state in PASSED and all(one.seq > fix.seq for one in now.rested):
        return None
    if fix is not None and now.need == "witness" and told.done is not None and told.done.seq > fix.seq:
        reason = f"done again by {told.done.entry.person}; a second person must witness it"
        return msgspec.structs.replace(now, reason=reason)
    own = _failure(ledger, told.item, failure)
    if fix is None:
        cure = f"{told.item.cure.strip().rstrip('. ') or 'mend it'}; then record what was done about entry {failure}"
        return msgspec.structs.replace(own, need="fix", cure=cure, reason=f"{own.reason} (entry {failure} has no fix)")
    what = f"{own.reason} (fixed: {fix.body.text}; to be looked at again)"
    need = now.need if now.need != "nothing" else need_of(told.item)
    return msgspec.structs.replace(own, need=need, reason=what)


def _failure(ledger: Ledger, item: Item, seq: int) -> Own:
    look = ledger.entry(Attempt, item.id, seq)
    if look is not None:
        return _looked(item, look)
    answer = ledger.entry(Confirmation, item.id, seq)
    assert answer is not None  # a failure is one or the other
    return _no(item, answer)


# ------------------------------------------------------------ parts


def need_of(item: Item) -> Need:
    """What an item that is not settled asks for first."""
    if item.kind == "sensed":
        return "probe" if item.act is None else "command"
    if item.inspect is not None:
        return item.inspect
    return "value" if item.kind == "measured" else "confirmation"


def _inspected(item: Item, attachments: Iterable[Attachment]) -> bool:
    fits = (item.inspect != "photo" or one.media.startswith("image/") for one in attachments)
    return item.inspect is None or any(fits)


def _of_attempt(look: Kept[Attempt], state: State, reason: str, cure: str = "", need: Need = "nothing") -> Own:
    evidence, entry = look.body.evidence, look.entry
    wall_ns = _looked_ns(entry, str(evidence.details.get("transcribed_at") or ""))
    basis = Basis(
        seq=look.seq,
        digest=look.digest,
        wall_ns=entry.wall_ns,
        person=entry.person,
        evidence=evidence,
        attachments=evidence.attachments,
    )
    return Own(
        state=state,
        reason=reason,
        cure=cure,
        need=need,
        since_wall_ns=entry.wall_ns,
        basis=basis,
        performers=(entry.person,),
        flags=_flags(entry, transcribed="transcribed_by" in evidence.details),
        rested=(Rested(look.seq, wall_ns, evidence.rule, evidence.fingerprints),),
    )


def _of_confirmation(kept: Kept[Confirmation], state: State, reason: str, need: Need = "nothing") -> Own:
    body, entry = kept.body, kept.entry
    wall_ns = _looked_ns(entry, body.transcribed.at if body.transcribed else "")
    basis = Basis(
        seq=kept.seq,
        digest=kept.digest,
        wall_ns=entry.wall_ns,
        person=entry.person,
        confirmation=body,
        attachments=body.attachments,
    )
    flags = _flags(entry, too_quick=body.too_quick, transcribed=body.transcribed is not None)
    return Own(
        state=state,
        reason=reason,
        need=need,
        since_wall_ns=entry.wall_ns,
        basis=basis,
        performers=(entry.person,),
        flags=flags,
        rested=(Rested(kept.seq, wall_ns, body.rule, body.fingerprints),),
    )


def _looked_ns(entry: Entry, paper: str) -> int:
    """When it was seen: what was on paper first is as old as the paper says, where that can be read and lies before."""
    try:
        at = datetime.fromisoformat(paper.replace("Z", "+00:00"))
        at = at if at.tzinfo else at.replace(tzinfo=timezone.utc)
        return min(entry.wall_ns, round(at.timestamp() * 1e9))
    except (ValueError, OverflowError):
        return entry.wall_ns


def _flags(entry: Entry, *, too_quick: bool = False, transcribed: bool = False) -> tuple[str, ...]:
    marks = {"too quick": too_quick, "transcribed": transcribed, "time untrusted": entry.clock_back_ms > 0}
    return tuple(word for word, marked in marks.items() if marked)


def _aged(item: Item, own: Own, rule: str, present: Present) -> Own:
    """The same, or stale where something that it rests on is over."""
    ends = [end for one in own.rested if (end := expiry_ns(item, one.wall_ns)) is not None]
    own = msgspec.structs.replace(own, expires_wall_ns=min(ends, default=None))
    gone = stale(item, rule, own.rested, present)
    if gone is None:
        return own
    return msgspec.structs.replace(
        own, state="stale", reason=gone.reason, since_wall_ns=gone.since_wall_ns, need=need_of(item), cure=""
    )


_CURES = {
    "sensed": "look again",
    "measured": "measure again and enter the value",
    "confirmed": "confirm it again",
    "witnessed": "do it again before a second person",
}


def _cure(item: Item, state: State) -> str:
    if state == "fail":
        return item.cure
    if state == "stale":
        return _CURES[item.kind]
    if state == "unavailable":
        return item.how or "mend what keeps it from being seen, then look again"
    return item.how if state == "pending" else ""
