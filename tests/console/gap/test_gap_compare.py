"""Simulation against reality: a gap that is not seen costs weeks, advice for a gap that is none costs more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from console.fieldtest.criteria import Rate
from console.gap.comparing import FEWEST_EPISODES, Comparison, compare
from console.gap.episodes import Episodes, episodes_of, episodes_of_trials
from console.gap.findings import RULES, findings_of
from console.phases.states import TrialState
from remote.errors import Trouble
from tests.console.gap.gap_tables import steps, table

SIM = steps()


def by_figure(real: Episodes, sim: Episodes = SIM) -> dict[str, Comparison]:
    return {one.figure: one for one in compare(sim, real)}


def test_a_robot_that_is_like_its_simulation_has_no_gap() -> None:
    assert {one.verdict for one in compare(SIM, steps(seed=1))} <= {"close", "inconclusive"}
    assert not [one for one in findings_of(compare(SIM, steps(seed=1))) if one.verdict == "gap"]


@pytest.mark.parametrize(
    ("made", "title", "advice"),
    [
        ({"lag_s": 0.1}, "The robot follows later", "actuators this delay"),
        ({"noise": 0.02}, "The measured position is noisier", "sensor noise"),
        ({"offset": 0.2}, "The robot tracks worse", "state estimation"),
        ({"action": 2.0}, "It needs more effort", "Smooth"),
        ({"jump": 0.5}, "Its actions jump", "Smooth"),
        ({"action": 3.0}, "Its actions go further", "safety limits"),
        ({"length": 120}, "Episodes take longer", "time limit"),
        ({"success": 0.0, "episodes": 30}, "Less success than in simulation", "Randomise"),
    ],
)
def test_each_gap_is_named_with_the_advice_that_belongs_to_it(made: dict[str, Any], title: str, advice: str) -> None:
    sim = steps(episodes=made.get("episodes", 8))
    found = {one.title: one for one in findings_of(compare(sim, steps(seed=2, **made)))}
    assert title in found
    assert advice in found[title].advice
    assert found[title].why


def test_latency_is_compensated_where_it_is_proven() -> None:
    sim = Episodes("sim", 8, None, {"latency_ms": (5.0,) * 8}, {})
    slow = Episodes("real", 8, None, {"latency_ms": tuple(40.0 + k for k in range(8))}, {})
    near = Episodes("real", 8, None, {"latency_ms": tuple(12.0 + k / 8 for k in range(8))}, {})
    assert [one.title for one in findings_of(compare(sim, slow))] == ["It answers later"]
    assert compare(sim, near)[0].verdict == "close"
    assert {one.title for one in RULES} >= {"It answers later"}


def test_too_few_episodes_prove_nothing_however_far_apart() -> None:
    few = by_figure(steps(episodes=FEWEST_EPISODES - 1, offset=5.0))
    enough = by_figure(steps(episodes=FEWEST_EPISODES, offset=5.0))
    assert few["tracking_error"].verdict == "inconclusive"
    assert "prove nothing" in few["tracking_error"].why
    assert enough["tracking_error"].verdict == "gap"


def test_four_of_five_against_87_of_100_is_not_decided() -> None:
    sim, real = (Episodes(name, rate.n, rate, {}, {}) for name, rate in (("sim", Rate(87, 100)), ("real", Rate(4, 5))))
    (found,) = compare(sim, real)
    assert found.verdict == "inconclusive"
    assert found.ratio is not None
    assert found.ratio.value == pytest.approx(0.92, abs=0.005)


def test_nothing_to_divide_by_is_no_ratio() -> None:
    sim, real = (Episodes(name, 20, Rate(k, 20), {}, {}) for name, k in (("sim", 0), ("real", 10)))
    (found,) = compare(sim, real)
    assert (found.ratio, found.verdict) == (None, "inconclusive")
    zero = Episodes("sim", 8, None, {"control_effort": (0.0,) * 8}, {})
    some = Episodes("real", 8, None, {"control_effort": (1.0,) * 8}, {})
    (found,) = compare(zero, some)
    assert (found.ratio, found.verdict) == (None, "gap")


def test_looking_at_many_figures_finds_no_gap_by_chance() -> None:
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(60):
        values = {name: tuple(rng.normal(10, 3, 12)) for name in ("tracking_error", "control_effort", "peak_action")}
        other = {name: tuple(rng.normal(10, 3, 12)) for name in values}
        found = compare(Episodes("a", 12, None, values, {}), Episodes("b", 12, None, other, {}), margin=0.01)
        alarms += any(one.verdict == "gap" for one in found)
    assert alarms <= 11  # 5 % each side is 6 of 60; 11 lies beyond the 98th percentile


def test_the_same_files_give_the_same_numbers() -> None:
    assert compare(SIM, steps(seed=3)) == compare(SIM, steps(seed=3))


# ---------------------------------------------------------------- reading


def test_episodes_are_read_by_known_names_or_by_those_that_are_given() -> None:
    rows = [
        {"succeeded": "yes", "duration_s": "3.5", "weird": 1.0},
        {"succeeded": "no", "duration_s": "", "weird": 2.0},
    ]
    found = episodes_of(table(rows), {"tracking_error": "weird"})
    assert found.success == Rate(1, 2)
    assert found.values == {"episode_length": (3.5,), "tracking_error": (1.0, 2.0)}


@pytest.mark.parametrize(
    ("rows", "chosen", "said"),
    [
        ([{"a": 1}], {}, "nothing to compare"),
        ([{"success": 1}], {"success": "sucess"}, "no column `sucess`"),
        ([{"success": 1}], {"sucess": "success"}, "nothing that is compared"),
        ([{"success": "maybe"}], {}, "line 2 has the outcome 'maybe'"),
        ([{"effort": "nan"}], {}, "line 2 has 'nan' in column `effort`"),
        ([{"t": 1, "x": 0, "pos_x": 1}, {"t": 1, "x": 0, "pos_x": 1}], {}, "line 3: its time 1 does not follow 1"),
        (
            [{"t": k, "episode": e, "pos_x": 1} for k, e in enumerate("aba")],
            {},
            "line 4: steps of episode a stand in two places",
        ),
    ],
)
def test_other_columns_end_in_a_clear_word(rows: list[dict[str, Any]], chosen: dict[str, str], said: str) -> None:
    with pytest.raises(Trouble) as caught:
        episodes_of(table(rows), chosen)
    assert said in caught.value.what


def test_only_trials_that_count_are_compared() -> None:
    def trial(seq: int, outcome: Any, counts: bool) -> TrialState:
        return TrialState(
            seq=seq, number=seq, session=1, phase="lab", outcome=outcome, conditions={}, note="", person="a", wall_ns=0,
            measures={"took_s": 2.0 + seq, "tracking_error_mm": 1.0}, counts=counts,
        )  # fmt: skip

    found = episodes_of_trials("c", [trial(1, "success", True), trial(2, "failure", True), trial(3, "success", False)])
    assert found.success == Rate(1, 2)
    assert found.values == {"episode_length": (3.0, 4.0), "tracking_error": (1.0, 1.0)}
