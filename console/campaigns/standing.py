"""The ground that a campaign stands on: its record, what is in force, and how every item stands."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from console.campaigns.in_force import InForce, checklist_of, in_force, roster_of
from console.campaigns.origin import Origin, edited
from console.campaigns.who_may import known_person, people_words
from console.checklist.folding.fold import fold
from console.checklist.pack import Checklist
from console.checklist.states import ChecklistState, ItemState
from console.record.entries import Attachment, Body, Revised, Seen
from console.record.record import Head, Record, RecordLike, Row, Stored
from console.record.roster import Person, Roster
from remote.errors import Trouble


class _Kept(msgspec.Struct, frozen=True):
    """A fold and until when it holds: the next moment at which something in it expires."""

    head: Head
    running: frozenset[str]
    from_ns: int
    until_ns: int
    state: ChecklistState


class _Read:
    """A record whose rows have been read: reading ten thousand takes as long as folding them."""

    def __init__(self, record: Record) -> None:
        self._record, self._rows = record, record.rows()
        self.last_seq = self._rows[-1].seq if self._rows else 0

    def rows(self) -> list[Row]:
        return self._rows

    def attachment(self, digest: str) -> bytes:
        return self._record.attachment(digest)

    def head(self) -> Head:
        return self._record.head()


UNLISTED = "not in the roster"
"""The flag of an item that rests on the word of somebody whom the campaign's roster does not have."""


def marked(state: ChecklistState, roster: Roster) -> ChecklistState:
    """The same, with every item flagged that rests on the word of somebody who is not in the roster."""
    stages = tuple(
        msgspec.structs.replace(stage, items=tuple(_marked(one, roster) for one in stage.items))
        for stage in state.stages
    )
    return msgspec.structs.replace(state, stages=stages)


def _marked(item: ItemState, roster: Roster) -> ItemState:
    basis = item.basis
    if basis is None or (basis.evidence is not None and basis.evidence.source != "person"):
        return item  # what a probe saw rests on nobody's word
    if all(roster.find(who) is not None for who in {basis.person, *item.performers}):
        return item
    return msgspec.structs.replace(item, flags=(*item.flags, UNLISTED))


class Standing:
    """A campaign's record, read; Looking adds what probes and values say, Campaign what people say.

    Every method may be called from any thread; those that need the disk or the robot block.

    Args:
        folder: the campaign's folder.
        wall_ns: the laptop's wall clock.
        read_only: never write, also on a medium that can't be written.

    Raises:
        Trouble: what `Record.open` raises, `campaign_unfinished`, or `bad_pack`.
    """

    def __init__(self, folder: Path, *, wall_ns: Callable[[], int] = time.time_ns, read_only: bool = False) -> None:
        self.folder = folder
        self.record = Record.open(folder, wall_ns=wall_ns, read_only=read_only)
        self._wall_ns = wall_ns
        self._lock = threading.RLock()
        self._running: set[str] = set()
        self._kept: _Kept | None = None
        try:
            self._read: _Read | None = _Read(self.record)
            self._known_seq = self._read.last_seq
            self._take(in_force(self.record, self._read.rows()))
        except BaseException:
            self.record.close()
            raise

    def _take(self, force: InForce) -> None:
        self._force = force
        self.checklist: Checklist = checklist_of(self.record, force.opened)
        self.roster: Roster = roster_of(self.record, force.opened)

    @property
    def name(self) -> str:
        """The campaign's name."""
        return self._force.opened.campaign

    @property
    def robot(self) -> str:
        """The robot's name on this laptop."""
        return self._force.opened.robot

    @property
    def bundle(self) -> str:
        """The digest of the bundle that the campaign is about; empty where none was named."""
        return self._force.opened.bundle

    @property
    def files(self) -> Path:
        """The folder on the laptop that relative paths of the checklist belong to."""
        return Path(self._force.opened.files or self.folder)

    def close(self) -> None:
        """Close the record."""
        self.record.close()

    # ------------------------------------------------------------ how it stands

    def state(self) -> ChecklistState:
        """How everything stands now. Folds the record only when an entry came, a look began or ended, or something expired."""
        with self._lock:
            head, running, now_ns = self._caught_up(), frozenset(self._running), self._wall_ns()
            kept = self._kept
            if kept is None or (kept.head, kept.running) != (head, running) or not _holds(kept, now_ns):
                state = marked(fold(self._newest(head), self.checklist, now_ns, running), self.roster)
                kept = self._kept = _Kept(head, running, now_ns, _until(state, now_ns), state)
            warned = self.pack_edited()
            warnings = (*kept.state.warnings, warned) if warned else kept.state.warnings
            return msgspec.structs.replace(kept.state, wall_ns=max(now_ns, kept.state.wall_ns), warnings=warnings)

    def now_ns(self) -> int:
        """The wall clock, or the last entry's time where the clock was set back: nothing ended comes to life again."""
        return self.state().wall_ns

    def pack_edited(self) -> str:
        """Says that a file that the checklist was made of was edited since; empty where none was.

        The campaign goes on with the text in its record until `revise`.
        """
        return edited(Origin.read(self.folder), self.checklist)

    def item_state(self, item_id: str) -> ItemState:
        """How one item stands; Trouble (`unknown_item`, with the nearest known one) where there is none of that id."""
        try:
            return self.state().item(item_id)
        except KeyError:
            raise _unknown("item", item_id, [item.id for item in self.checklist.pack.items()]) from None

    def check_stage(self, stage: str) -> str:
        """The stage's id; Trouble (`unknown_stage`) where there is none of that id."""
        known = [one.id for one in self.checklist.pack.stages]
        if stage not in known:
            raise _unknown("stage", stage, known)
        return stage

    def person(self, principal: str, role: str) -> Person:
        """The person of the roster who has that role now. Raises Trouble: `not_in_roster`, `not_allowed`."""
        person = self.known_person(principal)
        why_not = person.why_not(role, self.checklist.pack.name, self.now_ns())
        if why_not:
            raise Trouble(why_not, cure=f"let somebody do it who may: {self.who_may(role)}", code="not_allowed")
        return person

    def known_person(self, principal: str) -> Person:
        """The person of the campaign's roster. Raises Trouble (`not_in_roster`) that says how they get in."""
        return known_person(self.roster, principal, self.name)

    def who_may(self, *roles: str) -> str:
        """Who of the campaign's roster has one of these roles now, in words."""
        return people_words(self.roster, roles, self.checklist.pack.name, self.now_ns())

    def seen_facts(self) -> dict[str, str]:
        """The words of the robot's facts as this campaign saw them last; empty where it never did."""
        with self._lock:
            for row in reversed(self.record.rows()):
                if row.kind == "seen" and isinstance(seen := self.record.entry(row.seq).body, Seen) and seen.facts:
                    return dict(seen.facts)
        return {}

    # ------------------------------------------------------------ for those who write

    @contextmanager
    def _running_now(self, item_id: str) -> Iterator[None]:
        """Show the item as running meanwhile; Trouble (`already_running`) where it is already."""
        with self._lock:
            if item_id in self._running:
                raise Trouble(f"'{item_id}' is being looked at already", cure="wait for it", code="already_running")
            self._running.add(item_id)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(item_id)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let no other thread of this process write meanwhile."""
        with self._lock:
            yield

    def wall_ns(self) -> int:
        """The laptop's wall clock, as it is."""
        return self._wall_ns()

    def _append(self, person: str, body: Body) -> Stored:
        with self._lock:
            return self.record.append(person, body)

    def _attached(self, files: Sequence[Path]) -> tuple[Attachment, ...]:
        return tuple(self.record.attach_file(path) for path in files)

    def _resting_on(self, names: Collection[str]) -> dict[str, str]:
        """Those fingerprints as they are known now; empty text for one that was never seen: seeing it will be a change.

        The bundle is the campaign's, whatever the robot runs.
        """
        known = {**self.state().fingerprints, "bundle": self.bundle}
        return {name: known.get(name, "") for name in dict.fromkeys(names)}

    def _newest(self, head: Head) -> RecordLike:
        """The record to fold: the rows that were read when it was opened serve once, if they still are all."""
        read, self._read = self._read, None
        return read if read is not None and read.last_seq == head.seq else self.record

    def _caught_up(self) -> Head:
        """The head, after taking over what other processes have revised."""
        head = self.record.head()
        for seq in range(self._known_seq + 1, head.seq + 1):
            body = self.record.entry(seq).body
            if isinstance(body, Revised):
                self._take(self._force.after(seq, body))
        self._known_seq = head.seq
        return head


def _holds(kept: _Kept, now_ns: int) -> bool:
    return kept.from_ns <= now_ns < kept.until_ns


def _until(state: ChecklistState, now_ns: int) -> int:
    """The next end of something; for a clock that was set back the moment at which it catches up with the record."""
    ends = (state.wall_ns, *(item.expires_wall_ns for item in state.items()))
    return min((end for end in ends if end is not None and end > now_ns), default=2**63)


def _unknown(kind: str, id: str, known: Sequence[str]) -> Trouble:
    import difflib

    near = difflib.get_close_matches(id, known, n=1, cutoff=0.4)
    cure = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(known)}"
    return Trouble(f"no {kind} is called '{id}'", cure=cure, code=f"unknown_{kind}")
