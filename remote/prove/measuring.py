"""`python -m remote.prove.measuring FOLDER CACHE THREADS RUNS [WISHES]`: a bundle's engine beside ONNX Runtime, as one JSON
object.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from remote.child_side import claim_answers
from remote.models.bundle import load_bundle
from remote.perception.engines.wishes import Wishes, wishes_in

if TYPE_CHECKING:
    from remote.models.bundle import Bundle
    from remote.perception.arrays import Tensor
    from remote.perception.engines.base import Engine

WARM_UP_RUNS = 20
SAMPLES = 8
NO_CACHE = "-"
"""In place of CACHE: no TensorRT is looked for."""


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """One engine. `first_ms` is from nothing to the first result; `p99_most_ms` bounds p99 with 95 % confidence."""

    engine: str
    first_ms: float
    n: int
    p50_ms: float
    p99_ms: float
    p99_most_ms: float | None


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Both engines, and how far their outputs are apart on the same `samples` `inputs`: relative to the output's largest."""

    here: Times
    peer: Times
    same_engine: bool
    samples: int
    inputs: str
    largest_difference: float
    largest_relative: float
    finite: bool


def measure(
    folder: Path,
    cache: Path | None,
    threads: int,
    runs: int,
    wishes: Wishes = Wishes(),
    clock: Callable[[], int] = time.perf_counter_ns,
) -> Measured:
    """Run both; without a cache both are ONNX Runtime. `wishes` is how the engine in the cache was built.

    Raises Trouble as open_engine, InferenceError where one fails.
    """
    from remote.models.comparing.samples import stored_or_drawn

    bundle = load_bundle(folder)
    here, ours = _timed(bundle, cache, threads, runs, wishes, clock)
    peer, theirs = _timed(bundle, None, threads, runs, wishes, clock)
    feeds, what = stored_or_drawn(bundle)
    apart, largest, finite = _differences(here, peer, [feed[bundle.contract.input.name] for feed in feeds[:SAMPLES]])
    for engine in (here, peer):
        engine.close()
    return Measured(
        here=ours,
        peer=theirs,
        same_engine=not ours.engine.startswith("TensorRT"),
        samples=len(feeds[:SAMPLES]),
        inputs=what,
        largest_difference=apart,
        largest_relative=apart / largest if largest else apart,
        finite=finite,
    )


def _differences(here: Engine, peer: Engine, inputs: Sequence[Tensor]) -> tuple[float, float, bool]:
    """The largest difference, the largest of the peer's outputs, and whether all of ours are finite."""
    import numpy as np

    apart = largest = 0.0
    finite = True
    for given in inputs:
        for engine in (here, peer):
            engine.input[...] = given
            engine.run()
        one, other = here.output.astype(np.float64), peer.output.astype(np.float64)
        finite = finite and bool(np.isfinite(one).all())
        apart = max(apart, float(np.abs(one - other).max()))
        largest = max(largest, float(np.abs(other).max()))
    return apart, largest, finite


def _timed(
    bundle: Bundle, cache: Path | None, threads: int, runs: int, wishes: Wishes, clock: Callable[[], int]
) -> tuple[Engine, Times]:
    from remote.models.validation.bounds import percentile
    from remote.perception.engines.choose import open_engine

    begin = clock()
    engine = open_engine(bundle.model, bundle.contract, threads=threads, cache=cache, wishes=wishes)
    engine.run()
    first = (clock() - begin) / 1e6
    engine.warm_up(WARM_UP_RUNS)
    times = []
    for _ in range(runs):
        started = clock()
        engine.run()
        times.append((clock() - started) / 1e6)
    p50, p99 = percentile(times, 0.5, 0.95), percentile(times, 0.99, 0.95)
    return engine, Times(
        engine=engine.name,
        first_ms=round(first, 2),
        n=p99.n,
        p50_ms=round(p50.value, 3),
        p99_ms=round(p99.value, 3),
        p99_most_ms=None if p99.upper is None else round(p99.upper, 3),
    )


if __name__ == "__main__":
    answer = claim_answers()
    at, kept, threads, runs, *wished = sys.argv[1:]
    made = measure(
        Path(at),
        None if kept == NO_CACHE else Path(kept),
        int(threads),
        int(runs),
        wishes_in(wished[0]) if wished else Wishes(),
    )
    answer(made)
    os._exit(0)
