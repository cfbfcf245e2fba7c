"""The probe bundle_integrity: a tampered, missing or failing bundle never gets a tick; what was not checked is no verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.checklist.probes.bundle import FAULTS, IntegrityParameters, look_at_integrity
from console.fieldtest.criteria import Answer
from console.looking import OfflineSight
from remote.errors import Trouble
from remote.protocol import BundleReport, CheckBundle, Reply
from tests.console.checklist.given_robot import BUNDLE, GivenRobot, refusing
from tests.real_sight import agent, seen
from tests.remote.agent.test_facts import put_bundle

GIVEN = IntegrityParameters()


def report(digest: str = BUNDLE) -> Reply:
    made = BundleReport(
        digest=digest,
        name="tiny",
        engine="ONNX Runtime 1.23.2, CPU, 1 thread",
        runs=20,
        inference_p50_ms=4.25,
        inference_max_ms=9.5,
        model_bytes=1000,
    )
    return Reply(id="1", bundle_report=made)


def test_a_whole_bundle_on_a_real_robot_holds_and_one_changed_byte_does_not(tmp_path: Path) -> None:
    with agent(tmp_path / "home") as robot:
        digest = put_bundle(robot.home, tmp_path / "made")
        with seen(robot.home, tmp_path / "laptop", bundle=digest) as sight:
            found = look_at_integrity(sight, GIVEN)
            assert isinstance(found.measurement, Answer)
            assert found.measurement.holds
            assert found.details["engine"] == sight.facts().engine
            assert 0 < float(found.details["inference_p50_ms"] or 0) <= float(found.details["inference_max_ms"] or 0)
            with (robot.home / "bundles" / digest / "model.onnx").open("r+b") as file:
                file.seek(20)
                file.write(b"\x00\xff")
            broken = look_at_integrity(sight, GIVEN)
            assert isinstance(broken.measurement, Answer)
            assert not broken.measurement.holds
            assert "model.onnx" in broken.measurement.words
            assert broken.details == {"fault": "bundle_changed"}
        with seen(robot.home, tmp_path / "laptop", bundle="0" * 64) as sight:
            missing = look_at_integrity(sight, GIVEN)
            assert isinstance(missing.measurement, Answer)
            assert not missing.measurement.holds
            assert "fieldgate bundle send" in missing.measurement.words


def test_what_was_measured_stands_in_the_words_with_its_n() -> None:
    robot = GivenRobot(answer=lambda command: report())
    found = look_at_integrity(robot.sight, GIVEN)
    assert isinstance(found.measurement, Answer)
    for word in ("tiny", BUNDLE[:12], "ONNX Runtime 1.23.2", "p50 4.25 ms", "max 9.50 ms", "n 20"):
        assert word in found.measurement.words
    assert robot.session.asked == [(CheckBundle(BUNDLE), GIVEN.timeout_s)]


def test_a_report_of_another_bundle_is_no_proof_of_this_one() -> None:
    found = look_at_integrity(GivenRobot(answer=lambda command: report("91bc" * 16)).sight, GIVEN)
    assert isinstance(found.measurement, Answer)
    assert not found.measurement.holds


@pytest.mark.parametrize("code", sorted(FAULTS))
def test_what_the_check_finds_wrong_is_a_no_with_its_cure(code: str) -> None:
    found = look_at_integrity(GivenRobot(answer=refusing(code, "so it is", "do this")).sight, GIVEN)
    assert found.measurement == Answer(holds=False, words="so it is - do this")
    assert found.details == {"fault": code}


@pytest.mark.parametrize(
    "code", ["unreachable", "unconfirmed", "check_busy", "check_timeout", "no_check", "too_old", "internal"]
)
def test_a_check_that_was_not_made_decides_nothing(code: str) -> None:
    """Neither a tick nor a cross: the bundle may be well."""
    with pytest.raises(Trouble) as undecided:
        look_at_integrity(GivenRobot(answer=refusing(code)).sight, GIVEN)
    assert undecided.value.code == code


def test_without_a_bundle_a_robot_or_a_report_it_is_unavailable(tmp_path: Path) -> None:
    for sight in (
        GivenRobot(bundle="").sight,
        OfflineSight(tmp_path, BUNDLE),
        GivenRobot(answer=lambda command: Reply(id="1")).sight,
    ):
        found = look_at_integrity(sight, GIVEN)
        assert found.measurement is None
        assert found.unavailable
        assert found.cure
