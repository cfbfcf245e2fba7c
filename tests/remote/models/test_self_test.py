"""The self-test: a model that does something else here than where it was made is not switched in."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import numpy as np
import pytest

from remote.agent.self_test import run_self_test
from remote.errors import Trouble
from remote.model_states import Progress
from remote.models.provenance import Tolerance
from remote.models.self_test import compared, self_test
from remote.verdicts import Check, overall
from tests.tiny_models import tiny_bundle

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
        ((0.5, 0.5, 0.5, 0.5), Tolerance(absolute=1.0, relative=0.0, snr_db=7.0), "fail"),
        ((0.5, 0.5, 0.5, 0.5), None, "skipped"),
        ((np.nan, 0.0, 0.0, 0.0), None, "fail"),
        ((np.inf, 0.0, 0.0, 0.0), Tolerance(absolute=1.0, relative=0.0, wrong_share=1.0), "fail"),
    ],
)
def test_outputs_beside_the_golden_ones(off: tuple[float, ...], tolerance: Tolerance | None, verdict: str) -> None:
    golden = np.ones(4, np.float32)
    assert compared(golden + np.array(off, np.float32), golden, tolerance).verdict == verdict


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
    given = {"command": command} if command else {}
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


def test_a_broken_bundle_keeps_its_own_reason(tmp_path: Path) -> None:
    made = tiny_bundle(tmp_path)
    made.model.write_bytes(b"no model")
    with pytest.raises(Trouble) as trouble:
        run(made.path)
    assert trouble.value.code in ("bundle_changed", "bundle_incomplete")
