"""Scores beside pixels: a tolerance in pixels must not let every score vanish."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from remote.models.columns_gone import columns_gone, gone_words
from remote.models.golden import read_golden
from remote.models.optimise.command import optimise
from remote.models.provenance import Tolerance, read_provenance
from remote.models.self_test import compared, self_test
from remote.models.validation.parity import differences, judged
from tests.remote.models.conv_models import conv_bundle, write_pictures

PIXELS = Tolerance(absolute=6.4, relative=0.01, wrong_share=0.01)


def table(scores: float) -> np.ndarray:
    """[1, 6, 400]: four columns of coordinates, a score for a few of 400 places, and a class that nowhere is."""
    found = np.zeros((1, 6, 400), np.float32)
    found[:, :4] = np.linspace(20, 600, 400)
    found[:, 4, 10:20] = scores
    found[:, 5] = 0.001
    return found


@pytest.mark.parametrize(("scores", "gone"), [(0.8, ()), (0.6, ()), (0.3, ()), (0.1, (4,)), (0.0, (4,))], ids=str)
@pytest.mark.parametrize("turned", [False, True], ids=["columns first", "places first"])
def test_a_score_that_vanishes_is_seen_beside_pixels(scores: float, gone: tuple[int, ...], turned: bool) -> None:
    golden, found = table(0.8), table(scores)
    if turned:
        golden, found = golden.transpose(0, 2, 1), found.transpose(0, 2, 1)
    assert columns_gone(golden, found, PIXELS) == gone
    check = judged(differences(golden, found, PIXELS), PIXELS, 1)
    assert check.verdict == compared(found, golden, PIXELS).verdict == ("fail" if gone else "pass")
    assert ("column 4 is gone" in check.text) == bool(gone)


def test_the_same_score_in_another_place_is_not_gone() -> None:
    golden, found = table(0.8), np.roll(table(0.8), 40, axis=2)
    found[:, :4] = golden[:, :4]
    assert columns_gone(golden, found, PIXELS) == ()


def test_what_is_no_table_has_no_columns() -> None:
    assert columns_gone(np.ones((3, 2)), np.zeros((3, 2)), PIXELS) == ()
    assert gone_words((4, 5)) == "columns 4, 5 are gone"


def test_a_bundle_in_half_precision_whose_scores_vanish_elsewhere_fails_there(tmp_path: Path) -> None:
    bundle = conv_bundle(tmp_path)
    pictures = write_pictures(tmp_path / "pictures", 2)
    words = ["--fp16", "--images", str(pictures), "--runs", "0"]
    CliRunner().invoke(optimise, [str(bundle.path), "--output", str(tmp_path / "out"), *words])
    made = tmp_path / "out" / "conv-fp16"
    golden, origin = read_golden(made), read_provenance(made)
    assert golden is not None
    assert origin is not None
    assert origin.tolerance is not None
    dead = golden.outputs["output0"].copy()
    dead[:, 4:] = 0
    assert judged(differences(golden.outputs["output0"], dead, origin.tolerance), origin.tolerance, 2).verdict == "fail"
    assert {check.verdict for check in self_test(made, lambda _: None, runs=1)} == {"pass"}


def test_a_bundle_whose_scores_vanish_where_it_is_made_brings_its_own_outputs(tmp_path: Path) -> None:
    """It says that it failed; with its parent's outputs no robot could tell whether it is at least what was made."""
    words = ["--int8", "--whole", "--calibrate", str(write_pictures(tmp_path / "calibration", 100)), "--keep-refused"]
    bundle, pictures = conv_bundle(tmp_path, loud=40.0), write_pictures(tmp_path / "pictures", 2, seed=7)
    more = ["--images", str(pictures), "--runs", "0", "--output", str(tmp_path / "out")]
    done = CliRunner().invoke(optimise, [str(bundle.path), *words, *more])
    assert done.exit_code in (3, 7), done.output
    checks = self_test(tmp_path / "out" / "conv-int8", lambda _: None, runs=1)
    assert "fail" not in {check.verdict for check in checks}
