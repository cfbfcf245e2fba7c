"""The self-test: a model that does something else here than where it was made is not switched in."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from remote.agent.self_test import run_self_test
from remote.errors import Trouble
from remote.manifest import CONTRACT, GOLDEN, MANIFEST, MODEL, PROVENANCE, entry_of, manifest_bytes
from remote.model_states import Progress
from remote.models.golden import Golden, golden_bytes
from remote.models.provenance import Provenance, Tolerance, read_provenance, sane
from remote.models.self_test import compared, self_test
from remote.verdicts import Check, overall
from tests.tiny_models import base_yolov8, tiny_bundle

TIGHT = Tolerance(absolute=1e-3, relative=0.0)


def verdicts(checks: tuple[Check, ...]) -> dict[str, str]:
    return {check.name: check.verdict for check in checks}


@pytest.mark.parametrize(
    ("off", "tolerance", "verdict"),
    [
        ((0.0, 0.0, 0.0, 0.0), TIGHT, "pass"),
        ((0.0009, 0.0, 0.0, 0.0), TIGHT, "pass"),
        ((0.0011, 0.0, 0.0, 0.0), TIGHT, "fail"),
        ((5.0, 0.0, 0.0, 0.0), Tolerance(absolute=1e-3, relative=0.0, wrong_share=0.25), "pass"),
        ((5.0, 5.0, 0.0, 0.0), Tolerance(absolute=1e-3, relative=0.0, wrong_share=0.25), "fail"),
        ((0.5, 0.5, 0.5, 0.5), Tolerance(absolute=1.0, relative=0.0, snr_db=5.0), "pass"),
        ((0.5, 0.5, 0.5, 0.5), Tolerance(absolute=1.0, relative=0.0), "skipped"),  # zeros would pass as well
        ((0.5, 0.5, 0.5, 0.5), Tolerance(absolute=1.0, relative=0.0, snr_db=7.0), "fail"),
        ((0.5, 0.5, 0.5, 0.5), None, "skipped"),
        ((np.nan, 0.0, 0.0, 0.0), None, "fail"),
        ((np.inf, 0.0, 0.0, 0.0), Tolerance(absolute=1.0, relative=0.0, wrong_share=1.0), "fail"),
    ],
)
def test_outputs_beside_the_golden_ones(off: tuple[float, ...], tolerance: Tolerance | None, verdict: str) -> None:
    golden = np.ones(4, np.float32)
    assert compared(golden + np.array(off, np.float32), golden, tolerance).verdict == verdict


@pytest.mark.parametrize(
    "said",
    [
        {"absolute": 1e9, "relative": 0.0},
        {"absolute": 0.0, "relative": 1.0},
        {"absolute": 0.0, "relative": 0.0, "wrong_share": 0.21},
        {"absolute": -1.0, "relative": 0.0},
        {"absolute": 0.0, "relative": 0.0, "snr_db": 1e6},
    ],
    ids=lambda said: "-".join(f"{name}={value:g}" for name, value in said.items()),
)
def test_a_tolerance_that_lets_everything_pass_is_refused(tmp_path: Path, said: dict[str, float]) -> None:
    """Whoever makes a bundle writes its tolerance: the self-test would pass whatever the model gives."""
    good = Provenance(step="export", source="t", opset=17, tolerance=Tolerance(absolute=0.01, relative=0.01))
    (tmp_path / PROVENANCE).write_bytes(msgspec.json.encode(good))
    assert read_provenance(tmp_path) == good
    (tmp_path / PROVENANCE).write_bytes(
        json.dumps({"step": "t", "source": "t", "opset": 17, "tolerance": said}).encode()
    )
    with pytest.raises(Trouble) as caught:
        read_provenance(tmp_path)
    assert caught.value.code == "provenance_invalid"
    with pytest.raises(Trouble) as caught:
        sane(Tolerance(**said))
    assert caught.value.code == "bad_tolerance"


def test_the_tolerance_is_said_with_what_was_found() -> None:
    ones = np.ones(4, np.float32)
    text = compared(ones, ones, Tolerance(absolute=0.01, relative=0.02, wrong_share=0.1, snr_db=20.0)).text
    assert "allowed (0.01 + 0.02 of the golden value, for all but 10.00%, at least 20 dB)" in text


def test_a_bundle_without_golden_samples_says_that_they_were_skipped(tmp_path: Path) -> None:
    told: list[Progress] = []
    checks = self_test(tiny_bundle(tmp_path).path, told.append, runs=3)
    assert verdicts(checks) == {"loads": "pass", "plausible": "pass", "golden": "skipped", "time": "pass"}
    assert overall(checks) == "pass"
    assert told


def test_a_model_that_gives_no_numbers_on_a_plain_picture_fails(tmp_path: Path) -> None:
    checks = self_test(tiny_bundle(tmp_path, dark_is_nan=True).path, lambda progress: None, runs=1)
    assert verdicts(checks) == {"loads": "pass", "plausible": "fail"}


def run(folder: Path, *command: str) -> tuple[Check, ...]:
    given: Any = {"command": command} if command else {}
    test = run_self_test(
        folder, 1, lambda progress: None, cwd=folder, engines=folder / "engines", limit_s=20.0, **given
    )
    return asyncio.run(test)


def test_the_child_tells_what_it_found(tmp_path: Path) -> None:
    assert overall(run(tiny_bundle(tmp_path).path)) == "pass"


def test_a_child_that_dies_of_the_model_is_told_as_that(tmp_path: Path) -> None:
    script = "import os, sys; print('out of memory', file=sys.stderr); os.abort()"
    with pytest.raises(Trouble, match="SIGABRT; it last said: out of memory") as trouble:
        run(tmp_path, sys.executable, "-c", script)
    assert trouble.value.code == "self_test_crashed"


def test_an_error_of_our_own_is_not_laid_on_the_model(tmp_path: Path) -> None:
    """Whoever reads that the model died looks for the fault in the wrong place."""
    with pytest.raises(Trouble, match="no fault of the model: AttributeError: 'int'") as trouble:
        run(tmp_path, sys.executable, "-c", "(1).nothing")
    assert trouble.value.code == "self_test_broke"
    assert "agent.log" in trouble.value.cure
    with pytest.raises(Trouble) as trouble:
        run(tmp_path, sys.executable, "-c", "raise RuntimeError('no kernel for this node')")
    assert trouble.value.code == "self_test_crashed"


def test_a_broken_bundle_keeps_its_own_reason(tmp_path: Path) -> None:
    made = tiny_bundle(tmp_path)
    made.model.write_bytes(b"no model")
    with pytest.raises(Trouble) as trouble:
        run(made.path)
    assert trouble.value.code in ("bundle_changed", "bundle_incomplete")


def golden_bundle(folder: Path, off: float) -> Path:
    """A bundle whose golden outputs differ by `off` from what its model gives."""
    made = tiny_bundle(folder)
    given = np.full((2, 1, 3, 64, 64), 0.5, np.float32)
    base, follow = base_yolov8()
    wanted = np.stack([base + follow * np.float32(0.5)] * 2) + np.float32(off)
    golden = golden_bytes(Golden({"images": given}, {"output0": wanted.astype(np.float32)}))
    (made.path / GOLDEN).write_bytes(golden)
    provenance = Provenance(step="export", source="a test", opset=13, tolerance=TIGHT)
    (made.path / PROVENANCE).write_bytes(msgspec.json.encode(provenance))
    files = {name: entry_of(made.path / name) for name in (MODEL, CONTRACT, GOLDEN, PROVENANCE)}
    (made.path / MANIFEST).write_bytes(manifest_bytes(made.contract.name, files))
    return made.path


@pytest.mark.parametrize(("off", "verdict"), [(0.0, "pass"), (0.01, "fail")])
def test_golden_samples_decide_by_the_tolerance_of_the_bundle(tmp_path: Path, off: float, verdict: str) -> None:
    checks = self_test(golden_bundle(tmp_path, off), lambda progress: None, runs=1)
    found = next(check for check in checks if check.name == "golden")
    assert (found.verdict, overall(checks)) == (verdict, verdict), found
