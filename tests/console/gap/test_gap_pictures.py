"""Picture sets and rankings: a shift that is not seen makes a model that fails in the field."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from console.gap import ranking as rank_module
from console.gap.picture_features import NAME, SIDE_PX, PictureSet, dead_reason, given_features, picture_set
from console.gap.picture_sets import FEWEST_PICTURES, compare_sets
from console.gap.ranking import ranking
from remote.errors import Trouble

RNG = np.random.default_rng(5)


def picture(light: float, noise: float = 6.0) -> Image.Image:
    """A picture of a few random blocks."""
    blocks = np.kron(RNG.random((8, 8, 3)) * 180 + 40, np.ones((20, 20, 1))) * light
    return Image.fromarray(np.clip(blocks + RNG.normal(0, noise, blocks.shape), 0, 255).astype(np.uint8))


def folder(path: Path, n: int, light: float = 1.0, noise: float = 6.0) -> Path:
    path.mkdir()
    for k in range(n):
        picture(light, noise).save(path / f"{k:03}.jpg", quality=90)
    return path


def test_two_halves_of_one_world_are_not_told_apart_and_a_darker_one_is(tmp_path: Path) -> None:
    sim, real = picture_set(folder(tmp_path / "sim", 30)), picture_set(folder(tmp_path / "real", 30))
    dark = picture_set(folder(tmp_path / "dark", 30, light=0.75))
    assert compare_sets(sim, real, NAME).verdict == "not told apart"
    found = compare_sets(sim, dark, NAME)
    assert (found.verdict, found.kid_p, found.mmd_p) == ("different", 0.001, 0.001)


def test_the_false_alarm_rate_is_the_one_that_is_claimed() -> None:
    rows = np.random.default_rng(1).normal(size=(60, 50, 5))
    sets = [PictureSet("s", row, {}) for row in rows]
    found = [compare_sets(a, b, "made").verdict for a, b in zip(sets[::2], sets[1::2], strict=True)]
    assert found.count("different") <= 5  # 5 % of 30; 6 and more have a chance of 1 in 300


def test_liveness_comes_first(tmp_path: Path) -> None:
    good, bad = folder(tmp_path / "good", 25), folder(tmp_path / "bad", 25)
    for k in range(8):
        Image.new("RGB", (64, 64)).save(bad / f"black{k}.png")
    (bad / "cut.jpg").write_bytes((good / "000.jpg").read_bytes()[:600])
    (bad / "again.jpg").write_bytes((bad / "000.jpg").read_bytes())
    found = compare_sets(picture_set(good), picture_set(bad), NAME)
    assert found.verdict == "inconclusive"
    assert "8 black" in found.why
    assert found.left_out_real == {"black": 8, "unreadable": 1, "the same picture again": 1}


def test_a_black_frame_is_never_like_a_white_one() -> None:
    shape = (SIDE_PX, SIDE_PX, 3)
    assert dead_reason(np.zeros(shape)) == "black"
    assert dead_reason(np.full(shape, 255.0)) == "flat"
    assert dead_reason(np.full(shape, 7.9) + RNG.normal(0, 1, shape)) == "black"
    assert dead_reason(np.full(shape, 100.0) + RNG.normal(0, 20, shape)) == ""


def test_too_few_pictures_prove_nothing(tmp_path: Path) -> None:
    few, enough = (PictureSet("s", RNG.normal(size=(n, 3)), {}) for n in (FEWEST_PICTURES - 1, FEWEST_PICTURES))
    assert compare_sets(few, enough, "made").verdict == "inconclusive"
    assert compare_sets(enough, enough, "made").verdict == "not told apart"
    with pytest.raises(ValueError, match="can't be compared"):
        compare_sets(enough, PictureSet("s", RNG.normal(size=(30, 4)), {}), "made")


def test_mmd_is_the_textbook_s() -> None:
    a, b = RNG.normal(size=(20, 2)), RNG.normal(0.5, 1, size=(25, 2))
    found = compare_sets(PictureSet("a", a, {}), PictureSet("b", b, {}), "made")
    both = np.concatenate([a, b])
    x, y = (both - both.mean(0)) / both.std(0), None
    kernel = (x @ x.T / 2 + 1) ** 3
    x, y, across = kernel[:20, :20], kernel[20:, 20:], kernel[:20, 20:]
    textbook = (x.sum() - np.trace(x)) / 380 + (y.sum() - np.trace(y)) / 600 - 2 * across.mean()
    assert found.kid == pytest.approx(textbook)


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY", b"no array", None])
def test_features_that_are_none_are_refused(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "f.npy"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(Trouble) as caught:
        given_features(path)
    assert caught.value.code == "bad_features"


def test_features_that_would_run_code_or_are_no_numbers_are_refused(tmp_path: Path) -> None:
    for name, held in (("pickle.npy", np.array([{}])), ("nan.npy", np.array([[np.nan]])), ("flat.npy", np.zeros(3))):
        np.save(tmp_path / name, held, allow_pickle=True)
        with pytest.raises(Trouble):
            given_features(tmp_path / name)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(Trouble):
            picture_set(path)


# ---------------------------------------------------------------- rankings


def test_mmrv_weighs_by_reality_and_never_by_simulation() -> None:
    found = ranking(names=["a", "b", "c"], simulated=[90, 80, 10], real=[50, 60, 20])
    assert found.mmrv == pytest.approx((10 + 10 + 0) / 3)
    assert found.worst == ("a", "b")
    swapped = ranking(names=["a", "b", "c"], simulated=[50, 60, 20], real=[90, 80, 10])
    assert swapped.mmrv == pytest.approx((10 + 10 + 0) / 3)
    assert ranking(names=["a", "b", "c"], simulated=[2, 1, 0], real=[50, 60, 20]).mmrv == pytest.approx(20 / 3)
    with pytest.raises(TypeError):
        ranking(["a"], [1.0], [1.0])  # type: ignore[call-arg]


def test_srcc_is_scipy_s_and_its_p_exact_for_few_models() -> None:
    simulated, real = [1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 40.0, 30.0]
    found = ranking(names=list("abcd"), simulated=simulated, real=real)
    assert found.srcc == pytest.approx(stats.spearmanr(simulated, real).statistic)
    assert found.p_value == pytest.approx(8 / 24)  # |r| >= 0.8 in 8 of 24 orders
    many = ranking(names=list("abcdefgh"), simulated=range(8), real=range(8))
    assert many.srcc == pytest.approx(1.0)
    assert (many.mmrv, many.worst) == (0.0, None)


def test_rankings_that_can_t_be_are_refused() -> None:
    assert ranking(names=list("abc"), simulated=[1, 1, 1], real=[1, 2, 3]).srcc is None
    for simulated, real in (([1, 2], [1, 2]), ([1, 2, 3], [1, 2]), ([1, 2, float("nan")], [1, 2, 3])):
        with pytest.raises(ValueError, match=r"models|each model|finite"):
            ranking(names=list("abc")[: len(simulated)], simulated=simulated, real=real)
    assert rank_module.FEWEST_MODELS == 3
