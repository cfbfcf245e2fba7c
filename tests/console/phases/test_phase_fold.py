"""A phase stands as its trials prove: none counted twice, none of another bundle or robot, none that was undone."""

from __future__ import annotations

from tests.console.phases.phase_book import FieldBook, pack, phase


def test_a_phase_passes_at_the_first_crossing_and_not_one_trial_before() -> None:
    book = FieldBook(pack(phase()))
    book.begin()
    crossing = next(n for n in range(1, 60) if book.trial() and book.phase().status == "pass")
    assert 8 <= crossing <= 14
    again = FieldBook(pack(phase()))
    again.begin()
    again.trials("+" * (crossing - 1))
    assert again.phase().status == "testing"
    assert again.question().more == 1
