"""`fieldgate stats`: the same figures as in verdicts, at a prompt, for people and for scripts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from console import exits
from console.cli import cli


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["stats", *words])


def values(*words: str) -> Any:
    return json.loads(run(*words, "--json").stdout)


def test_a_rate_is_shown_with_its_bounds() -> None:
    found = run("rate", "41/43")
    assert found.exit_code == exits.OK
    assert found.stdout.splitlines() == [
        "41 of 43 = 95.3 %",
        "exact bounds, 95 % each: 86.1 %, 99.2 %",
        "Wilson's interval, 95 %: 84.5 % to 98.7 %",
    ]
    as_json = values("rate", "41/43")
    assert as_json["judgement"] is None
    assert (as_json["successes"], as_json["n"], round(as_json["lower"], 1)) == (41, 43, 86.1)


@pytest.mark.parametrize(
    ("counts", "limit", "code", "word"),
    [
        ("41/43", ">= 85", exits.OK, "pass"),
        ("41/43", ">= 95", exits.NO_DATA, "not yet decided"),
        ("20/43", ">=95 %", exits.ALARM, "fail"),
        ("0/299", "< 1", exits.OK, "pass"),
        ("0/298", "<1", exits.NO_DATA, "not yet decided"),
    ],
)
def test_a_script_can_ask_whether_a_limit_is_met(counts: str, limit: str, code: int, word: str) -> None:
    found = run("rate", counts, "--against", limit)
    assert found.exit_code == code
    assert found.stdout.splitlines()[-1].startswith(f"{word}: ")
    assert run("rate", counts, "--against", limit, "--json").exit_code == code


def test_a_plan_says_how_many_trials_and_that_the_power_is_a_saw_tooth() -> None:
    found = run("plan", "--threshold", "85", "--expected", "95", "--power", "0.8").stdout
    assert "judged once: 68 trials, 63 successes pass (power 88 %)" in found
    assert "59 have that power too" in found
    assert "looked at after every trial: 100 trials at most, half of such robots need 56" in found
    as_json = values("plan", "--threshold", "85", "--expected", "95")
    assert (as_json["n"], as_json["first_n"], as_json["sequential_n"]) == (68, 59, 100)
    assert "up to 1 of them may go wrong" in run("plan", "--threshold", "1", "--expected", "0.1").stdout
    far = values("plan", "--threshold", "85", "--expected", "86")
    assert far["sequential_n"] is None
    assert "more than 4000 trials" in run("plan", "--threshold", "85", "--expected", "86").stdout


def test_two_models_are_compared() -> None:
    assert "+7.0 points" in run("compare", "87/100", "80/100").stdout
    assert values("compare", "87/100", "80/100")["p_value"] == pytest.approx(0.2118, abs=5e-4)


def test_a_clean_run_is_bounded_and_judged() -> None:
    found = run("mtbf", "--hours", "55.3", "--failures", "0", "--confidence", "90", "--against", "> 24")
    assert found.exit_code == exits.OK
    assert "MTBF no breakdown in 55.3 h; above 24 h at 90 %" in found.stdout
    short = run("mtbf", "--hours", "8", "--failures", "0", "--against", "> 24")
    assert short.exit_code == exits.NO_DATA
    assert "2.7 h" in short.stdout
    assert "about 64 more hours" in short.stdout
    assert run("mtbf", "--hours", "8", "--failures", "6", "--against", "> 24").exit_code == exits.ALARM
    assert values("mtbf", "--hours", "8", "--failures", "2")["per_day"]["value"] == 6


def test_a_transfer_ratio_is_bounded_and_judged() -> None:
    assert (
        "transfer ratio 0.92; bounds, 97.5 % each: 0.43, 1.14"
        in run("transfer", "87/100", "4/5", "--confidence", "97.5").stdout
    )
    assert run("transfer", "87/100", "4/5", "--against", ">= 0.7").exit_code == exits.NO_DATA
    assert run("transfer", "87/100", "40/50", "--against", ">= 0.7").exit_code == exits.OK
    assert values("transfer", "87/100", "1/5", "--against", ">= 0.7")["judgement"]["verdict"] == "fail"


@pytest.mark.parametrize(
    "words",
    [
        "rate 43/41", "rate 0/0", "rate 4", "rate -1/5", "rate nan/5", "rate 4/5 --against 95", "rate 4/5 --against >=nan",
        "rate 4/5 --confidence 50", "rate 4/5 --confidence 100", "rate 4/5 --confidence nan",
        "plan --threshold 0.95 --expected 0.99",
        "plan --threshold 85 --expected 85", "plan --threshold 85 --expected 85.001", "plan --threshold 0 --expected 5",
        "plan --threshold nan --expected 5", "plan --threshold 85 --expected 95 --power 0.5",
        "plan --threshold 85 --expected 95 --power 1", "mtbf --hours 0 --failures 0", "mtbf --hours nan --failures 0",
        "mtbf --hours inf --failures 0", "mtbf --hours 8 --failures -1", "transfer 0/100 4/5", "compare 4/5 5/4",
        "rate 9999999999/9999999999",
    ],
)  # fmt: skip
def test_what_can_not_be_is_a_usage_error_in_words(words: str) -> None:
    found = run(*words.split())
    assert found.exit_code == exits.USAGE, found.output
    assert "Error: " in found.stderr
    assert "Traceback" not in found.output


def test_shares_where_per_cent_are_meant_are_asked_about_and_small_mishaps_are_not() -> None:
    """A plan for 0.95 % would be of thousands of trials, and nobody would know why."""
    assert (
        "Did you mean --threshold 95 --expected 99?" in run("plan", "--threshold", "0.95", "--expected", "0.99").stderr
    )
    assert run("plan", "--threshold", "1", "--expected", "0.1").exit_code == exits.OK


def test_every_json_says_its_format() -> None:
    for words in (
        "rate 4/5",
        "plan --threshold 85 --expected 95",
        "compare 4/5 3/5",
        "transfer 5/5 4/5",
        "mtbf --hours 8 --failures 0",
    ):
        assert values(*words.split())["format"] == 1
