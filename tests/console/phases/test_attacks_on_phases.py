"""Entries that nobody can have written by testing: a forged or damaged record must not count twice, pass, or end in a traceback."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from console.fieldtest.criteria import Criterion
from console.fieldwork.phase_text import field_text
from console.phases.schema import Plan
from console.phases.states import PhaseState
from console.record.canonical import entry_of
from console.record.entries import SessionBegun
from console.record.field_checks import FieldChecks
from tests.console.phases.phase_book import FieldBook, pack, phase, question


def asked(metric: str, comparison: str, threshold: float, unit: str = "%") -> Criterion:
    return Criterion(metric=metric, comparison=comparison, threshold=threshold, unit=unit)  # type: ignore[arg-type]


FIXED = Plan(look="fixed", n=20, expected=90)
LAB = phase(
    "lab",
    question(),
    question("found", asked("false_negative_rate", "<", 15), plan=FIXED),
    question("true", asked("detection_accuracy", ">", 70), plan=FIXED),
    question("uptime", asked("uptime", ">=", 95)),
    question("crashes", asked("crashes_per_day", "<", 1, "1/d")),
    question("mtbf", asked("mtbf_h", ">", 24, "h")),
    question("hands", asked("interventions_per_day", "<", 1, "1/d")),
    question("hot", asked("throttled_share", "<", 5)),
)


def problems(book: FieldBook) -> list[str]:
    """What `verify` says of the entries."""
    checks = FieldChecks()
    entries = [entry_of(row.line, f"entry {row.seq}") for row in book.lines]
    return [f"{entry.seq}: {what}" for entry in entries for what in checks.check(entry)]


def stood(book: FieldBook) -> PhaseState:
    """The phase, after everything of it was said for people."""
    assert field_text(book.field)
    return book.phase()


def measured(book: FieldBook, hours: float, **more: float) -> None:
    """What the session is said to have run, without having lasted so long."""
    now_ns = book.now_ns
    book.now_ns -= round(more.get("wanted_s", hours * 3600) * 1e9)
    book.ran(hours, **more)
    assert abs(book.now_ns - now_ns) <= 2 * 10**9


IMPOSSIBLE: list[tuple[str, Callable[[FieldBook], object], str]] = [
    ("a frame with less than nothing right", lambda b: b.frame(-5, 3, 2), "-5 right can't be in one frame"),
    ("a frame with less than nothing missed", lambda b: b.frame(5, 0, -4), "-4 missed can't be in one frame"),
    ("a frame of a million million boxes", lambda b: b.frame(10**12), "1000000000000 right can't be in one frame"),
    ("a thousand hours in a second", lambda b: measured(b, 1000.0), "1000 h of a session of "),
    ("hours less than nothing", lambda b: measured(b, -5.0), "wanted_s is less than nothing"),
    ("crashes less than nothing", lambda b: b.ran(5.0, crashes=-4), "crashes is less than nothing"),
    ("more up than known", lambda b: b.ran(5.0, up=3.0), "15 h up of 5 h can't be"),
    ("more known than there was", lambda b: b.ran(5.0, wanted_s=3600.0), "5 h known of 1 h can't be"),
]


@pytest.mark.parametrize(("forge", "said"), [one[1:] for one in IMPOSSIBLE], ids=[one[0] for one in IMPOSSIBLE])
def test_what_can_t_have_been_counted_counts_nowhere_and_verify_says_so(
    forge: Callable[[FieldBook], object], said: str
) -> None:
    book = FieldBook(pack(LAB))
    book.begin()
    assert problems(book) == []
    for _ in range(20):
        forge(book)
    assert [one.question.id for one in stood(book).questions if one.measurement is not None] == []
    assert said in problems(book)[0]


def test_an_hour_that_two_open_sessions_share_counts_once() -> None:
    book = FieldBook(pack(LAB))
    book.begin()
    first = book.session
    second = book.sit()
    book.ran(3.0)
    measured(book, 3.0, session=first)
    book.trial(session=first)
    book.trial()
    assert (stood(book).running_s, stood(book).trials) == (3 * 3600.0, 1)
    assert stood(book).left_out == {"after another session was begun": 1}
    assert book.field.session is not None and book.field.session.seq == second
    assert [one.partition(": ")[2][:30] for one in problems(book)] == [
        "a session is begun while sessi", "3 h of a session of 1 s can't ", "it belongs to session 3, which",
    ]  # fmt: skip


def test_what_belongs_to_no_session_counts_nowhere() -> None:
    book = FieldBook(pack(LAB))
    book.begin()
    book.trial(session=999)
    book.trial(began=10**9)
    attempt = book.attempt()
    book.trial(began=attempt)
    book.trial(began=attempt)
    book.add(SessionBegun(phase="nowhere", rule="x", moment=book.moment))
    assert stood(book).trials == 1
    assert [one.why_not for one in book.field.trials] == [
        "of no session", "its begin is not in the session", "", "logged twice",
    ]  # fmt: skip
    assert len(problems(book)) == 4


def test_taking_back_what_nobody_can_take_back_changes_nothing() -> None:
    """A session, a phase, and the taking back itself."""
    book = FieldBook(pack(LAB))
    begun = book.begin()
    last = book.trials("++-")[-1]
    undone = book.withdraw(last)
    for seq in (begun, book.session, undone, undone + 9):
        book.withdraw(seq)
    assert (stood(book).trials, stood(book).left_out) == (2, {"undone": 1})
