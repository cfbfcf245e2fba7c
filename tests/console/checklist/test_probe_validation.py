"""The probe model_validation: the robot's own suite as evidence; what failed is a no, what decided nothing is never a yes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from console.checklist.packs.loading import load_checklist
from console.checklist.probes import Finding
from console.checklist.probes.model_validation import ValidationParameters, look_at_validation
from console.fieldtest.criteria import Answer, Criterion
from console.fieldtest.judging import judge
from console.looking import OfflineSight
from remote.errors import Trouble
from remote.protocol import Reply, Validate
from remote.verdicts import Check, ValidationReport, Verdict, overall
from tests.console.checklist.given_robot import BUNDLE, GivenRobot, refusing
from tests.real_sight import agent, seen
from tests.remote.agent.test_facts import put_bundle

PAGE = Path(__file__).parents[3] / "docs" / "validation.md"
GIVEN = ValidationParameters()
SMALL = {"frame_width_px": 64.0, "frame_height_px": 64.0, "warm_up_runs": 1.0}
PATIENT = {"engine_p99_ms": 60e3, "pipeline_p99_ms": 60e3, "loaded_p99_ms": 60e3}
"""So much time that no busy machine fails a test of what is said."""


def timed(verdict: Verdict, value: float, bound: float | None, name: str = "latency_engine") -> Check:
    return Check(
        name=name, verdict=verdict, text=f"p99 {value} ms", value=value, bound=bound, limit=50.0, unit="ms", n=299
    )


def reply(*checks: Check, digest: str = BUNDLE) -> Reply:
    plain = [Check(name=name, verdict="pass", text="so it is") for name in ("model_loads", "safety_hostile")]
    rates = [
        Check(name=name, verdict="skipped", text="no table", limit=70.0, unit="%")
        for name in ("simulation_success", "hil_success")
    ]
    named = {check.name: check for check in (*plain, timed("pass", 4.0, 5.0), *rates, *checks)}
    told = tuple(named.values())
    report = ValidationReport(
        profile="jetson", digest=digest, name="tiny", engine="TensorRT 10.3", verdict=overall(told), checks=told
    )
    return Reply(id="1", validation=report)


def look(answer: Reply, parameters: ValidationParameters = GIVEN, files: Path = Path()) -> Finding:
    return look_at_validation(GivenRobot(answer=lambda command: answer, files=files).sight, parameters)


def test_a_pass_holds_and_carries_value_limit_and_n_of_each_check() -> None:
    found = look(reply())
    assert isinstance(found.measurement, Answer)
    assert found.measurement.holds
    assert found.details["engine"] == "TensorRT 10.3"
    numbers = {name: found.details[f"latency_engine_{name}"] for name in ("value", "bound", "limit", "n")}
    assert numbers == {"value": 4.0, "bound": 5.0, "limit": 50.0, "n": 299}


def test_one_failed_check_is_a_no_that_names_it() -> None:
    found = look(reply(Check(name="parity", verdict="fail", text="0.5 % further away"), timed("inconclusive", 1, None)))
    assert found.measurement == Answer(holds=False, words="parity: 0.5 % further away")


@pytest.mark.parametrize(
    "check",
    [timed("inconclusive", 4.0, None), Check(name="safety_hostile", verdict="skipped", text="no picture")],
    ids=["inconclusive", "required-but-skipped"],
)
def test_what_decided_nothing_or_was_left_out_is_never_a_yes(check: Check) -> None:
    found = look(reply(check))
    assert found.measurement is None
    assert check.text in found.unavailable


def test_a_check_that_this_agent_does_not_know_is_no_yes() -> None:
    found = look(reply(), ValidationParameters(require=("safety_of_the_future",)))
    assert "safety_of_the_future" in found.unavailable


def test_a_report_of_another_bundle_is_no_proof_of_this_one() -> None:
    found = look(reply(digest="91bc" * 16))
    assert isinstance(found.measurement, Answer)
    assert not found.measurement.holds


@pytest.mark.parametrize(
    ("check", "verdict"),
    [(timed("pass", 4.0, 5.0), "pass"), (timed("fail", 60.0, 70.0), "fail")],
    ids=["quick", "slow"],
)
@pytest.mark.parametrize("comparison", ["<", "<="])
def test_a_criterion_judges_a_time_by_its_bound(check: Check, verdict: str, comparison: str) -> None:
    found = look(reply(check), ValidationParameters(measure="validated_engine_p99_ms"))
    assert found.measurement is not None
    criterion = Criterion(
        metric="validated_engine_p99_ms",
        comparison=comparison,  # type: ignore[arg-type]
        threshold=50,
        unit="ms",
        n_min=299,
    )
    assert judge(criterion, found.measurement).verdict == verdict


def test_a_time_that_decided_nothing_is_not_judged() -> None:
    parameters = ValidationParameters(measure="validated_engine_p99_ms")
    assert look(reply(timed("inconclusive", 4.0, None)), parameters).measurement is None


@pytest.mark.parametrize(
    ("rows", "holds"), [(["true"] * 60, True), (["true"] * 10 + ["false"] * 50, False)], ids=["good", "bad"]
)
def test_a_table_of_trials_is_judged_here_and_kept(tmp_path: Path, rows: list[str], holds: bool) -> None:
    (tmp_path / "sim.csv").write_text("success\n" + "\n".join(rows) + "\n")
    parameters = ValidationParameters(simulation="sim.csv", require=("simulation_success",))
    found = look(reply(), parameters, tmp_path)
    assert isinstance(found.measurement, Answer)
    assert found.measurement.holds is holds
    assert list(found.fingerprints) == ["file:sim.csv"]
    assert [file.name for file in found.files] == ["sim.csv"]


@pytest.mark.parametrize("code", ["unknown_bundle", "validation_crashed"])
def test_a_bundle_that_is_missing_or_kills_its_engine_is_a_no(code: str) -> None:
    found = look_at_validation(GivenRobot(answer=refusing(code, "so it is", "do this")).sight, GIVEN)
    assert found.measurement == Answer(holds=False, words="so it is - do this")


@pytest.mark.parametrize("code", ["unreachable", "validation_busy", "check_busy", "validation_timeout", "bad_limit"])
def test_a_suite_that_was_not_run_decides_nothing(code: str) -> None:
    with pytest.raises(Trouble) as undecided:
        look_at_validation(GivenRobot(answer=refusing(code)).sight, GIVEN)
    assert undecided.value.code == code


def test_without_robot_bundle_or_report_it_is_no_answer(tmp_path: Path) -> None:
    for sight in (GivenRobot(bundle="").sight, OfflineSight(tmp_path, BUNDLE)):
        assert look_at_validation(sight, GIVEN).unavailable
    with pytest.raises(Trouble) as old:
        look(Reply(id="1"))
    assert old.value.code == "too_old"


def test_a_real_robot_answers_for_the_bundle_that_it_has(tmp_path: Path) -> None:
    parameters = ValidationParameters(profile="x86", limits={**SMALL, **PATIENT})
    with agent(tmp_path / "home") as robot:
        digest = put_bundle(robot.home, tmp_path / "made")
        with seen(robot.home, tmp_path / "laptop", bundle=digest) as sight:
            found = look_at_validation(sight, parameters)
            assert isinstance(found.measurement, Answer), found
            assert found.measurement.holds, found
            assert found.details["latency_under_load_n"] == 299


def test_the_pack_of_the_page_is_one_that_can_be_used(tmp_path: Path) -> None:
    example = next(block for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL))
    path = tmp_path / "checklist.yaml"
    path.write_text(example)
    items = load_checklist(str(path), ()).pack.items()
    assert [item.probe.name for item in items if item.probe] == ["model_validation", "model_validation"]


def test_the_page_names_every_limit_with_its_number() -> None:
    from remote.models.validation.profiles import LIMITS, profile_of

    page, jetson = PAGE.read_text(), profile_of("jetson")
    for name in LIMITS:
        row = next(line for line in page.splitlines() if line.startswith("|") and f"`{name}`" in line.split("|")[1])
        value = getattr(jetson, name)
        assert value is None or re.search(rf"\b{value:g}\b", row), row


def test_what_is_asked_of_the_robot_is_what_the_item_says() -> None:
    robot = GivenRobot(answer=lambda command: reply())
    look_at_validation(robot.sight, ValidationParameters(limits={"engine_p99_ms": 20.0}, runs=500))
    assert robot.session.asked == [(Validate(BUNDLE, "jetson", 500, {"engine_p99_ms": 20.0}), 4600.0)]
