"""Simulation against reality, figure by figure: differences and ratios with bounds, and whether they prove a gap."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from console.fieldtest.criteria import Estimate, Rate
from console.fieldtest.transfer import success_drop, transfer_ratio
from console.gap.episodes import FIGURES, Episodes

if TYPE_CHECKING:
    import numpy as np

Verdict = Literal["close", "gap", "inconclusive"]
FEWEST_EPISODES = 5
"""With fewer on either side a figure is inconclusive, whatever it says."""
DRAWS = 4000
LEAST_TRANSFER = 0.7
MARGIN = 0.25
"""Means within this share of each other are close."""
LEAST_DIFFERENCE: dict[str, float] = {"lag_s": 0.02, "latency_ms": 10.0}
"""Figures that simulation often has at zero are judged by their difference; up to this, in the figure's unit, they are
close.
"""


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One side of one figure: from how many episodes, mean and spread (standard deviation over episodes)."""

    n: int
    mean: float
    spread: float | None = None
    values: tuple[float, ...] = ()


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. `ratio` (real / simulated) is None where simulation has nothing to divide by. Bounds are one-sided.

    `verdict` is inconclusive where n is too small or the bounds lie on both sides of the limit; `why` says it in a sentence.
    """

    figure: str
    unit: str
    meaning: str
    sim: Side
    real: Side
    difference: Estimate
    ratio: Estimate | None
    verdict: Verdict
    why: str


def compare(
    sim: Episodes,
    real: Episodes,
    *,
    confidence: float = 0.95,
    margin: float = MARGIN,
    least_transfer: float = LEAST_TRANSFER,
) -> tuple[Comparison, ...]:
    """Every figure that both sides have.

    The confidence is that of all of them together (Bonferroni): looking at nine figures must not find a gap by chance.
    Deterministic: the bootstrap draws by a seed made of the figure's own values.
    """
    figures = [figure for figure in FIGURES if figure in sim.values and figure in real.values]
    has_success = sim.success is not None and real.success is not None
    each = 1 - (1 - confidence) / max(1, len(figures) + has_success)
    found: list[Comparison] = []
    if sim.success is not None and real.success is not None:
        found.append(_success(sim.success, real.success, each, least_transfer))
    return (*found, *(_means(name, sim.values[name], real.values[name], each, margin) for name in figures))


def only_on_one_side(sim: Episodes, real: Episodes) -> dict[str, str]:
    """The figures that can't be compared because one side does not tell them: the figure, and the side that has it."""
    has = {side.name: {*side.values, *(("success",) if side.success is not None else ())} for side in (sim, real)}
    told = has[sim.name] ^ has[real.name] if sim.name != real.name else set()
    return {
        figure: sim.name if figure in has[sim.name] else real.name for figure in ("success", *FIGURES) if figure in told
    }


# ------------------------------------------------------------ success


def _success(sim: Rate, real: Rate, confidence: float, least: float) -> Comparison:
    drop = success_drop(real, sim, confidence)
    ratio = transfer_ratio(real, sim, confidence) if sim.successes else None
    verdict, why = _transfer_verdict(sim, real, ratio, least)
    return Comparison(
        figure="success",
        unit="%",
        meaning="episodes that succeeded",
        sim=Side(n=sim.n, mean=100 * sim.successes / sim.n),
        real=Side(n=real.n, mean=100 * real.successes / real.n),
        difference=drop,
        ratio=ratio,
        verdict=verdict,
        why=why,
    )


def _transfer_verdict(sim: Rate, real: Rate, ratio: Estimate | None, least: float) -> tuple[Verdict, str]:
    said = f"{real.successes} of {real.n} real against {sim.successes} of {sim.n} simulated"
    if ratio is None:
        return "inconclusive", f"{said}: nothing succeeded in simulation, so there is nothing to transfer"
    if min(sim.n, real.n) < FEWEST_EPISODES:
        return "inconclusive", f"{said}: fewer than {FEWEST_EPISODES} episodes prove nothing"
    if ratio.lower is not None and ratio.lower >= least:
        return "close", f"{said}: at least {ratio.lower:.2f} of the simulated success arrives, {least:g} is asked"
    if ratio.upper is not None and ratio.upper < least:
        return "gap", f"{said}: at most {ratio.upper:.2f} of the simulated success arrives, {least:g} is asked"
    return "inconclusive", f"{said}: the ratio may lie on either side of {least:g}; more real episodes decide"


# ------------------------------------------------------------ means


def _means(name: str, sim: Sequence[float], real: Sequence[float], confidence: float, margin: float) -> Comparison:
    import numpy as np

    a, b = np.asarray(sim, float), np.asarray(real, float)
    difference, ratio = _bounded(a, b, confidence, FIGURES[name][0])
    by_difference = name in LEAST_DIFFERENCE or ratio is None
    enough = min(len(a), len(b)) >= FEWEST_EPISODES
    if not enough:
        verdict, why = _too_few(len(a), len(b))
    elif by_difference:
        verdict, why = _difference_verdict(difference, LEAST_DIFFERENCE.get(name, 0.0), FIGURES[name][0])
    else:
        assert ratio is not None
        verdict, why = _ratio_verdict(ratio, margin)
    return Comparison(
        figure=name,
        unit=FIGURES[name][0],
        meaning=FIGURES[name][1],
        sim=_side(a),
        real=_side(b),
        difference=difference,
        ratio=ratio,
        verdict=verdict,
        why=why,
    )


def _side(values: np.ndarray) -> Side:
    spread = float(values.std(ddof=1)) if len(values) > 1 else None
    return Side(n=len(values), mean=float(values.mean()), spread=spread, values=tuple(map(float, values)))


def _bounded(sim: np.ndarray, real: np.ndarray, confidence: float, unit: str) -> tuple[Estimate, Estimate | None]:
    """Difference and ratio of the means, bounded by drawing whole episodes again (percentile bootstrap of both sides)."""
    import numpy as np

    rng = np.random.default_rng(_seed(sim, real))
    sims = sim[rng.integers(len(sim), size=(DRAWS, len(sim)))].mean(axis=1)
    reals = real[rng.integers(len(real), size=(DRAWS, len(real)))].mean(axis=1)
    tails = (1 - confidence, confidence)
    low, high = np.quantile(reals - sims, tails)
    method = f"bootstrap over episodes, {DRAWS} draws"
    common: dict[str, Any] = {
        "confidence": confidence,
        "method": method,
        "n": min(len(sim), len(real)),
        "of": "episodes",
    }
    difference = Estimate(
        value=float(real.mean() - sim.mean()), lower=float(low), upper=float(high), unit=unit, **common
    )
    if sims.min() <= 0:
        return difference, None
    low, high = np.quantile(reals / sims, tails)
    return difference, Estimate(value=float(real.mean() / sim.mean()), lower=float(low), upper=float(high), **common)


def _seed(*parts: np.ndarray) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(part.tobytes() for part in parts)).digest()[:8], "big")


def _too_few(sim: int, real: int) -> tuple[Verdict, str]:
    return "inconclusive", f"{sim} simulated and {real} real episodes; fewer than {FEWEST_EPISODES} prove nothing"


def _ratio_verdict(ratio: Estimate, margin: float) -> tuple[Verdict, str]:
    assert ratio.lower is not None
    assert ratio.upper is not None
    high, low = 1 + margin, 1 / (1 + margin)
    between = f"{ratio.value:.2f} times the simulated one [{ratio.lower:.2f}, {ratio.upper:.2f}]"
    if ratio.lower > high or ratio.upper < low:
        return "gap", f"{between}: outside of {low:.2f} to {high:.2f}"
    if low <= ratio.lower and ratio.upper <= high:
        return "close", f"{between}: within {low:.2f} to {high:.2f}"
    return "inconclusive", f"{between}: neither within nor outside of {low:.2f} to {high:.2f}; more episodes decide"


def _difference_verdict(difference: Estimate, least: float, unit: str) -> tuple[Verdict, str]:
    assert difference.lower is not None
    assert difference.upper is not None
    between = f"{difference.value:+.3g} [{difference.lower:+.3g}, {difference.upper:+.3g}] {unit}".rstrip()
    if difference.lower > least or difference.upper < -least:
        return "gap", f"{between} against the simulated one: more than {least:g} {unit}".rstrip()
    if -least <= difference.lower and difference.upper <= least:
        return "close", f"{between} against the simulated one: within {least:g} {unit}".rstrip()
    return "inconclusive", f"{between} against the simulated one: neither within nor beyond {least:g} {unit}".rstrip()
