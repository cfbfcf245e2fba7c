"""The validation suite: each check passes where it should, fails where it should, and never passes on what it did not see."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from remote.errors import Trouble
from remote.models.contract import ActionContract, ObservationContract, PolicyContract
from remote.models.golden import Golden, golden_bytes
from remote.models.make import write_any_bundle
from remote.models.model_commands import model
from remote.models.provenance import Provenance, Tolerance
from remote.models.validation import latency
from remote.models.validation.bounds import percentile
from remote.models.validation.detectors import loads
from remote.models.validation.machine import Heat, Machine, power_mode, right_machine, slowed_down, thermal
from remote.models.validation.onnx_opset import read_opset
from remote.models.validation.parity import differences
from remote.models.validation.parity import judged as judged_parity
from remote.models.validation.plan import Plan
from remote.models.validation.profiles import LIMITS, Profile, profile_of
from remote.models.validation.results import count, judged_rate
from remote.models.validation.safety import faults_of
from remote.models.validation.suite import makers_measurements, validate
from remote.perception.engines.wishes import NOT_TENSORRT, ONLY_ONNX_RUNTIME
from remote.protocol import Constraints, Detection
from remote.verdict_text import EXIT, junit_xml, report_text
from remote.verdicts import Check, ValidationReport, Verdict, profile_of_machine
from tests.remote.models.proved_bundles import proved_bundle
from tests.tiny_models import tiny_bundle
from tests.waiting import wait_until

FAST = {"frame_width_px": 64, "frame_height_px": 64, "warm_up_runs": 1}


def run(
    folder: Path, *, profile: str = "x86", limits: dict[str, float] | None = None, **more: object
) -> ValidationReport:
    plan = Plan(folder=str(folder), profile=profile, limits={**FAST, **(limits or {})}, runs=3)
    return validate(msgspec.structs.replace(plan, **more))


def named(report: ValidationReport) -> dict[str, Check]:
    return {check.name: check for check in report.checks}


# ------------------------------------------------------------ the whole suite on real bundles


def test_a_bundle_that_is_what_it_says_passes_all_that_can_be_looked_at_here(tmp_path: Path) -> None:
    report = run(proved_bundle(tmp_path).path)
    found = named(report)
    passes = ("bundle_intact", "opset", "model_loads", "parity", "safety_outputs", "safety_hostile")
    assert {name: found[name].verdict for name in passes} == dict.fromkeys(passes, "pass")
    assert found["parity"].n == 3
    # Three runs are too few for a bound: that is said, and the whole is no pass.
    assert {found[f"latency_{name}"].verdict for name in ("engine", "pipeline", "under_load")} == {"inconclusive"}
    assert found["simulation_success"].verdict == "skipped"
    assert report.verdict == "inconclusive"
    assert report.words["threads"] == "1"


def test_a_model_that_answers_otherwise_than_where_it_was_made_fails_with_the_numbers(tmp_path: Path) -> None:
    found = named(run(proved_bundle(tmp_path, wrong=0.5).path))["parity"]
    assert found.verdict == "fail"
    assert "largest difference 0.5" in found.text


def test_an_opset_that_is_not_the_makers_fails(tmp_path: Path) -> None:
    assert named(run(proved_bundle(tmp_path, opset=17).path))["opset"].verdict == "fail"


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [((), "skipped"), (("pass",), "pass"), (("pass", "inconclusive"), "skipped"), (("pass", "fail"), "fail")],
    ids=["nothing", "passed", "undecided", "failed"],
)
def test_what_failed_when_the_bundle_was_made_fails_here_too(
    tmp_path: Path, measured: tuple[Verdict, ...], verdict: Verdict
) -> None:
    """Its golden samples can't tell: their tolerance was made from what the step had lost."""
    checks = tuple(Check(name="agreement", verdict=one, text=f"{one}: 12 of 40 boxes") for one in measured)
    found = makers_measurements(proved_bundle(tmp_path, measured=checks).path)
    assert (found.name, found.verdict) == ("makers_measurements", verdict)
    assert ("fail: 12 of 40 boxes" in found.text) == (verdict == "fail")


def test_the_suite_asks_what_its_maker_measured(tmp_path: Path) -> None:
    failed = Check(name="agreement", verdict="fail", text="12 of 40 boxes")
    report = run(proved_bundle(tmp_path, measured=(failed,)).path)
    assert (report.verdict, named(report)["makers_measurements"].verdict) == ("fail", "fail")


@pytest.mark.parametrize("option", ["--junit", "--simulation"])
def test_a_path_that_can_not_be_is_told_before_anything_is_run(tmp_path: Path, option: str) -> None:
    """Else minutes of measuring are thrown away for a slip of the keyboard."""
    words = ["validate", str(proved_bundle(tmp_path).path), "--runs", "1", option, str(tmp_path / "no" / "such")]
    done = CliRunner().invoke(model, words)
    assert isinstance(done.exception, Trouble)
    assert "..." not in done.stderr


def test_the_result_fits_into_the_terminal(tmp_path: Path) -> None:
    text = report_text(run(proved_bundle(tmp_path).path), 80)
    assert max(map(len, text.splitlines())) <= 80
    assert "golden samples (no recorded pictures" in " ".join(text.split())


def test_golden_samples_without_a_tolerance_decide_nothing(tmp_path: Path) -> None:
    assert named(run(proved_bundle(tmp_path, tolerance=None).path))["parity"].verdict == "inconclusive"


def test_a_bundle_without_golden_samples_says_what_was_left_out(tmp_path: Path) -> None:
    found = named(run(tiny_bundle(tmp_path).path))
    assert {found[name].verdict for name in ("opset", "parity", "safety_outputs")} == {"skipped"}
    assert all(found[name].text for name in ("opset", "parity", "safety_outputs"))


@pytest.mark.parametrize("golden", [b"", b"PK\x03\x04", b"\x00" * 200], ids=["empty", "cut", "noise"])
def test_damaged_golden_samples_are_a_failure_of_the_bundle(tmp_path: Path, golden: bytes) -> None:
    assert run(proved_bundle(tmp_path, golden=golden).path).verdict == "fail"


def test_one_changed_byte_fails_and_nothing_of_the_bundle_is_run(tmp_path: Path) -> None:
    bundle = proved_bundle(tmp_path)
    with (bundle.path / "model.onnx").open("r+b") as file:
        file.seek(30)
        file.write(b"\xff")
    report = run(bundle.path)
    found = named(report)
    assert (report.verdict, found["bundle_intact"].verdict, report.digest) == ("fail", "fail", bundle.digest)
    assert found["model_loads"].verdict == found["safety_hostile"].verdict == "skipped"


@pytest.mark.parametrize("broken", ["dark_is_nan", "dark_raises"])
def test_a_model_that_breaks_on_a_dark_picture_fails(tmp_path: Path, broken: str) -> None:
    found = named(run(tiny_bundle(tmp_path, **{broken: True}).path))  # type: ignore[arg-type]
    assert "fail" in {found["model_loads"].verdict, found["safety_hostile"].verdict}


def test_more_boxes_than_the_constraints_allow_fail_with_the_pictures_name(tmp_path: Path) -> None:
    found = named(run(proved_bundle(tmp_path).path, constraints=Constraints(max_boxes=1)))["safety_hostile"]
    assert found.verdict == "fail"
    assert "white" in found.text or "grey" in found.text


def test_of_the_robots_limits_and_the_profiles_the_stricter_ones_hold(tmp_path: Path) -> None:
    path = proved_bundle(tmp_path).path
    loose = run(path, limits={"max_boxes": 1}, constraints=Constraints(max_boxes=5))
    assert named(loose)["safety_hostile"].verdict == "fail"


@pytest.mark.parametrize(
    ("words", "profile"),
    [
        ({"l4t": "36.4.3", "model": "a carrier board"}, "jetson"),
        ({"l4t": "", "model": "NVIDIA Jetson AGX Orin Developer Kit"}, "jetson"),
        ({"l4t": "", "model": "NVIDIA DGX Spark"}, "x86"),
        ({}, "x86"),
    ],
    ids=["l4t", "board", "another-nvidia", "nothing-known"],
)
def test_a_machine_is_validated_by_its_own_profile(words: dict[str, str], profile: str) -> None:
    assert profile_of_machine(words) == profile


def test_no_machine_but_a_jetson_passes_as_one(tmp_path: Path) -> None:
    report = run(proved_bundle(tmp_path).path, profile="jetson")
    assert named(report)["machine"].verdict == "inconclusive"
    assert report.verdict != "pass"


def test_recorded_pictures_are_what_it_is_timed_and_held_to_its_limits_on(tmp_path: Path) -> None:
    import cv2

    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(2):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((48, 80, 3), 200, np.uint8))
    found = named(run(proved_bundle(tmp_path / "b").path, pictures=str(folder)))
    assert found["safety_outputs"].n == 2
    assert "from a frame of 80 x 48 to boxes" in found["latency_pipeline"].text
    cv2.imwrite(str(folder / "0.png"), np.full((720, 1280, 3), 200, np.uint8))
    mixed = named(run(proved_bundle(tmp_path / "a").path, pictures=str(folder)))
    assert "from a frame of 80 x 48 up to 1280 x 720 to boxes" in mixed["latency_pipeline"].text
    (folder / "2.png").write_bytes(b"no picture")
    with pytest.raises(Trouble, match=r"2\.png"):
        run(proved_bundle(tmp_path / "c").path, pictures=str(folder))


def test_what_is_no_folder_is_said_and_no_report(tmp_path: Path) -> None:
    with pytest.raises(Trouble) as refused:
        run(tmp_path / "nothing")
    assert refused.value.code == "bundle_missing"


@pytest.mark.parametrize(
    ("profile", "engine", "tensorrt", "verdict"),
    [
        ("jetson", "TensorRT 10.3, Orin", "10.3.0", "pass"),
        ("jetson", "ONNX Runtime 1.23.2, CPU; not TensorRT: no engine was built here", "10.3.0", "inconclusive"),
        ("jetson", f"ONNX Runtime 1.23.2, CPU{NOT_TENSORRT}{ONLY_ONNX_RUNTIME}: it is dynamic", "10.3.0", "pass"),
        ("jetson", "ONNX Runtime 1.23.2, CPU, 1 thread", "", "pass"),
        ("x86", "ONNX Runtime 1.23.2, CPU, 1 thread", "10.3.0", "pass"),
    ],
    ids=["tensorrt", "fallen-back", "made-for-it", "without", "x86"],
)
def test_a_board_with_tensorrt_is_not_proved_by_another_engine(
    profile: str, engine: str, tensorrt: str, verdict: str
) -> None:
    assert loads(profile_of(profile), engine, tensorrt).verdict == verdict


# ------------------------------------------------------------ policies


def policy(folder: Path, *, squash: str, golden: float = 0.5, numbers: int = 2) -> Path:
    """A bundle whose policy says `squash(2 * observation)`, two numbers within -1 to 1, and `numbers` of what it said where it
    was made.
    """
    given = helper.make_tensor_value_info("obs", onnx.TensorProto.FLOAT, ["batch", 2])
    said = helper.make_tensor_value_info("act", onnx.TensorProto.FLOAT, ["batch", 2])
    nodes = [helper.make_node("Add", ["obs", "obs"], ["twice"]), helper.make_node(squash, ["twice"], ["act"])]
    graph = helper.make_graph(nodes, "policy", [given], [said])
    file = folder / "policy.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(file))
    contract = PolicyContract(
        name="reach",
        task="policy",
        observations=(ObservationContract(name="obs", shape=(2,), elements=("x", "y"), units=("m", "m")),),
        actions=ActionContract(name="act", names=("a", "b"), units=("1", "1"), low=(-1.0, -1.0), high=(1.0, 1.0)),
    )
    inputs = np.array([[0.25, -0.25]], np.float32)
    outputs = np.tanh(2 * inputs) + np.float32(golden - 0.5)
    extra = {
        "golden.npz": golden_bytes(Golden({"obs": inputs}, {"act": outputs[:, :numbers]})),
        "provenance.json": msgspec.json.encode(
            Provenance(step="export", source="t", opset=17, tolerance=Tolerance(absolute=1e-5, relative=1e-5))
        ),
    }
    return write_any_bundle(file, contract, folder / "bundle", extra).path


def test_a_policy_is_proved_by_its_actions(tmp_path: Path) -> None:
    found = named(run(policy(tmp_path, squash="Tanh")))
    passes = ("bundle_intact", "opset", "model_loads", "parity", "safety_outputs", "safety_hostile")
    assert {name: found[name].verdict for name in passes} == dict.fromkeys(passes, "pass")
    assert found["latency_pipeline"].verdict == "skipped"


def test_golden_actions_of_another_policy_are_a_failure_of_the_bundle(tmp_path: Path) -> None:
    found = named(run(policy(tmp_path, squash="Tanh", numbers=1)))["parity"]
    assert (found.verdict, found.text[:30]) == ("fail", "golden.npz holds 1 numbers of ")


def test_a_policy_that_leaves_its_limits_on_a_broken_sensor_fails(tmp_path: Path) -> None:
    """On what training showed it keeps within them; a sensor that sticks moves the arm through its limit."""
    found = named(run(policy(tmp_path, squash="Softsign", golden=0.5)))
    assert found["safety_hostile"].verdict == "pass"
    assert found["parity"].verdict == "fail"
    (tmp_path / "wild").mkdir()
    wild = named(run(policy(tmp_path / "wild", squash="Identity")))
    assert (wild["safety_outputs"].verdict, wild["safety_hostile"].verdict) == ("pass", "fail")
    assert "limits are -1 to 1" in wild["safety_hostile"].text


# ------------------------------------------------------------ times


def times(n: int, slow: int = 0) -> list[float]:
    return [10.0] * (n - slow) + [30.0] * slow


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (times(299), "pass"),
        (times(298), "inconclusive"),
        (times(299, slow=1), "inconclusive"),
        (times(1000, slow=3), "pass"),
        (times(1000, slow=10), "inconclusive"),
        (times(299, slow=30), "fail"),
    ],
    ids=["enough", "one-too-few", "one-slow", "few-slow", "on-the-edge", "slow"],
)
def test_a_time_passes_only_where_its_bound_lies_below_the_limit(row: Sequence[float], verdict: str) -> None:
    assert latency.judged("latency_engine", "the engine", row, 20.0).verdict == verdict


def test_a_time_is_said_in_a_unit_that_shows_it_and_few_runs_have_no_percentile() -> None:
    text = latency.judged("latency_engine", "the policy", [0.0125] * 299, 20.0).text
    assert text == "the policy: p99 12.5 us, at most 12.5 us with 95 % confidence, limit 20 ms, n 299"
    assert "slowest 3.00 ms" in latency.judged("latency_engine", "the engine", [1.0, 3.0], 20.0).text


def test_a_machine_that_slows_itself_down_decides_nothing_and_a_busy_one_fails_nothing() -> None:
    quick, slow = times(299), times(299, slow=30)
    assert latency.judged("n", "w", quick, 20.0, spoiled="too hot").verdict == "inconclusive"
    assert latency.judged("n", "w", slow, 20.0, excuse="the worker ran").verdict == "inconclusive"
    assert latency.judged("n", "w", quick, 20.0, excuse="the worker ran").verdict == "pass"


def test_the_busy_program_runs_while_the_block_does_and_not_longer() -> None:
    code = (
        "import sys, time\n"
        "from remote.models.validation.latency import busy_beside\n"
        "import subprocess\n"
        "made = []\n"
        "real = subprocess.Popen\n"
        "def popen(*a, **k):\n    made.append(real(*a, **k)); return made[-1]\n"
        "subprocess.Popen = popen\n"
        "with busy_beside():\n    print(made[0].pid, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    wait_until(lambda: _cpu_ticks(child) > 0, 10, "the busy program to use the processor")
    parent.send_signal(signal.SIGKILL)
    parent.wait(60)
    wait_until(lambda: not Path(f"/proc/{child}/stat").exists() or _state(child) == "Z", 10, "its end with its parent")
    parent.stdout.close()


def _cpu_ticks(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


# ------------------------------------------------------------ bounds


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=400))
@settings(max_examples=50, deadline=None)
def test_a_bound_never_lies_on_the_wrong_side(readings: list[float]) -> None:
    found = percentile(readings, 0.99, 0.95)
    assert found.lower is None or found.lower <= found.value or len(readings) < 100
    assert found.upper is None or found.upper >= found.value


# ------------------------------------------------------------ parity, heat, limits, tables


@pytest.mark.parametrize(
    ("found", "tolerance", "verdict"),
    [
        ([1.0, 2.0], Tolerance(absolute=0.0, relative=0.0), "pass"),
        ([1.0, 2.1], Tolerance(absolute=0.1001, relative=0.0), "pass"),
        ([1.0, 2.2], Tolerance(absolute=0.1, relative=0.0), "fail"),
        ([1.0, 2.2], Tolerance(absolute=0.1, relative=0.0, wrong_share=0.5), "pass"),
        ([1.0, math.nan], Tolerance(absolute=9.0, relative=9.0), "fail"),
        ([1.0, math.inf], Tolerance(absolute=9.0, relative=9.0), "fail"),
        ([1.0, math.nan], Tolerance(absolute=0.1, relative=0.0, wrong_share=0.5), "fail"),
        ([1.0, 2.2], Tolerance(absolute=1.0, relative=0.0, snr_db=20.0), "pass"),
        ([1.0, 2.3], Tolerance(absolute=1.0, relative=0.0, snr_db=20.0), "fail"),
    ],
    ids=["equal", "within", "beyond", "share", "nan", "infinite", "nan_of_a_share", "loud", "quiet"],
)
def test_parity_holds_within_its_tolerance_only(found: list[float], tolerance: Tolerance, verdict: str) -> None:
    compared = differences(np.array([1.0, 2.0], np.float32), np.array(found, np.float32), tolerance)
    assert judged_parity(compared, tolerance, 1).verdict == verdict


JETSON, X86 = profile_of("jetson"), profile_of("x86")
COOL, HOT, BLIND = Heat(60.0, False), Heat(95.1, False), Heat(None, None)


@pytest.mark.parametrize(
    ("profile", "before", "after", "verdict"),
    [
        (JETSON, COOL, COOL, "pass"),
        (JETSON, COOL, Heat(95.0, False), "pass"),
        (JETSON, COOL, HOT, "fail"),
        (JETSON, COOL, Heat(60.0, True, "cpu-throttle"), "inconclusive"),
        (JETSON, BLIND, BLIND, "inconclusive"),
        (X86, BLIND, BLIND, "skipped"),
    ],
    ids=["cool", "on-the-limit", "hot", "throttled", "blind-jetson", "blind-x86"],
)
def test_heat_is_judged_and_slowing_down_decides_nothing(
    profile: Profile, before: Heat, after: Heat, verdict: str
) -> None:
    assert thermal(profile, before, after).verdict == verdict
    assert bool(slowed_down(before, after)) == bool(after.throttled)


def test_a_jetsons_board_and_power_mode_are_read_from_its_files(tmp_path: Path) -> None:
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/model").write_bytes(b"NVIDIA Jetson AGX Orin\0")
    here = Machine(tmp_path)
    assert right_machine(JETSON, here.board).verdict == "pass"
    assert power_mode(JETSON, here.power_mode).verdict == "inconclusive"
    (tmp_path / "var/lib/nvpmodel").mkdir(parents=True)
    (tmp_path / "var/lib/nvpmodel/status").write_text("pmode:0000")
    assert power_mode(JETSON, Machine(tmp_path).power_mode).verdict == "pass"


BOX = Detection(0, 0.5, 10.0, 10.0, 20.0, 20.0)


@pytest.mark.parametrize(
    ("box", "said"),
    [
        (BOX, ""),
        (Detection(0, 0.5, 0.0, 0.0, 64.0, 64.0), ""),
        (Detection(0, 0.5, -1.0, 0.0, 9.0, 9.0), "none of the frame"),
        (Detection(0, 0.5, 10.0, 10.0, 10.0, 20.0), "none of the frame"),
        (Detection(0, 0.5, 10.0, math.nan, 20.0, 20.0), "not finite"),
        (Detection(0, 1.5, 10.0, 10.0, 20.0, 20.0), "score"),
        (Detection(7, 0.5, 10.0, 10.0, 20.0, 20.0), "label 7"),
    ],
    ids=["inside", "whole", "outside", "flat", "nan", "score", "label"],
)
def test_a_box_that_can_not_be_is_named(box: Detection, said: str) -> None:
    found = faults_of(Constraints(max_boxes=3), [box], 64, 64, ("cube",))
    assert [said in text for text in found] == ([True] if said else [])


@pytest.mark.parametrize(
    ("successes", "n", "verdict"),
    [(59, 60, "pass"), (10, 60, "fail"), (45, 60, "inconclusive"), (1, 1, "inconclusive")],
    ids=["good", "bad", "near", "one"],
)
def test_a_rate_passes_by_its_exact_bound(successes: int, n: int, verdict: str) -> None:
    assert judged_rate("hil_success", successes, n, 70.0).verdict == verdict


def test_no_success_exceeds_no_limit() -> None:
    assert judged_rate("hil_success", 0, 40, 0.0).verdict != "pass"
    assert judged_rate("hil_success", 1, 40, 0.0).verdict == "pass"


DIGEST = "ab12" * 16


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("success\ntrue\nfalse\nyes\n", (2, 3)),
        (f"bundle,success\n{DIGEST[:8]},1\n", (1, 1)),
        ("bundle,success\nffffffff,1\n", None),
        ("success\nmaybe\n", None),
        ("success\n", None),
        ("outcome\ntrue\n", None),
        ('success\n"true\n', None),
    ],
    ids=["words", "bundle", "other-bundle", "unclear", "empty", "no-column", "cut"],
)
def test_a_table_is_counted_whole_or_refused(tmp_path: Path, text: str, found: tuple[int, int] | None) -> None:
    path = tmp_path / "results.csv"
    path.write_text(text)
    if found is not None:
        assert count(path, DIGEST) == found
        return
    with pytest.raises(Trouble) as refused:
        count(path, DIGEST)
    assert refused.value.code == "bad_table"


# ------------------------------------------------------------ the opset, read without the package


@pytest.mark.parametrize("domains", [("",), ("com.microsoft", ""), ("ai.onnx",)], ids=["plain", "second", "named"])
def test_the_opset_is_the_standard_domains(tmp_path: Path, domains: tuple[str, ...]) -> None:
    imports = [helper.make_opsetid(domain, 1 if domain == "com.microsoft" else 17) for domain in domains]
    graph = helper.make_graph([], "none", [], [])
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=imports), str(path))
    assert read_opset(path) == 17


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_the_reader_crash_or_hang(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.onnx"
    path.write_bytes(data)
    found = read_opset(path)
    assert found is None or found >= 0


# ------------------------------------------------------------ limits and what is said


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"engine_p99": 3.0}, "engine_p99_ms"),
        ({"engine_p99_ms": math.nan}, "finite"),
        ({"engine_p99_ms": 0.0}, "engine_p99_ms=0 is refused: it must be a number > 0"),
        ({"max_boxes": 1.5}, "refused"),
        ({"board": 1.0}, "no limit"),
    ],
    ids=["near", "nan", "zero", "half", "board"],
)
def test_a_limit_that_can_not_be_meant_is_refused(limits: dict[str, float], said: str) -> None:
    with pytest.raises(Trouble) as refused:
        profile_of("x86", limits)
    assert said in str(refused.value)
    assert refused.value.code == "bad_limit"


def test_every_limit_of_a_profile_can_be_given_for_one_run() -> None:
    for name in LIMITS:
        assert getattr(profile_of("jetson", {name: 0.5 if name.endswith("share") else 40}), name) is not None


def test_the_command_ends_with_the_verdicts_code_and_writes_junit(tmp_path: Path) -> None:
    path, junit = proved_bundle(tmp_path).path, tmp_path / "junit.xml"
    words = ["validate", str(path), "--runs", "2", "--json", "--junit", str(junit)]
    fast = [word for name, value in FAST.items() for word in ("--limit", f"{name}={value}")]
    done = CliRunner().invoke(model, [*words, *fast], catch_exceptions=False)
    assert done.exit_code == EXIT["inconclusive"] == 7
    report = json.loads(done.stdout)
    assert (report["profile"], "profile x86: this machine's own" in done.stderr) == ("x86", True)
    suite = ElementTree.fromstring(junit.read_text())
    assert int(suite.attrib["tests"]) == len(report["checks"])
    assert int(suite.attrib["errors"]) == sum(check["verdict"] == "inconclusive" for check in report["checks"])
    wrong = CliRunner().invoke(model, [*words[:2], "--limit", "engine"])
    assert isinstance(wrong.exception, Trouble)


def test_words_of_a_hostile_bundle_move_no_cursor_and_break_no_xml() -> None:
    evil = "a\x1b[2J\u202eb\n<c>&\ud800"
    check = Check(name="parity", verdict="fail", text=evil)
    report = ValidationReport(profile="x86", digest="d", name=evil, engine=evil, verdict="fail", checks=(check,))
    assert "\x1b" not in report_text(report)
    assert report_text(report).count("\n") == 3
    assert ElementTree.fromstring(junit_xml(report)).attrib["failures"] == "1"


def test_nothing_looked_at_is_no_pass() -> None:
    assert EXIT["skipped"] != 0
    assert EXIT["pass"] == os.EX_OK
