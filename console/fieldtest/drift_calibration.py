"""Calibrating the drift detector on one robot's own healthy blocks (see console.fieldtest.drift for the method)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from console.fieldtest.drift import SLACK, Block, Detector, Watched

if TYPE_CHECKING:
    import numpy as np

FEWEST_BLOCKS = 100
"""Fewer healthy blocks say too little of the tails, whatever their memory."""
FEWEST_INDEPENDENT = 30
"""So many independent blocks the healthy ones must weigh at least."""
BLOCKS_PER_INTERVAL = 50
"""One healthy block at least for so many blocks between false alarms: what happens once a month isn't known after an hour."""
SHORTEST_INTERVAL = 20
RUNS = 400
_LONGEST_RUN = 2000
_MOST_RANKED = 5000
_WARM_UP = 200
_PRESENT = 0.5
"""A figure is watched where at least this share of the healthy blocks has it."""
_NEAREST_TO_WANDERING = 0.99


class Memory(NamedTuple):
    """How a figure's scores remember: the weights of the blocks before, what is left unexplained of each block, and how many
    blocks weigh as one independent one."""

    weights: np.ndarray
    surprises: np.ndarray
    blocks_per_independent: float


def calibrate(blocks: Sequence[Block], blocks_between_false_alarms: float, rng: np.random.Generator) -> Detector:
    """A detector that raises about one false alarm in so many blocks, over all figures together.

    `blocks` are healthy ones in the order of time, of one robot and bundle; figures that never change, or that most blocks
    lack, are left out with the reason. Raises ValueError in words where the healthy blocks are too few (it names the number
    needed), and where no figure is left.
    """
    if not (math.isfinite(blocks_between_false_alarms) and blocks_between_false_alarms >= SHORTEST_INTERVAL):
        said = f"between false alarms lie {SHORTEST_INTERVAL} blocks or more, not {blocks_between_false_alarms!r}"
        raise ValueError(said)
    _check_enough(len(blocks), FEWEST_BLOCKS, "")
    needed = math.ceil(blocks_between_false_alarms / BLOCKS_PER_INTERVAL)
    _check_enough(len(blocks), needed, f" for one false alarm in {blocks_between_false_alarms:g} blocks")
    names, table, left_out = _table(blocks)
    if not names:
        raise ValueError("no figure can be watched: " + "; ".join(f"{name} {why}" for name, why in left_out.items()))
    memories = [memory_of(scores(column, _held(column))) for column in table.T]
    weight = max(memory.blocks_per_independent for memory in memories)
    said = f": {weight:.0f} in a row weigh as one, so alike are they, or they drift themselves"
    _check_enough(len(blocks), math.ceil(FEWEST_INDEPENDENT * weight), said)
    limits = _limits(memories, len(blocks), blocks_between_false_alarms, rng)
    watched = {
        name: Watched(
            healthy=tuple(_held(table[:, at]).tolist()),
            rise_limit=float(limits[at, 0]),
            fall_limit=float(limits[at, 1]),
        )
        for at, name in enumerate(names)
    }
    return Detector(
        watched=watched,
        left_out=left_out,
        blocks_between_false_alarms=blocks_between_false_alarms,
        healthy_blocks=len(blocks),
        blocks_per_independent=weight,
    )


def _check_enough(there: int, needed: int, why: str) -> None:
    if there < needed:
        raise ValueError(f"{there} healthy blocks are too few to calibrate on, {needed} are needed{why}")


# ------------------------------------------------------------ the healthy blocks


def _table(blocks: Sequence[Block]) -> tuple[list[str], np.ndarray, dict[str, str]]:
    """Names of what can be watched, its values (a row a block, NaN where there is none), and why the rest can't."""
    import numpy as np

    every = sorted({name for block in blocks for name in block.values})
    columns = {name: np.array([_number(block.values.get(name)) for block in blocks]) for name in every}
    left_out = {name: why for name in every if (why := _why_not(columns[name]))}
    names = [name for name in every if name not in left_out]
    return names, np.stack([columns[name] for name in names], axis=1) if names else np.empty((0, 0)), left_out


def _number(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else math.nan


def _why_not(column: np.ndarray) -> str:
    held = _held(column)
    if len(held) < _PRESENT * len(column):
        return f"is in {len(held)} of {len(column)} healthy blocks only"
    return "never changes in healthy blocks" if held[0] == held[-1] else ""


def _held(column: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.sort(column[np.isfinite(column)])


def scores(values: np.ndarray, healthy: np.ndarray) -> np.ndarray:
    """Normal scores of the values among the ascending healthy ones, 0 for what is no number (console.fieldtest.drift)."""
    import numpy as np
    from scipy.special import ndtri

    rank = (np.searchsorted(healthy, values, "left") + np.searchsorted(healthy, values, "right")) / 2
    known: np.ndarray = np.where(np.isfinite(values), ndtri((rank + 0.5) / (len(healthy) + 1)), 0.0)
    return known


def memory_of(scores: np.ndarray) -> Memory:
    """The autoregression that describes the scores best (Yule and Walker; order by Akaike's criterion).

    The sum of its weights is estimated too low from few blocks; the bias of a first-order one, (1 + 3 r) / n, is put back
    (Kendall, Biometrika 41, 1954).
    """
    import numpy as np
    from scipy.signal import lfilter

    n, centred = len(scores), scores - scores.mean()
    most = max(1, int(5 * math.log10(n)))
    products = np.array([float(centred[lag:] @ centred[: n - lag]) / n for lag in range(most + 1)])
    weights = min((_weights(products, order, n) for order in range(most + 1)), key=lambda found: found[0])[1]
    total = float(weights.sum())
    if total > 0:
        weights = weights * min(_NEAREST_TO_WANDERING, total + (1 + 3 * total) / n) / total
    surprises = lfilter(np.r_[1.0, -weights], [1.0], centred)[len(weights) :]
    long_run = float(surprises.var()) / (1 - float(weights.sum())) ** 2
    return Memory(weights, surprises - surprises.mean(), max(1.0, long_run / float(products[0])))


def _weights(products: np.ndarray, order: int, n: int) -> tuple[float, np.ndarray]:
    """Akaike's criterion and the weights of the autoregression of that order."""
    import numpy as np
    from scipy.linalg import solve_toeplitz

    weights = solve_toeplitz(products[:order], products[1 : order + 1]) if order else np.empty(0)
    left = float(products[0] - weights @ products[1 : order + 1])
    return n * math.log(max(left, 1e-12)) + 2 * order, weights


# ------------------------------------------------------------ the limits


def _limits(memories: Sequence[Memory], n: int, interval: float, rng: np.random.Generator) -> np.ndarray:
    """The limit of each figure, upwards and downwards: one false alarm in `interval` blocks over all of them together.

    A run is as good as memoryless, so that with one alarm in T blocks the share exp(-H / T) of runs of H blocks has none.
    """
    import numpy as np

    length = min(math.ceil(interval), _LONGEST_RUN)
    quiet = math.exp(-length / interval)
    ranked = min(n, _MOST_RANKED)
    shared = min(len(memory.surprises) for memory in memories)
    # The same moments are drawn for all figures: what moves together goes on doing so.
    moments = rng.integers(0, shared, (RUNS, _WARM_UP + ranked + length))
    highest = np.stack([_highest(_run_scores(memory, shared, moments, ranked)) for memory in memories], axis=1)
    alone = np.maximum(np.quantile(highest, quiet, axis=0), SLACK)
    together = np.quantile((highest / alone).max(axis=(1, 2)), quiet)
    limits: np.ndarray = alone * together
    return limits


def _run_scores(memory: Memory, shared: int, moments: np.ndarray, ranked: int) -> np.ndarray:
    """Scores (run, block) of runs that remember as the healthy blocks do, each ranked among healthy blocks of its own."""
    import numpy as np
    from scipy.signal import lfilter

    drawn = memory.surprises[-shared:][moments]
    series = lfilter([1.0], np.r_[1.0, -memory.weights], drawn, axis=1)[:, _WARM_UP:]
    ranks: np.ndarray = np.stack([scores(run[ranked:], np.sort(run[:ranked])) for run in series])
    return ranks


def _highest(scores: np.ndarray) -> np.ndarray:
    """How high the two sums of each run get: (run, upwards and downwards)."""
    import numpy as np

    height = np.zeros((len(scores), 2))
    top: np.ndarray = height.copy()
    for score in scores.T:
        height = np.maximum(0.0, height + np.stack([score, -score], axis=1) - SLACK)
        np.maximum(top, height, out=top)
    return top
