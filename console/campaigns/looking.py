"""The part of a campaign that looks and measures: probes, values that a person enters, commands and their verification."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path

from console.campaigns.fingerprints import FILE, FileDigests, fingerprints_of, words_of
from console.campaigns.looking_at import Looked, blind, facts_now, look_at, moment_of, no_way_to_look
from console.campaigns.standing import Standing
from console.checklist.folding.recheck import settled_with
from console.checklist.pack import Item
from console.checklist.probes import PROBES, Finding, Sight
from console.checklist.states import ItemState
from console.fieldtest.criteria import Answer, Criterion, Measurement, Number, Rate
from console.fieldtest.judging import judge, limit_words
from console.record.entries import Act, Attachment, Attempt, Evidence, Moment, Seen, Transcribed
from remote.errors import Trouble
from remote.protocol import Facts, Scalar

Progress = Callable[[ItemState], None]
"""Called with an item as it begins (its state is `running`) and again with what came of it."""
ACT_TIMEOUT_S = 60.0
PROGRAM = "fieldgate"
"""Who writes down what is seen while nobody asked for anything."""
OUTPUT_LIMIT = 4000
"""So many characters of a command's output are kept."""


class Looking(Standing):
    """Standing, with all that probes and values say; no person's word is in it."""

    def observe(self, sight: Sight, person: str = PROGRAM) -> bool:
        """See what the robot and the files are now; write it down where something differs, and say whether it did.

        A robot that can't be asked leaves its fingerprints as they were. Raises Trouble: `other_robot`, or what the record
        raises.
        """
        self._check_robot(sight)
        return self._observe(sight, person, _asked(sight))

    def _observe(self, sight: Sight, person: str, asked: Facts | Trouble) -> bool:
        facts = asked if isinstance(asked, Facts) else None
        with self._lock:
            known = self.state().fingerprints
            now = {**(fingerprints_of(facts) if facts else {}), **self._files_now()}
            if all(known.get(name) == value for name, value in now.items()):
                return False
            words = words_of(facts) if facts else {}
            self._append(person, Seen(fingerprints=now, facts=words, moment=moment_of(sight)))
        return True

    def see_files(self) -> None:
        """Write down the files of evidence in force that were edited since: what is said next must not rest on the old ones."""
        with self._lock:
            now, known = self._files_now(), self.state().fingerprints
            edited = {name: value for name, value in now.items() if known.get(name) != value}
            if edited:
                self._append(PROGRAM, Seen(fingerprints=edited, moment=Moment(wall_ns=self._wall_ns())))

    def check(
        self, sight: Sight, person: str, item_ids: Collection[str] | None = None, progress: Progress | None = None
    ) -> tuple[ItemState, ...]:
        """Attempt every sensed item that applies, in the checklist's order, or those of `item_ids`; items with a command are
        left out, for only a person lets a command run. Raises Trouble for an id that there is not."""
        wanted = self._wanted(item_ids)
        for item in self.checklist.pack.items():
            if item.id in wanted:
                self._check_one(item, sight, person, progress)
        return tuple(one for one in self.state().items() if one.item.id in wanted and _senses(one.item))

    def _wanted(self, item_ids: Collection[str] | None) -> frozenset[str]:
        """The ids, checked, with the stale items that the same look settles; every item of the pack for None."""
        if item_ids is None:
            return frozenset(item.id for item in self.checklist.pack.items())
        return settled_with(self.state().items(), [self.item_state(one).item.id for one in item_ids])

    def _check_one(self, item: Item, sight: Sight, person: str, progress: Progress | None) -> None:
        if not _senses(item) or self.item_state(item.id).state == "n/a":
            return
        state = self.attempt(item.id, sight, person, began=progress)
        if progress is not None:
            progress(state)

    def attempt(
        self, item_id: str, sight: Sight, person: str, *, began: Callable[[ItemState], None] | None = None
    ) -> ItemState:
        """Let the item's probe look, judge what it found, write it down. What can't be seen is written down too.

        Raises Trouble: `not_sensed`, `not_applicable`, `already_running`, or what the record raises (a full disk).
        """
        item = self._probed(item_id)
        if item.act is not None:
            what = f"'{item_id}' is verified after its command"
            raise Trouble(what, cure=f"let it run: `fieldgate campaign act {item_id}`", code="act_first")
        return self._attempt(item, sight, person, began)

    def act(self, item_id: str, sight: Sight, person: str) -> ItemState:
        """Run the item's command on the robot, then let its probe verify the effect (where it has a probe).

        A command that ends with another exit code than expected is a failure; whether it ran is not known when the robot goes
        away: unavailable. Raises Trouble: `no_command`, `not_applicable`, `already_running`.
        """
        state = self.item_state(item_id)
        item = self._applying(state).item
        if item.act is None:
            raise Trouble(f"'{item_id}' has no command", cure="look at it or confirm it", code="no_command")
        self._check_robot(sight)
        with self._running_now(item.id):
            command = shlex.join(item.act.argv)
            # Written before it is run: a command that moves something must not be missing from the record after a kill.
            self._append(person, Act(item=item.id, command=command, exit=None, output="begun"))
            self._append(person, ran := self._run(item, sight))
        if item.probe is None:
            return self.item_state(item_id)
        if ran.exit is None:
            return self._attempt(item, sight, person, None, blind(f"`{ran.command}`: {ran.output}"))
        if ran.exit != item.act.expect_exit:
            return self._attempt(item, sight, person, None, _ended(ran, item.act.expect_exit))
        return self._attempt(item, sight, person, None)

    def measure(
        self,
        item_id: str,
        value: float | None,
        person: str,
        *,
        n: int = 1,
        successes: int | None = None,
        note: str = "",
        files: Sequence[Path] = (),
        transcribed: Transcribed | None = None,
    ) -> ItemState:
        """Enter a value that the item's criterion judges; a rate is entered as `successes` of `n`.

        Raises Trouble: `not_measured`, `not_applicable`, `bad_value`, or what attaching the files raises.
        """
        item = self._applying(self.item_state(item_id)).item
        if item.kind != "measured" or item.criterion is None:
            how = "only a measured item takes a value"
            raise Trouble(f"'{item_id}' is {item.kind}: {how}", cure="look at it or confirm it", code="not_measured")
        measurement = _entered(item.criterion, value, n, successes)
        details: dict[str, Scalar] = {"note": note} if note else {}
        if transcribed is not None:
            details |= {"transcribed_by": transcribed.by, "transcribed_at": transcribed.at}
        evidence = Evidence(
            source="person",
            measurement=measurement,
            judgement=judge(item.criterion, measurement),
            limit=limit_words(item.criterion),
            moment=Moment(wall_ns=self._wall_ns()),
            fingerprints=self._resting_on(item.rests_on),
            rule=self.checklist.rules[item.id],
            attachments=self._attached(files),
            details=details,
        )
        self._append(person, Attempt(item=item.id, evidence=evidence))
        return self.item_state(item_id)

    # ------------------------------------------------------------ one attempt

    def _attempt(
        self, item: Item, sight: Sight, person: str, began: Progress | None, looked: Looked | None = None
    ) -> ItemState:
        self._check_robot(sight)
        with self._running_now(item.id):
            if began is not None:
                began(self.item_state(item.id))
            self._observe(sight, person, asked := _asked(sight))
            looked = looked or no_way_to_look(item, sight, self.robot, asked) or look_at(item, sight)
            looked = self._of_this_bundle(item, looked)
            self._append(person, Attempt(item=item.id, evidence=self._evidence(item, looked, moment_of(sight))))
        self.observe(sight, person)  # a file may have been seen for the first time, the robot have changed meanwhile
        return self.item_state(item.id)

    def _of_this_bundle(self, item: Item, looked: Looked) -> Looked:
        """Blind where the very files that another bundle was judged by don't say that they are of this one."""
        finding = looked.finding
        if finding.details.get("bundle_checked") is not False or not self.bundle:
            return looked
        rows = (row for row in self.record.rows() if (row.kind, row.item) == ("attempt", item.id))
        tried = (body.evidence for row in rows if isinstance(body := self.record.entry(row.seq).body, Attempt))
        for one in tried:
            other = one.fingerprints.get("bundle") or self.bundle
            if one.judgement and other != self.bundle and finding.fingerprints.items() <= one.fingerprints.items():
                files = ", ".join(name[len(FILE) :] for name in finding.fingerprints)
                what = (
                    f"{other[:8]} was judged by this very {files}, which does not say that it is of {self.bundle[:8]}"
                )
                return blind(what, "run the trials with this bundle, or give each row its bundle in a column `bundle`")
        return looked

    def _evidence(self, item: Item, looked: Looked, moment: Moment) -> Evidence:
        finding, probe = looked.finding, item.probe.name if item.probe else ""
        cure: dict[str, Scalar] = {"cure": finding.cure} if finding.cure else {}
        return Evidence(
            source=probe,
            measurement=finding.measurement,
            judgement=looked.judgement,
            unavailable="" if looked.judgement else finding.unavailable or "nothing was seen",
            limit=limit_words(item.criterion) if item.criterion else "",
            moment=moment,
            took_ms=looked.took_ms,
            fingerprints={**self._resting_on((*item.rests_on, *PROBES[probe].rests_on)), **finding.fingerprints},
            rule=self.checklist.rules[item.id],
            attachments=self._kept_files(finding),
            details={**finding.details, **cure},
        )

    def _kept_files(self, finding: Finding) -> tuple[Attachment, ...]:
        """The finding's files; one that can't be kept any more is left out: its digest stands in the fingerprints."""
        kept = []
        for path in finding.files:
            with suppress(Trouble):
                kept.append(self.record.attach_file(path))
        return tuple(kept)

    def _probed(self, item_id: str) -> Item:
        item = self._applying(self.item_state(item_id)).item
        if item.probe is None:
            how = "enter its value" if item.kind == "measured" else "confirm it"
            raise Trouble(f"'{item_id}' is {item.kind}: no probe looks at it", cure=how, code="not_sensed")
        return item

    def _applying(self, state: ItemState) -> ItemState:
        if state.state == "n/a":
            what = f"'{state.item.id}' does not apply: {state.reason}"
            raise Trouble(what, cure="nothing needs to be done", code="not_applicable")
        return state

    def _check_robot(self, sight: Sight) -> None:
        """Evidence from another robot must not come into this record."""
        there = sight.session.snapshot.robot if sight.session is not None else self.robot
        if there != self.robot:
            what = f"this campaign is about '{self.robot}', the link leads to '{there}'"
            raise Trouble(what, cure=f"connect '{self.robot}', or open the other campaign", code="other_robot")

    def _files_now(self) -> dict[str, str]:
        """The files that evidence in force rests on, as they are now."""
        bases = (item.basis.evidence for item in self.state().items() if item.basis is not None)
        names = [name for one in bases if one is not None for name in one.fingerprints if name.startswith(FILE)]
        if self._digests is None:
            self._digests = FileDigests(self.files)
        return self._digests.now(names)

    _digests: FileDigests | None = None

    def _run(self, item: Item, sight: Sight) -> Act:
        assert item.act is not None  # the caller has looked
        command = shlex.join(item.act.argv)
        try:
            ran = sight.run(item.act.argv, ACT_TIMEOUT_S)
        except Trouble as trouble:
            return Act(item=item.id, command=command, exit=None, output=trouble.what)
        said = (ran.out + ran.err).decode("utf-8", "replace")
        return Act(item=item.id, command=command, exit=ran.exit, output=said[-OUTPUT_LIMIT:])


def _asked(sight: Sight) -> Facts | Trouble:
    """The robot's facts at this moment, or why they can't be had."""
    try:
        return facts_now(sight)
    except Trouble as trouble:
        return trouble


def _senses(item: Item) -> bool:
    return item.kind == "sensed" and item.act is None


def _ended(ran: Act, expected: int) -> Looked:
    words = f"`{ran.command}` ended with {ran.exit}, not with {expected}"
    answer = Answer(False, words)
    return Looked(Finding(measurement=answer), judge(None, answer))


def _entered(criterion: Criterion, value: float | None, n: int, successes: int | None) -> Measurement:
    """What a person entered, as the criterion's kind of measurement. Raises Trouble (`bad_value`)."""
    if n < 1 or (successes is not None and not 0 <= successes <= n):
        raise Trouble(f"{successes} of {n} is no count", cure="give 0 or more successes of 1 or more", code="bad_value")
    if criterion.statistic == "rate":
        if successes is None:
            cure = "enter it as a count: `--successes 4 --n 5`"
            raise Trouble(f"{criterion.metric} is a rate of trials", cure=cure, code="bad_value")
        return Rate(successes, n)
    if value is None or not math.isfinite(value):
        raise Trouble(f"{value} is no value for {criterion.metric}", cure="enter a finite number", code="bad_value")
    return Number(value, criterion.unit, n)
