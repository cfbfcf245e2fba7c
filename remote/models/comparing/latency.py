"""Times of several engines on this machine, taken in turns: whatever slows the machine slows all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]
WARM_UP, ROUNDS, LEAST_ROUNDS = 5, 60, 20
_DRAWS = 400


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """The engine alone, in milliseconds, over `n` runs. `ratio` is its median time over the first bundle's, with its 95 %

    interval from drawing rounds, in which all bundles ran; 1 for the first. Fewer than LEAST_ROUNDS runs decide nothing.
    """

    engine: str
    p50_ms: float
    p99_ms: float
    ratio: float
    ratio_low: float
    ratio_high: float
    n: int


def measured(
    runs: Sequence[Callable[[], object]],
    engines: Sequence[str],
    *,
    rounds: int = ROUNDS,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> tuple[Latency, ...]:
    """Run each in turn, `rounds` times, beginning with another one each time."""
    times = np.zeros((len(runs), rounds))
    for _ in range(WARM_UP):
        for run in runs:
            run()
    for turn in range(rounds):
        for step in range(len(runs)):
            at = (turn + step) % len(runs)
            started = clock()
            runs[at]()
            times[at, turn] = (clock() - started) / 1e6
    return tuple(_latency(row, times[0], engine) for row, engine in zip(times, engines, strict=True))


def _latency(times_ms: Times, first_ms: Times, engine: str) -> Latency:
    rounds = np.random.default_rng(0).integers(0, len(times_ms), (_DRAWS, len(times_ms)))
    drawn = np.median(times_ms[rounds], axis=1) / np.maximum(np.median(first_ms[rounds], axis=1), 1e-6)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Latency(
        engine=engine,
        p50_ms=float(np.median(times_ms)),
        p99_ms=float(np.quantile(times_ms, 0.99)),
        ratio=float(np.median(times_ms) / max(float(np.median(first_ms)), 1e-6)),
        ratio_low=float(low),
        ratio_high=float(high),
        n=len(times_ms),
    )
