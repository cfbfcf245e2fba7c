"""Whether two sets of pictures come from the same world: KID and MMD with a permutation test.

KID: Binkowski et al., Demystifying MMD GANs, ICLR 2018: the unbiased squared MMD with the kernel (x.y / d + 1) ^ 3. MMD:
Gretton et al., A Kernel Two-Sample Test, JMLR 13, 2012: a Gaussian kernel, its width the median distance. Published KIDs rest
on Inception features: numbers on other features are not comparable with those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from console.gap.picture_features import PictureSet

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

FEWEST_PICTURES = 20
MOST_DEAD = 0.2
"""A set of which more than this shows nothing is not compared: mend the camera first."""
PERMUTATIONS = 999
SMALLEST_P = 0.05


class SetsCompared(msgspec.Struct, frozen=True, kw_only=True):
    """Two sets. `kid` and `mmd2` are unbiased and may lie a little below 0 for equal sets; p-values are of "the same world".

    `shift` is the standardised distance of the two means, for the size of it (0: the same). `verdict`: `different`, `not told
    apart`, or `inconclusive` with the reason in `why`.
    """

    sim: str
    real: str
    n_sim: int
    n_real: int
    left_out_sim: dict[str, int]
    left_out_real: dict[str, int]
    features: str
    kid: float | None = None
    kid_p: float | None = None
    mmd2: float | None = None
    mmd_p: float | None = None
    shift: float | None = None
    verdict: Literal["different", "not told apart", "inconclusive"]
    why: str


def compare_sets(sim: PictureSet, real: PictureSet, features: str, *, seed: int = 0) -> SetsCompared:
    """Compare two sets of the same kind of features; liveness comes first. Deterministic for a seed.

    Raises ValueError where the features have different lengths.
    """
    names: dict[str, Any] = {
        "sim": sim.name,
        "real": real.name,
        "n_sim": len(sim.features),
        "n_real": len(real.features),
    }
    about = {**names, "left_out_sim": sim.left_out, "left_out_real": real.left_out, "features": features}
    if why := _not_comparable(sim, real):
        return SetsCompared(**about, verdict="inconclusive", why=why)
    if sim.features.shape[1] != real.features.shape[1]:
        raise ValueError(
            f"features of {sim.features.shape[1]} and of {real.features.shape[1]} numbers can't be compared"
        )
    return _tested(sim.features, real.features, about, seed)


def _not_comparable(sim: PictureSet, real: PictureSet) -> str:
    for one in (sim, real):
        if one.dead_share > MOST_DEAD:
            reasons = ", ".join(f"{n} {reason}" for reason, n in one.left_out.items())
            return f"{100 * one.dead_share:.0f} % of {one.name} shows nothing ({reasons}): see to that camera first"
        if len(one.features) < FEWEST_PICTURES:
            return f"{one.name} has {len(one.features)} pictures to compare; fewer than {FEWEST_PICTURES} prove nothing"
    return ""


def _tested(sim: Floats, real: Floats, about: dict[str, Any], seed: int) -> SetsCompared:
    import numpy as np

    both = np.concatenate([sim, real])
    spread = both.std(axis=0)
    scaled = (both - both.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    n = len(sim)
    rng = np.random.default_rng(seed)
    orders = np.array([np.arange(len(both)), *(rng.permutation(len(both)) for _ in range(PERMUTATIONS))])
    kid, kid_p = _permuted((scaled @ scaled.T / scaled.shape[1] + 1) ** 3, n, orders)
    mmd2, mmd_p = _permuted(_gaussian(scaled), n, orders)
    shift = float(np.linalg.norm(scaled[:n].mean(axis=0) - scaled[n:].mean(axis=0)) / np.sqrt(scaled.shape[1]))
    # Two tests were looked at: each counts at half the level.
    different = min(kid_p, mmd_p) <= SMALLEST_P / 2
    why = f"p {kid_p:.3g} (KID) and {mmd_p:.3g} (MMD) after {PERMUTATIONS} permutations; shift {shift:.2f} standard deviations"
    return SetsCompared(
        **about,
        kid=kid,
        kid_p=kid_p,
        mmd2=mmd2,
        mmd_p=mmd_p,
        shift=shift,
        verdict="different" if different else "not told apart",
        why=why,
    )


def _gaussian(rows: Floats) -> Floats:
    import numpy as np

    squares = (rows**2).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares[None, :] - 2 * rows @ rows.T, 0)
    width = float(np.median(distances[np.triu_indices(len(rows), 1)]))
    return np.exp(-distances / (width or 1.0))  # type: ignore[no-any-return]


def _permuted(kernel: Floats, n: int, orders: npt.NDArray[np.intp]) -> tuple[float, float]:
    """The unbiased squared MMD of the first `n` against the rest, and the share of orders that give at least as much."""
    import numpy as np

    m = len(kernel) - n
    bare = kernel - np.diag(np.diag(kernel))
    total = float(bare.sum())
    signs = np.zeros((len(orders), len(kernel)))
    np.put_along_axis(signs, orders[:, :n], 1.0, axis=1)
    to_all = signs @ bare
    within = (to_all * signs).sum(axis=1)
    across = to_all.sum(axis=1) - within
    other = total - within - 2 * across
    found = within / (n * (n - 1)) + other / (m * (m - 1)) - 2 * across / (n * m)
    # Sums of the same numbers in another order differ in the last bits.
    as_much = int((found >= found[0] - 1e-9 * abs(found[0])).sum())
    return float(found[0]), as_much / len(orders)
