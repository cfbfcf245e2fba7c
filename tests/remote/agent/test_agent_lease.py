"""The lease: never two who may command, never a way back to an old epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from remote.agent.lease import Holder, LeaseBook
from remote.errors import Trouble

ANNA, BEN = Holder("laptop-a", "anna", 1), Holder("laptop-b", "ben", 2)
ANNA_AGAIN = Holder("laptop-a", "anna", 3)
S = 10**9
T = TypeVar("T")


def attempt(act: Callable[[], T]) -> T | str:
    """What `act` gives, or the code with which it was refused."""
    try:
        return act()
    except Trouble as trouble:
        return trouble.code


def code_of(trouble: pytest.ExceptionInfo[Trouble]) -> str:
    return trouble.value.code


def test_a_free_lease_is_granted_and_a_held_one_refused() -> None:
    book = LeaseBook()
    assert book.take(ANNA, 0).lease.epoch == 1
    with pytest.raises(Trouble) as trouble:
        book.take(BEN, 1)
    assert code_of(trouble) == "lease_held"
    assert "anna" in trouble.value.what


def test_it_ends_at_its_expiry_and_not_before() -> None:
    book = LeaseBook(term_s=10)
    book.take(ANNA, 0)
    assert book.expire(10 * S - 1) is None
    gone = book.expire(10 * S)
    assert gone is not None
    assert gone.holder == "anna"
    assert book.take(BEN, 10 * S).lease.epoch == 2


def test_renewing_extends_without_a_new_epoch() -> None:
    book = LeaseBook(term_s=10)
    epoch = book.take(ANNA, 0).lease.epoch
    assert book.renew(ANNA, epoch, 9 * S).epoch == epoch
    book.check(ANNA, epoch, 18 * S)
    with pytest.raises(Trouble) as trouble:
        book.check(ANNA, epoch, 19 * S)
    assert code_of(trouble) == "lease_lost"


@pytest.mark.parametrize(("epoch", "code"), [(None, "no_lease"), (0, "lease_lost"), (2, "lease_lost")])
def test_commands_need_the_current_epoch(epoch: int | None, code: str) -> None:
    book = LeaseBook()
    book.take(ANNA, 0)
    book.check(ANNA, 1, 1)
    with pytest.raises(Trouble) as trouble:
        book.check(ANNA, epoch, 1)
    assert code_of(trouble) == code


def test_another_laptop_can_not_use_the_holders_epoch() -> None:
    book = LeaseBook()
    epoch = book.take(ANNA, 0).lease.epoch
    with pytest.raises(Trouble):
        book.check(BEN, epoch, 1)


def test_taking_over_names_the_epoch_and_tells_whom_it_displaced() -> None:
    book = LeaseBook()
    book.take(ANNA, 0)
    with pytest.raises(Trouble):
        book.take(BEN, 1, over=7)
    grant = book.take(BEN, 1, over=1)
    assert (grant.taken_from, grant.lease.epoch, grant.lease.last_taken_from) == ("anna", 2, "anna")


@pytest.mark.parametrize(("attached", "granted"), [(False, True), (True, False)])
def test_the_same_laptop_gets_it_again_only_when_its_old_connection_is_gone(attached: bool, granted: bool) -> None:
    book = LeaseBook()
    book.take(ANNA, 0)
    if granted:
        assert book.take(ANNA_AGAIN, 1, holder_attached=attached).lease.epoch == 2
    else:
        with pytest.raises(Trouble):
            book.take(ANNA_AGAIN, 1, holder_attached=attached)


class LeaseFight(RuleBasedStateMachine):
    """Many hands grab, renew, release and wait; a model of three lines says who may command."""

    def __init__(self) -> None:
        super().__init__()
        self.book, self.now = LeaseBook(epoch=5, term_s=10), 0
        self.highest = 5
        self.last_epoch: dict[str, int] = {}

    @rule(who=st.sampled_from([ANNA, BEN, ANNA_AGAIN]), over=st.none() | st.integers(4, 30), attached=st.booleans())
    def take(self, who: Holder, over: int | None, attached: bool) -> None:
        held = self.book.lease if self.book.lease and self.book.lease.expires_mono_ns > self.now else None
        grant = attempt(lambda: self.book.take(who, self.now, over=over, holder_attached=attached))
        if isinstance(grant, str):
            assert grant == "lease_held"
            assert held is not None
            assert over != held.epoch
            return
        if grant.fresh:
            assert grant.lease.epoch == self.highest + 1
            self.highest += 1
        self.last_epoch[who.client_id] = grant.lease.epoch

    @precondition(lambda self: bool(self.last_epoch))
    @rule(data=st.data(), release=st.booleans())
    def use(self, data: st.DataObject, release: bool) -> None:
        client = data.draw(st.sampled_from(sorted(self.last_epoch)))
        who = ANNA if client == ANNA.client_id else BEN
        held = self.book.lease
        current = held is not None and held.expires_mono_ns > self.now and held.epoch == self.last_epoch[client]
        may = current and held is not None and held.client_id == client
        act = self.book.release if release else self.book.renew
        result = attempt(lambda: act(who, self.last_epoch[client], self.now))
        assert (result != "lease_lost") == may

    @rule(seconds=st.integers(0, 12))
    def wait(self, seconds: int) -> None:
        self.now += seconds * S

    @invariant()
    def the_epoch_never_goes_back(self) -> None:
        assert self.book.epoch == self.highest
        assert self.book.lease is None or self.book.lease.epoch == self.highest


TestLeaseFight = LeaseFight.TestCase
TestLeaseFight.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
