"""The rules of a change: whatever happens in whatever order, there is a bundle to go back to, and an end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from remote.activation import steps
from remote.activation.ground import Seen
from remote.activation.slots import Slots
from remote.activation.steps import MOST_TRANSITIONS, MOST_TRIES, Now
from remote.errors import Trouble
from remote.model_states import AFTER_SWITCH, BEFORE_SWITCH, Probation, Slot, Step

NOW = Now("boot", 5, 7)
EMBEDDED = Slot(digest="e" * 64, name="embedded", origin="agent")


def one(letter: str, release: int | None = None) -> Slot:
    return Slot(digest=letter * 64, name=letter, origin="release" if release else "push", release=release)


@contextmanager
def refused(*codes: str) -> Iterator[None]:
    """What is refused inside is refused for one of these reasons."""
    try:
        yield
    except Trouble as trouble:
        if trouble.code not in codes:
            raise


def at(step: Step, **changes: object) -> Slots:
    """A change to `b` in this step, by the way that leads there."""
    slots = Slots(current=one("a"), previous=one("p"), highest_release=3)
    slots = steps.begin(slots, one("b", 7), Probation(), EMBEDDED, NOW)
    for next_step in ("staged", "building", "self_test", "waiting_for_safe"):
        if slots.step == step:
            break
        slots = steps.advance(slots, next_step, NOW)
    if step in ("switched", "probation", "committed", "rolling_back"):
        slots = steps.switch(slots, Seen(frames=9), EMBEDDED, NOW)
    if step in ("probation", "committed"):
        slots = steps.advance(slots, "probation", NOW)
    if step == "committed":
        slots = steps.commit(slots, "", (), NOW)
    if step == "rolling_back":
        slots = steps.give_back(slots, "returned", "worse", (), NOW)
    assert slots.step == step
    return msgspec.structs.replace(slots, **changes)


def test_a_kept_candidate_is_current_and_the_one_before_it_previous() -> None:
    slots = steps.finish(at("committed"), NOW)
    assert slots.current is not None
    assert (slots.current.name, slots.previous) == ("b", one("a"))
    assert (slots.candidate, slots.older, slots.before, slots.ending) == (None, None, None, None)
    assert slots.last is not None
    assert (slots.last.ended, slots.last.step, slots.last.release) == ("committed", "probation", 7)


def test_a_candidate_that_is_given_back_leaves_all_as_it_was() -> None:
    slots = steps.finish(at("rolling_back"), NOW, "and more")
    assert (slots.current, slots.previous) == (one("a"), one("p"))
    assert slots.last is not None
    assert (slots.last.ended, slots.last.why, slots.last.step) == ("returned", "worse; and more", "switched")


def test_what_came_with_the_agent_is_gone_back_to_as_none() -> None:
    """A newer agent brings another bundle: the digest of the old one would lead nowhere."""
    slots = steps.begin(Slots(), one("b"), Probation(), EMBEDDED, NOW)
    for step in ("staged", "building", "self_test", "waiting_for_safe"):
        slots = steps.advance(slots, step, NOW)
    slots = steps.switch(slots, Seen(), EMBEDDED, NOW)
    assert slots.previous == EMBEDDED
    assert steps.give_back(slots, "returned", "", (), NOW).current is None


@pytest.mark.parametrize("step", BEFORE_SWITCH[1:])
def test_refused_before_the_switch_changes_nothing(step: Step) -> None:
    slots = steps.refuse(at(step), "refused", "bad", (), NOW)
    assert (slots.current, slots.previous, slots.candidate, slots.step) == (one("a"), one("p"), None, "idle")
    assert slots.last is not None
    assert (slots.last.ended, slots.last.step) == ("refused", step)


def test_a_release_is_taken_once_but_again_after_a_full_disk() -> None:
    measured = steps.refuse(at("self_test"), "refused", "bad", (), NOW)
    assert measured.highest_release == 7
    with pytest.raises(Trouble, match="not newer"):
        steps.begin(measured, one("b", 7), Probation(), EMBEDDED, NOW)
    full = steps.refuse(at("staged"), "refused", "full", (), NOW, again=True)
    assert full.highest_release == 3
    assert steps.begin(full, one("b", 7), Probation(), EMBEDDED, NOW).step == "verified"


@pytest.mark.parametrize("step", [*BEFORE_SWITCH[1:], "switched", "probation", "committed", "rolling_back"])
def test_a_second_push_is_refused_while_a_change_is_under_way(step: Step) -> None:
    slots = at(step)
    seconds: tuple[Callable[[], Slots], ...] = (
        lambda: steps.begin(slots, one("c"), Probation(), EMBEDDED, NOW),
        lambda: steps.go_back(slots, "", NOW),
        lambda: steps.set_current(slots, one("c"), EMBEDDED),
    )
    for second in seconds:
        with pytest.raises(Trouble) as caught:
            second()
        assert caught.value.code == "update_underway"


@pytest.mark.parametrize(("slots", "digest"), [(Slots(current=one("a")), "a"), (Slots(), "e")], ids=["a", "embedded"])
def test_what_runs_already_is_no_change(slots: Slots, digest: str) -> None:
    with pytest.raises(Trouble) as caught:
        steps.begin(slots, one(digest), Probation(), EMBEDDED, NOW)
    assert caught.value.code == "already_current"


def test_no_step_is_left_out() -> None:
    with pytest.raises(ValueError, match="may not follow"):
        steps.advance(at("verified"), "self_test", NOW)
    with pytest.raises(ValueError, match="nothing to switch"):
        steps.switch(at("self_test"), Seen(), EMBEDDED, NOW)
    with pytest.raises(ValueError, match="nothing to commit"):
        steps.commit(at("switched"), "", (), NOW)


@pytest.mark.parametrize("step", BEFORE_SWITCH[1:])
def test_it_is_taken_up_again_three_times_then_refused(step: Step) -> None:
    slots = at(step)
    for tries in range(1, MOST_TRIES + 1):
        slots = steps.recovered(slots, NOW)
        assert (slots.step, slots.tries) == ("verified", tries)
    slots = steps.recovered(slots, NOW)
    assert slots.step == "idle"
    assert slots.last is not None
    assert slots.last.ended == "refused"


@pytest.mark.parametrize("step", ["switched", "probation", "committed", "rolling_back", "idle"])
def test_after_the_switch_a_start_of_the_agent_changes_nothing_by_itself(step: Step) -> None:
    slots = at(step, attempts=2) if step != "idle" else Slots()
    assert steps.recovered(slots, NOW) is slots


def test_starts_are_counted_up_to_what_the_plan_allows() -> None:
    slots = at("switched", probation=Probation(restarts=2))
    slots = steps.count_attempt(steps.count_attempt(slots))
    assert not steps.may_attempt(slots)
    with pytest.raises(ValueError, match="no start is left"):
        steps.count_attempt(slots)


def test_a_person_goes_back_and_forth() -> None:
    slots = steps.go_back(Slots(current=one("a"), previous=one("p")), "worse", NOW)
    assert (slots.step, slots.current) == ("waiting_for_safe", one("a"))
    slots = steps.finish(steps.turn_back(slots, EMBEDDED, NOW), NOW)
    assert slots.current is not None
    assert (slots.current.name, slots.previous) == ("p", one("a"))
    assert slots.last is not None
    assert (slots.last.name, slots.last.ended, slots.last.why) == ("a", "went_back", "worse")
    with pytest.raises(Trouble) as caught:
        steps.go_back(Slots(current=one("a")), "", NOW)
    assert caught.value.code == "no_previous"


class Changes(RuleBasedStateMachine):
    """Any order of what people, releases, workers and power cuts do. `runs` are starts since the switch."""

    @initialize(current=st.sampled_from([None, "a"]), previous=st.sampled_from([None, "p"]))
    def begins(self, current: str | None, previous: str | None) -> None:
        self.slots = Slots(current=current and one(current), previous=previous and one(previous))  # type: ignore[arg-type]
        self.before = self.slots
        self.highest = self.starts = 0

    def apply(self, new: Slots) -> None:
        self.highest = max(self.highest, self.slots.highest_release)
        self.slots = new

    @rule(letter=st.sampled_from("abc"), release=st.sampled_from([None, 1, 2, 3]), restarts=st.integers(1, 3))
    def begin(self, letter: str, release: int | None, restarts: int) -> None:
        old = self.slots
        with refused("update_underway", "already_current", "release_old"):
            self.apply(steps.begin(old, one(letter, release), Probation(restarts=restarts), EMBEDDED, NOW))
            self.before, self.starts = old, 0

    @rule()
    def go_back(self) -> None:
        old = self.slots
        with refused("update_underway", "no_previous"):
            self.apply(steps.go_back(old, "a person", NOW))
            self.before, self.starts = old, 0

    @precondition(lambda self: self.slots.step not in ("idle", "committed", "rolling_back"))
    @rule()
    def goes_on(self) -> None:
        slots = self.slots
        with refused("too_many_steps"):
            if slots.step == "waiting_for_safe" and slots.going_back:
                self.apply(steps.turn_back(slots, EMBEDDED, NOW))
            elif slots.step == "waiting_for_safe":
                self.apply(steps.switch(slots, Seen(), EMBEDDED, NOW))
            elif slots.step == "probation":
                self.apply(steps.commit(slots, "", (), NOW))
            else:
                self.apply(steps.advance(slots, steps.NEXT[slots.step][0], NOW))

    @rule()
    def worker_starts(self) -> None:
        if steps.may_attempt(self.slots):
            self.apply(steps.count_attempt(self.slots))
            self.starts += 1
        elif self.slots.step in AFTER_SWITCH:
            self.apply(steps.give_back(self.slots, "returned", "crashed", (), NOW))

    @rule()
    def agent_starts(self) -> None:
        self.apply(steps.recovered(self.slots, NOW))

    @precondition(lambda self: self.slots.step in BEFORE_SWITCH)
    @rule(again=st.booleans())
    def fails(self, again: bool) -> None:
        self.apply(steps.refuse(self.slots, "refused", "bad", (), NOW, again=again))

    @precondition(lambda self: self.slots.step in AFTER_SWITCH)
    @rule()
    def is_worse(self) -> None:
        self.apply(steps.give_back(self.slots, "returned", "worse", (), NOW))

    @precondition(lambda self: self.slots.step in ("committed", "rolling_back"))
    @rule()
    def finishes(self) -> None:
        self.apply(steps.finish(self.slots, NOW))

    @invariant()
    def holds(self) -> None:
        slots = self.slots
        assert slots.transitions <= MOST_TRANSITIONS
        assert slots.tries <= MOST_TRIES
        assert slots.highest_release >= self.highest
        assert (slots.candidate is None) == (slots.step == "idle")
        assert (slots.ending is not None) == (slots.step in ("committed", "rolling_back"))
        assert self.starts <= slots.probation.restarts
        assert msgspec.json.decode(msgspec.json.encode(slots), type=Slots) == slots, "what is saved is what is read"

    @invariant()
    def has_one_to_go_back_to(self) -> None:
        slots, before = self.slots, self.before
        runs = before.current or EMBEDDED
        if slots.step in BEFORE_SWITCH:
            assert (slots.current, slots.previous) == (before.current, before.previous)
        if slots.step in AFTER_SWITCH:
            assert slots.current == slots.candidate
            assert (slots.previous, slots.older) == (runs, before.previous)
        if slots.step == "idle" and slots.last and slots.last.ended in ("refused", "cancelled"):
            assert (slots.current, slots.previous) == (before.current, before.previous)
        if slots.step == "idle" and slots.last and slots.last.ended == "committed":
            assert slots.previous == runs


TestChanges = Changes.TestCase
TestChanges.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
