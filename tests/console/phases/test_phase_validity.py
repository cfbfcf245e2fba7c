"""A phase that waits for what can't happen is refused when it is written, with its line and the nearest word."""

from __future__ import annotations

import pytest

from console.checklist.packs.differences import difference
from console.checklist.packs.linting import lint
from console.checklist.packs.loading import parse_checklist
from console.checklist.packs.showing import pack_text
from console.checklist.packs.sources import Source
from remote import strict_yaml
from remote.errors import Trouble
from tests.console.phases.test_phases_docs import OVERLAY, PACK


def changed(old: str, new: str) -> str:
    assert old in PACK, old
    return PACK.replace(old, new, 1)


RATE = 'criterion: {metric: success_rate, statistic: rate, comparison: ">", threshold: 70, unit: "%"}'
WRONG = [
    (
        'metric: success_rate, statistic: rate, comparison: ">", threshold: 70',
        'metric: succes_rate, statistic: rate, comparison: ">", threshold: 70',
        "`succes_rate`",
        "Did you mean `success_rate`?",
    ),
    (RATE, RATE.replace('"%"', "h"), "success_rate is in `%`, not `h`", "in that unit"),
    (
        RATE,
        RATE.replace("statistic: rate", "statistic: p95"),
        "`p95` can't be taken of success_rate",
        "It allows: rate",
    ),
    (RATE, RATE.replace("threshold: 70", "threshold: 120"), "can't be 120 %", "0 to 100"),
    (RATE, RATE.replace("threshold: 70", "threshold: 0.000001"), "no trial shows", "between 0.01 and 99.99"),
    ("check: link, for: 5 s", "check: link, for: -1 s", "is no time span", "like 30 s"),
    (RATE, RATE.replace("threshold: 70", "threshold: .nan"), "must be a finite number", "Give a number"),
    (RATE, RATE.replace('">"', '"=="'), "is equal to something", ">="),
    (RATE, RATE.replace("unit:", "n_min: 5, unit:"), "has a plan, which says how many decide", "Remove `n_min`"),
    (
        RATE,
        RATE.replace("unit:", "margin: 2, unit:"),
        "`margin` means nothing where the first crossing decides",
        "look: fixed",
    ),
    (RATE, RATE.replace("unit:", "judge: point, unit:"), "`judge` means nothing", "look: fixed"),
    ("        plan: {look: sequential, n: 45, expected: 90, power: 0.8}\n", "", "`success` has no plan", "Give `plan"),
    ("n: 45, expected: 90", "n: 45, expected: 60", "60 % is hoped for, which is not > 70 %", "right side"),
    ("n: 45, expected: 90", "n: 46, expected: 90", "plans 46 trials, the phase 45", "Set planned_n to 46"),
    ("plan: {look: fixed, n: 70", "plan: {look: sequential, n: 70", "is no rate of single frames", "Say `look: fixed`"),
    ("        baseline: {item: simulated}\n", "", "compares with simulation", "Give `baseline"),
    ("baseline: {item: simulated}", "baseline: {item: simulatd}", "the pack has no item `simulatd`", "`simulated`?"),
    ("baseline: {item: simulated}", "baseline: {item: fence}", "`fence` measures no rate", "simulated"),
    (
        "        where: {light: dim}\n",
        "        baseline: {item: simulated}\n",
        "is compared with nothing",
        "Remove `baseline`",
    ),
    ("where: {light: dim}", "where: {lite: dim}", "has no condition `lite`", "`light`?"),
    ("where: {light: dim}", "where: {light: dimm}", "`light` is never `dimm`", "`dim`?"),
    ("    min_running: 24 h\n", "", "`uptime` would be judged after the first minute", "min_running"),
    (
        'threshold: 95, unit: "%"}\n',
        'threshold: 95, unit: "%"}\n        plan: {n: 5, expected: 99}\n',
        "it can have no plan",
        "Remove `plan`",
    ),
    ("{stage: simulation}", "{stage: simulaton}", "the pack has no stage `simulaton`", "`simulation`?"),
    ("{item: fence}", "{item: fenc}", "the pack has no item `fenc`", "`fence`?"),
    ("{item: fence}", "{items_of: fence}", "the pack has no stage `fence`", "Known stages"),
    ("- {phase: bench}", "- {phase: bensh}", "the pack has no phase `bensh`", "`bench`?"),
    ("- {phase: bench}", "- {phase: shelf}", "`shelf` waits for itself", "earlier phase"),
    (
        "- {item: fence}",
        "- {phase: shelf}",
        "`bench` waits for `shelf`, which does not come before it",
        "earlier phase",
    ),
    ("{item: fence}", "{item: fence, stage: simulation}", "exactly one of", "conditions of their own"),
    ("{item: fence}", "{title: whatever}", "exactly one of", "Give one"),
    (
        "{stage: simulation}",
        "{stage: release}",
        "the gate waits for the phase `bench`, which begins only when",
        "items_of",
    ),
    ("check: link, for: 5 s", "for: 5 s", "`link` must have exactly one of `check` and `criterion`", "Give `check`"),
    ("metric: end_to_end_ms", "metric: zzz", "nothing is measured as `zzz`", "Known live metrics"),
    ("threshold: 500, unit: ms", "threshold: 500, unit: s", "end_to_end_ms is in `ms`, not `s`", "in that unit"),
    ("id: quick\n", "id: link\n", "the condition id `link` is given twice", "its own"),
    ("- id: found\n", "- id: success\n", "the question id `success` is given twice", "its own"),
    ("  - id: shelf\n    title: At", "  - id: bench\n    title: At", "the phase id `bench` is given twice", "its own"),
    ("phases: [bench, shelf]", "phases: [bench, shelv]", "the pack has no phase `shelv`", "`shelf`?"),
]


@pytest.mark.parametrize(("old", "new", "said", "cure"), WRONG, ids=[row[2][:48] for row in WRONG])
def test_lint_says_what_is_wrong_where_and_which_word_was_meant(old: str, new: str, said: str, cure: str) -> None:
    text = changed(old, new)
    found = [one for one in lint(Source("shelf.yaml", text)) if one.level == "error"]
    told = next((one for one in found if said in one.what), None)
    assert told is not None, found
    assert cure in told.cure
    assert "shelf.yaml, line " in told.what
    with pytest.raises(Trouble):
        parse_checklist([("shelf.yaml", text)])


def test_the_line_is_the_one_at_which_the_wrong_word_stands() -> None:
    text = changed("{phase: bench}", "{phase: bensh}")
    line = next(n for n, words in enumerate(text.splitlines(), 1) if "bensh" in words)
    (told,) = [one for one in lint(Source("shelf.yaml", text)) if one.level == "error"]
    assert f"line {line} (phases[1].entry[0])" in told.what


def test_an_overlay_s_own_line_is_named_where_it_brought_the_mistake() -> None:
    text = OVERLAY.replace("expected: 85", "expected: 50")
    (told,) = [one for one in lint(Source("s.yaml", PACK), [Source("hall.yaml", text)]) if one.level == "error"]
    line = next(n for n, words in enumerate(text.splitlines(), 1) if "expected: 50" in words)
    assert told.what.startswith(f"hall.yaml, line {line} (phases.bench.questions.success.plan")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("  bench:", "  bensh:"), "has no phase `bensh`"),
        (("      success:", "      sucess:"), "has no `sucess` in its questions"),
        (("in_a_row: {at: 6}", "in_a_row: {at: 0}"), "0"),
        (("planned_n: 40", "trial: another one"), "trial"),
    ],
)
def test_an_overlay_changes_no_phase_that_is_not_there_and_never_what_a_trial_is(
    change: tuple[str, str], said: str
) -> None:
    with pytest.raises(Trouble) as caught:
        parse_checklist([("s.yaml", PACK), ("hall.yaml", OVERLAY.replace(*change))])
    assert said in caught.value.what
    assert "hall.yaml" in caught.value.what


def test_lint_warns_of_a_plan_that_is_too_short_and_of_a_phase_that_decides_nothing() -> None:
    short = [one.what for one in lint(Source("s.yaml", changed("n: 45, expected: 90", "n: 30, expected: 90")))]
    assert any("n 30 is too few for a power of 0.8 at 90 %" in what for what in short)
    idle = [one.what for one in lint(Source("s.yaml", changed("phases: [bench, shelf]", "phases: [bench]")))]
    assert any("no gate and no phase waits for `shelf`" in what for what in idle)


def test_a_question_that_goes_a_threshold_that_falls_and_a_stop_rule_that_waits_longer_are_called_loosened() -> None:
    before = parse_checklist([("s.yaml", PACK)]).pack
    bench = before.phases[0]
    import msgspec

    looser = msgspec.structs.replace(
        bench,
        questions=bench.questions[:1],
        stop=(msgspec.structs.replace(bench.stop[0], at=9),),
        entry=bench.entry[:1],
        aborted="excluded",
    )
    after = msgspec.structs.replace(before, phases=(looser, before.phases[1]))
    found = difference(before, after)
    places = {change.place for change in found.loosened()}
    assert places == {
        "phases.bench.questions",
        "phases.bench.stop.in_a_row.at",
        "phases.bench.entry",
        "phases.bench.aborted",
    }
    assert found.stale == ("phase bench",)
    back = difference(after, before)
    assert {change.place for change in back.changes if change.direction == "tightened"} == places
    gone = difference(before, msgspec.structs.replace(before, phases=before.phases[:1]))
    assert gone.removed == ("phase shelf",)


def test_a_pack_shows_its_phases() -> None:
    shown = pack_text(parse_checklist([("s.yaml", PACK)]))
    for words in (
        "phase 1. On the bench (bench)",
        "looked at after each, 45 at most",
        "the gate of simulation is open",
    ):
        assert words in shown
    assert "phase bench, shelf passed" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_pack_of_many_phases_is_linted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines of all remarks are found in a few readings, not in one for each."""
    read: list[str] = []
    reading = strict_yaml._read

    def counted(*given: str) -> object:
        read.append(given[1])
        return reading(*given)

    monkeypatch.setattr(strict_yaml, "_read", counted)
    head, shelf = PACK.split("  - id: bench\n", 1)
    bench = "  - id: p{}\n" + shelf.split("  - id: shelf", 1)[0]
    many = head.replace("[bench, shelf]", "[p0]") + "".join(bench.replace("{}", str(k), 1) for k in range(40))
    found = lint(Source("many.yaml", many))
    assert {one.level for one in found} == {"warning"}
    assert len(found) >= 39
    assert len(read) <= 6
