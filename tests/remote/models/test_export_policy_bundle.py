"""A policy's bundle: what is wrong with it must be found before it moves a robot, and nothing may take it for a detector."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from remote.errors import Trouble
from remote.models import commands
from remote.models.bundle import load_any_bundle, load_bundle, load_policy_bundle
from remote.models.check_policy import check_policy
from remote.models.contract_file import contract_text, parse_any_contract, parse_contract, parse_policy_contract
from remote.models.make import write_any_bundle
from remote.models.policy import Policy, network_input
from remote.models.provenance import Provenance, Tolerance
from remote.perception.faults import BadOutput
from tests.tiny_models import tiny_bundle
from tests.tiny_policies import expected, policy_bundle, policy_contract

WHERE = Path("contract.yaml")


def test_the_contract_reads_back_equal() -> None:
    assert parse_any_contract(contract_text(policy_contract()), WHERE) == policy_contract()
    assert parse_policy_contract(contract_text(policy_contract(None)), WHERE) == policy_contract(None)


def _changed(part: str, **changes: Any) -> str:
    contract = policy_contract()
    if part == "actions":
        changed = msgspec.structs.replace(contract, actions=msgspec.structs.replace(contract.actions, **changes))
    else:
        one = msgspec.structs.replace(contract.observations[0], **changes)
        changed = msgspec.structs.replace(contract, observations=(one,))
    return contract_text(changed)


@pytest.mark.parametrize(
    ("part", "changes", "says"),
    [
        ("actions", {"units": ("Nm",)}, "1 units for 2 names"),
        ("actions", {"low": (-1.0, 3.0)}, "low limit that is not below"),
        ("actions", {"high": (2.0, float("inf"))}, "finite|high"),
        ("actions", {"names": ("a", "a")}, "one name twice"),
        ("observations", {"elements": ("a", "b", "c")}, "3 elements for 2 elements"),
        ("observations", {"std": (1.0, 0.0)}, "not above 0"),
        ("observations", {"std": None}, "only one of mean and std"),
        ("observations", {"mean": (0.0, 0.0, 0.0)}, "3 mean for 2"),
        ("observations", {"dtype": "uint8"}, "uint8 with mean"),
    ],
)
def test_a_contract_that_would_move_a_robot_wrongly_is_refused(part: str, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(Trouble, match=says) as caught:
        parse_any_contract(_changed(part, **changes), WHERE)
    assert caught.value.code == "contract_invalid"


def test_a_misspelt_key_is_told_with_the_nearest_known_one() -> None:
    with pytest.raises(Trouble, match="squosh") as caught:
        parse_any_contract(contract_text(policy_contract()).replace("squash", "squosh"), WHERE)
    assert "squash" in caught.value.cure


def test_nothing_takes_a_policy_for_a_detector_or_the_other_way_round(tmp_path: Path) -> None:
    """An agent that loaded a policy as its detector would fail at the first frame, on the robot."""
    policy, detector = policy_bundle(tmp_path), tiny_bundle(tmp_path)
    for load, path in ((load_bundle, policy.path), (load_policy_bundle, detector.path)):
        with pytest.raises(Trouble) as caught:
            load(path)
        assert caught.value.code == "wrong_task"
        assert caught.value.cure
    assert load_any_bundle(policy.path) == policy
    assert load_any_bundle(detector.path) == detector
    with pytest.raises(Trouble, match="policy's") as refused:
        parse_contract(contract_text(policy_contract()), WHERE)
    assert refused.value.code == "wrong_task"


@given(st.tuples(*[st.floats(-1e6, 1e6, allow_nan=False)] * 2))
def test_the_whole_way_from_raw_observation_to_action_is_the_one_by_hand(raw: tuple[float, float]) -> None:
    given_contract = policy_contract().observations[0]
    inside = network_input(given_contract, np.array(raw))
    low, high = (np.array(one) for one in (policy_contract().actions.low, policy_contract().actions.high))
    action = low + 0.5 * (np.tanh(inside.astype(np.float64)) + 1) * (high - low)
    assert np.allclose(action, expected(np.array(raw)), atol=1e-5)


def test_a_good_policy_acts_and_its_check_says_what_it_is(tmp_path: Path) -> None:
    bundle = policy_bundle(tmp_path)
    action = Policy(bundle).act({"joints": np.array([1.0, -1.0])})
    assert np.allclose(action, expected(np.array([1.0, -1.0])), atol=1e-5)
    report = check_policy(bundle.path, runs=3)
    assert (report.actions, report.golden, report.runs) == (("shoulder", "elbow"), 4, 3)
    done = CliRunner().invoke(commands.bundle, ["check", str(bundle.path), "--json"])
    assert json.loads(done.stdout)["task"] == "policy"
    assert "finite and within their limits" in CliRunner().invoke(commands.bundle, ["check", str(bundle.path)]).stdout


@pytest.mark.parametrize(
    ("made", "code", "says"),
    [
        ({"stretch": 1.5}, "bad_output", "its limits are"),
        ({"is_nan": True}, "bad_output", "nan"),
        ({"golden_off": 0.01}, "golden_failed", "8 of 8 golden actions differ; worst action"),
    ],
    ids=["beyond limits", "NaN", "other than golden"],
)
def test_check_refuses_a_policy_that_must_not_move_a_robot(
    tmp_path: Path, made: dict[str, Any], code: str, says: str
) -> None:
    with pytest.raises(Trouble, match=says) as caught:
        check_policy(policy_bundle(tmp_path, **made).path)
    assert caught.value.code == code


@pytest.mark.parametrize(("least_db", "passes"), [(20.0, True), (40.0, False)])
def test_check_holds_a_policy_to_the_parity_of_its_maker_too(tmp_path: Path, least_db: float, passes: bool) -> None:
    """Of a quantised policy many actions may be a little off; how much all of them are is what decides."""
    plain = policy_bundle(tmp_path, golden_off=0.05)
    tolerance = Tolerance(absolute=0.1, relative=0.0, wrong_share=0.2, snr_db=least_db)
    said = msgspec.json.encode(Provenance(step="dynamic", source="x", opset=13, tolerance=tolerance))
    extra = {"golden.npz": (plain.path / "golden.npz").read_bytes(), "provenance.json": said}
    made = write_any_bundle(plain.model, plain.contract, tmp_path / "made", extra)
    if passes:
        assert check_policy(made.path).golden == 4
        return
    with pytest.raises(Trouble, match="dB clear of their difference, not 40 dB") as caught:
        check_policy(made.path)
    assert caught.value.code == "golden_failed"


def test_a_golden_difference_within_the_tolerance_passes(tmp_path: Path) -> None:
    assert check_policy(policy_bundle(tmp_path, golden_off=0.0005).path).golden == 4


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"joints": np.array([1.0])}, r"shape \[1\]"),
        ({"joints": np.array([1.0, np.nan])}, "NaN"),
        ({"other": np.array([1.0, 2.0])}, "no observation joints"),
    ],
)
def test_an_observation_that_can_not_be_is_not_acted_upon(tmp_path: Path, raw: dict[str, Any], says: str) -> None:
    with pytest.raises(Trouble, match=says) as caught:
        Policy(policy_bundle(tmp_path)).act(raw)
    assert caught.value.code == "observation_mismatch"


def test_an_action_beyond_its_limit_is_told_with_its_name_and_unit(tmp_path: Path) -> None:
    with pytest.raises(BadOutput, match=r"2\.\d+ Nm for shoulder, its limits are -2 and 2"):
        Policy(policy_bundle(tmp_path, stretch=1.5)).act({"joints": np.array([9.0, 0.0])})
