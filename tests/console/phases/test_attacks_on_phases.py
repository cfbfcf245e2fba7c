"""Entries that nobody can have written by testing: a forged record must not count twice, pass, or end in a traceback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from console.fieldtest.criteria import Criterion
from console.fieldwork.phase_text import field_text
from console.phases.schema import Plan
from console.phases.states import PhaseState
from console.record.canonical import entry_of
from console.record.entries import Moment, SessionBegun
from console.record.field_checks import FieldChecks
from tests.console.phases.phase_book import FieldBook, pack, phase, question, rate


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


def measured(book: FieldBook, hours: float, **more: Any) -> None:
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
    assert book.field.session is not None
    assert book.field.session.seq == second
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


# ------------------------------------------------------------ choosing what one likes


def cautioned(book: FieldBook) -> str:
    return " | ".join(stood(book).cautions)


ROBOT = Moment(wall_ns=1, robot_boot_id="boot")


def chosen() -> FieldBook:
    book = FieldBook(pack(phase()))
    book.begin()
    book.trials("+++---+", moment=ROBOT)
    return book


def test_an_honest_phase_needs_no_caution() -> None:
    book = chosen()
    book.trial(began=book.attempt(), moment=ROBOT)
    book.attempt()  # under way
    assert stood(book).cautions == ()


def test_whoever_takes_failures_back_is_seen_with_what_it_would_be() -> None:
    book = chosen()
    for seq in [row.seq for row in book.lines if b'"outcome":"failure"' in row.line]:
        book.withdraw(seq)
    assert stood(book).trials == 4
    assert cautioned(book) == "3 trials undone, 3 of them no success: 4 of 4 succeeded without, 4 of 7 with them"
    assert "note: 3 trials undone" in field_text(book.field)


def test_whoever_begins_anew_until_it_passes_is_seen_with_the_chance_of_luck() -> None:
    book = chosen()
    book.end()
    book.begin()
    book.trials("--", moment=ROBOT)
    book.end()
    book.begin()
    book.trials("+", moment=ROBOT)
    assert cautioned(book) == (
        "this bundle was tried here 2 times before: 4 of 9 trials succeeded; "
        "each try may pass by luck in 5 % of all cases, 3 in up to 15 %"
    )
    book.change_bundle("b" * 64)
    book.end()
    book.begin()
    assert cautioned(book) == "", "another bundle is another first try"


def test_whoever_changes_the_limit_after_the_trials_is_seen() -> None:
    book = chosen()
    book.end()
    book.revise(goes_by=pack(phase("lab", question(criterion=rate(threshold=50), plan=Plan(n=60, expected=90)))))
    book.begin()
    assert stood(book).trials == 0
    assert "4 of 7 trials succeeded, 7 of them under another rule" in cautioned(book)


def test_an_attempt_whose_outcome_was_kept_back_is_seen() -> None:
    book = chosen()
    book.attempt()
    book.attempt()
    assert cautioned(book) == "1 trial begun, and how it came out was never logged"
    book.end()
    assert cautioned(book).startswith("2 trials begun")


def test_trials_without_a_robot_are_seen() -> None:
    book = chosen()
    book.trial()
    assert "1 of 8 trials logged without asking the robot" in cautioned(book)


def test_scores_that_were_taken_back_are_seen() -> None:
    book = chosen()
    book.withdraw(book.frame(0, 3, 2))
    assert cautioned(book) == "the scores of 1 frame were undone"


def test_whoever_scores_only_the_frames_that_look_good_is_seen() -> None:
    book = chosen()
    book.frame(1, draw="a", draw_of=20)
    book.frame(1, draw="a", draw_of=20)
    book.frame(1, draw="b", draw_of=1)
    book.frame(1)
    assert cautioned(book) == "18 of 21 frames that were drawn to be scored are not scored"


def test_whoever_runs_on_until_no_crash_is_left_in_the_figure_is_seen() -> None:
    mtbf = question("mtbf", asked("mtbf_h", ">", 24, "h"))
    book = FieldBook(pack(phase("lab", mtbf, min_running="48 h")))
    book.begin()
    book.ran(71.0)
    assert cautioned(book) == ""
    book.ran(73.0)
    assert cautioned(book).startswith("mtbf_h: it ran 73.0 h, 48 h were stated; where people run on")
